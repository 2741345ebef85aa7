#include "os/pool/engine_program.h"

#include "base/check.h"
#include "os/pool/engine_inner.h"
#include "os/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 10000 };

/* ---- Its end ---- */

static void has_idled(uv_timer_t *idle)
{
    struct engine_program *e = idle->data;

    if (e->phase == ENGINE_IDLE)
        warm_end(&e->module.warm);
}

/* The owner may prepare the next one from within what it is told: so this one is put aside first.
 */
static struct engine_task put_aside(struct engine_program *e)
{
    const struct engine_task task = e->task;

    if (task.taking)
        store_taking(task.store, false);
    e->task = (struct engine_task){.continuations.fd = -1};
    e->phase = ENGINE_IDLE;
    uv_idle_stop(&e->soon);
    if (e->module.warm.waits)
        uv_timer_start(&e->idle, has_idled, IDLE_MS, 0);
    return task;
}

static Tern__EndKind kind_of(const struct engine_program *e, const struct engine_task *t)
{
    switch (e->ending.kind) {
    case ENDING_EXIT:
        if (t->left && t->left != TERN_ENOENT && t->left != TERN_EINVALID)
            return TERN__END_KIND__END_BROKEN; /* the outputs are there, and cannot be kept here */
        return TERN__END_KIND__END_EXIT;
    case ENDING_SIGNAL: return TERN__END_KIND__END_EXIT;
    case ENDING_TRAP: return TERN__END_KIND__END_TRAP;
    case ENDING_LIMIT: return TERN__END_KIND__END_LIMIT;
    case ENDING_REFUSED: return TERN__END_KIND__END_REFUSED;
    case ENDING_KILLED:
        return e->stopped ? TERN__END_KIND__END_CANCELLED : TERN__END_KIND__END_BROKEN;
    case ENDING_STOPPED:
    case ENDING_REPLAY:
    case ENDING_BROKEN: break;
    }
    return TERN__END_KIND__END_BROKEN;
}

static int32_t code_of(const struct ending *end)
{
    switch (end->kind) {
    case ENDING_EXIT: return end->code;
    case ENDING_SIGNAL: return 128 + (int32_t)end->number;
    case ENDING_TRAP:
    case ENDING_LIMIT: return (int32_t)end->number;
    case ENDING_REFUSED:
    case ENDING_KILLED:
    case ENDING_STOPPED:
    case ENDING_REPLAY:
    case ENDING_BROKEN: break;
    }
    return 0;
}

static void say_signal(struct ending *end, const char *name)
{
    if (end->kind == ENDING_SIGNAL)
        snprintf(end->text, sizeof end->text, "%s: ended itself by a signal (%s)", name,
                 strsignal((int)end->number));
    if (end->kind == ENDING_KILLED)
        snprintf(end->text, sizeof end->text, "%s: its runner was killed (%s)", name,
                 strsignal((int)end->number));
}

static void tell_end(struct engine_program *e)
{
    struct engine_task task = put_aside(e);
    struct ending ending = e->ending;
    struct engine_end end;

    say_signal(&ending, task.program_order.name);
    end = (struct engine_end){.kind = kind_of(e, &task),
                              .code = code_of(&ending),
                              .text = ending.text,
                              .cpu_ns = ending.cpu_ns};
    if (end.kind == TERN__END_KIND__END_EXIT && !task.left) {
        end.files = task.files.list;
        end.file_count = task.files.count;
    }
    e->engine.ended(e->engine.context, &end);
    engine_task_release(&task);
}

/* Nothing more is told of it. */
static void tell_last(struct engine_program *e)
{
    struct engine_task task = put_aside(e);
    const struct engine_checkpoint last = e->last;

    e->engine.checkpointed(e->engine.context, &last);
    engine_task_release(&task);
}

static void tell_began(struct engine_program *e)
{
    if (!e->began)
        e->engine.began(e->engine.context);
    e->began = true;
}

/* All that it wrote has been told. */
static void on_finished(void *engine)
{
    struct engine_program *e = engine;

    if (e->is_last)
        tell_last(e);
    else
        tell_end(e);
}

static void on_ended(void *engine, const struct ending *ending)
{
    struct engine_program *e = engine;
    const enum ending_kind kind = ending->kind;

    e->ending = *ending;
    if (kind == ENDING_EXIT || kind == ENDING_TRAP || kind == ENDING_LIMIT || kind == ENDING_SIGNAL)
        tell_began(e); /* it was over before it could be heard */
    streams_finish(e->streams);
}

