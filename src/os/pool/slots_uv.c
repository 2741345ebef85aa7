#include "os/pool/slots_uv.h"

#include "base/check.h"
#include "os/process.h"
#include "os/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_WORDS_MAX = 32, WHY_BYTES = 128 };

struct slots_uv {
    struct slots slots;
    struct slots_uv_config config;
    uv_signal_t *ended; /* freed by the loop, when it is closed */
    pid_t *pid;         /* 0: none */
};

static void describe(int status, char why[WHY_BYTES])
{
    if (WIFSIGNALED(status))
        snprintf(why, WHY_BYTES, "it was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(why, WHY_BYTES, "it ended with code %d", WEXITSTATUS(status));
}

static void on_ended(uv_signal_t *handle, int number)
{
    struct slots_uv *s = handle->data;

    (void)number;
    for (uint32_t i = 0; i < s->config.count; i++) {
        char why[WHY_BYTES];
        int status = 0;

        if (!s->pid[i] || !process_ended(s->pid[i], &status))
            continue;
        kill(-s->pid[i], SIGKILL); /* what it started */
        s->pid[i] = 0;
        describe(status, why);
        s->slots.gone(s->slots.context, i, why);
    }
}

static enum tern_err start(struct slots_uv *s, uint32_t index, int socket, struct problem *p)
{
    char number[16];
    char *argv[COMMAND_WORDS_MAX + 2];
    const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO, socket};
    const struct process_spec spec = {
        .argv = argv, .fds = fds, .fd_count = sizeof fds / sizeof *fds, .own_group = true};
    size_t count = 0;

    for (; s->config.command[count]; count++) {
        check(count < COMMAND_WORDS_MAX);
        argv[count] = (char *)s->config.command[count]; /* nobody writes */
    }
    snprintf(number, sizeof number, "%u", index);
    argv[count++] = number;
    argv[count] = NULL;
    return process_start(&spec, &s->pid[index], p);
}

static enum tern_err call_start(void *self, uint32_t index, link_id *link, struct problem *p)
{
    struct slots_uv *s = self;
    int ends[2];
    enum tern_err err;

    check(!s->pid[index]);
    if (sys_socketpair(ends) < 0)
        return problem_set(p, TERN_ESYSTEM, "cannot make a pair of sockets for a slot");
    err = start(s, index, ends[1], p);
    sys_close(ends[1]);
    if (err) {
        s->pid[index] = 0;
        sys_close(ends[0]);
        return err;
    }
    *link = world_uv_adopt(s->config.world, ends[0], "its slot");
    return TERN_OK;
}

static void call_kill(void *self, uint32_t index)
{
    struct slots_uv *s = self;

    if (!s->pid[index])
        return;
    kill(-s->pid[index], SIGKILL);
    kill(s->pid[index], SIGKILL); /* its group may not be there yet */
}

static const struct slots_calls calls = {.start = call_start, .kill = call_kill};

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

enum tern_err slots_uv_new(const struct slots_uv_config *config, struct slots_uv **out,
                           struct problem *p)
{
    struct slots_uv *s = calloc(1, sizeof *s);

    if (s) {
        s->pid = calloc(config->count, sizeof *s->pid);
        s->ended = calloc(1, sizeof *s->ended);
    }
    if (!s || !s->pid || !s->ended) {
        if (s) {
            free(s->ended);
            free(s->pid);
        }
        free(s);
        return problem_set(p, TERN_ENOMEM, "no memory for %u slots", config->count);
    }
    s->config = *config;
    s->slots = (struct slots){.calls = &calls, .self = s};
    uv_signal_init(world_uv_loop(config->world), s->ended);
    s->ended->data = s;
    uv_signal_start(s->ended, on_ended, SIGCHLD);
    *out = s;
    return TERN_OK;
}

void slots_uv_free(struct slots_uv *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->config.count; i++) {
        if (!s->pid[i])
            continue;
        call_kill(s, i);
        process_wait(s->pid[i]);
    }
    uv_close((uv_handle_t *)s->ended, free_handle);
    free(s->pid);
    free(s);
}

struct slots *slots_uv_slots(struct slots_uv *s)
{
    return &s->slots;
}

size_t slots_uv_processes(const struct slots_uv *s, pid_t *out, size_t most)
{
    size_t count = 0;

    for (uint32_t i = 0; i < s->config.count && count < most; i++)
        if (s->pid[i])
            out[count++] = s->pid[i];
    return count;
}

void slots_uv_die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
