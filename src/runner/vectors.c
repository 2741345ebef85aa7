#include "runner/vectors.h"

enum wasi_errno vectors_get(const struct tern_memory *m, uint32_t list, uint32_t count,
                            struct vectors *out)
{
    static struct iovec iov[VECTORS_MAX]; /* a program's stack may be nearly used up */
    const uint8_t *from = guest_at(m, list, (uint64_t)count * IOVEC_BYTES);

    if (!from)
        return WASI_E_FAULT;
    *out = (struct vectors){.iov = iov};
    for (uint32_t i = 0; i < count && i < VECTORS_MAX; i++, from += IOVEC_BYTES) {
        uint32_t size = guest_load32(from + 4);
        uint8_t *buffer = guest_at(m, guest_load32(from), size);

        if (!buffer)
            return WASI_E_FAULT;
        iov[i] = (struct iovec){.iov_base = buffer, .iov_len = size};
        out->count++;
        out->bytes += size;
    }
    return WASI_E_SUCCESS;
}

void vectors_cut(struct vectors *v, uint64_t bytes)
{
    uint64_t before = 0;

    if (bytes >= v->bytes)
        return;
    for (int i = 0; i < v->count; i++) {
        if (before + v->iov[i].iov_len >= bytes) {
            v->iov[i].iov_len = bytes - before;
            v->count = i + 1;
            break;
        }
        before += v->iov[i].iov_len;
    }
    v->bytes = bytes;
}
