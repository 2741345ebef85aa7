#include "slot_bay.h"

#include "sim/engine_image.h"
#include "sim/program_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char domain[] = "anna";
static const char module[] = "a module, which the engine of the simulator does not look into";

/* ---------------------------------------------------------------- the node */

static void hear(struct bay *b, const Tern__Report *r)
{
    static const char *const names[] = {
        [TERN__REPORT__WHAT_BEGUN] = "begun", [TERN__REPORT__WHAT_CHECKPOINT] = "checkpoint",
        [TERN__REPORT__WHAT_END] = "end",     [TERN__REPORT__WHAT_RETURNED] = "returned",
        [TERN__REPORT__WHAT_MOVED] = "moved", [TERN__REPORT__WHAT_PREPARED] = "prepared"};

    bytes_appendf(&b->told, "%s%s %d", b->told.size ? ", " : "", names[r->what_case],
                  (int)r->fence->task);
    if (r->what_case == TERN__REPORT__WHAT_BEGUN) {
        b->begun++;
    } else if (r->what_case == TERN__REPORT__WHAT_CHECKPOINT) {
        b->checkpoints++;
        b->checkpoint = message_copy(&r->checkpoint->base, &b->kept);
        assert_non_null(b->checkpoint);
    } else {
        b->ended += r->what_case != TERN__REPORT__WHAT_PREPARED;
        if (r->what_case == TERN__REPORT__WHAT_END)
            b->end = message_copy(&r->end->base, &b->kept);
    }
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct bay *b = context;

    assert_int_equal(link, b->link);
    assert_int_equal(attachment.size, 0);
    assert_int_equal(e->body_case, TERN__ENVELOPE__BODY_SLOT_ASK);
    for (size_t i = 0; i < e->slot_ask->n_reports; i++)
        hear(b, e->slot_ask->reports[i]);
}

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct bay *b = context;

    (void)owner;
    assert_int_equal(hello->part, TERN__PART__PART_SLOT);
    assert_int_equal(link, b->link);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    (void)context;
    (void)link;
    (void)err;
    (void)why;
}

static void start_node(struct bay *b)
{
    struct handlers handlers = links_handlers;
    struct links_config config = {.world = &b->node_world,
                                  .part = TERN__PART__PART_NODE,
                                  .name = "n",
                                  .welcome = 1 << TERN__PART__PART_SLOT,
                                  .context = b,
                                  .up = on_up,
                                  .message = on_message,
                                  .down = on_down};

    b->node = sim_part_new(b->host, "node", "anna");
    b->node_world = sim_part_world(b->node);
    b->node_links = links_new(&config);
    assert_non_null(b->node_links);
    handlers.context = b->node_links;
    sim_part_handle(b->node, &handlers);
}

/* ---------------------------------------------------------------- the slot */

static void on_over(void *context, const char *why)
{
    (void)why;
    ((struct bay *)context)->over = true;
}

static void start_slot(struct bay *b)
{
    struct handlers handlers = links_handlers;
    struct engine_sim_config engine = {
        .sim = &b->sim, .name = "slot", .dice = &b->dice, .speed = 1000, .strict = &b->strict};
    struct slot_config config = {
        .world = &b->world, .every_ns = 30000000000, .context = b, .over = on_over};
    link_id at_slot;

    b->part = sim_part_new(b->host, "slot", "anna");
    b->world = sim_part_world(b->part);
    b->store = chunks_mem_new(0);
    engine.chunks = config.chunks = chunks_mem_chunks(b->store);
    b->engine = engine_sim_new(&engine);
    config.engine = engine_sim_engine(b->engine);
    b->slot = slot_new(&config);
    assert_non_null(b->slot);
    handlers.context = slot_links(b->slot);
    sim_part_handle(b->part, &handlers);
    sim_part_join(b->node, b->part, &b->link, &at_slot);
    slot_begin(b->slot, at_slot);
}

static void end_slot(struct bay *b)
{
    sim_part_kill(b->part);
    slot_free(b->slot);
    engine_sim_free(b->engine);
    chunks_mem_free(b->store);
}

void bay_new_slot(struct bay *b)
{
    end_slot(b);
    start_slot(b);
}

