#include "depot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEAT_NS INT64_C(500000000)
#define STEP_NS INT64_C(60000000000)

/* ---- The agent ---- */

static void agent_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct depot_world *w = context;

    (void)owner;
    for (unsigned i = 0; i < WORLD_DEPOTS; i++)
        if (strcmp(hello->name, w->depot[i].name) == 0)
            w->depot[i].at_agent = link;
}

static struct depot_there *depot_of(struct depot_world *w, link_id link)
{
    for (unsigned i = 0; i < WORLD_DEPOTS; i++)
        if (w->depot[i].at_agent == link)
            return &w->depot[i];
    return NULL;
}

static void agent_message(void *context, link_id link, const Tern__Envelope *e,
                          struct view attachment)
{
    struct depot_world *w = context;
    struct depot_there *d = depot_of(w, link);

    (void)attachment;
    assert_non_null(d);
    if (e->body_case == TERN__ENVELOPE__BODY_DEPOT_AD) {
        assert_int_equal(e->depot_ad->key.len, sizeof d->key);
        memcpy(d->key, e->depot_ad->key.data, sizeof d->key);
        d->ads++;
    } else if (e->body_case == TERN__ENVELOPE__BODY_HELD) {
        for (size_t i = 0; i < e->held->n_lost && w->lost_count < WORLD_LOST; i++)
            memcpy(w->lost[w->lost_count++].bytes, e->held->lost[i]->root->sha256.data, 32);
        w->held_count++;
    } else if (e->body_case == TERN__ENVELOPE__BODY_COPIED) {
        w->copied_count++;
        w->copied_error = e->copied->error;
    }
}

static void agent_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct depot_there *d = depot_of(context, link);

    (void)err;
    (void)why;
    if (d)
        d->at_agent = 0;
}

/* Agent time is the simulator's. */
static void agent_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    const struct depot_world *w = context;

    (void)link;
    if (sent_ns == LINKS_NOT_SENT)
        beat->now_ns = w->sim.now_ns;
}

static void agent_hello(void *context, link_id link, Tern__Hello *ours)
{
    const struct depot_world *w = context;

    (void)link;
    ours->now_ns = w->sim.now_ns + 1;
}

/* ---- The client ---- */

static void client_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct depot_world *w = context;

    (void)owner;
    for (unsigned i = 0; i < WORLD_DEPOTS; i++) {
        if (strcmp(hello->name, w->depot[i].name) != 0)
            continue;
        w->peer[i].link = link;
        w->peer[i].number = 0;
        w->up[i] = true;
    }
}

static void take_tail(struct depot_world *w, const Tern__Tail *t, struct view bytes)
{
    const unsigned i = t->stream - 1;

    assert_true(i < 2 && t->offset + bytes.size <= WORLD_TAIL_BYTES);
    memcpy(w->tail[i] + t->offset, bytes.data, bytes.size);
    w->tail_to[i] = t->offset + bytes.size;
    w->tail_bytes += bytes.size;
    w->tail_attempt = t->fence->attempt;
}

static void client_message(void *context, link_id link, const Tern__Envelope *e,
                           struct view attachment)
{
    struct depot_world *w = context;

    (void)link;
    if (e->body_case == TERN__ENVELOPE__BODY_TAIL) {
        take_tail(w, e->tail, attachment);
        return;
    }
    if (w->upload && upload_message(w->upload, e, attachment))
        return;
    if (w->fetch && fetch_message(w->fetch, e, attachment))
        return;
    w->answers++;
    w->answer = e->body_case;
    if (e->body_case == TERN__ENVELOPE__BODY_REFUSED) {
        w->refused = e->refused->error;
        snprintf(w->refused_why, sizeof w->refused_why, "%s", e->refused->text);
    }
    bytes_clear(&w->chunk);
    if (e->body_case == TERN__ENVELOPE__BODY_CHUNK)
        bytes_append(&w->chunk, attachment.data, attachment.size);
    if (e->body_case == TERN__ENVELOPE__BODY_MISSING)
        bytes_append(&w->chunk, e->missing->missing.data, e->missing->missing.len);
}

static void client_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct depot_world *w = context;

    (void)err;
    for (unsigned i = 0; i < WORLD_DEPOTS; i++) {
        if (w->peer[i].link != link)
            continue;
        w->up[i] = false;
        w->done = w->done || w->upload || w->fetch;
        w->err = TERN_EIO;
        snprintf(w->why, sizeof w->why, "%s", why);
    }
}

