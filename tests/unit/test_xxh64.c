/* xxh64: the values that others have for it, and pieces against the whole. */
#include "base/xxh64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 300 };

static void known_values(void **unused)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } known[] = {
        {"", 0xEF46DB3751D8E999u},
        {"a", 0xD24EC4F1A98C6E5Bu},
        {"abc", 0x44BC2CF5AD770999u},
        {"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1u},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(xxh64_of(known[i].text, strlen(known[i].text), 0), known[i].hash);
}

static void pieces_give_what_the_whole_gives(void **unused)
{
    uint8_t data[BYTES];
    struct xxh64 h;

    (void)unused;
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (uint8_t)(i * 131 + (i >> 3));
    for (size_t piece = 1; piece < 70; piece++) {
        xxh64_begin(&h, piece);
        for (size_t at = 0; at < BYTES; at += piece) {
            xxh64_add(&h, data + at, piece < BYTES - at ? piece : BYTES - at);
            assert_int_equal(xxh64_end(&h),
                             xxh64_of(data, at + piece < BYTES ? at + piece : BYTES, piece));
        }
    }
}

static void every_bit_and_the_seed_count(void **unused)
{
    uint8_t data[70] = {0};

    (void)unused;
    for (size_t size = 1; size <= sizeof data; size++) {
        const uint64_t plain = xxh64_of(data, size, 0);

        assert_int_not_equal(plain, xxh64_of(data, size, 1));
        assert_int_not_equal(plain, xxh64_of(data, size - 1, 0));
        for (size_t bit = 0; bit < 8 * size; bit++) {
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(plain, xxh64_of(data, size, 0));
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
        cmocka_unit_test(every_bit_and_the_seed_count),
    };

    return cmocka_run_group_tests_name("xxh64", tests, NULL, NULL);
}
