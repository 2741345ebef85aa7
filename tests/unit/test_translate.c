/*
 * The translator's promises that no run of a program shows: equal text each time, pieces that hold
 * each function once, lines that can be found again, a clean end when memory or room runs out.
 * The modules are those of the fuzzer's corpus (first argument: its folder).
 *
 * Linked with --wrap=malloc,--wrap=calloc,--wrap=realloc.
 */
#include "short_memory.h"
#include "translate/translate.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *corpus;

static size_t read_module(const char *name, uint8_t *out, size_t size)
{
    char path[4096];
    FILE *f;
    size_t got;

    snprintf(path, sizeof path, "%s/%s", corpus, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    got = fread(out, 1, size, f);
    fclose(f);
    return got;
}

/* Calls check with every valid module that defines a function; returns how many there were. */
static unsigned each_module(void (*check)(const struct wasm_module *m))
{
    static uint8_t data[1 << 20];
    DIR *dir = opendir(corpus);
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        struct wasm_module m;
        struct wasm_fault fault;
        size_t size = entry->d_name[0] == '.' ? 0 : read_module(entry->d_name, data, sizeof data);

        if (size == 0 || module_load(&m, view_of(data, size), &fault))
            continue;
        if (m.func_count > m.imported_funcs) {
            check(&m);
            count++;
        }
        module_release(&m);
    }
    closedir(dir);
    return count;
}

static struct bytes piece(const struct wasm_module *m, const struct translate_options *o,
                          uint32_t number)
{
    struct bytes text = {0};

    assert_int_equal(translate_piece(m, o, number, &text), TERN_OK);
    assert_non_null(bytes_text(&text));
    return text;
}

static void check_equal_twice(const struct wasm_module *m)
{
    static const struct translate_options o = {.deterministic = true};
    struct bytes a = piece(m, &o, 0), b = piece(m, &o, 0);

    assert_int_equal(translate_piece_count(m, &o), 1);
    assert_true(view_equal(bytes_view(&a), bytes_view(&b)));
    bytes_release(&a);
    bytes_release(&b);
}

static unsigned count_text(const struct bytes *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = (const char *)text->data; (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Pieces as small as can be: a function each, the description in the first alone. */
static void check_pieces(const struct wasm_module *m)
{
    static const struct translate_options o = {.piece_bytes = 1};
    uint32_t count = translate_piece_count(m, &o);

    assert_int_equal(count, m->func_count - m->imported_funcs);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes text = piece(m, &o, i);
        char header[64];

        snprintf(header, sizeof header, "/* function %" PRIu32 ", ", m->imported_funcs + i);
        assert_int_equal(count_text(&text, "/* function "), 1);
        assert_int_equal(count_text(&text, header), 1);
        assert_int_equal(count_text(&text, "const struct tern_module TERN_MODULE"), i == 0);
        bytes_release(&text);
    }
}

static uint32_t line_of(const struct bytes *text, const char *at)
{
    uint32_t line = 1;

    for (const char *c = (const char *)text->data; c < at; c++)
        line += *c == '\n';
    return line;
}

/* Each explicit trap names its place: the line that it stands on must lead to the same. */
static void check_located(const struct wasm_module *m)
{
    static const char trap[] = "tern_trap(in, TERN_TRAP_UNREACHABLE, ";
    static const struct translate_options o = {.piece_bytes = 64, .deterministic = true};

    for (uint32_t i = 0; i < translate_piece_count(m, &o) && i < 8; i++) {
        struct bytes text = piece(m, &o, i);

        for (const char *at = (const char *)text.data; (at = strstr(at, trap)); at++) {
            struct translate_place place;
            unsigned func, offset;

            assert_int_equal(sscanf(at + strlen(trap), "%u, %u", &func, &offset), 2);
            assert_true(translate_locate(m, &o, i, line_of(&text, at), &place));
            assert_int_equal(place.func, func);
            assert_int_equal(place.offset, offset);
        }
        bytes_release(&text);
    }
}

static void check_nowhere(const struct wasm_module *m)
{
    static const struct translate_options o = {.piece_bytes = 0};
    struct translate_place place;

    assert_false(translate_locate(m, &o, 0, 1, &place));
    assert_false(translate_locate(m, &o, 0, UINT32_MAX, &place));
    assert_false(translate_locate(m, &o, 1, 10, &place));
}

static void check_memory(const struct wasm_module *m)
{
    static const struct translate_options o = {.deterministic = true};
    unsigned all;

    memory.seen = 0;
    {
        struct bytes text = piece(m, &o, 0);

        all = memory.seen;
        bytes_release(&text);
    }
    for (unsigned n = 1; n < all; n += 1 + all / 16) {
        struct bytes text = {0};
        enum tern_err err;

        memory.seen = 0;
        memory.fail_at = n;
        err = translate_piece(m, &o, 0, &text);
        memory.fail_at = 0;
        assert_true(err == TERN_ENOMEM || err == TERN_ETOOBIG);
        bytes_release(&text);
    }
}

static void check_limit(const struct wasm_module *m)
{
    static const struct translate_options o = {.piece_bytes = 0};
    struct bytes text = {.limit = 256};

    assert_int_equal(translate_piece(m, &o, 0, &text), TERN_ETOOBIG);
    assert_true(text.size <= 256);
    bytes_release(&text);
}

#define OVER_CORPUS(name)                                                                          \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        assert_true(each_module(check_##name) >= 100);                                             \
    }

OVER_CORPUS(equal_twice)
OVER_CORPUS(pieces)
OVER_CORPUS(located)
OVER_CORPUS(nowhere)
OVER_CORPUS(memory)
OVER_CORPUS(limit)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_twice), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_located),     cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_memory),      cmocka_unit_test(test_limit),
    };

    if (argc != 2) {
        fputs("usage: test_translate CORPUS\n", stderr);
        return 2;
    }
    corpus = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
