/*
 * A depot and what is brought to it and fetched from it, over real links in a virtual world.
 */
#include "depot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { READ = CAPABILITY_READ, WRITE = CAPABILITY_WRITE, BOTH = READ | WRITE };

static int setup(void **state)
{
    *state = depot_world_new(7);
    return 0;
}

static int teardown(void **state)
{
    depot_world_free(*state);
    return 0;
}

/* ---- Files ---- */

struct file {
    struct bytes bytes;
    bool changed; /* reads something else from now on */
};

static enum tern_err read_file(void *context, uint64_t offset, void *to, size_t size)
{
    const struct file *f = context;

    assert_true(offset + size <= f->bytes.size);
    memcpy(to, f->bytes.data + offset, size);
    if (f->changed && size)
        *(uint8_t *)to ^= 1;
    return TERN_OK;
}

static void draw_file(struct file *f, size_t size, uint64_t seed)
{
    uint8_t *at = bytes_reserve(&f->bytes, size);
    struct prng dice;

    assert_non_null(at);
    prng_seed(&dice, seed, "file");
    for (size_t i = 0; i < size; i++) /* half of it can be packed */
        at[i] = (i >> 19) & 1 ? (uint8_t)(i >> 8) : (uint8_t)prng_next(&dice);
    f->bytes.size += size;
}

static struct blob *blob_of(struct file *f, bool compress)
{
    struct blob_input input = {
        .context = f, .read = read_file, .size = f->bytes.size, .compress = compress};
    struct blob *b = blob_new(&input);
    bool over = false;

    assert_non_null(b);
    while (!over)
        assert_int_equal(blob_step(b, &over, NULL), TERN_OK);
    return b;
}

static enum tern_err bring(struct depot_world *w, unsigned depot, struct blob *b,
                           struct transfer_count *count)
{
    struct transfer_source from = blob_source(b);

    return depot_world_upload(w, depot, &from, blob_root(b), count);
}

static void a_file_there_and_back(void **state)
{
    static const size_t sizes[] = {0, 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 12345};
    struct depot_world *w = *state;

    depot_world_allow(w, 0, "ann", BOTH);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct file f = {0};
        struct transfer_count count;
        struct blob *b;

        draw_file(&f, sizes[i], i);
        b = blob_of(&f, i % 2);
        if (bring(w, 0, b, &count))
            fail_msg("%s", w->why);
        assert_true(sizes[i] > 1 << 20 ? count.sent_chunks > 1 : count.sent_chunks == 1);
        assert_int_equal(depot_world_fetch(w, 0, blob_root(b), 0, NULL, NULL, NULL), TERN_OK);
        assert_true(view_equal(bytes_view(&w->got), bytes_view(&f.bytes)));
        /* Once more: one question. */
        assert_int_equal(bring(w, 0, b, &count), TERN_OK);
        assert_int_equal(count.sent_chunks, 0);
        blob_free(b);
        bytes_release(&f.bytes);
    }
}

static void from_the_middle(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct blob *b;

    draw_file(&f, (4 << 20) + 77, 3);
    b = blob_of(&f, true);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_OK);
    for (uint64_t at = 0; at <= f.bytes.size; at += 1 << 20) {
        assert_int_equal(depot_world_fetch(w, 0, blob_root(b), at, NULL, NULL, NULL), TERN_OK);
        assert_true(
            view_equal(bytes_view(&w->got), view_of(f.bytes.data + at, f.bytes.size - (size_t)at)));
    }
    blob_free(b);
    bytes_release(&f.bytes);
}

static void a_file_that_changes_is_found_out(void **state)
{
    struct depot_world *w = *state;
    struct chunks_root root;
    struct file f = {0};
    struct blob *b;

    draw_file(&f, 3 << 20, 4);
    b = blob_of(&f, false);
    root = blob_root(b);
    f.changed = true;
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_EBUSY);
    assert_non_null(strstr(w->why, "changed while it was being read"));
    assert_false(chunks_mem_sound(w->depot[0].mem, "ann", &root.name));
    blob_free(b);
    bytes_release(&f.bytes);
}

