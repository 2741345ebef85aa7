#include "lib/address.h"

#include "lib/lib.h"
#include "os/pool/endpoint.h"
#include "os/pool/pool_dirs.h"
#include "os/settings.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct address {
    char text[POOL_ENDPOINT_BYTES];
    const char *endpoints[1];
    uint8_t token[LINKS_TOKEN_BYTES];
    char owner[LIMIT_NAME + 1];
    bool has_token, given; /* given: by the caller or the environment */
};

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static enum tern_err find_agent(struct address *a, const struct settings *s, const char *pool,
                                struct problem *p)
{
    struct endpoint e;
    enum tern_err err = pool_dirs_agent(s, pool, a->text, p);

    if (!err)
        err = endpoint_parse(a->text, &e, p);
    if (err)
        return err;
    /* Also with an agent on this machine: some depot may be on another one. */
    a->has_token = pool_dirs_token(s, NULL, a->token, NULL) == TERN_OK;
    return TERN_OK;
}

/* As the kernel would say on the agent's own machine, so that a user is one user in all places. */
static void find_owner(struct address *a)
{
    const char *name = from_environment("USER");
    struct passwd entry, *found = NULL;
    char room[4096];

    if (getpwuid_r(geteuid(), &entry, room, sizeof room, &found) == 0 && found)
        name = found->pw_name;
    if (name && strlen(name) < sizeof a->owner)
        snprintf(a->owner, sizeof a->owner, "%s", name);
}

static enum tern_err nothing_here(struct problem *p)
{
    return problem_set(p, TERN_EUNREACHABLE,
                       "no pool is running on this machine; start one with 'tern up', or name "
                       "another one in TERN_POOL");
}

enum tern_err address_find(const char *pool, struct address **out, struct problem *p)
{
    const struct settings s = settings_read();
    struct address *a = calloc(1, sizeof *a);
    enum tern_err err;

    if (!a)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    if (!pool || !*pool)
        pool = from_environment("TERN_POOL");
    a->endpoints[0] = a->text;
    a->given = pool || from_environment("TERN_AGENT");
    find_owner(a);
    err = find_agent(a, &s, pool, p);
    if (err) {
        free(a);
        return err == TERN_ENOENT ? nothing_here(p) : err;
    }
    *out = a;
    return TERN_OK;
}

void address_free(struct address *a)
{
    free(a);
}

const char *const *address_endpoints(const struct address *a, size_t *count)
{
    *count = 1;
    return a->endpoints;
}

const uint8_t *address_token(const struct address *a)
{
    return a->has_token ? a->token : NULL;
}

const char *address_owner(const struct address *a)
{
    return *a->owner ? a->owner : NULL;
}

enum tern_err address_explain(const struct address *a, const struct problem *down,
                              struct problem *p)
{
    if (down->err == TERN_EACCES || down->err == TERN_EVERSION || down->err == TERN_EPROTO ||
        down->err == TERN_EUNSAFE)
        return problem_set(p, down->err, "%s", down->text);
    if (a->given)
        return problem_set(p, TERN_EUNREACHABLE, "cannot reach the pool: %s", down->text);
    return nothing_here(p);
}