static void client_drained(void *context, link_id link)
{
    struct depot_world *w = context;

    (void)link;
    if (w->upload)
        upload_drained(w->upload);
    if (w->fetch)
        fetch_drained(w->fetch);
}

void depot_world_done(void *context, enum tern_err err, const char *why)
{
    struct depot_world *w = context;

    w->done = true;
    w->err = err;
    snprintf(w->why, sizeof w->why, "%s", why);
}

/* ---- Making it ---- */

static void handle(struct sim_part *part, struct links *links)
{
    struct handlers h = links_handlers;

    h.context = links;
    sim_part_handle(part, &h);
}

static void make_agent(struct depot_world *w)
{
    struct sim_host *host = sim_host_new(w->net, "agent", 0);
    struct links_config config = {.world = &w->agent_world,
                                  .part = TERN__PART__PART_AGENT,
                                  .name = "agent",
                                  .beat_ns = BEAT_NS,
                                  .welcome = 1U << TERN__PART__PART_DEPOT,
                                  .context = w,
                                  .up = agent_up,
                                  .message = agent_message,
                                  .down = agent_down,
                                  .hello = agent_hello,
                                  .beat = agent_beat,
                                  .token = (const uint8_t *)"0123456789abcdef0123456789abcdef"};

    w->agent_part = sim_part_new(host, "agent", "tern");
    w->agent_world = sim_part_world(w->agent_part);
    w->agent = links_new(&config);
    assert_non_null(w->agent);
    handle(w->agent_part, w->agent);
    sim_part_listen(w->agent_part, "tcp:agent:1");
}

static void make_depot(struct depot_world *w, unsigned i)
{
    static const char *const agent[] = {"tcp:agent:1"};
    struct depot_there *d = &w->depot[i];
    struct depot_drive_config config = {.world = &d->world,
                                        .name = d->name,
                                        .token =
                                            (const uint8_t *)"0123456789abcdef0123456789abcdef",
                                        .endpoints = d->endpoints,
                                        .endpoint_count = 1,
                                        .agent = agent,
                                        .agent_count = 1,
                                        .beat_ns = BEAT_NS};

    snprintf(d->name, sizeof d->name, "d%u", i);
    snprintf(d->endpoint, sizeof d->endpoint, "tcp:d%u:1", i);
    d->endpoints[0] = d->endpoint;
    d->host = sim_host_new(w->net, d->name, 0);
    d->part = sim_part_new(d->host, "depot", "tern");
    d->world = sim_part_world(d->part);
    d->mem = chunks_mem_new(64 << 20);
    d->chunks = chunks_mem_chunks(d->mem);
    config.chunks = d->chunks;
    memset(config.key, (int)(i + 1), sizeof config.key);
    d->drive = depot_drive_new(&config);
    assert_non_null(d->drive);
    handle(d->part, depot_drive_links(d->drive));
    sim_part_listen(d->part, d->endpoint);
}

static void make_client(struct depot_world *w)
{
    struct sim_host *host = sim_host_new(w->net, "client", 0);
    struct links_config config = {.world = &w->world,
                                  .part = TERN__PART__PART_CLIENT,
                                  .name = "",
                                  .beat_ns = BEAT_NS,
                                  .context = w,
                                  .up = client_up,
                                  .message = client_message,
                                  .down = client_down,
                                  .drained = client_drained,
                                  .token = (const uint8_t *)"0123456789abcdef0123456789abcdef"};

    w->part = sim_part_new(host, "client", "tern");
    w->world = sim_part_world(w->part);
    w->links = links_new(&config);
    assert_non_null(w->links);
    handle(w->part, w->links);
}

static bool all_said(const struct depot_world *w)
{
    for (unsigned i = 0; i < WORLD_DEPOTS; i++)
        if (!w->depot[i].ads)
            return false;
    return true;
}

void depot_world_dial(struct depot_world *w, unsigned depot)
{
    const int64_t end = w->sim.now_ns + STEP_NS;

    w->up[depot] = false;
    w->peer[depot] = (struct transfer_peer){
        .links = w->links, .capability = &w->capability, .name = w->depot[depot].name};
    (void)links_dial(w->links, w->depot[depot].endpoint);
    while (!w->up[depot])
        assert_true(sim_step(&w->sim, end));
}

