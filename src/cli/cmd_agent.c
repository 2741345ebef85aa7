#include "cli/commands.h"
#include "cli/say.h"

#include "os/pool/agent_host.h"
#include "os/pool/pool_dirs.h"

#include <stdio.h>
#include <string.h>

/* tern agent: the part of a pool that knows what runs where. */

struct asked { /* of the command line */
    char state[DIRS_PATH_MAX];
    char socket[POOL_ENDPOINT_BYTES];
    const char *listen[LIMIT_ENDPOINTS];
    struct agent_host_order order;
};

static bool is_local(const char *endpoint)
{
    return *endpoint == '/' || strncmp(endpoint, "unix:", 5) == 0;
}

/* What was named; and this user's socket, unless another one was. */
static enum tern_err take_listen(const struct invocation *in, struct asked *a, struct problem *p)
{
    bool local = false;
    size_t n = 0;

    for (size_t i = 0; i < in->given_count; i++) {
        if (!in->given[i].option->name || strcmp(in->given[i].option->name, "listen") != 0)
            continue;
        if (n == LIMIT_ENDPOINTS - 1)
            return problem_set(p, TERN_EUSAGE, "--listen can be given %d times at most",
                               LIMIT_ENDPOINTS - 1);
        local |= is_local(in->given[i].value);
        a->listen[n++] = in->given[i].value;
    }
    a->order.listen = a->listen;
    a->order.listen_count = n;
    if (local)
        return TERN_OK;
    a->listen[n] = a->socket;
    a->order.listen_count = n + 1;
    return pool_dirs_socket(in->settings, "agent", a->socket, p);
}

static void on_log(void *context, enum note_level level, const char *line)
{
    (void)context;
    if (level != NOTE_DEBUG)
        say("agent: %s", line);
}

static void say_ready(const struct agent_host *h)
{
    printf("ready: agent at");
    for (size_t i = 0; agent_host_at(h, i); i++)
        printf("%s %s", i ? "," : "", agent_host_at(h, i));
    printf("\n");
    fflush(stdout);
}

int cmd_agent(const struct invocation *in)
{
    static struct asked a;
    struct agent_host *h = NULL;
    struct problem p = {0};
    enum tern_err err = take_listen(in, &a, &p);

    if (!err)
        err = pool_dirs_state(in->settings, invocation_value(in, "state"), "agent", a.state, &p);
    a.order.state_dir = a.state;
    a.order.record = invocation_value(in, "record");
    a.order.log = on_log;
    if (!err)
        err = agent_host_open(&a.order, &h, &p);
    if (!err) {
        say_ready(h);
        err = agent_host_run(h, &p);
    }
    if (err)
        say("agent: %s", p.text);
    agent_host_close(h);
    return err == TERN_EUSAGE ? CLI_USAGE : err ? CLI_FAILED : 0;
}
