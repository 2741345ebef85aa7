#include "os/compile.h"

#include "base/check.h"
#include "os/confine.h"
#include "os/embedded.h"
#include "os/file.h"
#include "os/jobs.h"
#include "os/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 128 << 10, /* of WebAssembly code: some seconds of work for a compiler */
    PIECE_TEXT_BYTES_MAX = 1 << 30,
    OBJECT_BYTES_MAX = 1 << 30,
    LOG_BYTES_MAX = 64 << 10,
    WORK_PATH_MAX = DIRS_PATH_MAX + 32,
    CONFINE_STATUS = 125,
};

static const char log_name[] = "compiler-messages.txt";

struct translate_options compile_options(bool deterministic)
{
    return (struct translate_options){.piece_bytes = PIECE_BYTES, .deterministic = deterministic};
}

struct command {
    struct words words;
    struct confine_words prefix;
    char log[WORK_PATH_MAX];
};

struct work {
    const struct compile_order *order;
    struct words flags;
    struct words env;
    struct command *commands;
    struct job *jobs;
    uint32_t pieces;
    char dir[DIRS_PATH_MAX];
};

static enum tern_err write_piece(const struct wasm_module *m,
                                 const struct translate_options *options, const char *dir,
                                 uint32_t piece, struct problem *p)
{
    struct bytes text = {.limit = PIECE_TEXT_BYTES_MAX};
    char path[WORK_PATH_MAX];
    enum tern_err err = translate_piece(m, options, piece, &text);

    if (err) {
        problem_set(p, err, "cannot translate the module to C: %s", tern_err_text(err));
        goto out;
    }
    snprintf(path, sizeof path, "%s/piece-%u.c", dir, piece);
    err = file_write(path, bytes_view(&text));
    if (err)
        problem_set(p, err, "cannot write %s: %s", path, tern_err_text(err));
out:
    bytes_release(&text);
    return err;
}

static enum tern_err write_headers(const char *dir, struct problem *p)
{
    enum tern_err err = TERN_OK;
    char path[WORK_PATH_MAX];

    for (size_t i = 0; i < embedded_count && !err; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, embedded_files[i].name);
        err = file_write(path, view_of(embedded_files[i].data, embedded_files[i].size));
        if (err)
            problem_set(p, err, "cannot write %s: %s", path, tern_err_text(err));
    }
    return err;
}

enum tern_err compile_write_sources(const struct wasm_module *m,
                                    const struct translate_options *options, const char *dir,
                                    uint32_t *piece_count, struct problem *p)
{
    uint32_t pieces = translate_piece_count(m, options);
    enum tern_err err = write_headers(dir, p);

    for (uint32_t i = 0; i < pieces && !err; i++)
        err = write_piece(m, options, dir, i, p);
    if (!err)
        *piece_count = pieces;
    return err;
}

static enum tern_err write_continuations(struct work *w, const struct translate_options *options,
                                         struct problem *p)
{
    struct bytes text = {.limit = PIECE_TEXT_BYTES_MAX};
    char path[WORK_PATH_MAX];
    enum tern_err err = write_headers(w->dir, p);

    w->pieces = 1;
    if (!err) {
        err = translate_continuations(w->order->module, options, w->order->points, false, &text);
        if (err)
            problem_set(p, err, "cannot translate the program's frames to C: %s",
                        tern_err_text(err));
    }
    snprintf(path, sizeof path, "%s/piece-0.c", w->dir);
    if (!err) {
        err = file_write(path, bytes_view(&text));
        if (err)
            problem_set(p, err, "cannot write %s: %s", path, tern_err_text(err));
    }
    bytes_release(&text);
    return err;
}

/* The compiler in its box, up to its flags. */
static struct words *begin(struct work *w, uint32_t number)
{
    const struct settings *s = w->order->settings;
    struct command *c = &w->commands[number];

    confine_prefix(&s->compiler_limits, s->self, w->dir, &c->prefix);
    for (size_t i = 0; i < CONFINE_WORDS; i++)
        words_add(&c->words, c->prefix.word[i]);
    words_add_all(&c->words, w->order->compiler->command.word);
    words_add_all(&c->words, w->flags.word);
    words_addf(&c->words, "-fdebug-prefix-map=%s=.", w->dir);
    snprintf(c->log, sizeof c->log, "%s/log-%u", w->dir, number);
    return &c->words;
}

static void finish(struct work *w, uint32_t number)
{
    struct command *c = &w->commands[number];

    w->jobs[number] = (struct job){.argv = c->words.word, .env = w->env.word, .log = c->log};
}

static void add_piece(struct work *w, uint32_t piece)
{
    struct words *c = begin(w, piece);

    words_add(c, "-c");
    words_addf(c, "piece-%u.c", piece);
    words_add(c, "-o");
    words_addf(c, "piece-%u.o", piece);
    finish(w, piece);
}

/* A module of one piece is compiled and linked by one command. */
static void add_link(struct work *w)
{
    struct words *c = begin(w, w->pieces);

    compiler_link_flags(w->order->compiler, c);
    words_add(c, "-o");
    words_add(c, "object.so");
    for (uint32_t i = 0; i < w->pieces; i++)
        words_addf(c, w->pieces == 1 ? "piece-%u.c" : "piece-%u.o", i);
    words_add(c, "-lm");
    finish(w, w->pieces);
}

