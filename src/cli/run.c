#include "cli/run.h"

#include "cli/say.h"

#include "os/file.h"
#include "os/go_on.h"
#include "os/process.h"
#include "os/supervise.h"
#include "os/surroundings.h"
#include "os/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEEP_CHECKPOINTS = 2, NS_PER_MS = 1000000 };

#define FILES_BYTES_DEFAULT (UINT64_C(4) << 30)

void run_init(struct run *r, const struct invocation *in, const char *verb)
{
    *r = (struct run){
        .in = in,
        .verb = verb,
        .limits = program_default,
        .files_bytes_max = FILES_BYTES_DEFAULT,
        .module = -1,
        .stats = -1,
        .record_fd = -1,
        .replayed = {.fd = -1},
        .input = {.fd = -1},
        .object = {.fd = -1},
        .continuations = {.fd = -1},
    };
}

void run_release(struct run *r)
{
    for (size_t i = 0; i < r->dir_count; i++) {
        free(r->dirs[i].host);
        free(r->dirs[i].guest);
    }
    for (size_t i = 0; i < r->out_count; i++) {
        free(r->outs[i].path);
        free(r->outs[i].host);
    }
    free(r->files);
    free(r->path);
    words_release(&r->args);
    words_release(&r->env);
    bytes_release(&r->settings);
    checkpoint_release(&r->from);
    record_close(&r->replayed);
    sys_close(r->record_fd);
    kept_input_release(&r->input);
    store_close(r->store);
    sys_unmap(r->map, r->bytes.size);
    sys_close(r->module);
    sys_close(r->stats);
    sys_close(r->object.fd);
    sys_close(r->continuations.fd);
    free((void *)(uintptr_t)r->points.list);
}

bool run_add_dir(struct run *r, const char *value, bool read_only)
{
    const char *split = strstr(value, "::");
    struct program_dir dir = {.read_only = read_only};

    if (r->dir_count == TICKET_DIRS_MAX) {
        say("%s: more than %d directories", r->verb, (int)TICKET_DIRS_MAX);
        return false;
    }
    dir.host = split ? strndup(value, (size_t)(split - value)) : strdup(value);
    dir.guest = strdup(split ? split + 2 : value);
    if (!dir.host || !dir.guest || !*dir.host || !*dir.guest) {
        say("%s: --%s '%s' should be HOST or HOST::GUEST", r->verb, read_only ? "ro-dir" : "dir",
            value);
        free(dir.host);
        free(dir.guest);
        return false;
    }
    r->dirs[r->dir_count++] = dir;
    return true;
}

bool run_add_env(struct run *r, const char *value)
{
    const char *own;

    if (*value == '=' || !*value) {
        say("%s: --env '%s' should be NAME=VALUE or NAME", r->verb, value);
        return false;
    }
    own = strchr(value, '=') ? NULL : getenv(value);
    if (own)
        words_addf(&r->env, "%s=%s", value, own);
    else if (strchr(value, '='))
        words_add(&r->env, value);
    return true;
}

/* The last part of a path, without '/' behind it; NULL: there is none, or no memory. */
static char *last_part(const char *path)
{
    size_t end = strlen(path), from;

    while (end > 0 && path[end - 1] == '/')
        end--;
    from = end;
    while (from > 0 && path[from - 1] != '/')
        from--;
    if (end == from || strncmp(path + from, ".", end - from) == 0 ||
        strncmp(path + from, "..", end - from) == 0)
        return NULL;
    return strndup(path + from, end - from);
}

bool run_add_out(struct run *r, const char *value)
{
    const char *split = strchr(value, '=');
    struct tree_out out = {0};
    size_t size;

    if (r->out_count == RUN_OUTS_MAX) {
        say("%s: more than %d outputs", r->verb, (int)RUN_OUTS_MAX);
        return false;
    }
    out.path = split ? strndup(value, (size_t)(split - value)) : strdup(value);
    out.host = split ? strdup(split + 1) : last_part(value);
    if (!out.path || !out.host || !*out.path || !*out.host) {
        say("%s: --out '%s' should be PATH or PATH=HOSTPATH, and the second if PATH has no name",
            r->verb, value);
        free(out.path);
        free(out.host);
        return false;
    }
    for (size = strlen(out.host); size > 1 && out.host[size - 1] == '/';)
        out.host[--size] = 0;
    r->outs[r->out_count++] = out;
    return true;
}

