/* wasi_args - arguments and environment: two lists of strings, laid out the same way. */
#include "runner/host.h"

#include <string.h>

static uint64_t text_bytes(const struct view *list, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += list[i].size + 1;
    return sum;
}

static enum wasi_errno sizes(struct host *h, const union tern_cell *a, const struct view *list,
                             uint32_t count)
{
    uint8_t *counts = guest_at(h->memory, a[0].i32, 4);
    uint8_t *bytes = guest_at(h->memory, a[1].i32, 4);

    if (!counts || !bytes)
        return WASI_E_FAULT;
    guest_store32(counts, count);
    guest_store32(bytes, (uint32_t)text_bytes(list, count));
    return WASI_E_SUCCESS;
}

/* Pointers to a[0], strings with their final zeros to a[1]. */
static enum wasi_errno strings(struct host *h, const union tern_cell *a, const struct view *list,
                               uint32_t count)
{
    uint8_t *pointers = guest_at(h->memory, a[0].i32, (uint64_t)count * 4);
    uint8_t *text = guest_at(h->memory, a[1].i32, text_bytes(list, count));
    uint32_t at = a[1].i32;

    if (!pointers || !text)
        return WASI_E_FAULT;
    for (uint32_t i = 0; i < count; i++) {
        guest_store32(pointers + (size_t)i * 4, at);
        if (list[i].size)
            memcpy(text, list[i].data, list[i].size);
        text[list[i].size] = 0;
        text += list[i].size + 1;
        at += (uint32_t)list[i].size + 1;
    }
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_args_sizes_get(struct host *h, const union tern_cell *a)
{
    return sizes(h, a, h->ticket->args, h->ticket->arg_count);
}

enum wasi_errno wasi_args_get(struct host *h, const union tern_cell *a)
{
    return strings(h, a, h->ticket->args, h->ticket->arg_count);
}

enum wasi_errno wasi_environ_sizes_get(struct host *h, const union tern_cell *a)
{
    return sizes(h, a, h->ticket->env, h->ticket->env_count);
}

enum wasi_errno wasi_environ_get(struct host *h, const union tern_cell *a)
{
    return strings(h, a, h->ticket->env, h->ticket->env_count);
}
