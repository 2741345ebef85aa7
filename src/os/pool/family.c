#include "os/pool/family.h"

#include "base/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PARENT_NAME "TERN_PARENT"

enum { DELAY_LEAST_MS = 100, DELAY_MOST_MS = 5000, LASTED_MS = 10000, NAME_BYTES = 64 };

extern char **environ;

enum state { CHILD_OFF, CHILD_STARTING, CHILD_READY, CHILD_WAITING };

struct child {
    struct family *family;
    char name[NAME_BYTES];
    char **argv;
    unsigned rank;
    enum state state;
    bool alive;   /* there is a process */
    bool running; /* there are handles of it */
    bool was_ready;
    uv_process_t process;
    uv_pipe_t out;
    uv_timer_t timer; /* to start it again, to end it for good */
    uint64_t delay_ms, began_ms;
    char line[FAMILY_LINE_BYTES];
    size_t line_size;
    char room[FAMILY_LINE_BYTES];
};

struct family {
    uv_loop_t *loop;
    struct family_order order;
    struct child **child;
    size_t count;
    char **env;
    bool told_ready, ending, failed, over;
};

static void go_on(struct family *f);

/* ---- what a child says ---- */

static size_t index_of(const struct child *c)
{
    size_t i = 0;

    while (c->family->child[i] != c)
        i++;
    return i;
}

static void take_line(struct child *c)
{
    struct family *f = c->family;

    if (strncmp(c->line, "ready: ", 7) != 0 || c->state != CHILD_STARTING)
        return;
    c->state = CHILD_READY;
    c->was_ready = true;
    if (f->order.line)
        f->order.line(f->order.context, index_of(c), c->line + 7);
}

static void take_bytes(struct child *c, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            if (c->line_size < sizeof c->line - 1)
                c->line[c->line_size++] = bytes[i];
            continue;
        }
        c->line[c->line_size] = 0;
        c->line_size = 0;
        take_line(c);
    }
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct child *c = handle->data;

    (void)wanted;
    *out = uv_buf_init(c->room, sizeof c->room);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct child *c = stream->data;

    if (size < 0) {
        uv_read_stop(stream);
        return;
    }
    take_bytes(c, room->base, (size_t)size);
    go_on(c->family);
}

/* ---- its life ---- */

static void on_again(uv_timer_t *timer)
{
    struct child *c = timer->data;

    c->state = CHILD_OFF;
    go_on(c->family);
}

static void start_again_later(struct child *c)
{
    if (uv_now(c->family->loop) - c->began_ms > LASTED_MS)
        c->delay_ms = DELAY_LEAST_MS;
    c->state = CHILD_WAITING;
    uv_timer_start(&c->timer, on_again, c->delay_ms, 0);
    c->delay_ms = 2 * c->delay_ms < DELAY_MOST_MS ? 2 * c->delay_ms : DELAY_MOST_MS;
}

static void tell_died(struct child *c, int64_t status, int number)
{
    struct family *f = c->family;
    char how[64];

    if (number)
        snprintf(how, sizeof how, "by signal %d (%s)", number, strsignal(number));
    else
        snprintf(how, sizeof how, "with exit code %d", (int)status);
    if (f->order.died)
        f->order.died(f->order.context, index_of(c), how);
}

static void on_gone(uv_handle_t *handle)
{
    struct child *c = handle->data;

    c->running = false;
    go_on(c->family);
}

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
    struct child *c = process->data;
    struct family *f = c->family;

    c->alive = false;
    uv_timer_stop(&c->timer);
    if (f->ending) {
        c->state = CHILD_OFF;
    } else if (!c->was_ready) {
        f->failed = true;
        f->ending = true;
        c->state = CHILD_OFF;
    } else {
        tell_died(c, status, number);
        start_again_later(c);
    }
    uv_close((uv_handle_t *)&c->out, NULL);
    uv_close((uv_handle_t *)process, on_gone);
}

static void start(struct child *c)
{
    struct family *f = c->family;
    uv_stdio_container_t io[3] = {{.flags = UV_IGNORE},
                                  {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE},
                                  {.flags = UV_INHERIT_FD, .data = {.fd = STDERR_FILENO}}};
    const uv_process_options_t options = {.exit_cb = on_exit_of,
                                          .file = c->argv[0],
                                          .args = c->argv,
                                          .env = f->env,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = io};
    int status;

    uv_pipe_init(f->loop, &c->out, 0);
    c->out.data = c;
    io[1].data.stream = (uv_stream_t *)&c->out;
    c->line_size = 0;
    c->state = CHILD_STARTING;
    c->running = true;
    c->began_ms = uv_now(f->loop);
    c->process.data = c;
    status = uv_spawn(f->loop, &c->process, &options);
    if (status < 0) {
        fprintf(stderr, "tern: cannot start %s: %s\n", c->name, uv_strerror(status));
        c->state = CHILD_OFF;
        f->failed = f->ending = true;
        uv_close((uv_handle_t *)&c->out, NULL);
        uv_close((uv_handle_t *)&c->process, on_gone);
        return;
    }
    c->alive = true;
    uv_read_start((uv_stream_t *)&c->out, on_room, on_read);
}

