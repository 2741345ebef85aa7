/*
 * units - sizes like 64M and times like 1.5s, as people write them.
 */
#ifndef TERN_CLI_UNITS_H
#define TERN_CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: a number, perhaps with K, M, G or T (powers of 1024; "KiB", "KB", "k" mean the same). */
bool units_size(const char *text, uint64_t *out);
/* Nanoseconds: a number and ms, s, m, min or h; without a unit seconds. */
bool units_time(const char *text, uint64_t *out);

enum { UNITS_TEXT_BYTES = 24 };

/* "512 B", "1.5 MiB" */
const char *units_show_size(uint64_t bytes, char out[UNITS_TEXT_BYTES]);

#endif
