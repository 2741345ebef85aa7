#include "suite_torture.h"

#include "../torture/dice.h"
#include "suite_whole.h"

#include "rt/suspend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known {
    const struct tern_instance *in;
    const struct tern_continuations *continuations;
};

static struct {
    enum { GO_ON, RESTORE, IMAGE, OFF } how;
    bool at_random;
    uint32_t every;
    uint64_t seen, stops, dice;
    struct known *known;
    size_t known_count;
    struct tern_resumed *frames;
    uint8_t *values;
} torture = {.how = OFF, .dice = DICE_START};

static bool stop_now(void *context)
{
    (void)context;
    torture.seen++;
    return torture.at_random ? dice_roll(&torture.dice) % torture.every == 0
                             : torture.seen % torture.every == 0;
}

/* What follows the name; torture.how stays OFF if there is no such. */
static const char *read_name(const char *how)
{
    static const char *const names[] = {"go-on", "restore", "image"};

    for (int i = 0; i < OFF; i++) {
        if (strncmp(how, names[i], strlen(names[i])) == 0) {
            torture.how = i;
            return how + strlen(names[i]);
        }
    }
    return how;
}

bool torture_init(const char *how, uint32_t stack_cells, const char *store, const char **why)
{
    const char *rest = read_name(how);

    *why = "no such torture";
    torture.at_random = rest[0] == ':' && rest[1] == '~';
    torture.every = rest[0] == ':' ? (uint32_t)atoi(rest + (torture.at_random ? 2 : 1)) : 1;
    if (torture.how == OFF || torture.every == 0 || (rest[0] && rest[0] != ':'))
        return false;
    *why = "torture needs a directory for images";
    if (torture.how == IMAGE && (!store || !whole_init(store, stack_cells, why)))
        return false;
    *why = "no memory for torture";
    if (suspend_init(stack_cells) != 0)
        return false;
    suspend_keep_stack(torture.how == GO_ON);
    suspend_decide(stop_now, NULL);
    return true;
}

bool torture_know(struct tern_instance *in, const struct tern_continuations *c,
                  const uint8_t *bytes, size_t size)
{
    struct known *grown;

    if (torture.how == OFF)
        return true;
    if (torture.how == IMAGE && !whole_know(in, bytes, size))
        return false;
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

/* Copies them: they are overwritten by the next stop. */
static bool take_frames(uint32_t count, const struct rt_frame *(*frame)(uint32_t n))
{
    size_t used = 0;

    for (uint32_t i = 0; i < count; i++)
        used += frame(i)->count;
    free(torture.frames);
    free(torture.values);
    torture.frames = calloc(count + 1, sizeof *torture.frames);
    torture.values = malloc(used * TERN_VALUE_BYTES + 1);
    used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rt_frame *f = frame(i);
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

static uint32_t take_back(const struct torture_call *call)
{
    const char *why = "";
    bool fine = true;

    if (torture.how == IMAGE) {
        fine = whole_go(call->func->instance, call->func->index, &why) &&
               take_frames(whole_frame_count(), whole_frame);
        if (!fine)
            printf("0: stop %" PRIu64 ": %s\n", torture.stops, why);
    } else {
        fine = take_frames(suspend_frame_count(), suspend_frame);
    }
    if (!fine) {
        fflush(stdout);
        abort(); /* nothing to go on from */
    }
    return torture.how == IMAGE ? whole_frame_count() : suspend_frame_count();
}

static enum trap_end restore(struct torture_call *call, struct trap_info *info)
{
    const uint32_t count = take_back(call);
    struct tern_func outermost = *call->func;
    struct torture_call again = *call;

    suspend_over();
    suspend_resume(torture.frames, count);
    outermost.code = torture.frames[0].code;
    outermost.instance = torture.frames[0].instance;
    again.func = &outermost;
    return trap_run(call_run, &again, info);
}

enum trap_end torture_run(struct torture_call *call, struct trap_info *info)
{
    enum trap_end end;

    if (torture.how == IMAGE)
        suspend_first(call->func->instance);
    end = trap_run(call_run, call, info);
    while (end == TRAP_STOPPED) {
        torture.stops++;
        end = torture.how == GO_ON ? trap_go_on(info) : restore(call, info);
    }
    return end;
}

void torture_report(void)
{
    const struct whole_counts images = whole_counts();

    if (torture.how == OFF)
        return;
    printf("%" PRIu64 " stops", torture.stops);
    if (torture.how == IMAGE)
        printf(", %" PRIu64 " full images, %" PRIu64 " partly", images.full, images.partly);
    putchar('\n');
}
