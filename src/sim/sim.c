#include "sim/sim.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct sim_event {
    int64_t at_ns;
    uint64_t order;
    void (*run)(void *context, uint64_t arg);
    void *context;
    uint64_t arg;
};

void sim_init(struct sim *s, uint64_t seed)
{
    *s = (struct sim){.seed = seed};
    trace_begin(&s->trace);
}

void sim_release(struct sim *s)
{
    free(s->heap);
    s->heap = NULL;
    s->count = s->capacity = 0;
}

void *sim_new(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);

    check(p);
    return p;
}

void *sim_more(void *old, size_t *capacity, size_t size)
{
    const size_t more = *capacity ? 2 * *capacity : 16;
    void *p = realloc(old, more * size);

    check(p);
    memset((char *)p + *capacity * size, 0, (more - *capacity) * size);
    *capacity = more;
    return p;
}

/* ---- A binary heap ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void rise(struct sim_event *heap, size_t i)
{
    const struct sim_event moving = heap[i];

    for (; i > 0 && before(&moving, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = moving;
}

static void sink(struct sim_event *heap, size_t count)
{
    const struct sim_event moving = heap[0];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < count && before(&heap[child + 1], &heap[child]))
            child++;
        if (child >= count || !before(&heap[child], &moving))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moving;
}

void sim_at(struct sim *s, int64_t at_ns, void (*run)(void *context, uint64_t arg), void *context,
            uint64_t arg)
{
    if (s->count == s->capacity)
        s->heap = sim_more(s->heap, &s->capacity, sizeof *s->heap);
    s->heap[s->count] = (struct sim_event){.at_ns = at_ns > s->now_ns ? at_ns : s->now_ns,
                                           .order = s->said++,
                                           .run = run,
                                           .context = context,
                                           .arg = arg};
    rise(s->heap, s->count++);
}

void sim_in(struct sim *s, int64_t delay_ns, void (*run)(void *context, uint64_t arg),
            void *context, uint64_t arg)
{
    sim_at(s, s->now_ns + delay_ns, run, context, arg);
}

bool sim_step(struct sim *s, int64_t until_ns)
{
    struct sim_event next;

    if (!s->count || s->heap[0].at_ns > until_ns) {
        if (until_ns > s->now_ns)
            s->now_ns = until_ns;
        return false;
    }
    next = s->heap[0];
    s->heap[0] = s->heap[--s->count];
    if (s->count)
        sink(s->heap, s->count);
    s->now_ns = next.at_ns;
    s->happened++;
    next.run(next.context, next.arg);
    return true;
}

void sim_tell(struct sim *s, enum trace_kind kind, const char *who, uint64_t a, uint64_t b,
              const char *text)
{
    struct trace_row row = {.at_ns = s->now_ns, .kind = kind, .who = who, .a = a, .b = b};

    if (text)
        memcpy(row.text, text, strnlen(text, sizeof row.text - 1));
    trace_add(&s->trace, &row);
}

void sim_drain(struct sim *s)
{
    while (sim_step(s, INT64_MAX - 1))
        ;
}
