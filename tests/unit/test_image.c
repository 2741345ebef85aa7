/* image: the format and its golden image; what is decoded is what was encoded. */
#include "image/image.h"
#include "image_sample.h"
#include "state_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 1000 };

static const char *golden_folder;

/* Large; each test makes it anew. */
static struct sample sample;

/* ---- The format ---- */

static struct bytes encode(const struct image *image)
{
    struct bytes b = {0};

    assert_int_equal(image_encode(image, &b), TERN_OK);
    return b;
}

static void assert_same_state(const struct state *a, const struct state *b)
{
    struct bytes one = {0}, other = {0};

    assert_int_equal(state_encode(a, &one), TERN_OK);
    assert_int_equal(state_encode(b, &other), TERN_OK);
    assert_true(view_equal(bytes_view(&one), bytes_view(&other)));
    bytes_release(&one);
    bytes_release(&other);
}

static void assert_same(const struct image *a, const struct image *b)
{
    assert_memory_equal(a->module_sha256, b->module_sha256, IMAGE_HASH_BYTES);
    assert_int_equal(a->module_bytes, b->module_bytes);
    assert_int_equal(a->limits_memory_pages, b->limits_memory_pages);
    assert_int_equal(a->limits_stack_cells, b->limits_stack_cells);
    assert_int_equal(a->deterministic, b->deterministic);
    assert_int_equal(a->list_count, b->list_count);
    assert_true(view_equal(view_of(a->lists, (size_t)a->list_count * IMAGE_HASH_BYTES),
                           view_of(b->lists, (size_t)b->list_count * IMAGE_HASH_BYTES)));
    assert_same_state(&a->state, &b->state);
}

static void assert_decodes(const struct bytes *b, const struct image *expected)
{
    struct problem p = {0};
    struct image image;

    if (image_decode(&image, bytes_view(b), &p) != TERN_OK)
        fail_msg("%s", p.text);
    assert_same(expected, &image);
    image_release(&image);
}

/* As above, and that the same is written again. */
static void assert_canonical(const struct bytes *b, const struct image *expected)
{
    struct bytes again;
    struct image image;

    assert_decodes(b, expected);
    assert_int_equal(image_decode(&image, bytes_view(b), NULL), TERN_OK);
    again = encode(&image);
    assert_true(view_equal(bytes_view(b), bytes_view(&again)));
    bytes_release(&again);
    image_release(&image);
}

static void draw_image(struct image *image)
{
    static uint8_t lists[1024 * IMAGE_HASH_BYTES];

    *image = (struct image){.state = *draw_state(1), .lists = lists};
    image->state.files_changed = false; /* is not in images */
    for (size_t i = 0; i < IMAGE_HASH_BYTES; i++)
        image->module_sha256[i] = (uint8_t)draw(256);
    for (size_t i = 0; i < 64; i++)
        lists[draw(sizeof lists)] = (uint8_t)draw(256);
    image->module_bytes = draw(UINT32_MAX);
    image->list_count = (image->state.instances[0].memory_pages + 63) / 64;
    image->limits_memory_pages = draw(UINT32_MAX);
    image->limits_stack_cells = draw(UINT32_MAX) << draw(32);
    image->deterministic = draw(2);
}

static void test_round_trip(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct image image;
        struct bytes b;

        draw_image(&image);
        b = encode(&image);
        assert_canonical(&b, &image);
        bytes_release(&b);
    }
}

static struct bytes read_golden(const char *name)
{
    struct bytes b = {0};
    char path[4096];
    uint8_t *room;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", golden_folder, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    room = bytes_reserve(&b, 1 << 16);
    assert_non_null(room);
    b.size = fread(room, 1, 1 << 16, f);
    fclose(f);
    return b;
}

/* The same in memory, the same bytes, and still a state that its module can be in. */
static void test_golden(void **unused)
{
    struct bytes golden = read_golden("image-1.bin"), b;
    struct image image;

    (void)unused;
    sample_init(&sample);
    assert_canonical(&golden, &sample.image);
    assert_int_equal(image_decode(&image, bytes_view(&golden), NULL), TERN_OK);
    assert_int_equal(image_check(&image, &sample.module, sample.image.module_sha256, NULL),
                     TERN_OK);
    image_release(&image);
    b = encode(&sample.image);
    assert_true(view_equal(bytes_view(&golden), bytes_view(&b)));
    bytes_release(&golden);
    bytes_release(&b);
    sample_release(&sample);
}