static void tell_cancelled(struct engine_program *e)
{
    struct engine_task task = put_aside(e);

    engine_task_release(&task);
    e->engine.ended(e->engine.context, &(struct engine_end){.kind = TERN__END_KIND__END_CANCELLED,
                                                            .text = "it was stopped"});
}

/* ---- While it runs ---- */

static void on_ready(void *engine)
{
    tell_began(engine);
}

static void on_taking(void *engine, bool taking)
{
    struct engine_program *e = engine;

    e->task.taking = taking;
    store_taking(e->task.store, taking);
}

static void on_stopped(void *engine)
{
    struct engine_program *e = engine;

    streams_seal(e->streams);
}

static void on_checkpoint(void *engine, const struct stopper_done *done)
{
    struct engine_program *e = engine;
    const struct take_done *take = &done->take;
    struct engine_checkpoint c = {.root = {.name = take->root.list, .kind = CHUNK_CHECKPOINT},
                                  .input_bytes = take->input_bytes,
                                  .pause_ns = done->pause_ns,
                                  .total_ns = done->total_ns,
                                  .image_bytes = (uint64_t)take->pages.used * IMAGE_PAGE_BYTES +
                                                 take->files_bytes,
                                  .cpu_ns = take->cpu_ns,
                                  .last = done->last};

    for (int i = 0; i < 2; i++)
        c.output_bytes[i] = e->task.told_before[i] + streams_told(e->streams, i + 1);
    e->is_last = c.last;
    e->last = c;
    if (c.last)
        return; /* told when its runner is gone: then there is room for the next one */
    e->engine.checkpointed(e->engine.context, &c);
    streams_unseal(e->streams);
}

static void on_no_checkpoint(void *engine, bool last, const struct problem *why)
{
    struct engine_program *e = engine;

    e->engine.not_checkpointed(e->engine.context, last, why->text);
    streams_unseal(e->streams);
}

static void on_output(void *engine, int stream, struct view bytes)
{
    struct engine_program *e = engine;

    e->engine.output(e->engine.context, stream, bytes);
}

static void on_wants(void *engine)
{
    struct engine_program *e = engine;

    e->engine.wants_input(e->engine.context);
}

/* ---- Preparing ---- */

static void told_soon(uv_idle_t *soon)
{
    struct engine_program *e = soon->data;

    uv_idle_stop(soon);
    e->then(e);
}

static void tell_soon(struct engine_program *e, void (*then)(struct engine_program *e))
{
    e->then = then;
    uv_idle_start(&e->soon, told_soon);
}

static void tell_prepared(struct engine_program *e)
{
    struct engine_task task;

    if (e->stopped) {
        tell_cancelled(e);
        return;
    }
    e->phase = ENGINE_READY;
    if (e->err) {
        task = put_aside(e);
        engine_task_release(&task);
    }
    e->engine.prepared(e->engine.context, e->err, e->err ? e->why.text : "");
}

static void prepare_now(uv_work_t *work)
{
    struct engine_program *e = work->data;

    e->err = engine_prepare(e, &e->why);
}

static void has_prepared(uv_work_t *work, int status)
{
    check(status == 0);
    tell_prepared(work->data);
}

static bool has_input(const Tern__Task *t)
{
    bool some = t->input || t->open_input;

    for (size_t i = 0; i < t->n_inputs; i++)
        some |= task_tree_is_stream(t->inputs[i]);
    return some;
}

static void listen_to_program(struct engine_program *e)
{
    struct engine_task *t = &e->task;

    t->program_order.context = e;
    t->program_order.ended = on_ended;
    t->stop.context = e;
    t->stop.ready = on_ready;
    t->stop.taking = on_taking;
    t->stop.stopped = on_stopped;
    t->stop.tell = on_checkpoint;
    t->stop.tell_not = on_no_checkpoint;
}

/* A copy of all that the order says, since it is needed for as long as the program is. */
static enum tern_err copy_order(struct engine_task *t, const struct engine_order *o)
{
    const size_t size = strlen(o->domain) + 1;
    char *domain = arena_new(&t->arena, size, 1);
    const Tern__Results *before = o->from ? o->from->results : NULL;

    if (domain)
        memcpy(domain, o->domain, size);
    t->order.domain = domain;
    t->order.program = message_copy(&o->program->base, &t->arena);
    t->order.task = message_copy(&o->task->base, &t->arena);
    t->order.from = o->from ? message_copy(&o->from->base, &t->arena) : NULL;
    t->told_before[0] = before ? before->output_bytes : 0;
    t->told_before[1] = before ? before->error_bytes : 0;
    return domain && t->order.program && t->order.task && !o->from == !t->order.from ? TERN_OK
                                                                                     : TERN_ENOMEM;
}

