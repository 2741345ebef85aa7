/*
 * state - a stopped program but for its memory: what a runner tells when it has stopped, and what
 * it is told when it is to go on.
 *
 * It is written in WebAssembly's own terms, so that it means the same under any compiler, on any
 * processor. The bytes of memory 0 are not in it: they lie in the memfd that both sides share.
 *
 * Format   "TERNSTA1", then the members in the order of struct state, little-endian; lists and
 *          paths with their u32 count in front. A value is STATE_VALUE_BYTES, little-endian from
 *          the first byte, the rest 0. A reference is 0 for null, else its number plus 1: of a
 *          function (instance << 32 | function index), of an externref the host's own. The tree
 *          is written as state_tree.h says, with its u64 size in front; 0: there is none.
 * Memory   Encoding fills a struct bytes. Decoding borrows values and paths from the bytes, lists
 *          live in an arena.
 * Errors   Decoding: TERN_EPROTO for anything out of range or left over, TERN_ENOMEM; *s is empty
 *          then. It knows nothing of the module: whether frames fit to it is for image_check.
 */
#ifndef TERN_WIRE_STATE_H
#define TERN_WIRE_STATE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "wire/state_tree.h"

enum state_limit {
    STATE_VALUE_BYTES = 16,
    STATE_FRAMES_MAX = 16 << 20,
    STATE_VALUES_MAX = 64 << 20, /* of all frames */
    STATE_INSTANCES_MAX = 1,     /* today */
    STATE_GLOBALS_MAX = 1000000,
    STATE_TABLES_MAX = 100,
    STATE_ELEMENTS_MAX = 10000000, /* of all tables */
    STATE_SEGMENTS_MAX = 1000000,
    STATE_FDS_MAX = 1024,
    STATE_PATH_BYTES_MAX = 4095,
};

struct state_frame { /* outermost first */
    uint32_t instance;
    uint32_t func;
    uint32_t offset; /* of the instruction that is executed next, or of the call it is inside of;
                        0: an imported function, about to be called */
    bool inside;
    uint32_t value_count;
    const uint8_t *values; /* its locals, then its operands */
};

struct state_global {
    uint8_t letter; /* of its type */
    uint8_t value[STATE_VALUE_BYTES];
};

struct state_table {
    uint8_t letter; /* of its elements */
    uint32_t size;
    const uint8_t *refs; /* u64 each */
};

struct state_instance { /* what the module defines itself, in the order of its index spaces */
    struct state_global *globals;
    struct state_table *tables;
    const uint8_t *data_dropped; /* a byte per segment, 0 or 1 */
    const uint8_t *elem_dropped;
    uint32_t global_count, table_count, data_count, elem_count;
    uint32_t memory_pages; /* of 64 KiB; 0 also if there is no memory */
};

enum state_fd_kind {
    STATE_FD_STANDARD = 1,       /* source: 0, 1 or 2 */
    STATE_FD_PREOPENED = 2,      /* source: index of the ticket's directory */
    STATE_FD_FILE = 3,           /* path beneath the ticket's directory `source` */
    STATE_FD_DIRECTORY = 4,      /* likewise */
    STATE_FD_TREE = 5,           /* the private file tree, as it was lent: its root */
    STATE_FD_TREE_FILE = 6,      /* inode */
    STATE_FD_TREE_DIRECTORY = 7, /* inode */
};

struct state_fd {
    uint32_t number;
    uint8_t kind;
    uint8_t filetype; /* enum wasi_filetype */
    uint16_t flags;   /* WASI's fdflags */
    uint64_t rights, inheriting;
    uint32_t source;
    bool read_only;
    bool written; /* a file that the program can have changed through this descriptor */
    struct view path;
    uint64_t offset;  /* of a file that can be sought */
    uint64_t size;    /* of a file, when the program stopped */
    int64_t mtime_ns; /* likewise */
    uint64_t inode;   /* of what is in the private file tree, else 0 */
    uint64_t ends;    /* of a file that was written: runner/ends.h; 0: not known */
};

enum state_phase { STATE_IN_START = 1, STATE_IN_MAIN = 2 }; /* the start function; _start */

struct state {
    uint8_t phase;
    uint64_t sequence;     /* of the last host call that was answered */
    uint64_t waited_ns;    /* by a host call that is about to be made again */
    uint64_t output_bytes; /* written so far */
    uint64_t cpu_ns;       /* used so far */
    int64_t monotonic_ns;  /* the program's own clock, which never runs back */
    uint64_t input_bytes;  /* read from standard input, if that is kept (input_head.h) or counted */
    uint64_t input_kept;   /* taken in behind these, and not read */
    uint64_t input_sum;    /* of those that were read: input_head.h; 0: not known */
    bool input_ended;      /* behind both */
    bool files_changed;    /* since it last went on, perhaps; not in images */
    bool seeded;           /* random numbers follow from a seed; else the next two are 0 */
    uint64_t random_seed;
    uint64_t random_position; /* bytes of them given so far */
    struct state_frame *frames;
    struct state_instance *instances;
    struct state_fd *fds; /* by number */
    uint32_t frame_count, instance_count, fd_count;
    struct state_tree *tree; /* the private file tree; NULL: it has none */
};

/* Whether its counts and sizes keep to the limits above. */
bool state_fits(const struct state *s);

/* TERN_ETOOBIG, TERN_EPROTO (as for decoding), TERN_ENOMEM. */
enum tern_err state_encode(const struct state *s, struct bytes *out);
enum tern_err state_decode(struct state *s, struct view bytes, struct arena *arena);

#endif