/* Decodes bytes of exactly this size and expects a refusal with these words. */
static void assert_refused(const struct bytes *b, enum tern_err expected, const char *words)
{
    uint8_t *copy = malloc(b->size ? b->size : 1);
    struct problem p = {0};
    struct image image;

    assert_non_null(copy);
    if (b->size > 0)
        memcpy(copy, b->data, b->size);
    assert_int_equal(image_decode(&image, view_of(copy, b->size), &p), expected);
    if (!strstr(p.text, words))
        fail_msg("'%s' instead of '%s'", p.text, words);
    assert_int_equal(p.err, expected);
    assert_null(image.arena.blocks);
    free(copy);
}

/* Where the bytes are cut between two fields, something of the root is missing; else they are
 * damaged. */
static void test_cut_off(void **unused)
{
    struct bytes whole, b = {0};

    (void)unused;
    sample_init(&sample);
    whole = encode(&sample.image);
    for (b = whole; b.size-- > 0;)
        assert_refused(&b, TERN_EPROTO, "image");
    bytes_release(&whole);
    sample_release(&sample);
}

static void test_not_images(void **unused)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum tern_err err;
        const char *words;
    } cases[] = {
        {"", 0, TERN_EPROTO, "this is not an image"},
        {"\0asm", 4, TERN_EPROTO, "this is not an image"},
        {"\x08\x02", 2, TERN_EPROTO, "format version 2, and this build of tern knows version 1"},
        {"\x08\xac\x02\xff\xff", 5, TERN_EPROTO, "format version 300"},
        {"\x08\x00", 2, TERN_EPROTO, "this is not an image"},
        {"\x08", 1, TERN_EPROTO, "this is not an image"},
        {"\x12\x00\x08\x07", 4, TERN_EPROTO, "format version 7"},
        {"\x08\x01", 2, TERN_EPROTO, "lacks its module"},
        {"\x08\x01\x12\x00", 4, TERN_EPROTO, "lacks its limits"},
        {"\x08\x01\x12\x00\x1a\x00", 6, TERN_EPROTO, "lacks the host's side"},
        {"\x08\x01\x12\x00\x1a\x00\x3a\x00", 8, TERN_EPROTO, "one of each"},
        {"\x08\x01\x12\x00\x1a\x00\x22\x00\x22\x00\x2a\x00\x32\x00\x3a\x00", 16, TERN_EPROTO,
         "2 instances, 1 memories and 1 stacks"},
        {"\x08\x01\x12\x00\x1a\x00\x22\x00\x2a\x00\x32\x00\x3a\x00", 14, TERN_EPROTO,
         "SHA-256 has 0 bytes"},
        {"\x08\x01\xfa\x01\xff\xff\xff\xff\x07", 9, TERN_EPROTO, "this is not an image"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = {0};

        bytes_append(&b, cases[i].bytes, cases[i].size);
        assert_refused(&b, cases[i].err, cases[i].words);
        bytes_release(&b);
    }
}

/* A root around one field that is wrong: what stands in for `stuff`, again and again. */
static struct bytes root_with(uint8_t tag, const char *stuff, size_t size, uint32_t times)
{
    struct bytes b = {0};
    const uint32_t all = (uint32_t)size * times;

    bytes_append(&b, "\x08\x01\x12\x22\x0a\x20", 6);
    for (int i = 0; i < IMAGE_HASH_BYTES; i++)
        bytes_append_byte(&b, 1);
    bytes_append(&b, "\x1a\x00", 2);
    for (uint8_t field = 0x22; field <= 0x3a; field = (uint8_t)(field + 8)) {
        bytes_append_byte(&b, field);
        if (field != tag) {
            bytes_append_byte(&b, 0);
            continue;
        }
        for (uint32_t left = all; left >= 0x80 || (bytes_append_byte(&b, (uint8_t)left), false);
             left >>= 7)
            bytes_append_byte(&b, (uint8_t)(left | 0x80));
        for (uint32_t i = 0; i < times; i++)
            bytes_append(&b, stuff, size);
    }
    assert_true(bytes_ok(&b));
    return b;
}

