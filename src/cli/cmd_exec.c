#include "cli/commands.h"
#include "cli/run.h"
#include "cli/say.h"
#include "cli/units.h"

#include "os/process.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_BYTES = 65536,
    STACK_BYTES_LEAST = 64 << 10,
    EVERY_NS_LEAST = 10000000,
};

static const uint64_t stack_bytes_most = (uint64_t)1 << 30;
static const uint64_t files_bytes_most = (uint64_t)TREE_PAGES_MAX * TREE_PAGE_BYTES;

static bool bad_value(const struct given *g, const char *examples)
{
    say("exec: --%s '%s' is not a value it can have; examples: %s", g->option->name, g->value,
        examples);
    return false;
}

static bool add_limit(struct run *r, const struct given *g)
{
    const char *name = g->option->name;
    uint64_t value;

    if (strcmp(name, "memory") == 0) {
        if (!units_size(g->value, &value) || value < PAGE_BYTES)
            return bad_value(g, "64M, 1G (at least 64K)");
        value /= PAGE_BYTES;
        r->limits.memory_pages_max =
            value < WASM_MEMORY_PAGES_MAX ? (uint32_t)value : (uint32_t)WASM_MEMORY_PAGES_MAX;
    } else if (strcmp(name, "stack") == 0) {
        if (!units_size(g->value, &value) || value < STACK_BYTES_LEAST || value > stack_bytes_most)
            return bad_value(g, "1M, 64M (64K to 1G)");
        r->limits.stack_bytes = value;
    } else if (strcmp(name, "files-size") == 0) {
        if (!units_size(g->value, &value) || value < TREE_PAGE_BYTES || value > files_bytes_most)
            return bad_value(g, "100M, 8G (4K to 64G)");
        r->files_bytes_max = value / TREE_PAGE_BYTES * TREE_PAGE_BYTES;
    } else if (strcmp(name, "every") == 0) {
        if (!units_time(g->value, &value) || value < EVERY_NS_LEAST)
            return bad_value(g, "1s, 10m (at least 10ms)");
        r->every_ns = value;
    } else if (strcmp(name, "time") == 0) {
        if (!units_time(g->value, &value) || !value)
            return bad_value(g, "500ms, 30s, 5m");
        r->limits.cpu_ns_max = value;
    } else {
        if (!units_size(g->value, &value) || !value)
            return bad_value(g, "100K, 64M");
        r->limits.output_bytes_max = value;
    }
    return true;
}

static bool take_seed(struct run *r, const struct given *g)
{
    char *end;

    errno = 0;
    r->random_seed = strtoull(g->value, &end, 10);
    r->seeded = isdigit((unsigned char)g->value[0]) && !*end && !errno;
    return r->seeded || bad_value(g, "0, 42 (up to 18446744073709551615)");
}

static bool take_files(struct run *r, const char *folder)
{
    if (r->files) {
        say("exec: --files is given twice: a program has one root");
        return false;
    }
    r->files = strdup(folder);
    if (!r->files)
        say("out of memory");
    return r->files;
}

static bool take_options(struct run *r)
{
    bool fine = true;

    for (size_t i = 0; i < r->in->given_count && fine; i++) {
        const struct given *g = &r->in->given[i];

        if (strcmp(g->option->name, "dir") == 0)
            fine = run_add_dir(r, g->value, false);
        else if (strcmp(g->option->name, "ro-dir") == 0)
            fine = run_add_dir(r, g->value, true);
        else if (strcmp(g->option->name, "files") == 0)
            fine = take_files(r, g->value);
        else if (strcmp(g->option->name, "out") == 0)
            fine = run_add_out(r, g->value);
        else if (strcmp(g->option->name, "checkpoint") == 0)
            r->checkpoints = g->value;
        else if (strcmp(g->option->name, "stats") == 0)
            fine = run_open_stats(r, g->value);
        else if (strcmp(g->option->name, "record") == 0)
            r->record = g->value;
        else if (strcmp(g->option->name, "env") == 0)
            fine = run_add_env(r, g->value);
        else if (strcmp(g->option->name, "deterministic") == 0)
            r->deterministic = true;
        else if (strcmp(g->option->name, "random-seed") == 0)
            fine = take_seed(r, g);
        else
            fine = add_limit(r, g);
    }
    r->seeded |= r->deterministic;
    return fine && run_check_files(r);
}

static bool take_words(struct run *r)
{
    const char *path = r->in->args[0], *slash = strrchr(path, '/');

    r->path = strdup(path);
    words_add(&r->args, slash ? slash + 1 : path);
    words_add_all(&r->args, r->in->args + 1);
    if (!r->path)
        say("out of memory");
    return r->path;
}

int cmd_exec(const struct invocation *in)
{
    int code = EXIT_TERN, signal = 0;
    struct run r;

    run_init(&r, in, "exec");
    if (take_options(&r) && take_words(&r)) {
        if (r.every_ns && !r.checkpoints)
            say("exec: --every says how often, --checkpoint has to say where");
        else if (r.stats >= 0 && !r.checkpoints)
            say("exec: --stats is about checkpoints, --checkpoint has to say where they go");
        else
            code = run_go(&r, &signal);
    }
    run_release(&r);
    if (signal)
        process_die_by(signal);
    return code;
}
