#include "wipe.h"

#include <string.h>
#include <unistd.h>

enum { GARBAGE = 0xa5, PAGE_BITS = 16 };

struct tern_memory *wipe_memory_of(const struct tern_instance *in)
{
    return in->module->memory_count ? in->memory[in->module->imported_memories] : NULL;
}

void wipe_instance(struct tern_instance *in)
{
    const struct tern_module *m = in->module;
    struct tern_memory *memory = wipe_memory_of(in);

    if (memory) {
        memset(memory->base, GARBAGE, (size_t)memory->pages << PAGE_BITS);
        memory->pages = 0;
    }
    memset(in->cell, GARBAGE, m->global_count * sizeof in->cell[0]);
    for (uint32_t i = 0; i < m->table_count; i++) {
        const struct tern_table *t = in->table[m->imported_tables + i];

        memset(t->slot, GARBAGE, t->size * sizeof t->slot[0]);
    }
    memset(in->data_dropped, GARBAGE, m->data_count);
    memset(in->elem_dropped, GARBAGE, m->elem_count);
}

bool wipe_put_back_memory(struct tern_instance *in, int fd, uint32_t pages)
{
    struct tern_memory *memory = wipe_memory_of(in);
    const size_t size = (size_t)pages << PAGE_BITS;
    size_t done = 0;

    if (!memory)
        return pages == 0;
    memory->pages = pages;
    while (done < size) {
        ssize_t got = pread(fd, memory->base + done, size - done, (off_t)done);

        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}
