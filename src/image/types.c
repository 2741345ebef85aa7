#include "image/types.h"

uint8_t image_type_of(uint8_t letter)
{
    switch (letter) {
    case 'i': return WASM_I32;
    case 'I': return WASM_I64;
    case 'f': return WASM_F32;
    case 'd': return WASM_F64;
    case 'v': return WASM_V128;
    case 'r': return WASM_FUNCREF;
    case 'e': return WASM_EXTERNREF;
    default: return 0;
    }
}

uint8_t image_letter_of(uint64_t type)
{
    return type > UINT8_MAX ? 0 : (uint8_t)wasm_valtype_letter((uint8_t)type);
}

uint32_t image_list_count(uint32_t memory_pages)
{
    const uint32_t pages_per_list = IMAGE_LIST_PAGES * IMAGE_PAGE_BYTES / WASM_PAGE_BYTES;

    return memory_pages / pages_per_list + (memory_pages % pages_per_list != 0);
}
