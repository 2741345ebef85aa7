/*
 * record_sum - what a recorded run did, by function: calls, failures, time, bytes.
 */
#ifndef TERN_CLI_RECORD_SUM_H
#define TERN_CLI_RECORD_SUM_H

#include "wire/record.h"

#include <jansson.h>

struct record_sum_row {
    uint64_t calls, failed, took_ns;
    uint64_t bytes_in;  /* that the program was given */
    uint64_t bytes_out; /* that it sent */
};

struct record_sum {
    struct record_sum_row row[HOST_CALLS_END];
};

void record_sum_add(struct record_sum *s, const struct record_call *c);
/* The function that took longest first. */
void record_sum_text(struct bytes *out, const struct record_sum *s);
/* NULL: out of memory. */
json_t *record_sum_json(const struct record_sum *s);

#endif