/* ---- Rights ---- */

static void get_chunk(struct depot_world *w, const struct store_name *name)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__GetChunk g = TERN__GET_CHUNK__INIT;

    g.capability = &w->capability;
    g.name = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)name->bytes};
    e.body_case = TERN__ENVELOPE__BODY_GET_CHUNK;
    e.get_chunk = &g;
    depot_world_ask(w, 0, &e, (struct view){0});
}

static void nothing_without_the_right(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct blob *b;

    draw_file(&f, 1000, 5);
    b = blob_of(&f, false);
    depot_world_allow(w, 0, "ann", READ);
    assert_int_equal(bring(w, 0, b, NULL), TERN_EACCES);
    assert_non_null(strstr(w->why, "right"));
    depot_world_allow(w, 1, "ann", BOTH); /* another depot's key */
    assert_int_equal(bring(w, 0, b, NULL), TERN_EACCES);
    depot_world_allow(w, 0, "ann", BOTH);
    w->capability.rights |= CAPABILITY_MANAGE; /* more than it was made for */
    assert_int_equal(bring(w, 0, b, NULL), TERN_EACCES);
    depot_world_allow(w, 0, "ann", BOTH);
    w->capability.expires_ns = 1;
    capability_seal(&w->capability, w->depot[0].key, w->mac);
    assert_int_equal(bring(w, 0, b, NULL), TERN_ETIME);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_OK);
    depot_world_allow(w, 0, "ann", WRITE);
    assert_int_equal(depot_world_fetch(w, 0, blob_root(b), 0, NULL, NULL, NULL), TERN_EACCES);
    blob_free(b);
    bytes_release(&f.bytes);
}

/* Bob is told the same of what Ann has as of what nobody has. */
static void domains_tell_nothing(void **state)
{
    struct depot_world *w = *state;
    struct store_name nobody = {{1, 2, 3}};
    struct chunks_root root;
    struct transfer_count count;
    struct file f = {0};
    char why[512];
    struct blob *b;

    draw_file(&f, 1000, 6);
    b = blob_of(&f, false);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_OK);
    depot_world_allow(w, 0, "bob", BOTH);
    get_chunk(w, &nobody);
    assert_int_equal(w->refused, TERN_ENOENT);
    snprintf(why, sizeof why, "%s", w->refused_why);
    root = blob_root(b);
    get_chunk(w, &root.name);
    assert_int_equal(w->refused, TERN_ENOENT);
    assert_string_equal(w->refused_why, why);
    assert_int_equal(bring(w, 0, b, &count), TERN_OK);
    assert_int_equal(count.sent_chunks, 1); /* he has to have it to bring it */
    blob_free(b);
    bytes_release(&f.bytes);
}

static void an_older_attempt_can_write_no_more(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct blob *b;

    draw_file(&f, 1000, 7);
    b = blob_of(&f, false);
    for (uint64_t attempt = 3; attempt >= 2; attempt--) {
        depot_world_allow(w, 0, "ann", BOTH);
        w->fence = (Tern__Fence)TERN__FENCE__INIT;
        w->fence.task = 9;
        w->fence.attempt = attempt;
        w->fence.term = 1;
        capability_seal(&w->capability, w->depot[0].key, w->mac);
        assert_int_equal(bring(w, 0, b, NULL), attempt == 3 ? TERN_OK : TERN_EACCES);
    }
    assert_non_null(strstr(w->why, "newer attempt"));
    assert_int_equal(depot_world_fetch(w, 0, blob_root(b), 0, NULL, NULL, NULL), TERN_OK);
    blob_free(b);
    bytes_release(&f.bytes);
}

/* ---- Nonsense ---- */

