/*
 * trace - everything that happened in a virtual world, as a hash and as its last lines.
 *
 * Two runs of one seed have the same hash, or something in them hangs on more than the seed.
 */
#ifndef TERN_SIM_TRACE_H
#define TERN_SIM_TRACE_H

#include "base/bytes.h"
#include "base/xxh64.h"

/* name, what it says of its numbers */
#define TRACES(X)                                                                                  \
    X(DIAL, "dials, link {a}")                                                                     \
    X(OPENED, "link {a} is open")                                                                  \
    X(SENT, "link {a}: sends {b} bytes")                                                           \
    X(RECEIVED, "link {a}: receives {b} bytes")                                                    \
    X(CLOSES, "link {a}: closes")                                                                  \
    X(CLOSED, "link {a} is closed, error {b}")                                                     \
    X(WOKE, "wakes")                                                                               \
    X(STARTED, "starts")                                                                           \
    X(KILLED, "is killed")                                                                         \
    X(ENDED, "ends")                                                                               \
    X(PAUSED, "is paused")                                                                         \
    X(RESUMED, "goes on")                                                                          \
    X(FAULT, "fault: {a} {b}")                                                                     \
    X(STORED, "facts up to {a} are on the disk")                                                   \
    X(LOST, "facts from {a} on are lost")                                                          \
    X(CHUNK, "chunk: {a} {b}")                                                                     \
    X(RUNS, "program: {a} {b}")                                                                    \
    X(NOTE, "note: {a} {b} {c}")                                                                   \
    X(SAYS, "{a} {b}")

enum trace_kind {
#define TRACE_ENUM(name, text) TRACE_##name,
    TRACES(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_COUNT
};

enum { TRACE_TEXT_BYTES = 64, TRACE_KEPT = 256 };

struct trace_row {
    int64_t at_ns;
    enum trace_kind kind;
    const char *who; /* lives as long as the trace */
    uint64_t a, b, c;
    char text[TRACE_TEXT_BYTES]; /* cut; for people, and in the hash */
};

struct trace {
    struct xxh64 hash;
    uint64_t count;
    struct trace_row kept[TRACE_KEPT]; /* the last ones; row n is at n % TRACE_KEPT */
    void *context;
    void (*show)(void *context, const struct trace_row *row); /* each as it comes; may be NULL */
};

void trace_begin(struct trace *t);
void trace_add(struct trace *t, const struct trace_row *row);
uint64_t trace_hash(const struct trace *t);
/* One line, without its end. */
void trace_line(const struct trace_row *row, struct bytes *out);
/* The last lines, `count` at most, each with its end. */
void trace_last(const struct trace *t, size_t count, struct bytes *out);

#endif
