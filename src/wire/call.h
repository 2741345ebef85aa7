/*
 * call - what the arguments of each host call mean: their names, and what memory they name.
 *
 * Does     For every row of calls.h a list of parameters, in the order of its arguments. A few
 *          stand for two arguments: an address, and how much is there.
 * Use      The seam (runner/plan.h) finds by it what a call reads and fills, so that no handler
 *          has to say so; whoever shows a call (tern record show) names things by it.
 */
#ifndef TERN_WIRE_CALL_H
#define TERN_WIRE_CALL_H

#include "wire/calls.h"

#include <stdbool.h>
#include <stdint.h>

enum call_kind {
    CALL_NONE, /* behind the last */
    /* Values */
    CALL_FD,
    CALL_NUMBER,
    CALL_SIGNED,
    CALL_NS,    /* a time */
    CALL_CODE,  /* one of a list: detail is an enum call_names */
    CALL_FLAGS, /* any of a list: likewise */
    /* Memory that is read; these are what a record keeps a part of, to show it */
    CALL_PATH,          /* two arguments: address, size */
    CALL_SEND,          /* two: address and length of a list of buffers */
    CALL_SUBSCRIPTIONS, /* their number is the argument behind the next */
    /* Memory that is filled */
    CALL_RECEIVE, /* two: a list of buffers, as many bytes as CALL_MOVED says */
    CALL_BUFFER,  /* two: address and size; as many bytes as CALL_MOVED says, if there is one;
                     detail 1: it can have changed although the answer is an error */
    CALL_EVENTS,  /* as many as CALL_MOVED says; their most is the argument behind */
    CALL_STRINGS, /* addresses of arguments (detail 0) or variables (1) */
    CALL_TEXT,    /* and these themselves */
    CALL_MOVED,   /* u32: how much was moved */
    CALL_GIVES,   /* a result: detail is an enum call_gives */
};

enum call_names {
    CALL_CLOCKS,
    CALL_ADVICES,
    CALL_WHENCES,
    CALL_LOOKUPS,
    CALL_OFLAGS,
    CALL_FDFLAGS,
    CALL_FSTFLAGS,
    CALL_RIGHTS,
    CALL_RIFLAGS,
    CALL_SIFLAGS,
    CALL_SDFLAGS,
};

enum call_gives {
    CALL_GIVES_U16,
    CALL_GIVES_FD,
    CALL_GIVES_U32,
    CALL_GIVES_U64,
    CALL_GIVES_TIME,
    CALL_GIVES_FDSTAT,
    CALL_GIVES_FILESTAT,
    CALL_GIVES_PRESTAT,
};

enum { CALL_PARAMS_MAX = 9 };

struct call_param {
    const char *name;
    uint8_t kind;
    uint8_t detail;
};

struct call {
    const char *name; /* NULL: there is no such call */
    const char *signature;
    struct call_param params[CALL_PARAMS_MAX + 1];
};

/* NULL if there is none of that number. */
const struct call *call_find(uint32_t number);

/* How many arguments it has. */
uint32_t call_arg_count(const struct call *c);
/* How many of them a parameter stands for: 1 or 2. */
uint32_t call_param_args(enum call_kind kind);
/* Whether a record keeps a part of what is read. */
bool call_param_kept(enum call_kind kind);
/* Of a CALL_GIVES. */
uint32_t call_gives_bytes(enum call_gives what);

#endif
