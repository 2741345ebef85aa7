/*
 * Tables: slots by mmap, with address space for all that a table may ever hold, so that slots
 * never move under the code that reads them.
 */
#include "rt/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct own_table {
    struct tern_table table; /* first: a struct tern_table * of ours is one of these */
    uint32_t capacity;       /* elements that the reservation has room for */
    uint32_t *budget;        /* elements that may still be added, to all that share it */
};

static size_t reserved_bytes(uint32_t elements)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (size_t)elements * sizeof(struct tern_slot);

    return (bytes + page) / page * page; /* never none */
}

/* Makes the slots up to `size` accessible: pages that were not, are empty. */
static bool open_slots(struct own_table *own, uint32_t size)
{
    return mprotect(own->table.slot, reserved_bytes(size), PROT_READ | PROT_WRITE) == 0;
}

static bool add_elements(struct own_table *own, uint32_t delta)
{
    const uint64_t size = (uint64_t)own->table.size + delta;

    if (size > own->capacity || delta > *own->budget || !open_slots(own, (uint32_t)size))
        return false;
    *own->budget -= delta;
    own->table.size = (uint32_t)size;
    return true;
}

struct tern_table *table_new(char elemtype, const struct tern_limits *limits, uint32_t *budget)
{
    struct own_table *own = calloc(1, sizeof *own);
    void *slots;

    if (!own)
        return NULL;
    own->budget = budget;
    own->capacity = limits->max < *budget ? limits->max : *budget;
    slots = mmap(NULL, reserved_bytes(own->capacity), PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED) {
        free(own);
        return NULL;
    }
    own->table = (struct tern_table){slots, 0, limits->max, (uint8_t)elemtype};
    if (!add_elements(own, limits->min)) {
        table_free(&own->table);
        return NULL;
    }
    return &own->table;
}

void table_free(struct tern_table *table)
{
    struct own_table *own = (struct own_table *)table;

    if (!table)
        return;
    munmap(table->slot, reserved_bytes(own->capacity));
    free(own);
}

static struct tern_slot slot_of(const struct tern_table *table, uint64_t ref)
{
    const struct tern_func *f = (const struct tern_func *)(uintptr_t)ref;

    if (table->elemtype == 'r' && f)
        return (struct tern_slot){f->code, f->instance, f->key, ref};
    return (struct tern_slot){.ref = ref};
}

static bool fits(const struct tern_table *table, uint32_t at, uint32_t count)
{
    return (uint64_t)at + count <= table->size;
}

uint32_t tern_table_set(struct tern_instance *in, uint32_t table, uint32_t at, uint64_t ref)
{
    return tern_table_fill(in, table, at, ref, 1);
}

uint32_t tern_table_fill(struct tern_instance *in, uint32_t table, uint32_t to, uint64_t ref,
                         uint32_t count)
{
    struct tern_table *t = in->table[table];
    const struct tern_slot slot = slot_of(t, ref);

    if (!fits(t, to, count))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        t->slot[to + i] = slot;
    return 1;
}

uint32_t tern_table_grow(struct tern_instance *in, uint32_t table, uint64_t ref, uint32_t delta)
{
    struct tern_table *t = in->table[table];
    const uint32_t before = t->size;

    if (!add_elements((struct own_table *)t, delta))
        return UINT32_MAX;
    if (ref) /* new slots are null already */
        tern_table_fill(in, table, before, ref, delta);
    return before;
}

uint32_t tern_table_copy(struct tern_instance *in, uint32_t to_table, uint32_t from_table,
                         uint32_t to, uint32_t from, uint32_t count)
{
    struct tern_table *t = in->table[to_table];
    const struct tern_table *f = in->table[from_table];

    if (!fits(t, to, count) || !fits(f, from, count))
        return 0;
    memmove(t->slot + to, f->slot + from, (size_t)count * sizeof *t->slot);
    return 1;
}

/* The value of an element segment's entry. */
static uint64_t entry_ref(const struct tern_instance *in, uint32_t init)
{
    if (init == TERN_INIT_NULL)
        return 0;
    if (init & TERN_INIT_GLOBAL)
        return in->global[init & ~TERN_INIT_GLOBAL]->ref;
    return (uint64_t)(uintptr_t)in->func[init];
}

uint32_t tern_table_init(struct tern_instance *in, uint32_t table, uint32_t elem, uint32_t to,
                         uint32_t from, uint32_t count)
{
    struct tern_table *t = in->table[table];
    const struct tern_elem *segment = &in->module->elems[elem];
    const uint32_t there = in->elem_dropped[elem] ? 0 : segment->count;

    if ((uint64_t)from + count > there || !fits(t, to, count))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        t->slot[to + i] = slot_of(t, entry_ref(in, segment->inits[from + i]));
    return 1;
}

void tern_elem_drop(struct tern_instance *in, uint32_t elem)
{
    in->elem_dropped[elem] = 1;
}
