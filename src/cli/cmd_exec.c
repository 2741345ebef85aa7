#include "cli/commands.h"
#include "cli/say.h"
#include "cli/units.h"

#include "os/file.h"
#include "os/hash.h"
#include "os/object.h"
#include "os/process.h"
#include "os/program.h"
#include "os/sys.h"
#include "wasm/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PAGE_BYTES = 65536,
    STACK_BYTES_LEAST = 64 << 10,
};

static const uint64_t stack_bytes_most = (uint64_t)1 << 30;

struct exec {
    const struct invocation *in;
    const char *path; /* of the module */
    const char *name; /* without folders */
    struct words args;
    struct words env;
    struct program_dir dirs[TICKET_DIRS_MAX];
    size_t dir_count;
    struct program_limits limits;
    int module; /* sealed */
    struct view bytes;
    void *map;
    struct object object;
};

/* HOST or HOST::GUEST */
static bool add_dir(struct exec *e, const char *value, bool read_only)
{
    const char *split = strstr(value, "::");
    struct program_dir dir = {.read_only = read_only};

    if (e->dir_count == TICKET_DIRS_MAX) {
        say("exec: more than %d directories", (int)TICKET_DIRS_MAX);
        return false;
    }
    dir.host = split ? strndup(value, (size_t)(split - value)) : strdup(value);
    dir.guest = strdup(split ? split + 2 : value);
    if (!dir.host || !dir.guest || !*dir.host || !*dir.guest) {
        say("exec: --%s '%s' should be HOST or HOST::GUEST", read_only ? "ro-dir" : "dir", value);
        free(dir.host);
        free(dir.guest);
        return false;
    }
    e->dirs[e->dir_count++] = dir;
    return true;
}

/* K=V, or K: our own value of K, if we have one. */
static bool add_env(struct exec *e, const char *value)
{
    const char *own;

    if (*value == '=' || !*value) {
        say("exec: --env '%s' should be NAME=VALUE or NAME", value);
        return false;
    }
    own = strchr(value, '=') ? NULL : getenv(value);
    if (own)
        words_addf(&e->env, "%s=%s", value, own);
    else if (strchr(value, '='))
        words_add(&e->env, value);
    return true;
}

static bool bad_value(const struct given *g, const char *examples)
{
    say("exec: --%s '%s' is not a value it can have; examples: %s", g->option->name, g->value,
        examples);
    return false;
}

static bool add_limit(struct exec *e, const struct given *g)
{
    const char *name = g->option->name;
    uint64_t value;

    if (strcmp(name, "memory") == 0) {
        if (!units_size(g->value, &value) || value < PAGE_BYTES)
            return bad_value(g, "64M, 1G (at least 64K)");
        value /= PAGE_BYTES;
        e->limits.memory_pages_max =
            value < WASM_MEMORY_PAGES_MAX ? (uint32_t)value : (uint32_t)WASM_MEMORY_PAGES_MAX;
    } else if (strcmp(name, "stack") == 0) {
        if (!units_size(g->value, &value) || value < STACK_BYTES_LEAST || value > stack_bytes_most)
            return bad_value(g, "1M, 64M (64K to 1G)");
        e->limits.stack_bytes = value;
    } else if (strcmp(name, "time") == 0) {
        if (!units_time(g->value, &value) || !value)
            return bad_value(g, "500ms, 30s, 5m");
        e->limits.cpu_ns_max = value;
    } else {
        if (!units_size(g->value, &value) || !value)
            return bad_value(g, "100K, 64M");
        e->limits.output_bytes_max = value;
    }
    return true;
}

static bool take_options(struct exec *e)
{
    bool fine = true;

    for (size_t i = 0; i < e->in->given_count && fine; i++) {
        const struct given *g = &e->in->given[i];

        if (strcmp(g->option->name, "dir") == 0)
            fine = add_dir(e, g->value, false);
        else if (strcmp(g->option->name, "ro-dir") == 0)
            fine = add_dir(e, g->value, true);
        else if (strcmp(g->option->name, "env") == 0)
            fine = add_env(e, g->value);
        else
            fine = add_limit(e, g);
    }
    return fine;
}

/* Copies the file into sealed memory: what is checked is what runs, whoever changes the file. */
static enum tern_err load(struct exec *e, struct problem *p)
{
    struct bytes b = {0};
    enum tern_err err = file_read(e->path, WASM_MODULE_BYTES_MAX, &b);

    if (err)
        return problem_set(p, err, "cannot read %s: %s", e->path, tern_err_text(err));
    err = file_sealed("tern-module", bytes_view(&b), &e->module);
    if (!err && b.size) {
        e->map = sys_map(e->module, b.size, PROT_READ);
        err = e->map ? TERN_OK : TERN_ENOMEM;
        e->bytes = view_of(e->map, b.size);
    }
    bytes_release(&b);
    return err ? problem_set(p, err, "cannot keep %s in memory: %s", e->path, tern_err_text(err))
               : TERN_OK;
}

static int code_for(enum tern_err err, bool module_read)
{
    if (err == TERN_ENOENT && !module_read)
        return EXIT_NOT_FOUND;
    if (err == TERN_EMALFORMED || err == TERN_EINVALID || !module_read)
        return EXIT_REFUSED;
    return EXIT_TERN;
}

static void prepare_words(struct exec *e)
{
    const char *slash = strrchr(e->path, '/');

    e->name = slash ? slash + 1 : e->path;
    words_add(&e->args, e->name);
    words_add_all(&e->args, e->in->args + 1);
}

static enum tern_err run(struct exec *e, struct ending *ending, struct problem *p)
{
    const struct object_order order = {
        .settings = e->in->settings, .module = e->bytes, .name = e->path, .warn = say_text};
    const struct program_order program = {
        .settings = e->in->settings,
        .name = e->path,
        .args = &e->args,
        .env = &e->env,
        .dirs = e->dirs,
        .dir_count = e->dir_count,
        .limits = e->limits,
        .module = e->module,
        .module_bytes = e->bytes,
    };
    struct program_order ready = program;
    enum tern_err err = object_make(&order, &e->object, p);

    if (err)
        return err;
    ready.object = e->object.fd;
    return program_run(&ready, ending, p);
}

static void release(struct exec *e)
{
    for (size_t i = 0; i < e->dir_count; i++) {
        free(e->dirs[i].host);
        free(e->dirs[i].guest);
    }
    words_release(&e->args);
    words_release(&e->env);
    sys_unmap(e->map, e->bytes.size);
    sys_close(e->module);
    sys_close(e->object.fd);
}

static int fail(const struct exec *e, enum tern_err err, const struct problem *p)
{
    if (e->object.signal)
        process_die_by(e->object.signal);
    say_text(p->text);
    return code_for(err, e->module >= 0);
}

int cmd_exec(const struct invocation *in)
{
    struct exec e = {.in = in,
                     .path = in->args[0],
                     .limits = program_default,
                     .module = -1,
                     .object = {.fd = -1}};
    struct ending ending = {.code = EXIT_TERN};
    struct problem p = {.text = "out of memory"};
    enum tern_err err = TERN_OK;

    if (take_options(&e)) {
        prepare_words(&e);
        if (e.args.failed || e.env.failed)
            err = TERN_ENOMEM;
        if (!err)
            err = load(&e, &p);
        if (!err)
            err = run(&e, &ending, &p);
        if (err)
            ending.code = fail(&e, err, &p);
        if (ending.text[0])
            say_text(ending.text);
    }
    release(&e);
    if (ending.signal)
        process_die_by(ending.signal);
    return ending.code;
}
