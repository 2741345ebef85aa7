/* suite_whole where there is no store and no checker to go through: another processor. */
#include "suite_whole.h"

#include <stdlib.h>

bool whole_init(const char *dir, uint32_t stack_cells, const char **why)
{
    (void)dir;
    (void)stack_cells;
    *why = "whole images are for the machine's own processor";
    return false;
}

bool whole_know(struct tern_instance *in, const uint8_t *bytes, size_t size)
{
    (void)in;
    (void)bytes;
    (void)size;
    abort();
}

bool whole_go(struct tern_instance *in, uint32_t entry, const char **why)
{
    (void)in;
    (void)entry;
    (void)why;
    abort();
}

uint32_t whole_frame_count(void)
{
    abort();
}

const struct rt_frame *whole_frame(uint32_t n)
{
    (void)n;
    abort();
}

struct whole_counts whole_counts(void)
{
    return (struct whole_counts){0};
}
