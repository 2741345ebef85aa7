/* fuzz_state - any bytes, as a state: what is taken is written again as it was. */
#include "wire/state.h"

#include <stdlib.h>

enum { ARENA_BYTES_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {.limit_bytes = ARENA_BYTES_MAX};
    struct bytes again = {0};
    struct state s;

    if (state_decode(&s, view_of(data, size), &arena) == TERN_OK) {
        if (state_encode(&s, &again) || !view_equal(bytes_view(&again), view_of(data, size)))
            abort();
    }
    bytes_release(&again);
    arena_release(&arena);
    return 0;
}