static void test_bad_parts(void **unused)
{
    static const struct {
        uint8_t tag;
        const char *stuff;
        size_t size;
        uint32_t times;
        enum tern_err err;
        const char *words;
    } cases[] = {
        {0x22, "\x0a\x04\x08\x7f\x12\x00", 6, 1, TERN_EPROTO, "global 0 has a value of 0 bytes"},
        {0x22, "\x12\x04\x12\x02xx", 6, 1, TERN_EPROTO, "table 0 has 2 bytes of references"},
        {0x22, "\x12\x00", 2, 101, TERN_ETOOBIG, "more globals, tables or segments"},
        {0x22, "\x0a\x00", 2, 1000000, TERN_ETOOBIG, "asks for more memory than one of its size"},
        {0x2a, "\x08\x81\x80\x04", 4, 1, TERN_ETOOBIG, "65537 pages"},
        {0x2a, "\x08\x41", 2, 1, TERN_EPROTO, "not 2 names of 32 bytes"},
        {0x32, "\x12\x03\x2a\x01x", 5, 1, TERN_EPROTO, "frame 0 has 1 bytes of values"},
        {0x3a, "\x32\x00", 2, 1025, TERN_ETOOBIG, "1025 descriptors"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = root_with(cases[i].tag, cases[i].stuff, cases[i].size, cases[i].times);

        assert_refused(&b, cases[i].err, cases[i].words);
        bytes_release(&b);
    }
}

/* Messages of two bytes each cost far more in memory: the limit holds, whatever they are. */
static void test_swelling(void **unused)
{
    struct bytes b = root_with(0x32, "\x12\x00", 2, 4 << 20);

    (void)unused;
    assert_refused(&b, TERN_ETOOBIG, "asks for more memory than one of its size may");
    bytes_release(&b);
}

/* Frames as small as they can be, very many of them: the limit is not for these. */
static void test_deep(void **unused)
{
    enum { FRAMES = 300000 };
    struct state_frame *frames = calloc(FRAMES, sizeof *frames);
    struct bytes b;

    (void)unused;
    assert_non_null(frames);
    sample_init(&sample);
    for (uint32_t i = 0; i < FRAMES; i++)
        frames[i] = (struct state_frame){.offset = 100, .inside = true};
    sample.image.state.frames = frames;
    sample.image.state.frame_count = FRAMES;
    b = encode(&sample.image);
    assert_in_range(b.size, 6 * FRAMES, 6 * FRAMES + 1000);
    assert_decodes(&b, &sample.image);
    bytes_release(&b);
    sample_release(&sample);
    free(frames);
}

static void test_long_path(void **unused)
{
    char host[6 + STATE_PATH_BYTES_MAX + 1] = "\x32\x83\x20\x52\x80\x20";
    struct bytes b;

    (void)unused;
    memset(host + 6, 'x', sizeof host - 6);
    b = root_with(0x3a, host, sizeof host, 1);
    assert_refused(&b, TERN_ETOOBIG, "longer paths");
    bytes_release(&b);
}

static void test_unknown_fields(void **unused)
{
    struct bytes b;

    (void)unused;
    sample_init(&sample);
    b = encode(&sample.image);
    bytes_append(&b, "\xa2\x06\x05later\xa8\x06\x07", 11);
    assert_decodes(&b, &sample.image);
    bytes_release(&b);
    sample_release(&sample);
}

static void test_encode_refuses(void **unused)
{
    struct bytes b = {0}, full = {.limit = 10};

    (void)unused;
    sample_init(&sample);
    assert_int_equal(image_encode(&sample.image, &full), TERN_ENOMEM);
    sample.instance.memory_pages = 65537;
    assert_int_equal(image_encode(&sample.image, &b), TERN_ETOOBIG);
    assert_int_equal(b.size, 0);
    bytes_release(&full);
    sample_release(&sample);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_golden),
        cmocka_unit_test(test_cut_off),        cmocka_unit_test(test_not_images),
        cmocka_unit_test(test_bad_parts),      cmocka_unit_test(test_swelling),
        cmocka_unit_test(test_deep),           cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_unknown_fields), cmocka_unit_test(test_encode_refuses),
    };

    golden_folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
