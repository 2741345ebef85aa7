/*
 * record_sample - records to try decoders on, made from a seed.
 */
#ifndef TESTS_RECORD_SAMPLE_H
#define TESTS_RECORD_SAMPLE_H

#include "wire/record.h"

struct record_sample {
    struct record_call call; /* but for ranges and filled */
    struct record_range ranges[8];
    uint8_t bytes[256];
    size_t byte_count;
};

/* A call that can be encoded; parts of it lie in *out. */
void record_sample_draw(struct record_sample *out, uint64_t *seed);
/* Its contents. */
void record_sample_contents(const struct record_sample *s, struct bytes *out);
void record_sample_block(struct bytes *out, enum record_kind kind, struct view contents);
/* Header, START, MODULE, so many calls, END. */
void record_sample_whole(struct bytes *out, uint64_t *seed, uint32_t calls);

#endif
