/*
 * image_forge - images that image_check must refuse: each made from the sample by a function of a
 * table, and the words that tell what is wrong with it.
 */
#ifndef TERN_TESTS_IMAGE_FORGE_H
#define TERN_TESTS_IMAGE_FORGE_H

#include "image_sample.h"

struct forgery {
    void (*forge)(struct sample *s);
    const char *words;
};

/* The one that all forgeries are made from; large. */
extern struct sample sample;

/* image_check with the sample's module and hash. */
enum tern_err check_sample(const struct image *image, struct problem *p);
/* The sample as it is now is accepted. */
void assert_accepted(void);
/* It is refused with these words: as it is, and as somebody else reads it. */
void assert_forged(const char *words);
/* Each of them, made from a sample that is accepted. */
void assert_all_forged(const struct forgery *list, size_t count);

#endif
