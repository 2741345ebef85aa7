/*
 * fuzz_state - any bytes, as a state: what is taken is written again as it was; its file tree is
 * one or is refused with a sentence.
 */
#include "wire/state.h"

#include <stdlib.h>

enum { ARENA_BYTES_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tree(const struct state *s)
{
    struct problem p = {.text = ""};
    uint64_t held[STATE_FDS_MAX];
    size_t count = 0;

    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].inode)
            held[count++] = s->fds[i].inode;
    }
    if (state_tree_check(s->tree, held, count, &p) != TERN_OK && p.text[0] == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {.limit_bytes = ARENA_BYTES_MAX};
    struct bytes again = {0};
    struct state s;

    if (state_decode(&s, view_of(data, size), &arena) == TERN_OK) {
        if (state_encode(&s, &again) || !view_equal(bytes_view(&again), view_of(data, size)))
            abort();
        if (s.tree)
            check_tree(&s);
    }
    bytes_release(&again);
    arena_release(&arena);
    return 0;
}
