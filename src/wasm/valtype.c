#include "wasm/valtype.h"

#include "wasm/fault.h"

char wasm_valtype_letter(uint8_t valtype)
{
    switch (valtype) {
    case WASM_I32: return 'i';
    case WASM_I64: return 'I';
    case WASM_F32: return 'f';
    case WASM_F64: return 'd';
    case WASM_V128: return 'v';
    case WASM_FUNCREF: return 'r';
    case WASM_EXTERNREF: return 'e';
    default: return 0;
    }
}

const char *wasm_valtype_name(uint8_t valtype)
{
    switch (valtype) {
    case WASM_I32: return "i32";
    case WASM_I64: return "i64";
    case WASM_F32: return "f32";
    case WASM_F64: return "f64";
    case WASM_V128: return "v128";
    case WASM_FUNCREF: return "funcref";
    case WASM_EXTERNREF: return "externref";
    default: return "?";
    }
}

bool wasm_valtype_is_ref(uint8_t valtype)
{
    return valtype == WASM_FUNCREF || valtype == WASM_EXTERNREF;
}

/* What an unknown type comes from, for the reason. */
static const char *proposal_of(uint8_t byte)
{
    if (byte == 0x63 || byte == 0x64)
        return " (typed function references: not supported)";
    if (byte == 0x69)
        return " (exception handling: not supported)";
    if (byte >= 0x6a && byte <= 0x74)
        return " (garbage collection: not supported)";
    return "";
}

bool valtype_decode(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault)
{
    uint32_t at = r->at;
    uint8_t byte;

    if (!reader_u8(r, &byte, fault))
        return false;
    if (!wasm_valtype_letter(byte))
        return fault_set(fault, at, "malformed value type 0x%02x%s", byte, proposal_of(byte));
    *out = byte;
    return true;
}

bool reftype_decode(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault)
{
    uint32_t at = r->at;
    uint8_t byte;

    if (!reader_u8(r, &byte, fault))
        return false;
    if (!wasm_valtype_is_ref(byte))
        return fault_set(fault, at, "malformed reference type 0x%02x%s", byte, proposal_of(byte));
    *out = byte;
    return true;
}