static void put(struct depot_world *w, const struct store_name *name, uint32_t codec,
                uint32_t plain_size, struct view bytes)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__PutChunk p = TERN__PUT_CHUNK__INIT;

    p.capability = &w->capability;
    p.name = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)name->bytes};
    p.kind = CHUNK_LEAF;
    p.codec = codec;
    p.plain_size = plain_size;
    e.body_case = TERN__ENVELOPE__BODY_PUT_CHUNK;
    e.put_chunk = &p;
    depot_world_ask(w, 0, &e, bytes);
}

static void nonsense_is_refused_in_words(void **state)
{
    struct depot_world *w = *state;
    const struct view some = view_of_string("some bytes");
    struct store_name name = store_name_of(some), other = {{1}};
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Commit c = TERN__COMMIT__INIT;
    Tern__Probe p = TERN__PROBE__INIT;
    Tern__Hold h = TERN__HOLD__INIT;
    uint8_t kinds[2] = {CHUNK_LEAF, 77};

    depot_world_allow(w, 0, "ann", BOTH);
    put(w, &other, CODEC_PLAIN, (uint32_t)some.size, some);
    assert_int_equal(w->refused, TERN_ECORRUPT);
    put(w, &name, CODEC_ZSTD, 100, some);
    assert_int_equal(w->refused, TERN_ECORRUPT);
    put(w, &name, CODEC_LIKE, 100, some); /* like nothing */
    assert_int_equal(w->refused, TERN_EPROTO);
    put(w, &name, 9, (uint32_t)some.size, some);
    assert_int_equal(w->refused, TERN_EPROTO);
    put(w, &name, CODEC_PLAIN, STORE_CHUNK_MAX + 1, some);
    assert_int_equal(w->refused, TERN_EPROTO);
    put(w, &name, CODEC_PLAIN, (uint32_t)some.size, some);
    assert_int_equal(w->answer, TERN__ENVELOPE__BODY_PUT_DONE);
    p.capability = &w->capability;
    p.names = (ProtobufCBinaryData){32, name.bytes};
    p.kinds = (ProtobufCBinaryData){2, kinds};
    e.body_case = TERN__ENVELOPE__BODY_PROBE;
    e.probe = &p;
    depot_world_ask(w, 0, &e, (struct view){0});
    assert_int_equal(w->refused, TERN_EPROTO);
    c.capability = &w->capability;
    e.body_case = TERN__ENVELOPE__BODY_COMMIT;
    e.commit = &c;
    depot_world_ask(w, 0, &e, (struct view){0});
    assert_int_equal(w->refused, TERN_EPROTO);
    e.body_case = TERN__ENVELOPE__BODY_HOLD; /* the agent's alone */
    e.hold = &h;
    depot_world_ask(w, 0, &e, (struct view){0});
    assert_int_equal(w->refused, TERN_EPROTO);
}

/* ---- What the agent orders ---- */

static bool was_held(const struct depot_world *w)
{
    return w->held_count > 0;
}

static void hold(struct depot_world *w, unsigned depot, const struct chunks_root *root,
                 int64_t expires_ns)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Hold h = TERN__HOLD__INIT;
    Tern__RootLease lease = TERN__ROOT_LEASE__INIT, *list[1] = {&lease};
    Tern__Blob blob = TERN__BLOB__INIT;

    blob.sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)root->name.bytes};
    blob.kind = root->kind;
    lease.domain = (char *)(uintptr_t) "ann";
    lease.root = &blob;
    lease.expires_ns = expires_ns;
    h.n_roots = 1;
    h.roots = list;
    e.body_case = TERN__ENVELOPE__BODY_HOLD;
    e.hold = &h;
    w->held_count = w->lost_count = 0;
    depot_world_order(w, depot, &e);
    assert_true(depot_world_until(w, was_held));
}

