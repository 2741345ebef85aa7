/*
 * Memories: one reservation each that nothing can address past, grown in place by mprotect.
 */
#include "rt/instance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BITS = 16 };

static bool map_all(struct tern_memory *memory, int fd)
{
    const size_t reserve = (size_t)(TERN_MEMORY_RESERVE + TERN_MEMORY_GUARD);
    const size_t shared = (size_t)memory->max_pages << PAGE_BITS;
    void *base = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (base == MAP_FAILED)
        return false;
    if (fd >= 0 && shared > 0 &&
        mmap(base, shared, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        munmap(base, reserve);
        return false;
    }
    memory->base = base;
    return true;
}

/* Makes `delta` more pages accessible; they are zero because nobody could touch them before. */
static bool grow(struct tern_memory *memory, uint32_t delta)
{
    uint8_t *end = memory->base + ((size_t)memory->pages << PAGE_BITS);

    if (delta > memory->max_pages - memory->pages)
        return false;
    if (delta > 0 && mprotect(end, (size_t)delta << PAGE_BITS, PROT_READ | PROT_WRITE) != 0)
        return false;
    memory->pages += delta;
    return true;
}

struct tern_memory *memory_new(int fd, uint32_t min_pages, uint32_t max_pages)
{
    struct tern_memory *memory = calloc(1, sizeof *memory);

    if (!memory)
        return NULL;
    memory->max_pages = max_pages < 65536 ? max_pages : 65536;
    memory->declared_max = UINT32_MAX;
    if (!map_all(memory, fd)) {
        free(memory);
        return NULL;
    }
    if (!grow(memory, min_pages)) {
        memory_free(memory);
        return NULL;
    }
    return memory;
}

void memory_free(struct tern_memory *memory)
{
    if (!memory)
        return;
    munmap(memory->base, (size_t)(TERN_MEMORY_RESERVE + TERN_MEMORY_GUARD));
    free(memory);
}

bool memory_again(struct tern_memory *memory, uint32_t min_pages)
{
    const size_t bytes = (size_t)memory->pages << PAGE_BITS, least = (size_t)min_pages << PAGE_BITS;

    if (bytes > 0 && madvise(memory->base, bytes, MADV_REMOVE) != 0)
        return false;
    if (bytes > least && mprotect(memory->base + least, bytes - least, PROT_NONE) != 0)
        return false;
    if (memory->pages > min_pages)
        memory->pages = min_pages;
    memory->late = 0;
    return grow(memory, min_pages - memory->pages);
}

uint32_t tern_memory_grow(struct tern_instance *in, uint32_t delta_pages)
{
    const uint32_t before = in->memory[0]->pages;

    return grow(in->memory[0], delta_pages) ? before : UINT32_MAX;
}

/* Whether the `size` bytes from `at` lie within memory 0. */
static bool fits(const struct tern_instance *in, uint32_t at, uint32_t size)
{
    return (uint64_t)at + size <= (uint64_t)in->memory[0]->pages << PAGE_BITS;
}

uint32_t tern_memory_init(struct tern_instance *in, uint32_t data, uint32_t to, uint32_t from,
                          uint32_t size)
{
    const struct tern_data *segment = &in->module->datas[data];
    const uint32_t there = in->data_dropped[data] ? 0 : segment->size;

    if ((uint64_t)from + size > there || !fits(in, to, size))
        return 0;
    if (size > 0)
        memcpy(in->mem + to, in->source + segment->source + from, size);
    return 1;
}

uint32_t tern_memory_copy(struct tern_instance *in, uint32_t to, uint32_t from, uint32_t size)
{
    if (!fits(in, to, size) || !fits(in, from, size))
        return 0;
    if (size > 0)
        memmove(in->mem + to, in->mem + from, size);
    return 1;
}

uint32_t tern_memory_fill(struct tern_instance *in, uint32_t to, uint32_t byte, uint32_t size)
{
    if (!fits(in, to, size))
        return 0;
    if (size > 0)
        memset(in->mem + to, (int)(byte & 0xff), size);
    return 1;
}

void tern_data_drop(struct tern_instance *in, uint32_t data)
{
    in->data_dropped[data] = 1;
}
