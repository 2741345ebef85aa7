#include "cli/commands.h"
#include "cli/say.h"
#include "cli/units.h"

#include "os/pool/depot_host.h"
#include "os/pool/pool_dirs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PART_BYTES = LIMIT_NAME + 16, SPACE_LEAST = 1 << 20 };

struct asked { /* of the command line */
    char name[LIMIT_NAME + 1];
    char agent[POOL_ENDPOINT_BYTES];
    char socket[POOL_ENDPOINT_BYTES];
    char dir[DIRS_PATH_MAX];
    uint8_t token[POOL_TOKEN_BYTES];
    const char *listen[LIMIT_ENDPOINTS + 1];
    char last[PROBLEM_TEXT_MAX]; /* that was said */
    struct depot_host_order order;
};

static bool is_name(const char *name)
{
    const size_t size = strlen(name);

    return size > 0 && size <= LIMIT_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               size;
}

/* The machine's, and what it keeps things in: two depots of one machine have two names. */
static void own_name(char out[LIMIT_NAME + 1], bool memory)
{
    char host[LIMIT_NAME / 2] = "";

    if (gethostname(host, sizeof host - 1))
        *host = 0;
    snprintf(out, LIMIT_NAME + 1, "%s%s", is_name(host) ? host : "depot", memory ? "-memory" : "");
}

static bool take_name(const struct invocation *in, struct asked *a, bool memory)
{
    const char *name = invocation_value(in, "name");

    if (!name) {
        own_name(a->name, memory);
        return true;
    }
    if (!is_name(name)) {
        say("depot: '%s' is no name: use at most %d letters, digits, '.', '_' and '-'", name,
            LIMIT_NAME);
        return false;
    }
    snprintf(a->name, sizeof a->name, "%s", name);
    return true;
}

static bool take_size(const struct invocation *in, const char *option, uint64_t *out)
{
    const char *value = invocation_value(in, option);

    if (value && (!units_size(value, out) || *out < SPACE_LEAST)) {
        say("depot: --%s '%s' is not a size of at least 1M; examples: 512M, 20G", option, value);
        return false;
    }
    return true;
}

static bool take_place(const struct invocation *in, struct asked *a)
{
    const char *memory = invocation_value(in, "memory"), *dir = invocation_value(in, "dir");

    if (memory && dir) {
        say("depot: --memory and --dir exclude each other: a depot keeps things in one place");
        return false;
    }
    if (memory && invocation_value(in, "space")) {
        say("depot: --memory says how much already; --space is for a depot on a disk");
        return false;
    }
    a->order.memory = memory;
    return take_size(in, memory ? "memory" : "space", &a->order.space_bytes);
}

/* --listen, any number of times; none: a socket of this user's. */
static enum tern_err take_listen(const struct invocation *in, struct asked *a, const char *part,
                                 struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < in->given_count; i++) {
        if (strcmp(in->given[i].option->name, "listen") != 0)
            continue;
        if (a->order.listen_count == LIMIT_ENDPOINTS)
            return problem_set(p, TERN_EUSAGE, "--listen can be given %d times at most",
                               LIMIT_ENDPOINTS);
        a->listen[a->order.listen_count++] = in->given[i].value;
    }
    if (a->order.listen_count == 0) {
        err = pool_dirs_socket(in->settings, part, a->socket, p);
        a->listen[a->order.listen_count++] = a->socket;
    }
    a->order.listen = a->listen;
    return err;
}

static enum tern_err take_dir(const struct invocation *in, struct asked *a, const char *part,
                              struct problem *p)
{
    a->order.dir = a->dir;
    if (!a->order.memory)
        return pool_dirs_state(in->settings, invocation_value(in, "dir"), part, a->dir, p);
    snprintf(a->dir, sizeof a->dir, "/dev/shm");
    return TERN_OK;
}

static enum tern_err take_token(const struct invocation *in, struct asked *a, struct problem *p)
{
    const char *chosen = invocation_value(in, "token");
    struct problem why = {0};
    enum tern_err err = pool_dirs_token(in->settings, chosen, a->token, &why);

    if (!err)
        a->order.token = a->token;
    else if (chosen || err != TERN_ENOENT) /* none is fine on one machine */
        return problem_set(p, err, "%s", why.text);
    return TERN_OK;
}

static enum tern_err take_all(const struct invocation *in, struct asked *a, struct problem *p)
{
    char part[PART_BYTES];
    enum tern_err err;

    snprintf(part, sizeof part, "depot-%s", a->name);
    a->order.name = a->name;
    a->order.agent = a->agent;
    err = pool_dirs_agent(in->settings, invocation_value(in, "agent"), a->agent, p);
    if (!err)
        err = take_listen(in, a, part, p);
    if (!err)
        err = take_dir(in, a, part, p);
    return err ? err : take_token(in, a, p);
}

/* What is said again and again is said once. */
static void told(void *context, bool warn, const char *sentence)
{
    struct asked *a = context;

    (void)warn;
    if (strcmp(a->last, sentence) == 0)
        return;
    snprintf(a->last, sizeof a->last, "%s", sentence);
    say("depot %s: %s", a->name, sentence);
}

static void say_ready(const struct asked *a, const struct depot_host *h)
{
    printf("ready: depot %s at ", a->name);
    for (size_t i = 0; depot_host_at(h, i); i++)
        printf("%s%s", i ? ", " : "", depot_host_at(h, i));
    printf("\n");
    fflush(stdout);
}

int cmd_depot(const struct invocation *in)
{
    static struct asked a;
    struct depot_host *h = NULL;
    struct problem p = {0};
    enum tern_err err;

    if (!take_place(in, &a) || !take_name(in, &a, a.order.memory))
        return CLI_USAGE;
    a.order.context = &a;
    a.order.told = told;
    err = take_all(in, &a, &p);
    if (!err)
        err = depot_host_open(&a.order, &h, &p);
    if (err) {
        say("depot: %s", p.text);
        return err == TERN_EUSAGE ? CLI_USAGE : CLI_FAILED;
    }
    say_ready(&a, h);
    depot_host_run(h);
    depot_host_close(h);
    return 0;
}