static void roots_live_as_long_as_they_are_held(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct chunks_root root;
    struct blob *b;

    draw_file(&f, 2 << 20, 8);
    b = blob_of(&f, false);
    root = blob_root(b);
    root.expires_ns = w->sim.now_ns + INT64_C(20000000000);
    depot_world_allow(w, 0, "ann", BOTH);
    {
        struct transfer_source from = blob_source(b);

        assert_int_equal(depot_world_upload(w, 0, &from, root, NULL), TERN_OK);
    }
    hold(w, 0, &root, w->sim.now_ns + INT64_C(60000000000));
    assert_int_equal(w->lost_count, 0);
    depot_world_run(w, INT64_C(40000000000));
    assert_true(chunks_mem_sound(w->depot[0].mem, "ann", &root.name));
    depot_world_run(w, INT64_C(40000000000));
    assert_false(chunks_mem_sound(w->depot[0].mem, "ann", &root.name));
    hold(w, 0, &root, w->sim.now_ns + INT64_C(60000000000));
    assert_int_equal(w->lost_count, 1);
    assert_memory_equal(&w->lost[0], &root.name, sizeof root.name);
    blob_free(b);
    bytes_release(&f.bytes);
}

static void leases_stand_still_without_an_agent(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct chunks_root root;
    struct blob *b;
    struct transfer_source from;

    draw_file(&f, 1000, 8);
    b = blob_of(&f, false);
    from = blob_source(b);
    root = blob_root(b);
    root.expires_ns = w->sim.now_ns + INT64_C(20000000000);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(depot_world_upload(w, 0, &from, root, NULL), TERN_OK);
    sim_part_kill(w->agent_part);
    depot_world_run(w, INT64_C(600000000000));
    assert_true(chunks_mem_sound(w->depot[0].mem, "ann", &root.name));
    blob_free(b);
    bytes_release(&f.bytes);
}

static bool was_copied(const struct depot_world *w)
{
    return w->copied_count > 0;
}

static uint32_t copy(struct depot_world *w, unsigned from, unsigned to,
                     const struct chunks_root *root, const char *endpoint)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__CopyRoot c = TERN__COPY_ROOT__INIT;
    Tern__Blob blob = TERN__BLOB__INIT;
    Tern__DepotAt at = TERN__DEPOT_AT__INIT;
    Tern__Endpoints endpoints = TERN__ENDPOINTS__INIT;
    char *list[2] = {(char *)(uintptr_t) "tcp:nowhere:1", (char *)(uintptr_t)endpoint};

    depot_world_allow(w, from, "ann", READ);
    blob.sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)root->name.bytes};
    blob.kind = root->kind;
    endpoints.n_at = 2;
    endpoints.at = list;
    at.name = w->depot[from].name;
    at.endpoints = &endpoints;
    at.capability = &w->capability;
    c.domain = (char *)(uintptr_t) "ann";
    c.root = &blob;
    c.from = &at;
    c.expires_ns = w->sim.now_ns + INT64_C(3600000000000);
    e.body_case = TERN__ENVELOPE__BODY_COPY_ROOT;
    e.copy_root = &c;
    w->copied_count = 0;
    depot_world_order(w, to, &e);
    assert_true(depot_world_until(w, was_copied));
    return w->copied_error;
}

static void depots_copy_from_each_other(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct chunks_root root;
    struct blob *b;

    draw_file(&f, (3 << 20) + 5, 9);
    b = blob_of(&f, true);
    root = blob_root(b);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_OK);
    assert_int_equal(copy(w, 0, 1, &root, w->depot[0].endpoint), TERN_OK);
    assert_true(chunks_mem_sound(w->depot[1].mem, "ann", &root.name));
    assert_int_equal(copy(w, 0, 1, &root, w->depot[0].endpoint), TERN_OK); /* has it */
    root.name.bytes[0] ^= 1;
    assert_int_equal(copy(w, 0, 1, &root, w->depot[0].endpoint), TERN_ENOENT);
    assert_int_equal(copy(w, 0, 1, &root, "tcp:nowhere:2"), TERN_EIO);
    blob_free(b);
    bytes_release(&f.bytes);
}