static enum tern_err prepare(struct work *w)
{
    bool failed;

    w->commands = calloc(w->pieces + 1, sizeof *w->commands);
    w->jobs = calloc(w->pieces + 1, sizeof *w->jobs);
    if (!w->commands || !w->jobs)
        return TERN_ENOMEM;
    compiler_flags(w->order->compiler, w->order->settings->cflags, &w->flags);
    words_addf(&w->env, "PATH=%s", w->order->settings->path);
    words_add(&w->env, "LANG=C");
    words_add(&w->env, "CCACHE_DISABLE=1"); /* it has nowhere to write, and nothing to add */
    words_addf(&w->env, "TMPDIR=%s", w->dir);
    failed = w->flags.failed || w->env.failed;
    if (failed)
        return TERN_ENOMEM;
    for (uint32_t i = 0; i < w->pieces && w->pieces > 1; i++)
        add_piece(w, i);
    add_link(w);
    for (uint32_t i = 0; i <= w->pieces; i++)
        failed = failed || w->commands[i].words.failed;
    return failed ? TERN_ENOMEM : TERN_OK;
}

/* Where a person can read what the compiler said: in the cache, under a name that stays. */
static void keep_log(const struct compile_order *o, struct bytes *log, char *where, size_t size)
{
    char dir[DIRS_PATH_MAX];

    *where = 0;
    if (dirs_cache_path(o->settings->cache_dir, o->settings->cache_home, o->settings->home, dir,
                        NULL))
        return;
    if (cache_put_text(o->cache, log_name, bytes_view(log)) == TERN_OK)
        snprintf(where, size, "; all it said is in %s/%s", dir, log_name);
}

static enum tern_err explain(struct work *w, const struct jobs_result *r, struct problem *p)
{
    const struct compile_order *o = w->order;
    struct bytes log = {0};
    char where[DIRS_PATH_MAX + 64], how[64];
    const char *text;

    if (file_read(w->commands[r->failed].log, LOG_BYTES_MAX, &log))
        log = (struct bytes){0};
    if (WIFSIGNALED(r->status))
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(r->status),
                 strsignal(WTERMSIG(r->status)));
    else
        snprintf(how, sizeof how, "failed");
    keep_log(o, &log, where, sizeof where);
    text = bytes_text(&log);
    problem_set(p, TERN_ECOMPILE, "compiling %s: %s %s: %.*s%s", o->name,
                o->compiler->command.word[0], how, (int)strcspn(text ? text : "", "\n"),
                text && *text ? text : "without a message", where);
    bytes_release(&log);
    return TERN_ECOMPILE;
}

static enum tern_err run(struct work *w, size_t first, size_t count, int *signal, struct problem *p)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const struct settings *s = w->order->settings;
    const struct jobs_limits limits = {.parallel_max = processors > 1 ? (size_t)processors : 1,
                                       .time_ms_max = s->compiler_ms_max,
                                       .give_up = w->order->give_up};
    struct jobs_result result;
    enum tern_err err = jobs_run(w->jobs + first, count, &limits, &result, p);

    *signal = result.signal;
    if (err == TERN_ECOMPILE) {
        result.failed += first;
        return explain(w, &result, p);
    }
    if (err == TERN_ETIME)
        problem_set(p, err,
                    "compiling %s took longer than %ju s and was stopped; "
                    "TERN_COMPILE_SECONDS allows more",
                    w->order->name, (uintmax_t)s->compiler_ms_max / 1000);
    return err;
}

static enum tern_err build(struct work *w, struct bytes *object, int *signal, struct problem *p)
{
    const struct translate_options options = compile_options(w->order->deterministic);
    char path[WORK_PATH_MAX];
    enum tern_err err =
        w->order->points ? write_continuations(w, &options, p)
                         : compile_write_sources(w->order->module, &options, w->dir, &w->pieces, p);

    if (err)
        return err;
    err = prepare(w);
    if (err)
        return problem_set(p, err, "out of memory");
    if (w->pieces > 1)
        err = run(w, 0, w->pieces, signal, p);
    if (!err)
        err = run(w, w->pieces, 1, signal, p);
    if (err)
        return err;
    snprintf(path, sizeof path, "%s/object.so", w->dir);
    err = file_read(path, OBJECT_BYTES_MAX, object);
    return err ? problem_set(p, err, "cannot read what the compiler made: %s", tern_err_text(err))
               : TERN_OK;
}

static void release(struct work *w)
{
    for (uint32_t i = 0; w->commands && i <= w->pieces; i++)
        words_release(&w->commands[i].words);
    free(w->commands);
    free(w->jobs);
    words_release(&w->flags);
    words_release(&w->env);
    file_remove_tree(w->dir);
}

enum tern_err compile_module(const struct compile_order *order, struct bytes *object, int *signal,
                             struct problem *p)
{
    struct work w = {.order = order};
    enum tern_err err = dirs_make_work(order->settings->temporary, w.dir, p);

    *signal = 0;
    if (err)
        return err;
    err = build(&w, object, signal, p);
    release(&w);
    return err;
}
