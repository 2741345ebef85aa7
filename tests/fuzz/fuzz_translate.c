/*
 * fuzz_translate - any module that is valid is written as C, in one piece and in many, within the
 * limit on text; whatever its names are, the text is plain ASCII, and every line has a place.
 */
#include "translate/translate.h"
#include "wasm/module.h"

#include <stdlib.h>

enum { TEXT_BYTES_MAX = 8 << 20, LINES_ASKED = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t assert_plain(const struct bytes *text)
{
    uint32_t lines = 0;

    for (size_t i = 0; i < text->size; i++) {
        const uint8_t c = text->data[i];

        if ((c < 0x20 && c != '\n') || c > 0x7e)
            abort();
        lines += c == '\n';
    }
    return lines;
}

static void assert_places(const struct wasm_module *m, const struct translate_options *options,
                          uint32_t piece, uint32_t lines)
{
    struct translate_place at;

    for (uint32_t i = 0; i < LINES_ASKED; i++) {
        const uint32_t line = (uint32_t)((uint64_t)lines * i / LINES_ASKED) + 1;

        if (!translate_locate(m, options, piece, line, &at))
            continue; /* in front of or behind the functions */
        if (at.func < m->imported_funcs || at.func >= m->func_count ||
            at.offset < m->funcs[at.func].code_offset || at.offset >= m->funcs[at.func].code_end)
            abort();
    }
}

/* True if it was within the limit. */
static bool write_piece(const struct wasm_module *m, const struct translate_options *options,
                        uint32_t piece)
{
    struct bytes text = {.limit = TEXT_BYTES_MAX};
    enum tern_err err = translate_piece(m, options, piece, &text);

    if (err == TERN_OK)
        assert_places(m, options, piece, assert_plain(&text));
    else if (err != TERN_ETOOBIG && err != TERN_ENOMEM)
        abort();
    bytes_release(&text);
    return err == TERN_OK;
}

static void write_all(const struct wasm_module *m, uint32_t piece_bytes, bool deterministic)
{
    const struct translate_options options = {piece_bytes, deterministic};
    const uint32_t pieces = translate_piece_count(m, &options);

    if (pieces == 0 || pieces > m->func_count - m->imported_funcs + 1)
        abort();
    for (uint32_t i = 0; i < pieces && i < 16; i++) {
        if (!write_piece(m, &options, i))
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wasm_fault fault;
    struct wasm_module m;

    if (module_load(&m, view_of(data, size), &fault) != TERN_OK)
        return 0;
    write_all(&m, 0, false);
    write_all(&m, 16, true);
    module_release(&m);
    return 0;
}
