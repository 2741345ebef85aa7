#include "cli/job.h"

#include "cli/say.h"
#include "cli/units.h"

#include "os/ending.h"
#include "os/file.h"
#include "os/object.h"
#include "wasm/module.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 65536, PRIORITY_MOST = 1000000, COPIES_MOST = 8 };

static bool bad_value(const struct job *j, const struct given *g, const char *examples)
{
    say("%s: --%s '%s' is not a value it can have; examples: %s", j->in->command->name,
        g->option->name, g->value, examples);
    return false;
}

static bool out_of_memory(const struct job *j)
{
    say("%s: out of memory", j->in->command->name);
    return false;
}

/* A copy that lives as long as the job. */
static char *own(struct job *j, const char *text, size_t size)
{
    char *copy = strndup(text, size);

    if (copy)
        j->own[j->own_count++] = copy;
    else
        out_of_memory(j);
    return copy;
}

/* ---- numbers ---- */

static bool take_size(struct job *j, const struct given *g, uint64_t least, uint64_t *out)
{
    return (units_size(g->value, out) && *out >= least) || bad_value(j, g, "64K, 64M, 1G");
}

static bool take_time(struct job *j, const struct given *g, uint64_t *out)
{
    return (units_time(g->value, out) && *out) || bad_value(j, g, "500ms, 30s, 5m");
}

static bool take_number(struct job *j, const struct given *g, long long least, long long most,
                        long long *out)
{
    char *end;

    errno = 0;
    *out = strtoll(g->value, &end, 10);
    if (*g->value && !*end && !errno && *out >= least && *out <= most)
        return true;
    say("%s: --%s is a whole number from %lld to %lld", j->in->command->name, g->option->name,
        least, most);
    return false;
}

static bool take_seed(struct job *j, const struct given *g)
{
    char *end;

    errno = 0;
    j->job.random_seed = strtoull(g->value, &end, 10);
    j->job.seeded = true;
    return (isdigit((unsigned char)*g->value) && !*end && !errno) || bad_value(j, g, "0, 42");
}

/* ---- files ---- */

static bool bad_in(const struct job *j, const struct given *g)
{
    say("%s: --in '%s': write PATH=NAME, PATH=@FILE or PATH=t12:OUTPUT", j->in->command->name,
        g->value);
    return false;
}

static struct tern_source source_of(const char *text)
{
    struct tern_source s = {.kind = TERN_NAMED, .text = text};
    const char *colon = strchr(text, ':');
    struct tern_which which;
    char id[POOL_ID_BYTES];

    if (*text == '@') {
        s.kind = TERN_FILE;
        s.text = text + 1;
    } else if (*text == 't' && colon && (size_t)(colon - text) < sizeof id) {
        memcpy(id, text, (size_t)(colon - text));
        id[colon - text] = 0;
        if (pool_parse_id(id, &which)) {
            s.kind = TERN_OUTPUT;
            s.text = colon[1] ? colon + 1 : NULL;
            s.task = which.task;
        }
    }
    return s;
}

