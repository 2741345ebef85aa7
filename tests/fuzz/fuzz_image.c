/*
 * fuzz_image - any bytes, as an image: what is decoded can be written, and then always gives the
 * same bytes; what image_check lets pass for the sample's module is also sound as a state.
 */
#include "../unit/image_sample.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_words(const struct problem *p, enum tern_err err)
{
    if (p->err != err || p->text[0] == 0)
        abort();
}

static struct bytes encode(const struct image *image)
{
    struct bytes b = {0};

    if (image_encode(image, &b) != TERN_OK)
        abort();
    return b;
}

static void assert_canonical(const struct image *image)
{
    struct bytes one = encode(image), other;
    struct problem p;
    struct image again;

    if (image_decode(&again, bytes_view(&one), &p) != TERN_OK)
        abort();
    other = encode(&again);
    if (!view_equal(bytes_view(&one), bytes_view(&other)))
        abort();
    bytes_release(&one);
    bytes_release(&other);
    image_release(&again);
}

/* For that module, whatever it says: few would find out the hash. */
static void check_for_sample(struct image *image)
{
    static struct sample sample;
    struct problem p = {0};
    struct bytes state = {0};
    enum tern_err err;

    if (!sample.binary.data)
        sample_init(&sample);
    memcpy(image->module_sha256, sample.image.module_sha256, IMAGE_HASH_BYTES);
    image->module_bytes = sample.image.module_bytes;
    err = image_check(image, &sample.module, sample.image.module_sha256, &p);
    if (err)
        assert_words(&p, err);
    else if (state_encode(&image->state, &state) != TERN_OK)
        abort();
    bytes_release(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem p = {0};
    struct image image;
    enum tern_err err = image_decode(&image, view_of(data, size), &p);

    if (err) {
        assert_words(&p, err);
        return 0;
    }
    assert_canonical(&image);
    check_for_sample(&image);
    image_release(&image);
    return 0;
}