bool run_check_files(const struct run *r)
{
    if (!r->files && r->out_count) {
        say("%s: --out copies out of the program's own files, which it has with --files", r->verb);
        return false;
    }
    for (size_t i = 0; r->files && i < r->dir_count; i++) {
        const char *guest = r->dirs[i].guest;

        if (strcmp(guest, "/") == 0 || strcmp(guest, ".") == 0 || strcmp(guest, "./") == 0) {
            say("%s: --files is what the program sees as its root: lend %s by another name, "
                "%s::/NAME",
                r->verb, r->dirs[i].host, r->dirs[i].host);
            return false;
        }
    }
    return true;
}

/* ---- The module ---- */

/* Into sealed memory: what is checked is what runs, whoever changes the file. */
static enum tern_err keep_module(struct run *r, struct view bytes, struct problem *p)
{
    enum tern_err err = file_sealed("tern-module", bytes, &r->module);

    if (!err && bytes.size) {
        r->map = sys_map(r->module, bytes.size, PROT_READ);
        err = r->map ? TERN_OK : TERN_ENOMEM;
        r->bytes = view_of(r->map, bytes.size);
        r->digest = hash_of(r->bytes);
    }
    return err ? problem_set(p, err, "cannot keep %s in memory: %s", r->path, tern_err_text(err))
               : TERN_OK;
}

/* Nobody will take one: then the signal ends the program, as it would a native one. */
static void hear_requests(void)
{
    sigset_t requests;

    sigemptyset(&requests);
    sigaddset(&requests, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &requests, NULL);
}

static enum tern_err keep_input(struct run *r, struct problem *p)
{
    struct store_root newest = {.number = 0};
    enum tern_err err = store_root(r->store, 0, &newest);

    if (err && err != TERN_ENOENT)
        return problem_set(p, err, "the checkpoints in %s cannot be listed: %s", r->checkpoints,
                           tern_err_text(err));
    return kept_input_begin(r->checkpoints, newest.number, &r->input, p);
}

enum tern_err run_load(struct run *r, struct problem *p)
{
    struct bytes b = {0};
    enum tern_err err;

    if (!r->checkpoints)
        hear_requests();
    err = file_read(r->path, WASM_MODULE_BYTES_MAX, &b);
    if (err)
        return problem_set(p, err, "cannot read %s: %s", r->path, tern_err_text(err));
    err = keep_module(r, bytes_view(&b), p);
    bytes_release(&b);
    if (err || !r->checkpoints)
        return err;
    err = store_open(r->checkpoints, true, &r->store, p);
    return err ? err : keep_input(r, p);
}

/* ---- A record ---- */

enum tern_err run_open_record(struct run *r, struct problem *p)
{
    enum tern_err err = record_open(r->record, false, &r->replayed, p);

    if (!err)
        err = run_read_settings(r, r->replayed.settings, p);
    if (!err)
        err = keep_module(r, bytes_view(&r->replayed.module), p);
    r->replays = true;
    return err;
}

/* ---- A checkpoint ---- */

static enum tern_err check_image(const struct run *r, struct problem *p)
{
    return go_on_check(&(struct go_on_order){.image = &r->from.image,
                                             .module = r->bytes,
                                             .module_sha256 = r->digest.byte,
                                             .name = r->path,
                                             .limits = &r->limits,
                                             .files_bytes = r->files ? r->files_bytes_max : 0},
                       p);
}

enum tern_err run_open(struct run *r, struct problem *p)
{
    enum tern_err err = store_open(r->checkpoints, false, &r->store, p);

    if (!err)
        err = checkpoint_open(r->store, 0, &r->from, p);
    if (!err)
        err = run_read_settings(r, bytes_view(&r->from.settings), p);
    if (!err)
        err = keep_module(r, bytes_view(&r->from.module), p);
    if (!err)
        err = check_image(r, p);
    if (!err)
        err = kept_input_find(r->checkpoints, r->from.root.number, &r->from.image.state, &r->input,
                              p);
    r->deterministic = r->from.image.deterministic;
    r->resumes = true;
    return err;
}

/* ---- Running ---- */

static void tell(void *context, const struct stopper_done *done)
{
    struct run *r = context;

    r->said[0] = 0;
    if (r->stats >= 0)
        run_tell_stats(r, done);
    if (done->last)
        say("stopped at checkpoint %ju; to go on: tern resume %s",
            (uintmax_t)done->take.root.number, r->checkpoints);
}

/* What keeps --every from working is said once, until it works again. */
static void tell_not(void *context, bool last, const struct problem *why)
{
    struct run *r = context;

    if (!last && strcmp(r->said, why->text) == 0)
        return;
    snprintf(r->said, sizeof r->said, "%s", why->text);
    say("no checkpoint was taken: %s%s", why->text,
        last ? "; it goes on (the same signal again ends it)" : "");
}