struct depot_world *depot_world_new(uint64_t seed)
{
    struct depot_world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    sim_init(&w->sim, seed);
    w->net = sim_net_new(&w->sim, &sim_net_default);
    make_agent(w);
    for (unsigned i = 0; i < WORLD_DEPOTS; i++)
        make_depot(w, i);
    make_client(w);
    assert_true(depot_world_until(w, all_said));
    depot_world_dial(w, 0);
    depot_world_dial(w, 1);
    return w;
}

void depot_world_free(struct depot_world *w)
{
    upload_free(w->upload);
    fetch_free(w->fetch);
    links_free(w->links);
    links_free(w->agent);
    for (unsigned i = 0; i < WORLD_DEPOTS; i++) {
        depot_drive_free(w->depot[i].drive);
        chunks_mem_check(w->depot[i].mem);
        chunks_mem_free(w->depot[i].mem);
    }
    sim_net_free(w->net);
    sim_release(&w->sim);
    bytes_release(&w->got);
    bytes_release(&w->chunk);
    free(w);
}

bool depot_world_until(struct depot_world *w, bool (*holds)(const struct depot_world *w))
{
    const int64_t end = w->sim.now_ns + STEP_NS;

    while (!holds(w))
        if (!sim_step(&w->sim, end))
            return false;
    return true;
}

void depot_world_run(struct depot_world *w, int64_t ns)
{
    const int64_t end = w->sim.now_ns + ns;

    while (sim_step(&w->sim, end)) {
    }
}

/* ---- Doing things ---- */

void depot_world_allow(struct depot_world *w, unsigned depot, const char *domain, uint32_t rights)
{
    tern__capability__init(&w->capability);
    tern__fence__init(&w->fence);
    w->capability.domain = (char *)(uintptr_t)domain;
    w->capability.rights = rights;
    w->capability.expires_ns = w->sim.now_ns + INT64_C(3600000000000);
    w->capability.fence = &w->fence;
    capability_seal(&w->capability, w->depot[depot].key, w->mac);
    w->capability.mac = (ProtobufCBinaryData){sizeof w->mac, w->mac};
}

static bool has_answer(const struct depot_world *w)
{
    return w->answers > 0;
}

void depot_world_ask(struct depot_world *w, unsigned depot, Tern__Envelope *e,
                     struct view attachment)
{
    w->answers = 0;
    w->refused = TERN_OK;
    e->number = ++w->peer[depot].number;
    assert_int_equal(links_send(w->links, w->peer[depot].link, e, attachment), TERN_OK);
    assert_true(depot_world_until(w, has_answer));
}

void depot_world_order(struct depot_world *w, unsigned depot, Tern__Envelope *e)
{
    assert_true(w->depot[depot].at_agent);
    e->number = 1;
    assert_int_equal(links_send(w->agent, w->depot[depot].at_agent, e, (struct view){0}), TERN_OK);
}

bool depot_world_is_done(const struct depot_world *w)
{
    return w->done;
}

enum tern_err depot_world_upload(struct depot_world *w, unsigned depot,
                                 const struct transfer_source *from, struct chunks_root root,
                                 struct transfer_count *count)
{
    struct upload_order order = {.peer = &w->peer[depot],
                                 .source = *from,
                                 .root = root,
                                 .context = w,
                                 .done = depot_world_done};

    w->done = false;
    w->upload = upload_new(&order);
    assert_non_null(w->upload);
    upload_go(w->upload);
    assert_true(depot_world_until(w, depot_world_is_done));
    if (count)
        *count = upload_count(w->upload);
    upload_free(w->upload);
    w->upload = NULL;
    return w->err;
}

static enum tern_err take_bytes(void *context, struct view bytes, const char **why)
{
    struct depot_world *w = context;

    (void)why;
    bytes_append(&w->got, bytes.data, bytes.size);
    return TERN_OK;
}

enum tern_err depot_world_fetch(struct depot_world *w, unsigned depot, struct chunks_root root,
                                uint64_t offset, struct chunks *chunks, const char *domain,
                                struct transfer_count *count)
{
    struct fetch_order order = {.peer = &w->peer[depot],
                                .root = root,
                                .chunks = chunks,
                                .domain = domain,
                                .bytes = take_bytes,
                                .offset = offset,
                                .context = w,
                                .done = depot_world_done};

    w->done = false;
    bytes_clear(&w->got);
    w->fetch = fetch_new(&order);
    assert_non_null(w->fetch);
    fetch_go(w->fetch);
    assert_true(depot_world_until(w, depot_world_is_done));
    if (count)
        *count = fetch_count(w->fetch);
    fetch_free(w->fetch);
    w->fetch = NULL;
    return w->err;
}