static enum tern_err begin(struct engine_program *e, const struct engine_order *o)
{
    struct engine_task *t = &e->task;
    enum tern_err err = copy_order(t, o);

    if (err)
        return problem_set(&e->why, err, "out of memory");
    listen_to_program(e);
    err = e->config.store(e->config.context, t->order.domain, &t->store, &e->why);
    if (err)
        return err;
    return streams_begin(e->streams, has_input(t->order.task), t->program_order.streams, &e->why);
}

static void call_prepare(void *self, const struct engine_order *order)
{
    struct engine_program *e = self;

    check(e->phase == ENGINE_IDLE);
    e->phase = ENGINE_PREPARING;
    uv_timer_stop(&e->idle);
    e->stopped = e->began = e->is_last = false;
    atomic_store(&e->give_up, false);
    e->why.text[0] = 0;
    e->err = begin(e, order);
    if (!e->err && !engine_prepares_quickly(e)) {
        e->work.data = e;
        check(uv_queue_work(e->config.loop, &e->work, prepare_now, has_prepared) == 0);
        return;
    }
    if (!e->err)
        e->err = engine_prepare(e, &e->why);
    tell_soon(e, tell_prepared);
}

/* ---- Other calls ---- */

static void call_start(void *self)
{
    struct engine_program *e = self;
    struct problem why = {.text = ""};

    check(e->phase == ENGINE_READY);
    e->phase = ENGINE_RUNNING;
    if (program_start(e->task.program, e->config.loop, &why) == TERN_OK) {
        streams_go(e->streams);
        if (program_is_warm(e->task.program))
            tell_soon(e, tell_began); /* such a runner does not say so */
        return;
    }
    e->ending = (struct ending){.kind = ENDING_BROKEN};
    snprintf(e->ending.text, sizeof e->ending.text, "%.700s", why.text);
    tell_soon(e, tell_end);
}

static void call_input(void *self, struct view bytes, bool end)
{
    const struct engine_program *e = self;

    if (e->phase != ENGINE_IDLE)
        streams_input(e->streams, bytes, end);
}

static void call_hold(void *self, bool held)
{
    const struct engine_program *e = self;

    if (e->phase != ENGINE_IDLE)
        streams_hold(e->streams, held);
}

static void call_checkpoint(void *self, bool last)
{
    const struct engine_program *e = self;

    if (e->phase == ENGINE_RUNNING)
        program_checkpoint(e->task.program, last);
}

static void call_stop(void *self)
{
    struct engine_program *e = self;

    if (e->phase == ENGINE_IDLE || e->stopped)
        return;
    e->stopped = true;
    atomic_store(&e->give_up, true);
    if (e->phase == ENGINE_READY)
        tell_soon(e, tell_cancelled);
    else if (e->phase == ENGINE_RUNNING)
        program_kill(e->task.program, SIGKILL);
}

/* ---- Life ---- */

enum tern_err engine_program_new(const struct engine_program_config *config,
                                 struct engine_program **out, struct problem *p)
{
    static const struct engine_calls calls = {.prepare = call_prepare,
                                              .start = call_start,
                                              .input = call_input,
                                              .hold = call_hold,
                                              .checkpoint = call_checkpoint,
                                              .stop = call_stop};
    struct engine_program *e = calloc(1, sizeof *e);
    const struct streams_owner owner = {
        .context = e, .output = on_output, .wants = on_wants, .finished = on_finished};
    enum tern_err err = e ? TERN_OK : problem_set(p, TERN_ENOMEM, "out of memory");

    if (!err)
        err = streams_open(config->loop, &owner, &e->streams, p);
    if (err) {
        free(e);
        return err;
    }
    e->engine = (struct engine){.calls = &calls, .self = e};
    e->config = *config;
    e->module = (struct engine_module){.fd = -1, .object.fd = -1};
    e->task = (struct engine_task){.continuations.fd = -1};
    e->soon.data = e->idle.data = e;
    check(uv_idle_init(config->loop, &e->soon) == 0);
    check(uv_timer_init(config->loop, &e->idle) == 0);
    e->handles = 2;
    *out = e;
    return TERN_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct engine_program *e = handle->data;

    if (--e->handles == 0)
        free(e);
}

void engine_program_free(struct engine_program *e)
{
    if (!e)
        return;
    check(e->phase == ENGINE_IDLE);
    engine_module_release(&e->module);
    streams_close(e->streams);
    uv_close((uv_handle_t *)&e->soon, on_closed);
    uv_close((uv_handle_t *)&e->idle, on_closed);
}

struct engine *engine_program_engine(struct engine_program *e)
{
    return &e->engine;
}
