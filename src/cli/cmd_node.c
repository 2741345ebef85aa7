#include "cli/commands.h"
#include "cli/say.h"

#include "os/pool/machine.h"
#include "os/pool/pool_dirs.h"
#include "os/pool/slots_uv.h"
#include "os/runner.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* tern node: lends this machine's processors to a pool. */

enum { LOAD_EVERY_NS = 2000000000, COMMAND_WORDS = 8 };

struct at_work {
    const struct invocation *in;
    char name[LIMIT_NAME + 1];
    char state[DIRS_PATH_MAX], agent[POOL_ENDPOINT_BYTES];
    const char *agents[1];
    uint8_t token[POOL_TOKEN_BYTES];
    bool has_token;
    struct machine machine;
    char *labels[LIMIT_LABELS];
    struct node_config config;
    struct tls *tls;
    struct world_uv *world;
    struct slots_uv *slots;
    struct node_drive *drive;
    uv_signal_t ask[2];
    const char *command[COMMAND_WORDS];
    struct machine_load load;
    uint64_t load_ns;
    uint32_t foreign;
    bool connected, said_waiting;
    int code;
};

/* ---------------------------------------------------------------- what was asked for */

static bool is_name(const char *text)
{
    const size_t size = strlen(text);

    if (!size || size > LIMIT_NAME)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
            return false;
    return true;
}

static bool take_name(struct at_work *w)
{
    const char *given = invocation_value(w->in, "name");
    char host[256] = "node";

    if (given && !is_name(given)) {
        say("node: a node's name is 1 to %d letters, digits and any of . _ -, not '%s'", LIMIT_NAME,
            given);
        return false;
    }
    if (!given && gethostname(host, sizeof host - 1) < 0)
        snprintf(host, sizeof host, "node");
    for (char *at = host; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
            *at = '-';
    snprintf(w->name, sizeof w->name, "%.64s", given ? given : *host ? host : "node");
    return true;
}

static bool take_slots(struct at_work *w)
{
    const char *given = invocation_value(w->in, "slots");
    char *end = NULL;
    const unsigned long count = given ? strtoul(given, &end, 10) : w->machine.processors;

    if (given && (!isdigit((unsigned char)*given) || *end || !count || count > NODE_SLOTS_MAX)) {
        say("node: --slots is how many programs may run at a time, 1 to %d, not '%s'",
            NODE_SLOTS_MAX, given);
        return false;
    }
    w->config.slots = (uint32_t)(count < NODE_SLOTS_MAX ? count : NODE_SLOTS_MAX);
    return true;
}

static bool take_labels(struct at_work *w)
{
    size_t count = 0;

    for (size_t i = 0; i < w->in->given_count; i++) {
        const struct given *g = &w->in->given[i];

        if (!g->option->name || strcmp(g->option->name, "label") != 0)
            continue;
        if (!*g->value || strlen(g->value) > LIMIT_TEXT || count == LIMIT_LABELS) {
            say("node: a label is a word such as gpu or site=berlin; a node has at most %d",
                LIMIT_LABELS);
            return false;
        }
        w->labels[count++] = (char *)g->value;
    }
    w->config.ad.labels = w->labels;
    w->config.ad.n_labels = count;
    return true;
}

/* Without it each task would fail here, one after the other. */
static enum tern_err look_for_runner(const struct settings *s, struct problem *p)
{
    struct words words = {0};
    enum tern_err err = runner_find(s, &words, p);

    words_release(&words);
    return err;
}

static bool take_places(struct at_work *w)
{
    const struct settings *s = w->in->settings;
    const char *token = invocation_value(w->in, "token");
    struct problem p = {0};
    char part[LIMIT_NAME + 8];
    enum tern_err err = pool_dirs_agent(s, invocation_value(w->in, "agent"), w->agent, &p);

    snprintf(part, sizeof part, "node-%s", w->name);
    if (!err)
        err = look_for_runner(s, &p);
    if (!err)
        err = pool_dirs_state(s, invocation_value(w->in, "state"), part, w->state, &p);
    if (!err)
        err = pool_dirs_lock(w->state, "node", &p);
    if (!err) {
        err = pool_dirs_token(s, token, w->token, &p);
        w->has_token = !err;
        if (err == TERN_ENOENT && !token && strncmp(w->agent, "tcp:", 4) != 0)
            err = TERN_OK; /* on one machine none is needed */
    }
    if (err)
        say("node: %s", p.text);
    return !err;
}

static void describe(struct at_work *w)
{
    Tern__NodeAd *ad = &w->config.ad;

    w->config.name = w->name;
    ad->machine = w->machine.architecture;
    ad->system = w->machine.system;
    ad->memory_bytes = w->machine.memory_bytes;
    ad->processors = w->machine.processors;
    ad->speed = machine_speed(w->state);
}

/* ---------------------------------------------------------------- what happens */

static void on_agent(void *context, bool up, const char *why)
{
    struct at_work *w = context;

    if (up && !w->connected) {
        printf("ready: node %s, %u slot%s, agent %s\n", w->name, w->config.slots,
               w->config.slots == 1 ? "" : "s", w->agent);
        fflush(stdout);
        w->connected = true;
    } else if (up) {
        say("node %s: the agent is back", w->name);
    } else if (w->connected && !w->said_waiting) {
        say("node %s: the agent is gone (%s); it is dialled again and again", w->name, why);
    } else if (!w->said_waiting) {
        say("node %s: no agent at %s yet (%s); it is dialled again and again", w->name, w->agent,
            why);
    }
    w->said_waiting = !up;
}

static void on_note(void *context, const struct note *note)
{
    const struct at_work *w = context;
    struct bytes text = {0};
    size_t value = 0;

    if (note_level(note->name) == NOTE_DEBUG)
        return;
    for (const char *at = note_text(note->name); *at; at++) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;

        if (end && value < 3) {
            bytes_appendf(&text, "%llu", (unsigned long long)note->value[value++]);
            at = end;
        } else {
            bytes_append_byte(&text, (uint8_t)*at);
        }
    }
    say("node %s: %s", w->name, bytes_ok(&text) ? bytes_text(&text) : "");
    bytes_release(&text);
}

