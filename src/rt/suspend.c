/*
 * A program that stops goes through three states, which every instance has in `stop`: ASKED until
 * the next safepoint, SAVING while its functions return one after the other, NO when it runs again.
 */
#include "rt/suspend.h"

#include "rt/instance.h"
#include "rt/trap.h"
#include "rt/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    FRAME_CELLS_MIN = 8, /* that each function on the counted stack takes of it */
    SPARE_VALUES = 4096, /* a leaf that is not counted, a host call's arguments */
    SPARE_FRAMES = 4,
};

/* There is one call stack in a process: so is this. */
static struct rt_frame *frames; /* innermost first */
static uint8_t *values;
static size_t frames_max, values_max;
static uint32_t frame_count;
static size_t value_count;
static bool stopped, leave_stack;
static struct tern_instance **instances;
static size_t instance_count;
static bool (*decide)(void *context);
static void *decide_context;
static const struct tern_resumed *resumed;
static uint32_t resumed_count, resumed_at;
static bool call_due; /* the innermost frame is a host call, which is to be made now */

static void *reserve(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

int suspend_init(uint32_t stack_cells)
{
    frames_max = stack_cells / FRAME_CELLS_MIN + SPARE_FRAMES;
    values_max = (size_t)stack_cells + SPARE_VALUES;
    frames = reserve(frames_max * sizeof *frames);
    values = reserve(values_max * TERN_VALUE_BYTES);
    return frames && values ? 0 : errno;
}

bool suspend_add(struct tern_instance *in)
{
    struct tern_instance **grown = realloc(instances, (instance_count + 1) * sizeof *grown);

    if (!grown)
        return false;
    instances = grown;
    instances[instance_count++] = in;
    if (decide)
        in->stop = TERN_STOP_ASKED;
    return true;
}

uint32_t suspend_number(const struct tern_instance *in)
{
    for (size_t i = 0; i < instance_count; i++) {
        if (instances[i] == in)
            return (uint32_t)i;
    }
    abort(); /* never added: ours */
}

void suspend_first(struct tern_instance *in)
{
    instances[suspend_number(in)] = instances[0];
    instances[0] = in;
}

static void tell_all(enum tern_stop stop)
{
    for (size_t i = 0; i < instance_count; i++)
        __atomic_store_n(&instances[i]->stop, stop, __ATOMIC_RELAXED);
}

void suspend_ask(void)
{
    if (!stopped)
        tell_all(TERN_STOP_ASKED);
}

void suspend_decide(bool (*stop)(void *context), void *context)
{
    decide = stop;
    decide_context = context;
    if (!stopped)
        tell_all(stop ? TERN_STOP_ASKED : TERN_STOP_NO);
}

void suspend_keep_stack(bool keep)
{
    leave_stack = !keep;
}

/* ---- While the program stops ---- */

static void begin(void)
{
    stopped = true;
    frame_count = 0;
    value_count = 0;
    tell_all(TERN_STOP_SAVING);
}

uint32_t tern_safepoint(struct tern_instance *in)
{
    (void)in;
    if (stopped)
        return 1;
    if ((decide && !decide(decide_context)) || !trap_may_stop())
        return 0;
    if (!leave_stack && !trap_mark())
        return 0; /* it has been put back meanwhile */
    begin();
    return 1;
}

uint8_t *tern_frame(struct tern_instance *in, uint32_t func, uint32_t call, uint32_t next,
                    uint32_t count, uint32_t results)
{
    const bool inside = frame_count > 0; /* a frame above was saved before */
    uint8_t *value = values + value_count * TERN_VALUE_BYTES;

    if (frame_count == frames_max || count > values_max - value_count)
        abort(); /* the count of cells is wrong: ours */
    memset(value, 0, (size_t)count * TERN_VALUE_BYTES);
    frames[frame_count++] = (struct rt_frame){
        .instance = in,
        .value = value,
        .func = func,
        .offset = inside ? call : next,
        .inside = inside,
        .count = inside ? count - results : count,
    };
    value_count += count;
    return value;
}

bool suspend_host_call(struct tern_instance *in, uint32_t func, const union tern_cell *arguments)
{
    const char *params;
    uint8_t *value;

    if (call_due) {
        call_due = false;
        return false;
    }
    if (__atomic_load_n(&in->stop, __ATOMIC_RELAXED) == TERN_STOP_NO || !tern_safepoint(in))
        return false;
    params = instance_func_type(in, func)->params;
    value = tern_frame(in, func, 0, 0, (uint32_t)strlen(params), 0);
    for (size_t i = 0; params[i]; i++)
        value_save(params[i], &arguments[i], value + i * TERN_VALUE_BYTES);
    return true;
}

/* ---- References ---- */

uint64_t tern_ref_number(uint64_t ref)
{
    const struct tern_func *f = (const struct tern_func *)(uintptr_t)ref;

    return f ? ((uint64_t)suspend_number(f->instance) << 32 | f->index) + 1 : 0;
}

uint64_t tern_ref_numbered(uint64_t number)
{
    const uint64_t n = number - 1;

    if (number == 0)
        return 0;
    return (uint64_t)(uintptr_t)instances[n >> 32]->func[(uint32_t)n];
}

/* ---- Once it has ---- */

bool suspend_stopped(void)
{
    return stopped;
}

uint32_t suspend_frame_count(void)
{
    return frame_count;
}

const struct rt_frame *suspend_frame(uint32_t n)
{
    return &frames[frame_count - 1 - n];
}

void suspend_over(void)
{
    stopped = false;
    tell_all(decide ? TERN_STOP_ASKED : TERN_STOP_NO);
}

void suspend_forget(void)
{
    instance_count = 0;
    stopped = false;
    frame_count = 0;
    value_count = 0;
    call_due = false;
}

/* ---- Rebuilding ---- */

void suspend_resume(const struct tern_resumed *list, uint32_t count)
{
    resumed = list;
    resumed_count = count;
    resumed_at = 0;
    call_due = count > 0 && list[count - 1].offset == 0; /* of no instruction */
}

const struct tern_resumed *tern_resumed(void)
{
    return &resumed[resumed_at];
}

const struct tern_resumed *tern_resume_callee(void)
{
    if (++resumed_at >= resumed_count)
        abort(); /* the innermost frame says that it is inside a call: images are checked for it */
    return &resumed[resumed_at];
}

void tern_resumed_arguments(struct tern_instance *in, union tern_cell *cells)
{
    const struct tern_resumed *r = tern_resumed();
    const char *params = instance_func_type(in, r->func)->params;

    for (size_t i = 0; params[i]; i++)
        value_restore(params[i], r->value + i * TERN_VALUE_BYTES, &cells[i]);
}

static int compare(const struct tern_continuation *c, uint32_t func, uint32_t offset,
                   uint32_t inside)
{
    if (c->func != func)
        return c->func < func ? -1 : 1;
    if (c->offset != offset)
        return c->offset < offset ? -1 : 1;
    return (int)c->inside - (int)inside;
}

tern_code suspend_find(const struct tern_continuations *c, uint32_t func, uint32_t offset,
                       uint32_t inside)
{
    size_t low = 0, high = c->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(&c->list[middle], func, offset, inside);

        if (order == 0)
            return c->list[middle].code;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