static void damage_is_told_and_mended(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct chunks_root root;
    struct blob *b;
    struct prng dice;

    prng_seed(&dice, 1, "rot");
    draw_file(&f, (3 << 20) + 5, 10);
    b = blob_of(&f, false);
    root = blob_root(b);
    for (unsigned i = 0; i < WORLD_DEPOTS; i++) {
        depot_world_allow(w, i, "ann", BOTH);
        assert_int_equal(bring(w, i, b, NULL), TERN_OK);
    }
    assert_true(chunks_mem_rot(w->depot[0].mem, &dice));
    w->held_count = w->lost_count = 0;
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(depot_world_fetch(w, 0, root, 0, NULL, NULL, NULL), TERN_ECORRUPT);
    assert_non_null(strstr(w->why, "damaged here"));
    assert_true(depot_world_until(w, was_held));
    assert_int_equal(w->lost_count, 1);
    assert_memory_equal(&w->lost[0], &root.name, sizeof root.name);
    assert_int_equal(copy(w, 1, 0, &root, w->depot[1].endpoint), TERN_OK);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(depot_world_fetch(w, 0, root, 0, NULL, NULL, NULL), TERN_OK);
    assert_true(view_equal(bytes_view(&w->got), bytes_view(&f.bytes)));
    blob_free(b);
    bytes_release(&f.bytes);
}

/* ---- Connections that break ---- */

static bool some_was_sent(const struct depot_world *w)
{
    return depot_drive_count(w->depot[0].drive).put_chunks >= 4;
}

static void an_upload_goes_on_where_it_was(void **state)
{
    struct depot_world *w = *state;
    struct transfer_count count;
    struct file f = {0};
    struct blob *b;
    struct upload_order order = {.peer = &w->peer[0], .context = w};

    draw_file(&f, 8 << 20, 11);
    b = blob_of(&f, false);
    order.source = blob_source(b);
    order.root = blob_root(b);
    depot_world_allow(w, 0, "ann", BOTH);
    w->upload = upload_new(&order);
    assert_non_null(w->upload);
    upload_go(w->upload);
    assert_true(depot_world_until(w, some_was_sent));
    links_close(w->links, w->peer[0].link);
    upload_free(w->upload);
    w->upload = NULL;
    depot_world_dial(w, 0);
    assert_int_equal(bring(w, 0, b, &count), TERN_OK);
    assert_true(count.sent_chunks <= 6); /* the list once more, and what it lacks */
    assert_int_equal(depot_world_fetch(w, 0, blob_root(b), 0, NULL, NULL, NULL), TERN_OK);
    assert_true(view_equal(bytes_view(&w->got), bytes_view(&f.bytes)));
    blob_free(b);
    bytes_release(&f.bytes);
}

/* Starts it anew on a new link until it is through; connections break by the dice. How many times.
 */
static unsigned go_on_until_done(struct depot_world *w, struct prng *dice, void (*begin)(void *to),
                                 void *to)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        if (!w->up[0])
            depot_world_dial(w, 0);
        w->done = false;
        begin(to);
        while (!w->done) {
            if (prng_chance(dice, 150000))
                (void)sim_net_break(w->net, dice, SIM_BREAK_TOLD);
            depot_world_run(w, INT64_C(5000000));
        }
        upload_free(w->upload);
        fetch_free(w->fetch);
        w->upload = NULL;
        w->fetch = NULL;
        if (!w->err)
            return tries;
        depot_world_run(w, INT64_C(3000000000)); /* both ends know by then */
    }
    fail_msg("never done: %s", w->why);
    return 0;
}

struct broken {
    struct depot_world *w;
    struct blob *blob;
    struct chunks *chunks;
};

static void begin_upload(void *to)
{
    struct broken *b = to;
    const struct upload_order order = {.peer = &b->w->peer[0],
                                       .source = blob_source(b->blob),
                                       .root = blob_root(b->blob),
                                       .context = b->w,
                                       .done = depot_world_done};

    b->w->upload = upload_new(&order);
    upload_go(b->w->upload);
}

