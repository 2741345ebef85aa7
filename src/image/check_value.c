#include "image/check.h"

#include "base/little.h"
#include "image/types.h"

const char *check_ref(const struct wasm_module *m, uint8_t letter, const uint8_t *ref)
{
    const uint64_t number = little_get(ref, 8), func = (number - 1) & UINT32_MAX;

    if (number == 0)
        return NULL;
    if (letter == 'e')
        return "is an externref that is not null";
    if ((number - 1) >> 32 != 0)
        return "refers to an instance that does not exist";
    if (func >= m->func_count)
        return "refers to a function that does not exist";
    if (!m->func_declared[func])
        return "refers to a function that the module never makes a reference to";
    return NULL;
}

static size_t used_bytes(uint8_t letter)
{
    switch (letter) {
    case 'i':
    case 'f': return 4;
    case 'v': return 16;
    default: return 8;
    }
}

const char *check_value(const struct wasm_module *m, uint8_t letter, const uint8_t *value)
{
    for (size_t i = used_bytes(letter); i < STATE_VALUE_BYTES; i++) {
        if (value[i] != 0)
            return "is longer than its type";
    }
    if (letter == 'r' || letter == 'e')
        return check_ref(m, letter, value);
    return NULL;
}