void bay_begin(struct bay *b, uint64_t seed)
{
    static const char *const names[] = {"d0", "d1", "d2"};

    *b = (struct bay){0};
    sim_init(&b->sim, seed);
    prng_seed(&b->dice, seed, "engine");
    b->net = sim_net_new(&b->sim, &sim_net_default);
    b->host = sim_host_new(b->net, "h", 0);
    for (size_t i = 0; i < BAY_DEPOTS; i++) {
        small_depot_start(&b->depot[i], b->host, names[i]);
        small_depot_give(&b->depot[i], domain, view_of(module, sizeof module));
    }
    start_node(b);
    start_slot(b);
}

void bay_end(struct bay *b)
{
    assert_int_equal(b->strict, 0);
    end_slot(b);
    links_free(b->node_links);
    for (size_t i = 0; i < BAY_DEPOTS; i++)
        small_depot_stop(&b->depot[i]);
    sim_net_free(b->net);
    sim_release(&b->sim);
    bytes_release(&b->told);
    arena_release(&b->kept);
}

/* ---------------------------------------------------------------- orders */

static void send(struct bay *b, Tern__Order *order)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__SlotWork work = TERN__SLOT_WORK__INIT;
    Tern__Order *list[] = {order};

    work.orders = list;
    work.n_orders = 1;
    e.body_case = TERN__ENVELOPE__BODY_SLOT_WORK;
    e.slot_work = &work;
    assert_int_equal(links_send(b->node_links, b->link, &e, (struct view){0}), TERN_OK);
}

static void *keep(struct bay *b, const ProtobufCMessage *m)
{
    void *copy = message_copy(m, &b->kept);

    assert_non_null(copy);
    return copy;
}

static Tern__DepotAt *depot_at(struct bay *b, size_t i)
{
    static const char *const names[] = {"d0", "d1", "d2"};
    Tern__DepotAt at = TERN__DEPOT_AT__INIT;
    Tern__Endpoints endpoints = TERN__ENDPOINTS__INIT;
    Tern__Capability may = TERN__CAPABILITY__INIT;
    char *list[] = {(char *)"unix:/nobody", b->depot[i].endpoint};

    may.domain = (char *)domain;
    may.rights = 3;
    may.expires_ns = 77;
    endpoints.at = list;
    endpoints.n_at = 2;
    at.name = (char *)names[i];
    at.endpoints = &endpoints;
    at.capability = &may;
    return keep(b, &at.base);
}

static void fill_task(struct bay *b, const struct bay_task *t, Tern__Task *task)
{
    static Tern__Content content;
    static Tern__Blob blob;
    static Tern__Output output, *outputs[] = {&output};
    static struct store_name name;

    tern__task__init(task);
    tern__content__init(&content);
    task->n = t->n;
    task->open_input = t->open_input;
    if (t->item)
        task->item = (char *)t->item;
    if (t->input)
        content.here = (ProtobufCBinaryData){.len = strlen(t->input), .data = (uint8_t *)t->input};
    if (t->input_blob) {
        name = small_depot_give(&b->depot[0], domain, view_of_string(t->input_blob));
        tern__blob__init(&blob);
        blob.sha256 = (ProtobufCBinaryData){.len = sizeof name.bytes, .data = name.bytes};
        blob.size = strlen(t->input_blob);
        blob.kind = CHUNK_LEAF;
        content.blob = &blob;
    }
    if (t->input || t->input_blob)
        task->input = &content;
    if (t->output) {
        tern__output__init(&output);
        output.path = (char *)t->output;
        task->outputs = outputs;
        task->n_outputs = 1;
    }
}

static void fill_job(const struct bay_task *t, Tern__Job *job)
{
    static Tern__Work work;
    static Tern__Program program;
    static Tern__Policy policy;
    static Tern__Blob blob;
    static struct store_name name;

    tern__job__init(job);
    tern__work__init(&work);
    tern__program__init(&program);
    tern__policy__init(&policy);
    tern__blob__init(&blob);
    name = store_name_of(view_of(module, sizeof module));
    blob.sha256 = (ProtobufCBinaryData){.len = sizeof name.bytes, .data = name.bytes};
    blob.size = sizeof module;
    blob.kind = CHUNK_LEAF;
    program.module = &blob;
    program.args = (char **)t->args;
    while (t->args[program.n_args])
        program.n_args++;
    policy.checkpoint_every_ns = t->every_ns;
    policy.copies = t->copies;
    work.program = &program;
    job->owner = (char *)domain;
    job->work = &work;
    job->policy = &policy;
}