static enum tern_err compile(struct run *r, struct problem *p)
{
    struct object_order order = {
        .settings = r->in->settings,
        .module = r->bytes,
        .name = r->path,
        .deterministic = r->deterministic,
        .warn = say_text,
    };
    enum tern_err err = object_make(&order, &r->object, p);

    if (err || !r->resumes)
        return err;
    r->points = go_on_points(&r->from.image.state);
    if (!r->points.list)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    order.points = &r->points;
    return object_make(&order, &r->continuations, p);
}

static enum tern_err start(struct run *r, struct ending *ending, struct problem *p)
{
    struct stopper_order stop = {
        .take = {.store = r->store,
                 .settings = bytes_view(&r->settings),
                 .module = r->bytes,
                 .module_sha256 = r->digest.byte,
                 .limits_memory_pages = r->limits.memory_pages_max,
                 .limits_stack_cells = (uint32_t)(r->limits.stack_bytes / 8),
                 .deterministic = r->deterministic,
                 .limits_files_bytes = r->files ? r->files_bytes_max : 0,
                 .keep = KEEP_CHECKPOINTS},
        .every_ms = r->every_ns / NS_PER_MS,
        .compare = r->in->settings->compare_pages,
        .input = &r->input,
        .tell = tell,
        .tell_not = tell_not,
        .context = r,
    };
    const struct program_order program = {
        .settings = r->in->settings,
        .name = r->path,
        .args = &r->args,
        .env = &r->env,
        .streams = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
        .dirs = r->dirs,
        .dir_count = r->dir_count,
        .files = {.folder = r->files,
                  .wanted = r->files && !r->replays, /* its answers are in the record */
                  .bytes_max = r->files_bytes_max,
                  .outs = r->outs,
                  .out_count = r->out_count,
                  .warn = say_text},
        .limits = r->limits,
        .deterministic = r->deterministic,
        .random_seed = r->seeded ? &r->random_seed : NULL,
        .stop = r->store ? &stop : NULL,
        .store = r->store,
        .from = r->resumes ? &r->from : NULL,
        .continuations = r->continuations.fd,
        .points = r->resumes ? &r->points : NULL,
        .record_use = r->replays  ? TICKET_RECORD_REPLAY
                      : r->record ? TICKET_RECORD_WRITE
                                  : TICKET_RECORD_NONE,
        .record = r->replays ? r->replayed.fd : r->record_fd,
        .replayed = r->replays ? &r->replayed : NULL,
        .warn = say_text,
        .module = r->module,
        .module_bytes = r->bytes,
        .object = r->object.fd,
    };

    return supervise(&program, ending, p);
}

static int code_for(enum tern_err err, bool module_read)
{
    if (err == TERN_ESYSTEM)
        return EXIT_TERN;
    if (err == TERN_ENOENT && !module_read)
        return EXIT_NOT_FOUND;
    if (err == TERN_EMALFORMED || err == TERN_EINVALID || err == TERN_ECORRUPT || !module_read)
        return EXIT_REFUSED;
    return EXIT_TERN;
}

int run_go(struct run *r, int *signal)
{
    struct ending ending = {.code = EXIT_TERN};
    struct problem p = {.text = "out of memory"};
    enum tern_err err = r->args.failed || r->env.failed ? TERN_ENOMEM : TERN_OK;

    if (!err)
        err = surroundings_check(
            &(struct surroundings){.dirs = r->dir_count, .stopping = r->checkpoints}, &p);
    if (!err)
        err = r->resumes || r->replays ? TERN_OK : run_load(r, &p);
    if (!err && (r->store || (r->record && !r->replays)))
        err = run_write_settings(r);
    if (!err)
        err = compile(r, &p);
    if (!err && r->record && !r->replays)
        err = record_create(r->record, bytes_view(&r->settings), r->bytes, &r->record_fd, &p);
    if (!err)
        err = start(r, &ending, &p);
    *signal = ending.signal;
    if (err) {
        *signal = r->object.signal ? r->object.signal : r->continuations.signal;
        ending.code = code_for(err, r->module >= 0);
        if (!*signal && r->resumes)
            say("cannot go on from %s: %s", r->checkpoints, p.text);
        else if (!*signal && r->replays)
            say("cannot replay %s: %s", r->record, p.text);
        else if (!*signal)
            say_text(p.text);
    } else if (ending.text[0]) {
        say_text(ending.text);
    }
    return ending.code;
}
