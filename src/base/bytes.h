/*
 * bytes - a run of bytes: a borrowed view, and a buffer that grows up to a limit.
 *
 * Memory   struct view owns nothing. struct bytes owns data; release accepts an empty one.
 * Errors   A buffer that would pass its limit or finds no memory becomes `failed` and takes
 *          nothing more: append freely, ask once at the end (bytes_ok).
 */
#ifndef TERN_BASE_BYTES_H
#define TERN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const uint8_t *data;
    size_t size;
};

struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* 0: no limit but memory */
    bool failed;
};

struct view view_of(const void *data, size_t size);
struct view view_of_string(const char *text);
bool view_equal(struct view a, struct view b);
struct view bytes_view(const struct bytes *b);

void bytes_release(struct bytes *b);
/* Empties without giving memory back; also clears `failed`. */
void bytes_clear(struct bytes *b);
bool bytes_ok(const struct bytes *b);
/* Room for `more` bytes behind size, or NULL (and failed). Does not change size. */
uint8_t *bytes_reserve(struct bytes *b, size_t more);
void bytes_append(struct bytes *b, const void *data, size_t size);
void bytes_append_byte(struct bytes *b, uint8_t byte);
void bytes_append_text(struct bytes *b, const char *text);
void bytes_appendf(struct bytes *b, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));
/*
 * A name that a stranger chose, for a person to read: control characters (C0, DEL, C1) and those
 * that turn the direction of text round appear as \xx for each byte, '"' and '\' behind a '\'.
 */
void bytes_append_shown(struct bytes *b, struct view name);
/* A terminating zero behind size that does not count; NULL if failed. */
const char *bytes_text(struct bytes *b);

#endif
