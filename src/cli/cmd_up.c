#include "cli/commands.h"
#include "cli/say.h"

#include "message/limits.h"
#include "os/pool/family.h"
#include "os/pool/pool_dirs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* tern up: a whole pool on this machine, as children of this process. */

enum { NODES_MAX = 1024, SLOTS_MAX = 256, DEPOTS = 2, RANK_AGENT = 0, RANK_DEPOT, RANK_NODE };
enum { PATH_BYTES = DIRS_PATH_MAX + 64, WORDS_MAX = 16 };

struct at_work {
    const struct invocation *in;
    unsigned nodes, slots;
    char state[DIRS_PATH_MAX], token[PATH_BYTES], socket[POOL_ENDPOINT_BYTES];
    char reached[FAMILY_LINE_BYTES]; /* the agent's endpoints */
    char *self;
    uv_loop_t loop;
    uv_signal_t ask[2];
    struct family *family;
    bool said_ready;
    int code;
};

static bool take_count(const struct at_work *w, const char *option, unsigned most, unsigned *out)
{
    const char *value = invocation_value(w->in, option);
    char *end = NULL;
    unsigned long n;

    if (!value)
        return true;
    n = strtoul(value, &end, 10);
    if (*end || strspn(value, "0123456789") == 0 || n == 0 || n > most) {
        say("up: --%s is a number from 1 to %u, not '%s'", option, most, value);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

static bool take_counts(struct at_work *w)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    w->nodes = 1;
    if (!take_count(w, "nodes", NODES_MAX, &w->nodes))
        return false;
    w->slots = processors > (long)w->nodes ? (unsigned)processors / w->nodes : 1;
    if (w->slots > SLOTS_MAX)
        w->slots = SLOTS_MAX;
    return take_count(w, "slots", SLOTS_MAX, &w->slots);
}

static enum tern_err take_places(struct at_work *w, struct problem *p)
{
    char exe[DIRS_PATH_MAX];
    const ssize_t size = readlink(w->in->settings->self, exe, sizeof exe - 1);
    enum tern_err err =
        pool_dirs_state(w->in->settings, invocation_value(w->in, "state"), "", w->state, p);

    exe[size > 0 ? size : 0] = 0;
    w->self = strdup(size > 0 ? exe : "tern");
    if (err)
        return err;
    if (*w->state && w->state[strlen(w->state) - 1] == '/')
        w->state[strlen(w->state) - 1] = 0;
    snprintf(w->token, sizeof w->token, "%s/agent/token", w->state);
    return pool_dirs_socket(w->in->settings, "agent", w->socket, p);
}

/* ---- the children ---- */

/* {"--listen", "tcp:..."} of ours are the agent's. */
static void add_agent(struct at_work *w)
{
    char state[PATH_BYTES];
    char *words[2 * LIMIT_ENDPOINTS + WORDS_MAX] = {w->self, (char *)"agent",    (char *)"--state",
                                                    state,   (char *)"--listen", w->socket};
    size_t n = 6;

    snprintf(state, sizeof state, "%s/agent", w->state);
    for (size_t i = 0; i < w->in->given_count && n < 2 * LIMIT_ENDPOINTS; i++)
        if (strcmp(w->in->given[i].option->name, "listen") == 0) {
            words[n++] = (char *)"--listen";
            words[n++] = (char *)w->in->given[i].value;
        }
    words[n] = NULL;
    family_add(w->family, "agent", words, RANK_AGENT);
}

static void add_depot(struct at_work *w, unsigned number)
{
    char name[32], dir[PATH_BYTES], at[POOL_ENDPOINT_BYTES + 16];
    char *words[] = {w->self,
                     (char *)"depot",
                     (char *)"--agent",
                     w->socket,
                     (char *)"--name",
                     name,
                     (char *)"--dir",
                     dir,
                     (char *)"--listen",
                     at,
                     (char *)"--token",
                     w->token,
                     NULL};

    snprintf(name, sizeof name, "depot-%u", number);
    snprintf(dir, sizeof dir, "%s/%s", w->state, name);
    snprintf(at, sizeof at, "%.*s%s", (int)(strrchr(w->socket, '/') + 1 - w->socket), w->socket,
             name);
    family_add(w->family, name, words, RANK_DEPOT);
}

static void add_node(struct at_work *w, unsigned number)
{
    char name[32], state[PATH_BYTES], slots[16];
    char *words[] = {w->self,
                     (char *)"node",
                     (char *)"--agent",
                     w->socket,
                     (char *)"--name",
                     name,
                     (char *)"--state",
                     state,
                     (char *)"--slots",
                     slots,
                     (char *)"--token",
                     w->token,
                     NULL};

    snprintf(name, sizeof name, "node-%u", number);
    snprintf(state, sizeof state, "%s/%s", w->state, name);
    snprintf(slots, sizeof slots, "%u", w->slots);
    family_add(w->family, name, words, RANK_NODE);
}

/* ---- what happens ---- */

static void on_line(void *context, size_t child, const char *line)
{
    struct at_work *w = context;

    if (child == 0)
        snprintf(w->reached, sizeof w->reached, "%s",
                 strncmp(line, "agent at ", 9) == 0 ? line + 9 : line);
    else if (w->said_ready)
        say("up: %s is back", family_name(w->family, child));
}

static void on_ready(void *context)
{
    struct at_work *w = context;

    printf("ready: pool at %s: %u node%s with %u slot%s each, %d depots\n", w->reached, w->nodes,
           w->nodes == 1 ? "" : "s", w->slots, w->slots == 1 ? "" : "s", DEPOTS);
    fflush(stdout);
    w->said_ready = true;
}

static void on_died(void *context, size_t child, const char *how)
{
    const struct at_work *w = context;

    say("up: %s ended %s; it is started again", family_name(w->family, child), how);
}

static void on_over(void *context, bool failed)
{
    struct at_work *w = context;

    w->code = failed ? CLI_FAILED : 0;
    uv_stop(&w->loop);
}

static void on_ask(uv_signal_t *handle, int number)
{
    struct at_work *w = handle->data;

    (void)number;
    family_end(w->family);
}

static void heed_signals(struct at_work *w)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&w->loop, &w->ask[i]);
        w->ask[i].data = w;
        uv_signal_start(&w->ask[i], on_ask, numbers[i]);
    }
}

static void run_family(struct at_work *w)
{
    const struct family_order order = {
        .context = w, .ready = on_ready, .line = on_line, .died = on_died, .over = on_over};

    uv_loop_init(&w->loop);
    w->family = family_new(&w->loop, &order);
    add_agent(w);
    for (unsigned i = 1; i <= DEPOTS; i++)
        add_depot(w, i);
    for (unsigned i = 1; i <= w->nodes; i++)
        add_node(w, i);
    heed_signals(w);
    family_start(w->family);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    family_free(w->family);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&w->ask[i], NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
}

int cmd_up(const struct invocation *in)
{
    static struct at_work w;
    struct problem p = {0};

    w.in = in;
    if (!take_counts(&w))
        return CLI_USAGE;
    if (take_places(&w, &p)) {
        say("up: %s", p.text);
        return CLI_FAILED;
    }
    run_family(&w);
    free(w.self);
    return w.code;
}
