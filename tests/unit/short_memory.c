#include "short_memory.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

struct short_memory memory;

static bool fails(void)
{
    memory.seen++;
    return memory.fail_at &&
           (memory.seen == memory.fail_at || (memory.for_ever && memory.seen > memory.fail_at));
}

static void *counted(void *block)
{
    memory.alive += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    void *grown = fails() ? NULL : __real_realloc(old, size);

    memory.alive += grown && !old;
    return grown;
}

void __wrap_free(void *old)
{
    memory.alive -= old != NULL;
    __real_free(old);
}
