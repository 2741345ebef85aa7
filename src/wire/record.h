/*
 * record - a recorded run: everything that it took from outside, so that it can be had again.
 *
 * Format   A header of RECORD_HEADER_BYTES: "TERNREC1", then u32 broken: 0, or the errno for which
 *          the rest could not be written, then a zero u32. Then blocks up to the end of the file:
 *          first START and MODULE, then a CALL for each host call that was answered, then END, once
 *          the run has ended. All little-endian.
 *          A block: u32 kind; u32 check, the low half of xxh64 (seed 0) of the rest of the head in
 *          this order: kind, size, hash; u64 size; u64 hash: xxh64 of the contents, seeded with the
 *          kind; the contents.
 *          START: the settings of the run, as JSON (cli/run_settings.c).
 *          MODULE: u64 size of the module, its SHA-256, then zstd's frame of it.
 *          CALL: the members of struct record_call in their order; see record.c.
 *          END: u32 status as of waitpid, then the runner's report (ticket.h), or nothing.
 * Cut      The writer may be gone at any moment: whole blocks are worth what they say, an
 *          incomplete one at the end, or zeros, are as if they were not there.
 * Memory   Decoding borrows from the bytes. Encoding fills what the caller has.
 * Limits   Nothing is allocated; a call's bytes are at most RECORD_FILLED_BYTES_MAX.
 * Errors   Decoding: TERN_EPROTO for anything out of range or left over. What a call may fill is
 *          for whoever replays it to check.
 */
#ifndef TERN_WIRE_RECORD_H
#define TERN_WIRE_RECORD_H

#include "base/bytes.h"
#include "base/error.h"
#include "wire/call.h"

enum record_limit {
    RECORD_HEADER_BYTES = 16,
    RECORD_BROKEN_AT = 8,
    RECORD_HEAD_BYTES = 24,
    RECORD_SETTINGS_BYTES_MAX = 64 << 20,
    RECORD_MODULE_HEAD_BYTES = 8 + 32,
    RECORD_ARGS_MAX = CALL_PARAMS_MAX,
    RECORD_KEPT_MAX = 2, /* parameters of which a part is kept */
    RECORD_PATH_KEPT_BYTES = 4096,
    RECORD_DATA_KEPT_BYTES = 64,
    RECORD_RANGES_MAX = 1024 + 2,
    RECORD_ERRNO_MAX = 76, /* of WASI's */
    RECORD_CALL_BYTES_MAX = 48 + 8 * RECORD_ARGS_MAX +
                            RECORD_KEPT_MAX * (6 + RECORD_PATH_KEPT_BYTES) + 8 * RECORD_RANGES_MAX,
};

static const uint64_t record_filled_bytes_max = (uint64_t)1 << 32; /* a whole memory */

enum record_kind { RECORD_START = 1, RECORD_MODULE = 2, RECORD_CALL = 3, RECORD_END = 4 };

struct record_kept { /* of what a call read, for those who look at it */
    uint32_t size;   /* of all */
    struct view part;
};

struct record_range { /* of the program's memory, that a call filled */
    uint32_t at;
    uint32_t size;
};

struct record_call {
    uint64_t sequence; /* from 1, without a gap */
    uint64_t at_ns;    /* when it was made, since the program was started */
    uint64_t took_ns;
    uint64_t read_hash; /* of the memory that it read: runner/plan.h */
    uint32_t moved;     /* what CALL_MOVED said, if the call succeeded */
    uint16_t number;
    uint16_t answer; /* enum wasi_errno */
    uint8_t stream;  /* 1, 2: what it wrote went to standard output, standard error */
    uint8_t arg_count, kept_count;
    uint32_t range_count;
    uint64_t args[RECORD_ARGS_MAX];
    struct record_kept kept[RECORD_KEPT_MAX];
    const uint8_t *ranges; /* decoded: record_range_get */
    struct view filled;    /* the bytes of all ranges, in their order */
};

struct record_block {
    enum record_kind kind;
    struct view contents;
};

/* ---- Writing ---- */

void record_encode_header(uint8_t out[RECORD_HEADER_BYTES]);
void record_encode_broken(uint32_t error, uint8_t out[4]);
/* hash: of size bytes of contents, by xxh64 seeded with the kind. */
void record_encode_head(enum record_kind kind, uint64_t size, uint64_t hash,
                        uint8_t out[RECORD_HEAD_BYTES]);
/*
 * The contents of a CALL but for the bytes of the ranges, which follow them; how many. c->ranges
 * and c->filled are not looked at.
 */
size_t record_encode_call(const struct record_call *c, const struct record_range *ranges,
                          uint8_t out[RECORD_CALL_BYTES_MAX]);

/* ---- Reading ---- */

enum record_read {
    RECORD_READ_BLOCK,
    RECORD_READ_OVER,    /* the last block was the last */
    RECORD_READ_CUT,     /* behind the last whole block is an incomplete one, or zeros */
    RECORD_READ_DAMAGED, /* what is there makes no sense */
};

struct record_reader {
    struct view all;
    uint64_t at;     /* of the next block */
    uint32_t broken; /* of the header */
};

/* TERN_EPROTO: no record, or of another version. */
enum tern_err record_begin(struct record_reader *r, struct view all);
enum record_read record_next(struct record_reader *r, struct record_block *out);
/* The same, but nobody looks whether the contents are as they were written. */
enum record_read record_skip(struct record_reader *r, struct record_block *out);
enum tern_err record_decode_call(struct record_call *c, struct view contents);
struct record_range record_range_get(const struct record_call *c, uint32_t i);

#endif
