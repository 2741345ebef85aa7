/*
 * embedded - the headers that generated C includes, as part of the executable.
 *
 * The source is written at build time by tools/embed.py from src/rt.
 */
#ifndef TERN_OS_EMBEDDED_H
#define TERN_OS_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

struct embedded_file {
    const char *name;
    const uint8_t *data;
    size_t size;
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_count;
extern const char embedded_hash[]; /* hexadecimal, of all names and contents */

#endif
