#include "cli/signature.h"

#include <inttypes.h>
#include <string.h>

static void append_types(struct bytes *out, const uint8_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        bytes_appendf(out, "%s%s", i ? ", " : "", wasm_valtype_name(types[i]));
}

void signature_append(struct bytes *out, const struct wasm_type *type)
{
    bytes_append_text(out, "(");
    append_types(out, type->params, type->param_count);
    bytes_append_text(out, ") -> ");
    if (type->result_count != 1)
        bytes_append_text(out, "(");
    append_types(out, type->results, type->result_count);
    if (type->result_count != 1)
        bytes_append_text(out, ")");
}

static void append_bits(struct bytes *out, const struct wasm_const *c)
{
    float f32;
    double f64;
    uint32_t low = (uint32_t)c->bits[0];

    switch (c->valtype) {
    case WASM_I32: bytes_appendf(out, "%" PRId32, (int32_t)low); break;
    case WASM_I64: bytes_appendf(out, "%" PRId64, (int64_t)c->bits[0]); break;
    case WASM_F32:
        memcpy(&f32, &low, sizeof f32);
        bytes_appendf(out, "%.9g", (double)f32);
        break;
    case WASM_F64:
        memcpy(&f64, &c->bits[0], sizeof f64);
        bytes_appendf(out, "%.17g", f64);
        break;
    default: bytes_appendf(out, "0x%016" PRIx64 "%016" PRIx64, c->bits[1], c->bits[0]); break;
    }
}

void const_append(struct bytes *out, const struct wasm_const *c)
{
    switch (c->kind) {
    case WASM_CONST_BITS: append_bits(out, c); break;
    case WASM_CONST_GLOBAL: bytes_appendf(out, "global %u", c->index); break;
    case WASM_CONST_REF_NULL: bytes_append_text(out, "null"); break;
    case WASM_CONST_REF_FUNC: bytes_appendf(out, "func %u", c->index); break;
    }
}

const char *kind_name(enum wasm_kind kind)
{
    static const char *const names[] = {"func", "table", "memory", "global"};

    return names[kind];
}
