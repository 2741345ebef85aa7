#include "os/launch.h"

#include "base/little.h"
#include "os/file.h"
#include "os/runner.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PAGE_BYTES = 65536,
    TABLE_ELEMENTS_MAX = 10000000,
    FRAME_GROWTH = 8, /* native stack for a byte of the module's own: also for code made at -O0 */
    NATIVE_STACK_LEAST = 1 << 20,
};

_Static_assert((int)LAUNCH_FDS_MAX <= (int)PROCESS_FDS_MAX, "a process takes them all");

const struct program_limits program_default = {
    .memory_pages_max = 65536, /* what a module can address: 4 GiB */
    .stack_bytes = 16 << 20,
};

/* What we opened: the standard streams, module, objects, record and kept input are borrowed. */
void launch_release(struct launch *l)
{
    for (size_t i = TICKET_FD_TICKET; i < l->fd_count; i++)
        if (i != TICKET_FD_MODULE && i != TICKET_FD_OBJECT && i != TICKET_FD_RESUME &&
            i != TICKET_FD_TREE && i != TICKET_FD_RECORD && i != TICKET_FD_INPUT)
            sys_close(l->fds[i]);
    bytes_release(&l->message);
    sys_close(l->report);
    sys_close(l->control);
    take_free(l->take);
    fill_free(l->fill);
    checkpoint_tree_free(l->tree);
    files_close(&l->files);
    words_release(&l->command);
}

/* Only then a replay needs the limit, which counts otherwise on every machine. */
static bool ended_by_time(const struct record_file *r)
{
    struct report was;

    return r->ended && report_decode(&was, r->report) == TERN_OK && was.kind == REPORT_LIMIT &&
           was.code == REPORT_LIMIT_CPU;
}

static enum tern_err fill_ticket(const struct launch *l, struct ticket *t, struct problem *p)
{
    const struct program_order *o = l->order;

    if (o->args->count > TICKET_ARGS_MAX || o->env->count > TICKET_ENV_MAX)
        return problem_set(p, TERN_ETOOBIG, "too many arguments or variables");
    for (size_t i = 0; i < o->args->count; i++)
        t->args[t->arg_count++] = view_of_string(o->args->word[i]);
    for (size_t i = 0; i < o->env->count; i++)
        t->env[t->env_count++] = view_of_string(o->env->word[i]);
    for (size_t i = 0; i < o->dir_count && !o->replayed; i++)
        t->dirs[t->dir_count++] = (struct ticket_dir){
            .guest_path = view_of_string(o->dirs[i].guest), .read_only = o->dirs[i].read_only};
    t->memory_pages_max = o->limits.memory_pages_max;
    t->stack_cells = (uint32_t)(o->limits.stack_bytes / 8);
    t->native_stack_bytes = o->limits.stack_bytes * FRAME_GROWTH + NATIVE_STACK_LEAST;
    t->cpu_ns_max = o->replayed && !ended_by_time(o->replayed) ? 0 : o->limits.cpu_ns_max;
    t->output_bytes_max = o->limits.output_bytes_max;
    t->table_elements_max = TABLE_ELEMENTS_MAX;
    t->stoppable = o->stop != NULL;
    t->resumes = o->from != NULL;
    t->tree = bytes_view(&l->files.tree);
    t->tree_pages_max = l->files.pages_max;
    t->tells_tree = files_leave(&o->files);
    t->counts_input = o->counts_input;
    t->may_stay = l->may_stay;
    t->record = o->record_use;
    t->seeded = o->random_seed != NULL;
    t->random_seed = o->random_seed ? *o->random_seed : 0;
    return TERN_OK;
}

static enum tern_err make_message(struct launch *l, struct view ticket)
{
    uint8_t head[5] = {CONTROL_TICKET};

    if (ticket.size > CONTROL_TICKET_BYTES_MAX)
        return TERN_ETOOBIG;
    little_put(head + 1, ticket.size, 4);
    bytes_append(&l->message, head, sizeof head);
    bytes_append(&l->message, ticket.data, ticket.size);
    return bytes_ok(&l->message) ? TERN_OK : TERN_ENOMEM;
}

/* Its arrays, which are megabytes, come first: only what is counted of them is read. */
static struct ticket *new_ticket(void)
{
    struct ticket *t = malloc(sizeof *t);

    if (t)
        memset(&t->arg_count, 0, sizeof *t - offsetof(struct ticket, arg_count));
    return t;
}

