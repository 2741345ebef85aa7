/*
 * ticket - what a runner is told at its start, and the report that it gives at its end.
 *
 * The ticket names everything that the program may touch; there are no other rights. It reaches
 * the runner as a sealed memfd, the report comes back through a pipe. Both are little-endian.
 *
 * Format   Ticket: "TERNTKT1", then entries of u32 tag, u32 size, size bytes, up to the end.
 *          Report: REPORT_BYTES, laid out as ticket.c says.
 * Memory   Encoding fills a struct bytes; decoding borrows from the ticket's bytes.
 * Errors   Decoding: TERN_EPROTO for anything unknown, repeated or out of range.
 */
#ifndef TERN_WIRE_TICKET_H
#define TERN_WIRE_TICKET_H

#include "base/bytes.h"
#include "base/error.h"
#include "wire/state_tree.h"

enum ticket_limit {
    TICKET_ARGS_MAX = 65536,
    TICKET_ENV_MAX = 65536,
    TICKET_TEXT_BYTES_MAX = 4 << 20, /* of all arguments and variables together */
    TICKET_DIRS_MAX = 64,
    TICKET_FILTER_BYTES_MAX = 64 << 10,
};

/*
 * What goes through the control socket, a byte each, some with a u64 behind it, little-endian. The
 * runner says READY once; from then on SIGUSR1 asks the program to stop at its next safepoint
 * (before, it would end the runner). The runner writes its state and says STOPPED, or STAYS and
 * why, with a newline; after STOPPED it waits to be told. It WISHES for a checkpoint at any time
 * while the program runs; the answer to that is one that is complete before the program goes on.
 */
enum control {
    /* u64: where memory 0 is mapped if its writes are tracked, else 0. With the first byte comes
     * the tracker's descriptor. A program that goes on then waits for GO_ON: until its memory is
     * there, or will be when it is touched. */
    CONTROL_READY = 'R',
    CONTROL_STOPPED = 'S', /* u64: since when it has not been running, on CLOCK_MONOTONIC, in ns */
    CONTROL_STAYS = 'N',   /* it cannot be stopped now: goes on */
    CONTROL_WISHES = 'W',  /* before input is taken in, or when much was */
    CONTROL_GO_ON = 'G',
    CONTROL_GO_READ = 'I', /* the same; and there is a checkpoint, or there can be none */
    CONTROL_END = 'E',     /* the runner ends with REPORT_STOPPED */
    /* To a runner that stays: u32 size and a ticket, for another program of the same module, of the
     * same limits of memory and stack. With the first byte comes its standard input. */
    CONTROL_TICKET = 'T',
};

enum { CONTROL_TICKET_BYTES_MAX = 64 << 10 };

/* Descriptors that a runner finds open; directories follow from TICKET_FD_DIRS. */
enum ticket_fd {
    TICKET_FD_TICKET = 3,
    TICKET_FD_REPORT = 4,
    TICKET_FD_OBJECT = 5, /* compiled module, sealed */
    TICKET_FD_MODULE = 6, /* WebAssembly module, sealed */
    TICKET_FD_MEMORY = 7, /* memory 0: a memfd of at least memory_pages_max pages */
    /* Of a program that can be stopped, else /dev/null: */
    TICKET_FD_CONTROL = 8, /* stream socket: see enum control */
    TICKET_FD_STATE = 9,   /* memfd: struct state of a program that stopped, or is to go on; of one
                              that has ended with REPORT_EXIT and tells its tree, that */
    TICKET_FD_RESUME = 10, /* compiled continuations, sealed, if it is to go on */
    TICKET_FD_INPUT = 11,  /* the file that keeps standard input: input_head.h */
    TICKET_FD_TREE = 12,   /* arena of the private file tree (wire/state_tree.h); else /dev/null */
    TICKET_FD_RECORD = 13, /* of a run that is recorded or replayed, else /dev/null */
    TICKET_FD_DIRS = 14,
};

enum ticket_record {
    TICKET_RECORD_NONE,
    TICKET_RECORD_WRITE,  /* host calls are appended to the record */
    TICKET_RECORD_REPLAY, /* they are not made: the record has the answers */
};

struct ticket_dir {
    struct view guest_path; /* "/data", "." */
    bool read_only;
};

struct ticket {
    struct view args[TICKET_ARGS_MAX]; /* args[0] is the program's name; no zero bytes inside */
    struct view env[TICKET_ENV_MAX];   /* K=V */
    struct ticket_dir dirs[TICKET_DIRS_MAX];
    uint32_t arg_count, env_count, dir_count;
    uint32_t memory_pages_max;
    uint32_t stack_cells; /* call stack, in cells of 8 bytes */
    uint64_t native_stack_bytes;
    uint64_t cpu_ns_max;       /* processor time; 0: no limit */
    uint64_t output_bytes_max; /* written by the program in all; 0: no limit */
    uint32_t table_elements_max;
    bool stoppable;
    enum ticket_record record;
    bool seeded;          /* random numbers follow from the seed; when it goes on, the state says */
    uint64_t random_seed; /* else 0 */
    bool resumes;         /* goes on from TICKET_FD_STATE and what lies in memory 0 */
    /* seccomp program: array of struct sock_filter in native order; may be empty */
    struct view filter;
    /* The private file tree; where the program goes on, its state has it. */
    struct view tree;        /* encoded; empty: none, or one that goes on */
    uint32_t tree_pages_max; /* of 4 KiB, with contents, at a time; 0: there is no tree */
    bool tells_tree;         /* it is wanted at the end */
    /* What the program reads from standard input is counted, and not kept: whoever gives it has it
     * still (state.h, input_bytes). */
    bool counts_input;
    /* When its program has exited, the runner may wait for another ticket (CONTROL_TICKET). */
    bool may_stay;
};

enum tern_err ticket_encode(const struct ticket *t, struct bytes *out);
enum tern_err ticket_decode(struct ticket *t, struct view bytes);

enum report_kind {
    REPORT_EXIT = 1,     /* code: exit code of the program */
    REPORT_TRAP = 2,     /* code: enum tern_trap_kind; where: func, offset or pc */
    REPORT_LIMIT = 3,    /* code: enum report_limit */
    REPORT_SIGNAL = 4,   /* code: signal that ends the program as it would a native one */
    REPORT_REFUSED = 5,  /* could not be started; text says why */
    REPORT_STOPPED = 6,  /* after CONTROL_END */
    REPORT_DIVERGED = 7, /* a replayed run does not do what the recorded one did; text says what */
    REPORT_REPLAYED = 8, /* it has made all the calls in the record; code: its next one */
};

enum report_limit { REPORT_LIMIT_CPU = 1, REPORT_LIMIT_OUTPUT = 2 };

struct report {
    enum report_kind kind;
    uint32_t code;
    bool by_fault;  /* of a trap: pc, relative to the object, says where */
    bool continued; /* then: to the object of the continuations */
    bool stays;     /* of REPORT_EXIT: it waits for another ticket */
    uint32_t func;
    uint32_t offset;
    uint64_t pc;
    uint64_t memory_pages; /* at the end */
    uint64_t cpu_ns;       /* processor time of the program */
    uint64_t output_bytes;
    char text[512]; /* REFUSED, DIVERGED: one sentence */
};

enum { REPORT_BYTES = 8 + 4 * 4 + 8 * 4 + 512 };

void report_encode(const struct report *r, uint8_t out[REPORT_BYTES]);
enum tern_err report_decode(struct report *r, struct view bytes);

#endif
