/*
 * wipe - overwrites what an instance is with garbage, so that nothing can be there still that was
 * not brought back: its own memory, globals, tables, dropped segments.
 *
 * Not here What it imports: that is others'. What is put back but for memory: runner/capture.
 */
#ifndef TERN_TESTS_WIPE_H
#define TERN_TESTS_WIPE_H

#include "rt/instance.h"

/* Its own memory 0, or NULL. */
struct tern_memory *wipe_memory_of(const struct tern_instance *in);

/* Its memory has no pages then. */
void wipe_instance(struct tern_instance *in);

/* So many pages as they are in a memfd; no more than there were. */
bool wipe_put_back_memory(struct tern_instance *in, int fd, uint32_t pages);

#endif
