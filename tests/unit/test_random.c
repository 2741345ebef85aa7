/* random: the published stream of ChaCha20, however it is cut. */
#include "runner/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* RFC 8439, A.1, test vectors 1 and 2: key 0, nonce 0, blocks 0 and 1. */
static const char published[] = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                                "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
                                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                                "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";

enum { STREAM_BYTES = sizeof published / 2 };

static void test_published(void **unused)
{
    struct random r = {.seeded = true};
    uint8_t got[STREAM_BYTES];
    char text[sizeof published];

    (void)unused;
    random_fill(&r, got, sizeof got);
    for (size_t i = 0; i < sizeof got; i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    assert_string_equal(text, published);
    assert_int_equal(r.position, STREAM_BYTES);
}

/* Also when it goes on from a position, as after a checkpoint. */
static void test_pieces(void **unused)
{
    enum { SIZE = 1000 };
    uint8_t whole[SIZE], cut[SIZE];

    (void)unused;
    for (uint64_t step = 1; step < 150; step++) {
        const uint64_t seed = step * 0x9e3779b97f4a7c15;
        struct random r = {.seeded = true, .seed = seed};

        random_fill(&r, whole, SIZE);
        r.position = 0;
        for (uint64_t at = 0; at < SIZE; at += step) {
            struct random here = {.seeded = true, .seed = seed, .position = r.position};

            random_fill(&here, cut + at, at + step < SIZE ? step : SIZE - at);
            r = here;
        }
        assert_memory_equal(whole, cut, SIZE);
    }
}

static void test_seeds_differ(void **unused)
{
    struct random one = {.seeded = true, .seed = 1}, high = {.seeded = true, .seed = 1ull << 32};
    uint8_t a[64], b[64];

    (void)unused;
    random_fill(&one, a, sizeof a);
    random_fill(&high, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_seeds_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