static void on_load(void *context, uint32_t *foreign, uint64_t *memory_free)
{
    struct at_work *w = context;
    const uint64_t now = uv_hrtime();
    pid_t own[NODE_SLOTS_MAX];

    *memory_free = machine_memory_free();
    if (!w->load_ns || now - w->load_ns >= LOAD_EVERY_NS) {
        w->load_ns = now;
        w->foreign =
            machine_foreign(&w->load, own, slots_uv_processes(w->slots, own, NODE_SLOTS_MAX));
    }
    *foreign = w->foreign;
}

static void on_over(void *context, enum tern_err err, const char *why)
{
    struct at_work *w = context;

    if (err) {
        say("node: the agent at %s does not take this node: %s", w->agent, why);
        w->code = CLI_FAILED;
    }
    world_uv_stop(w->world);
}

static void on_ask(uv_signal_t *handle, int number)
{
    struct at_work *w = handle->data;

    (void)number;
    node_drive_leave(w->drive);
}

/* ---------------------------------------------------------------- life */

static void make_command(struct at_work *w)
{
    const char *token = invocation_value(w->in, "token");
    size_t n = 0;

    w->command[n++] = w->in->settings->self;
    w->command[n++] = "slot";
    w->command[n++] = "--state";
    w->command[n++] = w->state;
    if (token) {
        w->command[n++] = "--token";
        w->command[n++] = token;
    }
    w->command[n] = NULL;
}

static enum tern_err make_parts(struct at_work *w, struct problem *p)
{
    struct slots_uv_config slots = {.count = w->config.slots, .command = w->command};
    struct node_drive_config drive = {.token = w->has_token ? w->token : NULL,
                                      .agents = w->agents,
                                      .agent_count = 1,
                                      .context = w,
                                      .agent = on_agent,
                                      .note = on_note,
                                      .over = on_over,
                                      .load = on_load};
    enum tern_err err = tls_new(NULL, &w->tls, p);

    if (!err)
        err = world_uv_new(NULL, w->tls, &w->world, p);
    slots.world = w->world;
    make_command(w);
    if (!err)
        err = slots_uv_new(&slots, &w->slots, p);
    if (err)
        return err;
    w->agents[0] = w->agent;
    drive.world = world_uv_world(w->world);
    drive.node = w->config;
    drive.slots = slots_uv_slots(w->slots);
    w->drive = node_drive_new(&drive);
    return w->drive ? TERN_OK : problem_set(p, TERN_ENOMEM, "no memory for a node");
}

static void run(struct at_work *w)
{
    struct handlers handlers = links_handlers;
    const int signals[] = {SIGTERM, SIGINT};

    handlers.context = node_drive_links(w->drive);
    world_uv_handlers(w->world, &handlers);
    signal(SIGPIPE, SIG_IGN); /* an agent or a slot that died while we write */
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(world_uv_loop(w->world), &w->ask[i]);
        w->ask[i].data = w;
        uv_signal_start(&w->ask[i], on_ask, signals[i]);
    }
    node_drive_begin(w->drive);
    world_uv_run(w->world);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&w->ask[i], NULL);
}

int cmd_node(const struct invocation *in)
{
    static struct at_work work; /* large, and one of a process */
    struct at_work *w = &work;
    struct problem p = {0};
    enum tern_err err;

    w->in = in;
    w->config = node_default;
    machine_look(&w->machine);
    if (!take_name(w) || !take_slots(w) || !take_labels(w))
        return CLI_USAGE;
    if (!take_places(w))
        return CLI_FAILED;
    describe(w);
    err = make_parts(w, &p);
    if (err) {
        say("node: %s", p.text);
        w->code = CLI_FAILED;
    } else {
        run(w);
    }
    slots_uv_free(w->slots);
    node_drive_free(w->drive);
    world_uv_free(w->world);
    tls_free(w->tls);
    return w->code;
}
