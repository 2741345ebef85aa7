#include "suite_torture.h"

#include "rt/suspend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known {
    const struct tern_instance *in;
    const struct tern_continuations *continuations;
};

static struct {
    bool on, restore, at_random;
    uint32_t every;
    uint64_t seen, stops, dice;
    struct known *known;
    size_t known_count;
    struct tern_resumed *frames;
    uint8_t *values;
} torture = {.dice = 88172645463325252u};

/* Marsaglia, Xorshift RNGs, J. Stat. Softw. 8 (2003). */
static uint64_t roll(void)
{
    torture.dice ^= torture.dice << 13;
    torture.dice ^= torture.dice >> 7;
    torture.dice ^= torture.dice << 17;
    return torture.dice;
}

static bool stop_now(void *context)
{
    (void)context;
    torture.seen++;
    return torture.at_random ? roll() % torture.every == 0 : torture.seen % torture.every == 0;
}

bool torture_init(const char *how, uint32_t stack_cells)
{
    const char *rest = how + (strncmp(how, "go-on", 5) == 0 ? 5 : 7);

    torture.restore = strncmp(how, "restore", 7) == 0;
    if (!torture.restore && strncmp(how, "go-on", 5) != 0)
        return false;
    torture.at_random = rest[0] == ':' && rest[1] == '~';
    torture.every = rest[0] == ':' ? (uint32_t)atoi(rest + (torture.at_random ? 2 : 1)) : 1;
    if (torture.every == 0 || suspend_init(stack_cells) != 0)
        return false;
    suspend_keep_stack(!torture.restore);
    suspend_decide(stop_now, NULL);
    torture.on = true;
    return true;
}

bool torture_know(struct tern_instance *in, const struct tern_continuations *c)
{
    struct known *grown;

    if (!torture.on)
        return true;
    grown = realloc(torture.known, (torture.known_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    torture.known = grown;
    torture.known[torture.known_count++] = (struct known){in, c};
    return suspend_add(in);
}

static tern_code continuation_of(const struct rt_frame *f)
{
    for (size_t i = torture.known_count; i-- > 0;) {
        if (torture.known[i].in == f->instance)
            return torture.known[i].continuations
                       ? suspend_find(torture.known[i].continuations, f->func, f->offset, f->inside)
                       : NULL;
    }
    return NULL;
}

/* Copies what is held: it is overwritten by the next stop. */
static bool take_frames(uint32_t count)
{
    size_t used = 0;

    for (uint32_t i = 0; i < count; i++)
        used += suspend_frame(i)->count;
    free(torture.frames);
    free(torture.values);
    torture.frames = calloc(count + 1, sizeof *torture.frames);
    torture.values = malloc(used * TERN_VALUE_BYTES + 1);
    used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rt_frame *f = suspend_frame(i);
        uint8_t *value = torture.values + used * TERN_VALUE_BYTES;

        memcpy(value, f->value, (size_t)f->count * TERN_VALUE_BYTES);
        torture.frames[i] = (struct tern_resumed){
            .code = continuation_of(f),
            .instance = f->instance,
            .value = value,
            .func = f->func,
            .offset = f->offset,
            .inside = f->inside,
        };
        used += f->count;
        if (!torture.frames[i].code) {
            printf("0: no continuation of function %u at %u%s\n", f->func, f->offset,
                   f->inside ? " inside" : "");
            return false;
        }
    }
    return true;
}

static void call_run(void *context)
{
    struct torture_call *c = context;

    c->invoke(c->func, c->room, c->cells);
}

static enum trap_end restore(struct torture_call *call, struct trap_info *info)
{
    const uint32_t count = suspend_frame_count();
    struct tern_func outermost = *call->func;
    struct torture_call again = *call;

    if (!take_frames(count))
        abort();
    suspend_over();
    suspend_resume(torture.frames, count);
    outermost.code = torture.frames[0].code;
    outermost.instance = torture.frames[0].instance;
    again.func = &outermost;
    return trap_run(call_run, &again, info);
}

enum trap_end torture_run(struct torture_call *call, struct trap_info *info)
{
    enum trap_end end = trap_run(call_run, call, info);

    while (end == TRAP_STOPPED) {
        torture.stops++;
        end = torture.restore ? restore(call, info) : trap_go_on(info);
    }
    return end;
}

uint64_t torture_stops(void)
{
    return torture.stops;
}
