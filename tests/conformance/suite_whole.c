#include "suite_whole.h"

#include "../torture/through.h"
#include "../torture/wipe.h"

#include "os/sys.h"
#include "runner/capture.h"
#include "runner/end.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_BITS = 16, SMALL_PAGES = 1024 };

struct whole { /* an instance */
    struct tern_instance *in;
    struct through_module module;
};

static struct {
    struct through through;
    int memory, state; /* memfds: what is given */
    uint32_t stack_cells;
    struct whole **known;
    size_t known_count;
    struct whole_counts counts;
    struct problem problem;
    /* Of the last one that came back: */
    struct program back;
    struct bytes bytes;
    struct rt_frame *frames;
} whole;

/* For runner/capture.c, which finds fault with a state so. */
_Noreturn void end_refused(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("0: refused: ", stdout);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    exit(1);
}

bool whole_init(const char *dir, uint32_t stack_cells, const char **why)
{
    whole.stack_cells = stack_cells;
    whole.memory = sys_memfd("suite-memory");
    whole.state = sys_memfd("suite-state");
    *why = whole.problem.text;
    return whole.memory >= 0 && whole.state >= 0 &&
           through_open(&whole.through, dir, &whole.problem) == TERN_OK;
}

bool whole_know(struct tern_instance *in, const uint8_t *bytes, size_t size)
{
    struct whole **grown = realloc(whole.known, (whole.known_count + 1) * sizeof *grown);
    struct whole *w = calloc(1, sizeof *w);

    if (grown)
        whole.known = grown;
    if (!grown || !w || !through_module_init(&w->module, view_of(bytes, size))) {
        free(w);
        return false;
    }
    w->in = in;
    whole.known[whole.known_count++] = w;
    return true;
}

static struct whole *find(const struct tern_instance *in)
{
    for (size_t i = whole.known_count; i-- > 0;) {
        if (whole.known[i]->in == in)
            return whole.known[i];
    }
    abort(); /* every instance is made known */
}

/* ---- What kind of image ---- */

static bool foreign(const struct tern_instance *in, char letter, uint64_t ref)
{
    if (ref == 0)
        return false;
    return letter == 'e' || ((const struct tern_func *)(uintptr_t)ref)->instance != in;
}

static bool mentions_externref(const struct tern_module *m)
{
    for (uint32_t i = 0; i < m->type_count; i++) {
        if (strchr(m->types[i].params, 'e') || strchr(m->types[i].results, 'e'))
            return true;
    }
    return false;
}

static bool refers_to_others(const struct tern_instance *in)
{
    const struct tern_module *m = in->module;

    for (uint32_t i = 0; i < m->imported_funcs; i++) {
        if (in->func[i]->instance != in)
            return true;
    }
    for (uint32_t i = 0; i < m->global_count; i++) {
        const char letter = (char)m->globals[i].valtype;

        if ((letter == 'r' || letter == 'e') && foreign(in, letter, in->cell[i].ref))
            return true;
    }
    for (uint32_t i = 0; i < m->table_count; i++) {
        const struct tern_table *t = in->table[i];

        for (uint32_t k = 0; k < t->size; k++) {
            if (foreign(in, (char)t->elemtype, t->slot[k].ref))
                return true;
        }
    }
    return false;
}

static bool is_full(const struct tern_instance *in)
{
    const struct tern_module *m = in->module;

    for (uint32_t i = 0; i < suspend_frame_count(); i++) {
        if (suspend_frame(i)->instance != in)
            return false;
    }
    return m->imported_tables + m->imported_memories + m->imported_globals == 0 &&
           !mentions_externref(m) && !refers_to_others(in);
}

/* ---- There ---- */

static enum tern_err give_state(struct tern_instance *in)
{
    const struct program p = {.in = in, .phase = STATE_IN_MAIN};
    struct arena arena = {0};
    struct bytes encoded = {0};
    struct state s = {0};
    enum tern_err err = capture_save(&p, &s, &arena) ? TERN_OK : TERN_ENOMEM;

