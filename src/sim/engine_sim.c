#include "sim/engine_sim.h"

#include "base/check.h"
#include "sim/engine_image.h"

#include <stdlib.h>
#include <string.h>

enum engine_state { ENGINE_IDLE, ENGINE_PREPARING, ENGINE_READY, ENGINE_RUNNING };

struct engine_sim {
    struct engine engine;
    struct engine_sim_config config;
    enum engine_state state;
    uint64_t life; /* of what is run now: events of an earlier one are void */
    uint64_t turn; /* of the steps that are under way, likewise */
    unsigned events;
    bool freed, paused, held;
    bool frozen;  /* for a checkpoint */
    bool waiting; /* for input; it was told */
    bool taking, taking_last, then_last;
    struct image_order order;
    struct program program;
    struct program image; /* as it was when the checkpoint began */
    struct bytes input;   /* not used yet */
    bool input_end;
    int64_t steps_from_ns;
    uint64_t steps; /* under way since then */
    int64_t each_ns, pause_ns, total_ns;
    uint64_t ran_ns;
    enum tern_err err; /* of preparing */
    const char *why;
};

/* ---- Events: each holds the engine, and none of an earlier life does anything ---- */

static void let_go(struct engine_sim *e)
{
    if (--e->events || !e->freed)
        return;
    image_order_release(&e->order);
    bytes_release(&e->input);
    free(e);
}

static void later(struct engine_sim *e, int64_t delay_ns, void (*run)(void *engine, uint64_t arg),
                  uint64_t arg)
{
    e->events++;
    sim_in(e->config.sim, delay_ns, run, e, arg);
}

enum { PAUSE_LOOK_NS = 10000000 };

/* False: it is for one that is gone, or has to wait until the machine goes on. */
static bool current(struct engine_sim *e, void (*run)(void *engine, uint64_t arg), uint64_t arg,
                    uint64_t is)
{
    if (e->freed || arg != is)
        return false;
    if (e->paused)
        later(e, PAUSE_LOOK_NS, run, arg);
    return !e->paused;
}

static void trace(const struct engine_sim *e, const char *what)
{
    sim_tell(e->config.sim, TRACE_RUNS, e->config.name, e->program.args.seed, e->program.step,
             what);
}

/* ---- Its end ---- */

static void over(struct engine_sim *e, const struct engine_end *end)
{
    e->state = ENGINE_IDLE;
    e->life++;
    e->turn++;
    e->frozen = e->taking = e->taking_last = e->then_last = e->waiting = e->held = false;
    trace(e, "has ended");
    e->engine.ended(e->engine.context, end);
}

static void end_exit(struct engine_sim *e)
{
    struct engine_end end = {.kind = TERN__END_KIND__END_EXIT,
                             .code = e->program.args.code,
                             .text = "",
                             .cpu_ns = e->ran_ns};
    struct image_made files = {0};

    if (program_traps(&e->program)) {
        end.kind = TERN__END_KIND__END_TRAP;
        end.text = "it trapped";
    } else if (image_put_made(e->config.chunks, &e->order, &e->program, &files)) {
        end.kind = TERN__END_KIND__END_BROKEN;
        end.text = "its files cannot be kept: no room left";
    } else {
        end.files = files.files;
        end.file_count = files.count;
    }
    over(e, &end);
    image_made_release(&files);
}

static void end_broken(struct engine_sim *e)
{
    over(e, &(struct engine_end){.kind = TERN__END_KIND__END_BROKEN,
                                 .text = "the process that ran it was killed",
                                 .cpu_ns = e->ran_ns});
}

static void stopped(void *engine, uint64_t life)
{
    struct engine_sim *e = engine;

    if (current(e, stopped, life, e->life))
        over(e, &(struct engine_end){
                    .kind = TERN__END_KIND__END_CANCELLED, .text = "stopped", .cpu_ns = e->ran_ns});
    let_go(e);
}

/* ---- Steps ---- */

static void steps_due(void *engine, uint64_t turn);

static void wants(void *engine, uint64_t turn)
{
    struct engine_sim *e = engine;

    if (current(e, wants, turn, e->turn) && e->waiting)
        e->engine.wants_input(e->engine.context);
    let_go(e);
}

/* Until it next writes, needs input that is not there, or ends. */
static uint64_t steps_ahead(const struct engine_sim *e)
{
    const struct program *p = &e->program;
    const uint64_t needs = program_needs(p);
    uint64_t ahead = p->args.line - p->step % p->args.line;

    if (program_over(p) || program_traps(p))
        return 0;
    if (!needs && p->args.steps - p->step < ahead)
        ahead = p->args.steps - p->step;
    if (p->args.trap && p->args.trap - p->step < ahead)
        ahead = p->args.trap - p->step;
    if (needs && e->input.size / needs < ahead)
        ahead = e->input.size / needs;
    return ahead;
}

