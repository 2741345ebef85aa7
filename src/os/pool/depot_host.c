#include "os/pool/depot_host.h"

#include "drive/depot_drive.h"
#include "os/file.h"
#include "os/pool/chunks_store.h"
#include "os/pool/world_uv.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PATH_BYTES = 4200, STOPS = 2 };
#define BEAT_NS INT64_C(500000000)

struct depot_host {
    struct depot_host_order order;
    struct chunks_store *store;
    struct chunks chunks;
    struct tls *tls;
    struct world_uv *world;
    struct depot_drive *drive;
    char at[LIMIT_ENDPOINTS][LIMIT_ENDPOINT + 1];
    const char *endpoints[LIMIT_ENDPOINTS];
    size_t endpoint_count;
    uint8_t key[CAPABILITY_KEY_BYTES];
    uv_signal_t stop[STOPS];
    bool stops;
};

/* ---- Key ---- */

static enum tern_err draw_key(uint8_t key[CAPABILITY_KEY_BYTES], struct problem *p)
{
    if (getrandom(key, CAPABILITY_KEY_BYTES, 0) == CAPABILITY_KEY_BYTES)
        return TERN_OK;
    return problem_set(p, TERN_ESYSTEM, "the kernel gives no random numbers: %s", strerror(errno));
}

static enum tern_err make_key(struct depot_host *h, struct problem *p)
{
    const struct view parts[] = {view_of(h->key, sizeof h->key)};
    enum tern_err err = draw_key(h->key, p);
    int dir;

    if (err || h->order.memory)
        return err;
    dir = sys_open(h->order.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    err = dir < 0 ? file_error(dir) : file_replace(dir, "key", parts, 1);
    sys_close(dir);
    return err ? problem_set(p, err, "cannot keep the depot's key in %s: %s", h->order.dir,
                             tern_err_text(err))
               : TERN_OK;
}

/* What capabilities are made with: another key would make all that the agent has given worthless.
 */
static enum tern_err find_key(struct depot_host *h, struct problem *p)
{
    struct bytes key = {0};
    char path[PATH_BYTES];
    enum tern_err err;

    if (h->order.memory)
        return make_key(h, p);
    snprintf(path, sizeof path, "%s/key", h->order.dir);
    err = file_read(path, sizeof h->key, &key);
    if (!err && key.size == sizeof h->key)
        memcpy(h->key, key.data, sizeof h->key);
    else if (err == TERN_ENOENT)
        err = make_key(h, p);
    else
        err = problem_set(p, TERN_ECORRUPT,
                          "%s is not a depot's key of %zu bytes; remove it, and the pool gives out "
                          "new rights",
                          path, sizeof h->key);
    bytes_release(&key);
    return err;
}

/* ---- Opening ---- */

static void told_by_store(void *context, const char *sentence)
{
    const struct depot_host *h = context;

    if (h->order.told)
        h->order.told(h->order.context, true, sentence);
}

static enum tern_err open_store(struct depot_host *h, struct problem *p)
{
    const struct chunks_store_config config = {.dir = h->order.dir,
                                               .space_bytes = h->order.space_bytes,
                                               .heal = true,
                                               .told = told_by_store,
                                               .context = h};
    enum tern_err err = h->order.memory ? chunks_store_in_memory(&config, &h->store, p)
                                        : chunks_store_open(&config, &h->store, p);

    if (!err)
        h->chunks = chunks_store_chunks(h->store);
    return err;
}

static bool is_tcp(const char *endpoint)
{
    return strncmp(endpoint, "unix:", 5) != 0 && endpoint[0] != '/';
}

/* What would never work is said at once, not again and again. */
static enum tern_err check_agent(const struct depot_host *h, struct problem *p)
{
    struct endpoint agent;
    enum tern_err err = endpoint_parse(h->order.agent, &agent, p);

    if (!err && !agent.unix_socket && !agent.pinned)
        err =
            problem_set(p, TERN_EUSAGE,
                        "the pin of the agent's key is missing: give --agent as the agent's ready "
                        "line has it, tcp:HOST:PORT#PIN");
    return err;
}

/* Only where something is not of this machine. */
static enum tern_err open_tls(struct depot_host *h, struct problem *p)
{
    bool listens = false;

