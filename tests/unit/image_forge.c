#include "image_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct sample sample;

/* The module's own hash: that of the sample as it was made. */
enum tern_err check_sample(const struct image *image, struct problem *p)
{
    uint8_t sha256[IMAGE_HASH_BYTES];

    for (size_t i = 0; i < sizeof sha256; i++)
        sha256[i] = (uint8_t)(0xa0 + i);
    return image_check(image, &sample.module, sha256, p);
}

void assert_accepted(void)
{
    struct problem p = {0};

    if (check_sample(&sample.image, &p) != TERN_OK)
        fail_msg("%s", p.text);
}

void assert_forged(const char *words)
{
    struct problem p = {0}, again = {0};
    struct bytes b = {0};
    struct image image;

    assert_int_equal(check_sample(&sample.image, &p), TERN_EINVALID);
    if (!strstr(p.text, words))
        fail_msg("'%s' instead of '%s'", p.text, words);
    assert_int_equal(p.err, TERN_EINVALID);
    assert_int_equal(image_encode(&sample.image, &b), TERN_OK);
    assert_int_equal(image_decode(&image, bytes_view(&b), &again), TERN_OK);
    assert_int_equal(check_sample(&image, &again), TERN_EINVALID);
    assert_string_equal(p.text, again.text);
    image_release(&image);
    bytes_release(&b);
}

void assert_all_forged(const struct forgery *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sample_init(&sample);
        assert_accepted();
        list[i].forge(&sample);
        assert_forged(list[i].words);
        sample_release(&sample);
    }
}