/* What is to happen next, unless something keeps it from going on. */
static void plan(struct engine_sim *e)
{
    const bool ends = program_over(&e->program) || program_traps(&e->program);

    e->turn++;
    e->steps = 0;
    if (e->state != ENGINE_RUNNING || e->held || e->frozen)
        return;
    e->steps_from_ns = e->config.sim->now_ns;
    e->steps = steps_ahead(e);
    if (!e->steps && !ends && !e->input_end) {
        if (!e->waiting)
            later(e, 0, wants, e->turn);
        e->waiting = true;
        return;
    }
    if (!e->steps && !ends)
        e->steps = 1; /* with the rest of the input */
    e->waiting = false;
    later(e, (int64_t)e->steps * e->each_ns, steps_due, e->turn);
}

static void take_steps(struct engine_sim *e, uint64_t count, struct bytes *output,
                       struct bytes *error)
{
    for (uint64_t i = 0; i < count; i++) {
        const size_t needs = (size_t)program_needs(&e->program);
        const size_t there = needs < e->input.size ? needs : e->input.size;

        program_step(&e->program, view_of(e->input.data, there), output, error);
        memmove(e->input.data, e->input.data + there, e->input.size - there);
        e->input.size -= there;
        e->ran_ns += (uint64_t)e->each_ns;
    }
}

/* The owner may do anything meanwhile: false if this is not what is run any more. */
static bool write_out(struct engine_sim *e, struct bytes out[2])
{
    const uint64_t life = e->life;

    for (int i = 0; i < 2; i++)
        if (out[i].size && e->life == life && !e->freed)
            e->engine.output(e->engine.context, i + 1, bytes_view(&out[i]));
    bytes_release(&out[0]);
    bytes_release(&out[1]);
    return e->life == life && !e->freed;
}

/* Those whose time has passed, of the steps that are under way. */
static bool catch_up(struct engine_sim *e)
{
    const uint64_t passed =
        (uint64_t)(e->config.sim->now_ns - e->steps_from_ns) / (uint64_t)e->each_ns;
    const uint64_t count = passed < e->steps ? passed : e->steps;
    struct bytes out[2] = {{0}, {0}};

    take_steps(e, count, &out[0], &out[1]);
    e->steps = 0;
    e->turn++;
    return write_out(e, out);
}

static void steps_due(void *engine, uint64_t turn)
{
    struct engine_sim *e = engine;

    if (!current(e, steps_due, turn, e->turn)) {
        /* nothing */
    } else if (program_over(&e->program) || program_traps(&e->program)) {
        end_exit(e);
    } else if (prng_chance(e->config.dice, e->config.breaks)) {
        end_broken(e);
    } else if (catch_up(e)) {
        plan(e);
    }
    let_go(e);
}

/* ---- Checkpoints ---- */

static void begin_checkpoint(struct engine_sim *e, bool last);

static void taken(void *engine, uint64_t life);

static void thawed(void *engine, uint64_t life)
{
    struct engine_sim *e = engine;

    if (current(e, thawed, life, e->life) && !e->taking_last) {
        e->frozen = false;
        plan(e);
    }
    let_go(e);
}

static void begin_checkpoint(struct engine_sim *e, bool last)
{
    struct prng *dice = e->config.dice;

    if (!catch_up(e))
        return;
    e->image = e->program;
    e->taking = e->frozen = true;
    e->taking_last = last;
    e->pause_ns = prng_between(dice, 200000, 5000000);
    e->total_ns = e->pause_ns + prng_waiting(dice, 20000000);
    later(e, e->pause_ns, thawed, e->life);
    later(e, e->total_ns, taken, e->life);
    plan(e);
}

static void tell_taken(struct engine_sim *e, const struct chunks_root *root, bool last)
{
    const struct engine_checkpoint c = {
        .root = *root,
        .output_bytes = {e->image.output_bytes, e->image.error_bytes},
        .input_bytes = e->image.input_bytes,
        .pause_ns = (uint64_t)e->pause_ns,
        .total_ns = (uint64_t)e->total_ns,
        .image_bytes = PROGRAM_STATE_BYTES + e->image.args.pages * PROGRAM_PAGE_BYTES,
        .cpu_ns = e->ran_ns,
        .last = last};

    trace(e, last ? "its last checkpoint is taken" : "a checkpoint is taken");
    e->engine.checkpointed(e->engine.context, &c);
}

/* It goes on as if nothing had been asked for. */
static void not_taken(struct engine_sim *e, bool last, const char *why)
{
    e->frozen = false;
    plan(e);
    e->engine.not_checkpointed(e->engine.context, last, why);
}