static enum tern_err make_ticket(struct launch *l, struct problem *p)
{
    struct ticket *t = new_ticket();
    struct bytes filter = {0}, encoded = {0};
    enum tern_err err = t ? TERN_OK : TERN_ENOMEM;

    if (err)
        return problem_set(p, err, "out of memory");
    err = fill_ticket(l, t, p);
    if (err)
        goto out;
    err = l->is_warm ? TERN_OK : runner_filter(l->order->object, &filter);
    if (err) {
        problem_set(p, err, "cannot make the runner's system call filter");
        goto out;
    }
    t->filter = bytes_view(&filter);
    err = ticket_encode(t, &encoded);
    if (!err)
        err = l->is_warm
                  ? make_message(l, bytes_view(&encoded))
                  : file_sealed("tern-ticket", bytes_view(&encoded), &l->fds[TICKET_FD_TICKET]);
    if (err)
        problem_set(p, err, "cannot hand arguments and environment to the program: %s",
                    tern_err_text(err));
out:
    bytes_release(&filter);
    bytes_release(&encoded);
    free(t);
    return err;
}

static enum tern_err make_memory(struct launch *l, struct problem *p)
{
    const off_t size = (off_t)l->order->limits.memory_pages_max * PAGE_BYTES;
    int fd = sys_memfd("tern-memory");
    int result = fd < 0 ? fd : sys_ftruncate(fd, size);

    if (result >= 0)
        result = sys_seal(fd, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
    l->fds[TICKET_FD_MEMORY] = fd < 0 ? -1 : fd;
    return result < 0
               ? problem_set(p, file_error(result), "cannot reserve memory: %s", strerror(-result))
               : TERN_OK;
}

/* Of the directories that the program may write to. */
static struct checkpoint_sync sync_of(struct launch *l)
{
    const struct program_order *o = l->order;

    for (size_t i = 0; i < o->dir_count; i++)
        l->writable[i] = o->dirs[i].read_only ? -1 : l->fds[TICKET_FD_DIRS + i];
    return (struct checkpoint_sync){.dirs = l->writable,
                                    .dir_count = o->dir_count,
                                    .input = o->stop->input,
                                    .sync = sys_syncfs};
}

static void order_take(struct launch *l)
{
    struct take_order order = l->order->stop->take;

    order.memory = l->fds[TICKET_FD_MEMORY];
    order.state = l->fds[TICKET_FD_STATE];
    l->sync = sync_of(l);
    order.sync = &l->sync;
    order.tree = l->tree;
    l->take_order = order;
}

enum tern_err launch_take(struct launch *l, struct problem *p)
{
    return take_new(&l->take_order, &l->take, p);
}

/* A socket and a place for the state; for a program that goes on, what it goes on from. */
static enum tern_err make_stoppable(struct launch *l, struct problem *p)
{
    const struct program_order *o = l->order;
    int ends[2];
    enum tern_err err;

    if (o->stop || o->files.wanted)
        l->fds[TICKET_FD_STATE] = sys_memfd("tern-state");
    if (!o->stop)
        return TERN_OK;
    if (l->fds[TICKET_FD_STATE] < 0 || sys_socketpair(ends) < 0)
        return problem_set(p, TERN_ESYSTEM, "cannot make the runner's control socket");
    l->control = ends[0];
    l->fds[TICKET_FD_CONTROL] = ends[1];
    if (o->stop->input)
        l->fds[TICKET_FD_INPUT] = o->stop->input->fd;
    if (o->files.wanted) {
        l->tree = checkpoint_tree_new(l->files.arena);
        if (!l->tree)
            return problem_set(p, TERN_ENOMEM, "out of memory");
    }
    order_take(l);
    if (l->may_stay)
        return TERN_OK; /* it is likely to be over before one is wished for */
    err = launch_take(l, p);
    if (err || !o->from)
        return err;
    l->fds[TICKET_FD_RESUME] = o->continuations;
    err = fill_new(o->store, &o->from->image, take_pages(l->take), &l->fill);
    if (!err && l->tree)
        err = checkpoint_tree_load(l->tree, o->store, &o->from->image);
    return err ? checkpoint_unloaded(o->from, err, p)
               : checkpoint_load_state(o->from, l->fds[TICKET_FD_STATE], p);
}

static enum tern_err open_dirs(struct launch *l, struct problem *p)
{
    for (size_t i = 0; i < l->order->dir_count && !l->order->replayed; i++) {
        const char *host = l->order->dirs[i].host;
        int fd = sys_open(host, O_RDONLY | O_DIRECTORY, 0);

        if (fd == -EACCES) /* one that may be passed through, but not listed */
            fd = sys_open(host, O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
            return problem_set(p, file_error(fd),
                               "cannot open the directory %s for the program: %s", host,
                               strerror(-fd));
        l->fds[l->fd_count++] = fd;
    }
    return TERN_OK;
}

static void borrow_descriptors(struct launch *l)
{
    const struct program_order *o = l->order;

    for (int i = 0; i < LAUNCH_FDS_MAX; i++)
        l->fds[i] = i <= 2 ? o->streams[i] : -1;
    if (o->replayed)
        l->fds[0] = -1;
    l->fd_count = TICKET_FD_DIRS;
    l->fds[TICKET_FD_OBJECT] = o->object;
    l->fds[TICKET_FD_MODULE] = o->module;
    if (o->record_use != TICKET_RECORD_NONE)
        l->fds[TICKET_FD_RECORD] = o->record;
}

static enum tern_err make_all(struct launch *l, struct problem *p)
{
    const struct program_order *o = l->order;
    enum tern_err err = files_open(&l->files, &o->files, o->settings, !o->from, p);