    for (size_t i = 0; i < h->order.listen_count; i++)
        listens |= is_tcp(h->order.listen[i]);
    if (!listens && !is_tcp(h->order.agent))
        return TERN_OK;
    if (!h->order.token)
        return problem_set(
            p, TERN_EUSAGE,
            "a depot that is not on the agent's machine needs the pool's token: give "
            "a file that has it with --token");
    return tls_new(listens ? chunks_store_path(h->store) : NULL, &h->tls, p);
}

static enum tern_err listen_at_all(struct depot_host *h, struct problem *p)
{
    enum tern_err err = TERN_OK;

    if (h->order.listen_count > LIMIT_ENDPOINTS)
        return problem_set(p, TERN_EUSAGE, "a part can listen at %d endpoints at most",
                           LIMIT_ENDPOINTS);
    for (size_t i = 0; i < h->order.listen_count && !err; i++) {
        err = world_uv_listen(h->world, h->order.listen[i], h->at[i], p);
        h->endpoints[i] = h->at[i];
        h->endpoint_count += !err;
    }
    return err;
}

static enum tern_err open_drive(struct depot_host *h, struct problem *p)
{
    struct depot_drive_config config = {.world = world_uv_world(h->world),
                                        .chunks = &h->chunks,
                                        .name = h->order.name,
                                        .token = h->order.token,
                                        .memory = h->order.memory,
                                        .endpoints = h->endpoints,
                                        .endpoint_count = h->endpoint_count,
                                        .agent = &h->order.agent,
                                        .agent_count = 1,
                                        .beat_ns = BEAT_NS,
                                        .context = h->order.context,
                                        .told = h->order.told};
    struct handlers handlers = links_handlers;

    memcpy(config.key, h->key, sizeof config.key);
    h->drive = depot_drive_new(&config);
    if (!h->drive)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    handlers.context = depot_drive_links(h->drive);
    world_uv_handlers(h->world, &handlers);
    return TERN_OK;
}

static void on_stop(uv_signal_t *signal, int number)
{
    struct depot_host *h = signal->data;

    (void)number;
    world_uv_stop(h->world);
}

static void catch_stops(struct depot_host *h)
{
    static const int numbers[STOPS] = {SIGTERM, SIGINT};

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < STOPS; i++) {
        h->stop[i].data = h;
        if (uv_signal_init(world_uv_loop(h->world), &h->stop[i]) == 0)
            uv_signal_start(&h->stop[i], on_stop, numbers[i]);
    }
    h->stops = true;
}

static enum tern_err open_all(struct depot_host *h, struct problem *p)
{
    enum tern_err err = check_agent(h, p);

    if (!err)
        err = open_store(h, p);
    if (!err)
        err = find_key(h, p);
    if (!err)
        err = open_tls(h, p);
    if (!err)
        err = world_uv_new(NULL, h->tls, &h->world, p);
    if (!err)
        err = listen_at_all(h, p);
    if (!err)
        err = open_drive(h, p);
    if (!err)
        catch_stops(h);
    return err;
}

enum tern_err depot_host_open(const struct depot_host_order *order, struct depot_host **out,
                              struct problem *p)
{
    struct depot_host *h = calloc(1, sizeof *h);
    enum tern_err err;

    if (!h)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    h->order = *order;
    err = open_all(h, p);
    if (err)
        depot_host_close(h);
    else
        *out = h;
    return err;
}

const char *depot_host_at(const struct depot_host *h, size_t i)
{
    return i < h->endpoint_count ? h->at[i] : NULL;
}

void depot_host_run(struct depot_host *h)
{
    world_uv_run(h->world);
}

void depot_host_close(struct depot_host *h)
{
    if (!h)
        return;
    depot_drive_free(h->drive);
    for (int i = 0; i < STOPS && h->stops; i++)
        uv_close((uv_handle_t *)&h->stop[i], NULL);
    world_uv_free(h->world);
    tls_free(h->tls);
    chunks_store_close(h->store);
    free(h);
}