static bool take_in(struct job *j, const struct given *g)
{
    const char *equals = strchr(g->value, '=');
    struct tern_source source;
    char *path;

    if (!equals || equals == g->value || !equals[1])
        return bad_in(j, g);
    source = source_of(equals + 1);
    if (source.text && !*source.text)
        return bad_in(j, g);
    if (strncmp(g->value, "-=", 2) == 0) {
        j->task.input = source;
        return j->takes_input = true;
    }
    path = own(j, g->value, (size_t)(equals - g->value));
    j->inputs[j->input_count++] = (struct tern_input){.path = path, .source = source};
    return path;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool take_out(struct job *j, const struct given *g)
{
    const char *equals = strchr(g->value, '=');
    const size_t size = equals ? (size_t)(equals - g->value) : strlen(g->value);
    char *path = size ? own(j, g->value, size) : NULL;

    if (!size || (equals && !equals[1]))
        return bad_value(j, g, "result.txt, out/data=here.dat");
    if (!path)
        return false;
    j->outs[j->output_count] =
        (struct job_out){.path = path, .file = equals ? equals + 1 : last_name(path)};
    j->outputs[j->output_count++] = (struct tern_output){.path = path};
    return true;
}

/* ---- the rest ---- */

static bool take_env(struct job *j, const struct given *g)
{
    const char *value;
    struct bytes text = {0};
    const char *whole;
    bool fine;

    if (strchr(g->value, '=')) {
        j->env[j->env_count++] = g->value;
        return true;
    }
    value = getenv(g->value);
    if (!value)
        return true; /* as of tern exec */
    bytes_appendf(&text, "%s=%s", g->value, value);
    whole = bytes_text(&text);
    fine = whole && (j->env[j->env_count++] = own(j, whole, text.size));
    bytes_release(&text);
    return fine;
}

static bool take_needs(struct job *j, const struct given *g)
{
    if (strncmp(g->value, "memory=", 7) == 0)
        return units_size(g->value + 7, &j->job.needs_memory_bytes) ||
               bad_value(j, g, "memory=8G, gpu, x86_64");
    if (strcmp(g->value, "x86_64") == 0 || strcmp(g->value, "aarch64") == 0)
        j->machines[j->machine_count++] = g->value;
    else if (*g->value)
        j->labels[j->label_count++] = g->value;
    else
        return bad_value(j, g, "memory=8G, gpu, x86_64");
    return true;
}

static bool take_limit(struct job *j, const struct given *g)
{
    const char *name = g->option->name;
    struct tern_job *job = &j->job;

    if (strcmp(name, "memory") == 0)
        return take_size(j, g, PAGE_BYTES, &job->memory_bytes);
    if (strcmp(name, "stack") == 0)
        return take_size(j, g, PAGE_BYTES, &job->stack_bytes);
    if (strcmp(name, "output") == 0)
        return take_size(j, g, 1, &job->output_bytes);
    if (strcmp(name, "files-size") == 0)
        return take_size(j, g, 4096, &job->files_bytes);
    if (strcmp(name, "time") == 0)
        return take_time(j, g, &job->cpu_ns);
    return true; /* the command's own */
}

static bool take_policy(struct job *j, const struct given *g)
{
    const char *name = g->option->name;
    long long number = 0;
    uint64_t ns = 0;
    bool fine = true;

    if (strcmp(name, "every") == 0) {
        fine = take_time(j, g, &ns);
        j->job.checkpoint_every_ns = (int64_t)ns;
    } else if (strcmp(name, "copies") == 0) {
        fine = take_number(j, g, 1, COPIES_MOST, &number);
        j->job.copies = (uint32_t)number;
    } else if (strcmp(name, "priority") == 0) {
        fine = take_number(j, g, -PRIORITY_MOST, PRIORITY_MOST, &number);
        j->job.priority = (int32_t)number;
    } else if (strcmp(name, "no-wait") == 0) {
        j->no_wait = true;
    } else {
        fine = take_limit(j, g);
    }
    return fine;
}

static bool take_option(struct job *j, const struct given *g)
{
    const char *name = g->option->name ? g->option->name : "";

    if (strcmp(name, "in") == 0)
        return take_in(j, g);
    if (strcmp(name, "out") == 0)
        return take_out(j, g);
    if (strcmp(name, "env") == 0)
        return take_env(j, g);
    if (strcmp(name, "needs") == 0)
        return take_needs(j, g);
    if (strcmp(name, "label") == 0)
        j->job.label = g->value;
    else if (strcmp(name, "node") == 0)
        j->job.node = g->value;
    else if (strcmp(name, "deterministic") == 0)
        j->job.deterministic = true;
    else if (strcmp(name, "random-seed") == 0)
        return take_seed(j, g);
    else
        return take_policy(j, g);
    return true;
}

/* Decoded and validated here: a pool has better to do than to find that out. */
static bool check_module(struct job *j)
{
    struct bytes bytes = {0};
    struct wasm_module m;
    struct problem p = {.text = ""};
    enum tern_err err = file_read(j->module, WASM_MODULE_BYTES_MAX, &bytes);

    if (err) {
        say("%s: cannot read %s: %s", j->in->command->name, j->module, tern_err_text(err));
        j->code = err == TERN_ENOENT ? EXIT_NOT_FOUND : EXIT_REFUSED;
        return false;
    }
    err = object_load_module(bytes_view(&bytes), j->module, &m, &p);
    if (err) {
        say_text(p.text);
        j->code = EXIT_REFUSED;
    } else {
        module_release(&m);
    }
    bytes_release(&bytes);
    return !err;
}

static bool have_room(struct job *j)
{
    const size_t count = j->in->given_count + 1;

    j->env = calloc(count, sizeof *j->env);
    j->labels = calloc(count, sizeof *j->labels);
    j->machines = calloc(count, sizeof *j->machines);
    j->inputs = calloc(count, sizeof *j->inputs);
    j->outputs = calloc(count, sizeof *j->outputs);
    j->outs = calloc(count, sizeof *j->outs);
    j->own = calloc(count, sizeof *j->own);
    return (j->env && j->labels && j->machines && j->inputs && j->outputs && j->outs && j->own) ||
           out_of_memory(j);
}

static void put_together(struct job *j)
{
    struct tern_job *job = &j->job;

    job->module = (struct tern_source){.kind = TERN_FILE, .text = j->module};
    job->args = (const char *const *)(j->in->args + 1);
    job->arg_count = j->in->arg_count - 1;
    job->env = j->env;
    job->env_count = j->env_count;
    job->labels = j->labels;
    job->label_count = j->label_count;
    job->machines = j->machines;
    job->machine_count = j->machine_count;
    j->task.inputs = j->inputs;
    j->task.input_count = j->input_count;
    j->task.outputs = j->outputs;
    j->task.output_count = j->output_count;
    job->tasks = &j->task;
    job->task_count = 1;
}

bool job_take(struct job *j, const struct invocation *in)
{
    *j = (struct job){.in = in, .module = in->args[0]};
    j->code = in->command->usage_status ? in->command->usage_status : CLI_USAGE;
    if (!have_room(j))
        return false;
    for (size_t i = 0; i < in->given_count; i++)
        if (!take_option(j, &in->given[i]))
            return false;
    put_together(j);
    return check_module(j);
}

void job_release(struct job *j)
{
    for (size_t i = 0; i < j->own_count; i++)
        free(j->own[i]);
    free(j->own);
    free(j->env);
    free(j->labels);
    free(j->machines);
    free(j->inputs);
    free(j->outputs);
    free(j->outs);
}