    l->fds[TICKET_FD_TREE] = l->files.arena;
    if (!err)
        err = open_dirs(l, p);
    if (!err)
        err = runner_find(o->settings, &l->command, p);
    if (!err)
        err = make_ticket(l, p);
    if (!err)
        err = make_memory(l, p);
    return err ? err : make_stoppable(l, p);
}

/* ---- A runner that waits ---- */

static bool may_stay(const struct program_order *o)
{
    return o->warm && o->stop && o->counts_input && !o->from && !o->dir_count && !o->files.wanted &&
           o->record_use == TICKET_RECORD_NONE && !o->limits.cpu_ns_max;
}

/* Small tickets only: they go through the socket. */
static bool fits(const struct program_order *o)
{
    size_t size = CONTROL_TICKET_BYTES_MAX / 4; /* numbers, and heads of words */

    if (o->args->count + o->env->count > CONTROL_TICKET_BYTES_MAX / 64)
        return false;
    for (size_t i = 0; i < o->args->count; i++)
        size += strlen(o->args->word[i]);
    for (size_t i = 0; i < o->env->count; i++)
        size += strlen(o->env->word[i]);
    return size <= CONTROL_TICKET_BYTES_MAX;
}

static enum tern_err take_warm(struct launch *l, struct problem *p)
{
    struct warm *w = l->order->warm;
    enum tern_err err;

    l->is_warm = true;
    err = make_ticket(l, p);
    if (err)
        return err;
    l->report = w->report;
    l->control = w->control;
    l->fds[TICKET_FD_MEMORY] = w->memory;
    l->fds[TICKET_FD_STATE] = w->state;
    l->child = w->child;
    l->base = w->base;
    w->waits = false;
    order_take(l);
    return TERN_OK;
}

void launch_keep(struct launch *l, pid_t child, uint64_t base)
{
    struct warm *w = l->order->warm;

    *w = (struct warm){.waits = true,
                       .child = child,
                       .report = l->report,
                       .control = l->control,
                       .memory = l->fds[TICKET_FD_MEMORY],
                       .state = l->fds[TICKET_FD_STATE],
                       .base = base,
                       .programs = w->programs + 1};
    l->report = l->control = l->fds[TICKET_FD_MEMORY] = l->fds[TICKET_FD_STATE] = -1;
}

enum tern_err launch_make(struct launch *l, const struct program_order *order, struct problem *p)
{
    int ends[2];
    enum tern_err err;

    *l = (struct launch){.order = order, .files.arena = -1, .report = -1, .control = -1};
    borrow_descriptors(l);
    l->may_stay = may_stay(order);
    if (l->may_stay && fits(order) && warm_is_there(order->warm))
        return take_warm(l, p);
    err = make_all(l, p);
    if (!err && sys_pipe(ends) < 0)
        err = problem_set(p, TERN_ESYSTEM, "cannot make a pipe");
    if (err) {
        launch_release(l);
        return err;
    }
    l->report = ends[0];
    l->fds[TICKET_FD_REPORT] = ends[1];
    return TERN_OK;
}