static void begin_fetch(void *to)
{
    struct broken *b = to;
    const struct fetch_order order = {.peer = &b->w->peer[0],
                                      .root = blob_root(b->blob),
                                      .chunks = b->chunks,
                                      .domain = "mine",
                                      .context = b->w,
                                      .done = depot_world_done};

    b->w->fetch = fetch_new(&order);
    fetch_go(b->w->fetch);
}

static void whatever_breaks_it_gets_through(void **state)
{
    unsigned broken = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct broken b = {.w = depot_world_new(seed)};
        struct chunks_mem *mine = chunks_mem_new(0);
        struct chunks_root root;
        struct file f = {0};
        struct prng dice;

        prng_seed(&dice, seed, "break");
        draw_file(&f, 6 << 20, seed);
        b.blob = blob_of(&f, seed % 2);
        b.chunks = chunks_mem_chunks(mine);
        depot_world_allow(b.w, 0, "ann", BOTH);
        broken += go_on_until_done(b.w, &dice, begin_upload, &b);
        broken += go_on_until_done(b.w, &dice, begin_fetch, &b);
        root = blob_root(b.blob);
        assert_true(chunks_mem_sound(mine, "mine", &root.name));
        blob_free(b.blob);
        bytes_release(&f.bytes);
        depot_world_free(b.w);
        chunks_mem_free(mine);
    }
    assert_true(broken >= 12); /* that they did break */
}

/* ---- Into chunks ---- */

static void everything_beneath_a_root(void **state)
{
    struct depot_world *w = *state;
    struct chunks_mem *mine = chunks_mem_new(0), *others = chunks_mem_new(0);
    struct chunks *c = chunks_mem_chunks(mine);
    struct transfer_domain domain = {.chunks = c, .domain = "ann"};
    struct transfer_source from = transfer_from_domain(&domain);
    struct bytes list = {0};
    struct chunks_root root = {.kind = CHUNK_LIST};
    struct transfer_count count;
    uint64_t new_bytes;
    struct store_stored s;

    chunk_list_begin(&list);
    for (uint32_t i = 0; i < 3000; i++) {
        uint8_t leaf[64] = {0};
        struct store_name name;

        memcpy(leaf, &i, sizeof i);
        name = store_name_of(view_of(leaf, sizeof leaf));
        s = (struct store_stored){.plain_size = sizeof leaf, .bytes = view_of(leaf, sizeof leaf)};
        assert_int_equal(c->calls->put(c->self, "ann", &name, &s), TERN_OK);
        chunk_list_add(&list, CHUNK_LEAF, &name);
    }
    root.name = store_name_of(bytes_view(&list));
    s = (struct store_stored){.plain_size = (uint32_t)list.size, .bytes = bytes_view(&list)};
    assert_int_equal(c->calls->put(c->self, "ann", &root.name, &s), TERN_OK);
    assert_int_equal(c->calls->commit(c->self, "ann", &root, &new_bytes, NULL), TERN_OK);
    depot_world_allow(w, 0, "ann", BOTH);
    if (depot_world_upload(w, 0, &from, root, &count))
        fail_msg("%s", w->why);
    assert_int_equal(count.sent_chunks, 3001);
    assert_true(chunks_mem_sound(w->depot[0].mem, "ann", &root.name));
    if (depot_world_fetch(w, 0, root, 0, chunks_mem_chunks(others), "x", &count))
        fail_msg("%s", w->why);
    assert_int_equal(count.got_chunks, 3001);
    assert_true(chunks_mem_sound(others, "x", &root.name));
    bytes_release(&list);
    chunks_mem_free(mine);
    chunks_mem_free(others);
}