/* ---- all of them ---- */

static bool all_ready_below(const struct family *f, unsigned rank)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->child[i]->rank < rank && f->child[i]->state != CHILD_READY)
            return false;
    return true;
}

static void start_some(struct family *f)
{
    bool all = true;

    for (size_t i = 0; i < f->count && !f->ending; i++) {
        struct child *c = f->child[i];

        /* Only at first in order: later each comes back by itself. */
        if (c->state == CHILD_OFF && !c->running && (f->told_ready || all_ready_below(f, c->rank)))
            start(c);
        all &= c->state == CHILD_READY;
    }
    if (!all || f->told_ready || f->ending)
        return;
    f->told_ready = true;
    if (f->order.ready)
        f->order.ready(f->order.context);
}

static void on_impatient(uv_timer_t *timer)
{
    struct child *c = timer->data;

    if (c->alive)
        uv_process_kill(&c->process, SIGKILL);
}

static void ask_to_end(struct child *c)
{
    if (c->state == CHILD_WAITING) {
        uv_timer_stop(&c->timer);
        c->state = CHILD_OFF;
    }
    if (!c->alive || uv_is_active((uv_handle_t *)&c->timer))
        return;
    uv_process_kill(&c->process, SIGTERM);
    uv_timer_start(&c->timer, on_impatient, FAMILY_END_MS, 0);
}

/* Those of the highest rank that are still there; the others when these are gone. */
static void end_some(struct family *f)
{
    unsigned rank = 0;
    bool any = false;

    for (size_t i = 0; i < f->count; i++) {
        any |= f->child[i]->running;
        if (f->child[i]->running && f->child[i]->rank > rank)
            rank = f->child[i]->rank;
    }
    for (size_t i = 0; i < f->count; i++)
        if (f->child[i]->rank >= rank)
            ask_to_end(f->child[i]);
    if (any || f->over)
        return;
    f->over = true;
    f->order.over(f->order.context, f->failed);
}

static void go_on(struct family *f)
{
    if (!f->ending)
        start_some(f);
    if (f->ending)
        end_some(f);
}

/* Our environment, and who we are. */
static char **environment(void)
{
    char **env, text[40];
    size_t count = 0;

    while (environ[count])
        count++;
    env = calloc(count + 2, sizeof *env);
    check(env);
    for (size_t i = 0; i < count; i++)
        env[i] = strdup(environ[i]);
    snprintf(text, sizeof text, PARENT_NAME "=%ld", (long)getpid());
    env[count] = strdup(text);
    return env;
}

struct family *family_new(uv_loop_t *loop, const struct family_order *order)
{
    struct family *f = calloc(1, sizeof *f);

    check(f);
    *f = (struct family){.loop = loop, .order = *order, .env = environment()};
    return f;
}

size_t family_add(struct family *f, const char *name, char *const *argv, unsigned rank)
{
    struct child *c = calloc(1, sizeof *c);
    size_t words = 0;

    check(c);
    while (argv[words])
        words++;
    c->argv = calloc(words + 1, sizeof *c->argv);
    f->child = realloc(f->child, (f->count + 1) * sizeof(struct child *));
    check(c->argv && f->child);
    for (size_t i = 0; i < words; i++)
        c->argv[i] = strdup(argv[i]);
    c->family = f;
    c->rank = rank;
    c->delay_ms = DELAY_LEAST_MS;
    snprintf(c->name, sizeof c->name, "%s", name);
    uv_timer_init(f->loop, &c->timer);
    c->timer.data = c;
    f->child[f->count] = c;
    return f->count++;
}

const char *family_name(const struct family *f, size_t child)
{
    return f->child[child]->name;
}

void family_start(struct family *f)
{
    go_on(f);
}

void family_end(struct family *f)
{
    if (f->ending)
        for (size_t i = 0; i < f->count; i++)
            if (f->child[i]->alive)
                uv_process_kill(&f->child[i]->process, SIGKILL);
    f->ending = true;
    go_on(f);
}

static void free_words(char **words)
{
    for (char **at = words; *at; at++)
        free(*at);
    free(words);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;

    free_words(c->argv);
    free(c);
}

void family_free(struct family *f)
{
    for (size_t i = 0; i < f->count; i++)
        uv_close((uv_handle_t *)&f->child[i]->timer, on_timer_closed);
    free(f->child);
    free_words(f->env);
    free(f);
}

bool family_orphan(void)
{
    const char *parent = getenv(PARENT_NAME);

    if (!parent)
        return false;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (atol(parent) != (long)getppid())
        return true;
    unsetenv(PARENT_NAME); /* its own children have another one */
    return false;
}