    for (uint32_t i = 0; i < s.frame_count && !err; i++)
        s.frames[i].instance = suspend_number(suspend_frame(i)->instance);
    if (!err)
        err = state_encode(&s, &encoded);
    if (!err)
        err = through_put(whole.state, bytes_view(&encoded));
    bytes_release(&encoded);
    arena_release(&arena);
    return err;
}

static enum tern_err give(struct tern_instance *in)
{
    const struct tern_memory *memory = wipe_memory_of(in);
    enum tern_err err = give_state(in);

    if (!err && memory)
        err = through_put(whole.memory, view_of(memory->base, (size_t)memory->pages << PAGE_BITS));
    return err ? problem_set(&whole.problem, err, "what is stopped cannot be written down: %s",
                             tern_err_text(err))
               : TERN_OK;
}

/* ---- And back ---- */

static struct tern_instance *numbered(struct tern_instance *first, uint32_t number)
{
    for (size_t i = 0; number != 0 && i < whole.known_count; i++) {
        if (suspend_number(whole.known[i]->in) == number)
            return whole.known[i]->in;
    }
    return first;
}

static bool put_back_frames(struct tern_instance *in)
{
    const struct state *s = &whole.back.state;

    free(whole.frames);
    whole.frames = calloc(s->frame_count + 1, sizeof *whole.frames);
    for (uint32_t i = 0; whole.frames && i < s->frame_count; i++) {
        const struct state_frame *f = &s->frames[i];

        whole.frames[i] = (struct rt_frame){
            .instance = numbered(in, f->instance),
            .value = f->values,
            .func = f->func,
            .offset = f->offset,
            .inside = f->inside,
            .count = f->value_count,
        };
    }
    return whole.frames;
}

static enum tern_err take_back(struct tern_instance *in)
{
    enum tern_err err;

    arena_release(&whole.back.arena);
    whole.back = (struct program){.in = in};
    err = through_state(&whole.through, &whole.back.state, &whole.bytes, &whole.back.arena);
    if (!err &&
        (whole.back.state.instance_count != 1 ||
         !wipe_put_back_memory(in, whole.through.memory, whole.back.state.instances->memory_pages)))
        err = TERN_EIO;
    if (!err && !put_back_frames(in))
        err = TERN_ENOMEM;
    if (err)
        return problem_set(&whole.problem, err, "what came back cannot be read: %s",
                           tern_err_text(err));
    capture_restore(&whole.back);
    return TERN_OK;
}

/* It, and the copy of its memory that was given. */
static void wipe(void *context)
{
    struct tern_instance *in = context;
    const struct tern_memory *memory = wipe_memory_of(in);
    const size_t size = memory ? (size_t)memory->pages << PAGE_BITS : 0;

    wipe_instance(in);
    if (size && through_put(whole.memory, view_of(memory->base, size)) != TERN_OK)
        abort();
}

bool whole_go(struct tern_instance *in, uint32_t entry, const char **why)
{
    const struct whole *w = find(in);
    const bool full = is_full(in);
    const struct tern_memory *memory = wipe_memory_of(in);
    const struct through_order order = {
        .module = &w->module,
        .memory = whole.memory,
        .state = whole.state,
        /* What is kept for each page that there may be takes its time. */
        .limits_memory_pages =
            memory && memory->pages > SMALL_PAGES ? WASM_MEMORY_PAGES_MAX : SMALL_PAGES,
        .limits_stack_cells = whole.stack_cells,
        .check = full,
        .entry = &entry,
        .meanwhile = wipe,
        .context = in,
    };
    enum tern_err err = give(in);

    *why = whole.problem.text;
    if (!err)
        err = through_go(&whole.through, &order, &whole.problem);
    if (!err)
        err = take_back(in);
    if (full)
        whole.counts.full++;
    else
        whole.counts.partly++;
    return err == TERN_OK;
}

uint32_t whole_frame_count(void)
{
    return whole.back.state.frame_count;
}

const struct rt_frame *whole_frame(uint32_t n)
{
    return &whole.frames[n];
}

struct whole_counts whole_counts(void)
{
    return whole.counts;
}
