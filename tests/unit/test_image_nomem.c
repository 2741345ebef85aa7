/*
 * image_encode, image_decode and image_check when memory runs out: the n-th allocation fails, once
 * or for ever, for every n until none does.
 *
 * Linked with --wrap=malloc,--wrap=calloc,--wrap=realloc.
 */
#include "image_sample.h"
#include "short_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- One step each, which leaves nothing behind if it fails ---- */

static struct sample sample;
static struct bytes encoded;

static enum tern_err encode(struct problem *p)
{
    struct bytes b = {0};
    enum tern_err err = image_encode(&sample.image, &b);

    bytes_release(&b);
    return err ? problem_set(p, err, "-") : TERN_OK;
}

static enum tern_err decode(struct problem *p)
{
    struct image image;
    enum tern_err err = image_decode(&image, bytes_view(&encoded), p);

    if (err)
        assert_null(image.arena.blocks);
    image_release(&image);
    return err;
}

static enum tern_err check_it(struct problem *p)
{
    return image_check(&sample.image, &sample.module, sample.image.module_sha256, p);
}

/* How many allocations it took to get through. */
static unsigned fail_each(enum tern_err (*step)(struct problem *p))
{
    enum tern_err err;

    for (unsigned n = 1;; n++) {
        struct problem p = {0};

        memory.seen = 0;
        memory.fail_at = n;
        err = step(&p);
        memory.fail_at = 0;
        assert_int_equal(p.err, err);
        if (!err)
            return n;
        assert_int_equal(err, TERN_ENOMEM);
        assert_true(p.text[0] != 0);
    }
}

static void fail_all_steps(bool ever)
{
    memory.for_ever = ever;
    assert_true(fail_each(encode) > 2);
    assert_true(fail_each(decode) > 1);
    assert_true(fail_each(check_it) > 10);
}

static void test_nomem(void **unused)
{
    (void)unused;
    sample_init(&sample);
    assert_int_equal(image_encode(&sample.image, &encoded), TERN_OK);
    fail_all_steps(false);
    fail_all_steps(true);
    bytes_release(&encoded);
    sample_release(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nomem)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