void bay_place(struct bay *b, const struct bay_task *t)
{
    Tern__Order order = TERN__ORDER__INIT;
    Tern__Fence fence = TERN__FENCE__INIT;
    Tern__Placing placing = TERN__PLACING__INIT;
    Tern__Job job;
    Tern__Task task;
    Tern__DepotAt *depots[BAY_DEPOTS];

    fill_job(t, &job);
    fill_task(b, t, &task);
    for (size_t i = 0; i < BAY_DEPOTS; i++)
        depots[i] = depot_at(b, (t->first_depot + i) % BAY_DEPOTS);
    fence.task = t->n;
    fence.attempt = t->attempt ? t->attempt : t->n;
    fence.term = 1;
    placing.job = &job;
    placing.task = &task;
    placing.from = (Tern__Checkpoint *)t->from;
    placing.depots = depots;
    placing.n_depots = BAY_DEPOTS;
    placing.awaited = t->awaited;
    order.kind = t->kind ? t->kind : TERN__ORDER_KIND__ORDER_PLACE;
    order.fence = &fence;
    order.placing = &placing;
    bay_for(b, 10000000); /* until they are joined */
    send(b, &order);
}

static Tern__Fence fence_of(uint64_t n, uint64_t attempt)
{
    Tern__Fence fence = TERN__FENCE__INIT;

    fence.task = n;
    fence.attempt = attempt ? attempt : n;
    fence.term = 1;
    return fence;
}

void bay_tell(struct bay *b, Tern__OrderKind kind, uint64_t n, uint64_t attempt)
{
    Tern__Order order = TERN__ORDER__INIT;
    Tern__Fence fence = fence_of(n, attempt);

    order.kind = kind;
    order.fence = &fence;
    send(b, &order);
}

void bay_committed(struct bay *b, uint64_t n)
{
    Tern__Order order = TERN__ORDER__INIT;
    Tern__Fence fence = fence_of(n, 0);

    order.kind = TERN__ORDER_KIND__ORDER_COMMITTED;
    order.fence = &fence;
    order.checkpoint = b->checkpoint->n;
    send(b, &order);
}

void bay_input(struct bay *b, uint64_t n, uint64_t offset, const char *text, bool end)
{
    Tern__Order order = TERN__ORDER__INIT;
    Tern__Fence fence = fence_of(n, 0);
    Tern__MoreInput more = TERN__MORE_INPUT__INIT;
    Tern__Content content = TERN__CONTENT__INIT;

    content.here = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
    more.offset = offset;
    more.content = &content;
    more.end = end;
    order.kind = TERN__ORDER_KIND__ORDER_INPUT;
    order.fence = &fence;
    order.input = &more;
    send(b, &order);
}

/* ---------------------------------------------------------------- time, and what comes out */

void bay_for(struct bay *b, int64_t ns)
{
    const int64_t until = b->sim.now_ns + ns;

    while (sim_step(&b->sim, until))
        ;
}

void bay_until(struct bay *b, const uint64_t *count, uint64_t is)
{
    const int64_t until = b->sim.now_ns + INT64_C(1000000000000);

    while (*count < is)
        if (!sim_step(&b->sim, until))
            fail_msg("still waiting after 1,000 s; told so far: %s", bytes_text(&b->told));
}

void bay_expect(const char *const *args, const char *input, struct bytes *output)
{
    struct program_args a;
    struct program p;
    struct bytes error = {0};
    size_t count = 0;

    while (args[count])
        count++;
    assert_true(program_parse((char **)args, count, &a));
    program_begin(&p, &a, 0);
    program_run(&p, view_of_string(input), output, &error);
    bytes_release(&error);
}

void bay_content(struct bay *b, const Tern__Content *c, struct bytes *out)
{
    enum tern_err err = TERN_ENOENT;

    if (!c->blob) {
        bytes_append(out, c->here.data, c->here.len);
        return;
    }
    for (size_t i = 0; i < BAY_DEPOTS && err; i++)
        err = image_blob(b->depot[i].chunks, domain, c->blob, out);
    assert_int_equal(err, TERN_OK);
}