static void taken(void *engine, uint64_t life)
{
    struct engine_sim *e = engine;
    const bool last = e->taking_last;
    struct chunks_root root;

    if (!current(e, taken, life, e->life)) {
        let_go(e);
        return;
    }
    e->taking = e->taking_last = false;
    if (prng_chance(e->config.dice, e->config.breaks))
        end_broken(e);
    else if (prng_chance(e->config.dice, e->config.not_checkpointed))
        not_taken(e, last, "it holds something that cannot be moved");
    else if (image_put(e->config.chunks, &e->order, &e->image, &root))
        not_taken(e, last, "no room left");
    else if (!last)
        tell_taken(e, &root, false);
    else {
        e->life++;
        e->state = ENGINE_IDLE; /* nothing more is told of it */
        tell_taken(e, &root, true);
    }
    if (!e->freed && e->state == ENGINE_RUNNING && e->then_last && !e->taking) {
        e->then_last = false;
        begin_checkpoint(e, true);
    }
    let_go(e);
}

/* ---- Preparing and starting ---- */

static void prepared(void *engine, uint64_t life)
{
    struct engine_sim *e = engine;

    if (current(e, prepared, life, e->life)) {
        e->state = e->err ? ENGINE_IDLE : ENGINE_READY;
        trace(e, e->err ? "cannot be prepared" : "is prepared");
        e->engine.prepared(e->engine.context, e->err, e->why);
    }
    let_go(e);
}

static void call_prepare(void *self, const struct engine_order *order)
{
    struct engine_sim *e = self;

    check(e->state == ENGINE_IDLE);
    image_order_release(&e->order);
    bytes_clear(&e->input);
    e->input_end = e->held = false;
    e->ran_ns = order->from ? order->from->cpu_ns : 0;
    e->life++;
    e->state = ENGINE_PREPARING;
    e->why = "";
    e->err = image_prepare(e->config.chunks, order, &e->order, &e->program, &e->why);
    if (e->err && e->err != TERN_EINVALID)
        ++*e->config.strict;
    e->each_ns = e->program.args.each_ns * 1000 / (e->config.speed ? e->config.speed : 1000);
    if (e->each_ns < 1)
        e->each_ns = 1;
    later(e, prng_between(e->config.dice, 200000, 30000000), prepared, e->life);
}

static void began(void *engine, uint64_t life)
{
    struct engine_sim *e = engine;

    if (current(e, began, life, e->life)) {
        e->frozen = false;
        if (e->config.echoes && e->program.step)
            e->engine.output(e->engine.context, 1, view_of_string("once more\n"));
        trace(e, "begins");
        plan(e);
        e->engine.began(e->engine.context);
    }
    let_go(e);
}

static void call_start(void *self)
{
    struct engine_sim *e = self;

    check(e->state == ENGINE_READY);
    e->state = ENGINE_RUNNING;
    e->frozen = true;
    later(e, prng_between(e->config.dice, 100000, 2000000), began, e->life);
}

static void call_input(void *self, struct view bytes, bool end)
{
    struct engine_sim *e = self;

    if (e->state == ENGINE_IDLE)
        return;
    check(!e->input_end || !bytes.size);
    bytes_append(&e->input, bytes.data, bytes.size);
    check(bytes_ok(&e->input));
    e->input_end |= end;
    if (e->waiting) {
        e->waiting = false;
        plan(e);
    }
}

static void call_hold(void *self, bool held)
{
    struct engine_sim *e = self;

    if (e->held == held)
        return;
    e->held = held; /* steps that are half done are done again: time is lost, nothing else */
    plan(e);
}

static void call_checkpoint(void *self, bool last)
{
    struct engine_sim *e = self;

    if (e->state != ENGINE_RUNNING)
        return;
    if (e->taking)
        e->then_last |= last;
    else
        begin_checkpoint(e, last);
}

static void call_stop(void *self)
{
    struct engine_sim *e = self;

    if (e->state == ENGINE_IDLE)
        return;
    e->life++;
    e->turn++;
    e->steps = 0;
    later(e, prng_between(e->config.dice, 10000, 1000000), stopped, e->life);
}

static const struct engine_calls calls = {
    .prepare = call_prepare,
    .start = call_start,
    .input = call_input,
    .hold = call_hold,
    .checkpoint = call_checkpoint,
    .stop = call_stop,
};

struct engine_sim *engine_sim_new(const struct engine_sim_config *config)
{
    struct engine_sim *e = sim_new(1, sizeof *e);

    e->config = *config;
    e->engine = (struct engine){.calls = &calls, .self = e};
    return e;
}

struct engine *engine_sim_engine(struct engine_sim *e)
{
    return &e->engine;
}

void engine_sim_pause(struct engine_sim *e, bool paused)
{
    e->paused = paused;
}

void engine_sim_free(struct engine_sim *e)
{
    if (!e)
        return;
    e->freed = true;
    e->events++;
    let_go(e);
}