static void a_full_depot_says_so(void **state)
{
    struct depot_world *w = *state;
    struct file f = {0};
    struct blob *b;

    chunks_mem_limit(w->depot[0].mem, 1 << 19); /* less than one chunk */
    draw_file(&f, 4 << 20, 12);
    b = blob_of(&f, false);
    depot_world_allow(w, 0, "ann", BOTH);
    assert_int_equal(bring(w, 0, b, NULL), TERN_ENOSPACE);
    assert_non_null(strstr(w->why, "full"));
    blob_free(b);
    bytes_release(&f.bytes);
}

/* ---- Provisional output ---- */

static void tail(struct depot_world *w, uint64_t attempt, uint32_t stream, uint64_t offset,
                 const char *text)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Tail t = TERN__TAIL__INIT;
    Tern__Fence fence = TERN__FENCE__INIT;

    depot_world_allow(w, 0, "ann", BOTH);
    w->fence.task = fence.task = 5;
    w->fence.attempt = fence.attempt = attempt;
    w->fence.term = fence.term = 1;
    capability_seal(&w->capability, w->depot[0].key, w->mac);
    t.capability = &w->capability;
    t.fence = &fence;
    t.stream = stream;
    t.offset = offset;
    e.body_case = TERN__ENVELOPE__BODY_TAIL;
    e.tail = &t;
    assert_int_equal(links_send(w->links, w->peer[0].link, &e, view_of_string(text)), TERN_OK);
}

static void follow(struct depot_world *w, const char *domain, uint64_t from, uint64_t credit)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Follow f = TERN__FOLLOW__INIT;

    depot_world_allow(w, 0, domain, READ);
    f.capability = &w->capability;
    f.task = 5;
    f.output_from = from;
    f.credit = credit;
    e.body_case = TERN__ENVELOPE__BODY_FOLLOW;
    e.follow = &f;
    assert_int_equal(links_send(w->links, w->peer[0].link, &e, (struct view){0}), TERN_OK);
}

static void output_is_relayed(void **state)
{
    struct depot_world *w = *state;

    tail(w, 1, 1, 0, "hello ");
    follow(w, "ann", 0, 1000);
    tail(w, 1, 1, 6, "world");
    tail(w, 1, 2, 0, "error");
    depot_world_run(w, INT64_C(1000000000));
    assert_memory_equal(w->tail[0], "hello world", 11);
    assert_memory_equal(w->tail[1], "error", 5);
    /* A newer attempt goes on further back; an older one is not heard any more. */
    tail(w, 2, 1, 6, "there");
    tail(w, 1, 1, 11, "again");
    depot_world_run(w, INT64_C(1000000000));
    assert_int_equal(w->tail_attempt, 2);
    assert_int_equal(w->tail_to[0], 11);
    assert_memory_equal(w->tail[0], "hello there", 11);
}

static void no_more_than_credit(void **state)
{
    struct depot_world *w = *state;

    follow(w, "ann", 0, 4);
    tail(w, 1, 1, 0, "0123456789");
    depot_world_run(w, INT64_C(1000000000));
    assert_int_equal(w->tail_bytes, 4);
    follow(w, "ann", 0, 3);
    depot_world_run(w, INT64_C(1000000000));
    assert_int_equal(w->tail_bytes, 7);
    follow(w, "bob", 0, 1000); /* another domain's task of that number */
    depot_world_run(w, INT64_C(1000000000));
    assert_int_equal(w->tail_bytes, 7);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_there_and_back),
        TEST(from_the_middle),
        TEST(a_file_that_changes_is_found_out),
        TEST(nothing_without_the_right),
        TEST(domains_tell_nothing),
        TEST(an_older_attempt_can_write_no_more),
        TEST(nonsense_is_refused_in_words),
        TEST(roots_live_as_long_as_they_are_held),
        TEST(leases_stand_still_without_an_agent),
        TEST(depots_copy_from_each_other),
        TEST(damage_is_told_and_mended),
        TEST(an_upload_goes_on_where_it_was),
        cmocka_unit_test(whatever_breaks_it_gets_through),
        TEST(everything_beneath_a_root),
        TEST(a_full_depot_says_so),
        TEST(output_is_relayed),
        TEST(no_more_than_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
