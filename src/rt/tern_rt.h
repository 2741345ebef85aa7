/*
 * tern_rt.h - the whole contract between generated code and the process that runs it.
 *
 * The translator (src/translate) writes C that includes this header and nothing else but
 * tern_scalar.h and, where a module uses 128-bit vectors, tern_simd.h: those two hold only
 * arithmetic. The other side of the contract is src/rt (instances, tables, traps) and whatever
 * executable links it: tern-runner, the conformance driver.
 *
 * Calls     A WebAssembly function f of type (i32, f64) -> i64 is
 *             uint64_t f(struct tern_instance *in, uint32_t room, uint32_t l0, double l1)
 *           `room` is what is left of the call stack, in cells of 8 bytes counted by
 *           WebAssembly's own locals and operands, so that what fits on one machine fits on
 *           every other. Several results come back as a struct of members r0, r1 ...
 * Memory    in->mem is memory 0 for the life of the instance: it grows in place and lies in a
 *           reservation of TERN_MEMORY_RESERVE bytes, so that no 32-bit index plus 32-bit offset
 *           leaves it; bytes beyond the size are inaccessible and a touch is a trap.
 * Host      An imported function that is not WebAssembly is called as tern_host with its
 *           arguments in cells; results come back in the same cells, from cell 0.
 * Stopping  At a safepoint (a loop's header, after a call that may have been stopped inside) a
 *           function looks at in->stop. If that is set and tern_safepoint says so, it saves its
 *           frame with tern_frame and returns, whatever: its caller does the same, and so on.
 *           A frame is rebuilt by a continuation: a copy of the function that is entered there.
 * Values    i32, i64 unsigned; f32, f64 as float, double; v128 as tern_v128 (tern_simd.h);
 *           funcref as the address of a struct tern_func, null as 0; externref as host number + 1,
 *           null as 0.
 */
#ifndef TERN_RT_H
#define TERN_RT_H

#include <stddef.h>
#include <stdint.h>

enum { TERN_RT_ABI = 3 };

/* 32-bit index + 32-bit constant + the widest access. */
#define TERN_MEMORY_RESERVE ((uint64_t)1 << 33)
#define TERN_MEMORY_GUARD   ((uint64_t)1 << 16)

enum tern_trap_kind {
    TERN_TRAP_NONE,
    TERN_TRAP_UNREACHABLE,   /* unreachable */
    TERN_TRAP_MEMORY,        /* out of bounds memory access */
    TERN_TRAP_TABLE,         /* out of bounds table access */
    TERN_TRAP_DIVIDE,        /* integer divide by zero */
    TERN_TRAP_OVERFLOW,      /* integer overflow */
    TERN_TRAP_CONVERSION,    /* invalid conversion to integer */
    TERN_TRAP_UNDEFINED,     /* undefined element: call_indirect beyond the table */
    TERN_TRAP_UNINITIALIZED, /* uninitialized element: call_indirect of null */
    TERN_TRAP_SIGNATURE,     /* indirect call type mismatch */
    TERN_TRAP_STACK,         /* call stack exhausted */
};

typedef void (*tern_code)(void); /* cast to the function's own type before a call */

struct tern_instance;

struct tern_func { /* what a funcref points to; lives as long as its instance */
    tern_code code;
    struct tern_instance *instance; /* the first argument */
    uint64_t key;                   /* of its type: equal keys, equal types; never 0 */
    uint32_t index;                 /* in the instance's function index space */
};

struct tern_slot { /* an element of a table; all 0 is null */
    tern_code code;
    struct tern_instance *instance;
    uint64_t key;
    uint64_t ref; /* the funcref or externref itself */
};

struct tern_table {
    struct tern_slot *slot;
    uint32_t size;
    uint32_t max;     /* declared by its module; UINT32_MAX: none */
    uint8_t elemtype; /* letter */
};

struct tern_memory {
    uint8_t *base;
    uint32_t pages; /* of 64 KiB; at most 65536 */
    uint32_t max_pages;
    uint32_t declared_max; /* by its module, for linking; UINT32_MAX: none */
    uint32_t
        late; /* 1: pages come while the program runs, and the kernel must not meet one first */
};

union tern_cell { /* a global, an argument, a result */
    uint32_t i32;
    uint64_t i64;
    float f32;
    double f64;
    uint64_t ref;
    uint8_t v128[16];
} __attribute__((aligned(16)));

struct tern_module;

enum tern_stop {
    TERN_STOP_NO,
    TERN_STOP_ASKED,  /* the next safepoint is to stop the program */
    TERN_STOP_SAVING, /* frames are being saved: every function on the way returns */
};

struct tern_instance {
    uint32_t stop; /* enum tern_stop; a signal handler may set it; first: it is read the most */
    uint8_t *mem;  /* memory 0; NULL if there is none */
    struct tern_table **table; /* per table index */
    struct tern_memory **memory;
    union tern_cell **global;      /* per global index; own ones point into cell[] */
    const struct tern_func **func; /* per function index */
    const uint64_t *key;           /* per type index */
    const struct tern_module *module;
    const uint8_t *source;  /* the WebAssembly module's bytes */
    uint8_t *data_dropped;  /* per data segment */
    uint8_t *elem_dropped;  /* per element segment */
    void *host;             /* whoever made the instance may use this */
    union tern_cell cell[]; /* own globals, in order */
};

/* ---- What a compiled module says of itself (TERN_MODULE, one constant a module) ---- */

struct tern_type {
    const char *params; /* a letter each: i I f d v r (funcref) e (externref) */
    const char *results;
    uint64_t key; /* exact code of a short signature; 0: the loader gives one (tern_type_key) */
    /* Calls f with arguments from cells, results to cells from 0; NULL if nothing exported
     * or started has this type. */
    void (*invoke)(const struct tern_func *f, uint32_t room, union tern_cell *cells);
};

struct tern_limits {
    uint32_t min;
    uint32_t max; /* UINT32_MAX: none was given */
};

enum tern_const_kind { TERN_CONST_BITS, TERN_CONST_GLOBAL, TERN_CONST_NULL, TERN_CONST_FUNC };

struct tern_const {
    uint8_t kind;
    uint8_t valtype; /* letter */
    uint32_t index;
    uint64_t bits[2]; /* bits[0] holds the low bytes */
};

struct tern_name {
    const char *data; /* may hold any byte */
    uint32_t size;
};

enum tern_kind { TERN_FUNC, TERN_TABLE, TERN_MEMORY, TERN_GLOBAL };

struct tern_import {
    struct tern_name module;
    struct tern_name field;
    uint8_t kind;
    uint8_t valtype; /* letter; of a global, or a table's elements */
    uint8_t mutable_;
    uint32_t type;             /* of a function */
    struct tern_limits limits; /* of a table or memory */
    tern_code host_code;       /* of a function: packs cells and calls tern_host */
};

struct tern_function { /* defined in the module */
    tern_code code;
    uint32_t type;
};

struct tern_table_type {
    uint8_t elemtype; /* letter */
    struct tern_limits limits;
};

struct tern_global_type {
    uint8_t valtype; /* letter */
    uint8_t mutable_;
    struct tern_const init;
};

struct tern_export {
    struct tern_name name;
    uint8_t kind;
    uint32_t index;
};

enum tern_segment_mode { TERN_PASSIVE, TERN_ACTIVE, TERN_DECLARATIVE };

#define TERN_INIT_NULL   UINT32_MAX
#define TERN_INIT_GLOBAL ((uint32_t)1 << 31) /* or'ed to the index of a global */

struct tern_elem {
    uint8_t mode;
    uint8_t elemtype; /* letter */
    uint32_t table;
    struct tern_const at;
    const uint32_t *inits; /* function index, TERN_INIT_NULL, or TERN_INIT_GLOBAL | index */
    uint32_t count;
};

struct tern_data {
    uint8_t mode;
    struct tern_const at;
    uint32_t source; /* offset in the WebAssembly module */
    uint32_t size;
};

struct tern_module {
    uint32_t abi; /* TERN_RT_ABI */
    uint32_t type_count, import_count, function_count, table_count, memory_count, global_count;
    uint32_t export_count, elem_count, data_count; /* table_count and so on: without imports */
    uint32_t imported_funcs, imported_tables, imported_memories, imported_globals;
    uint32_t start; /* function index, UINT32_MAX if none */
    const struct tern_type *types;
    const struct tern_import *imports;
    const struct tern_function *functions;
    const struct tern_table_type *tables;
    const struct tern_limits *memories;
    const struct tern_global_type *globals;
    const struct tern_export *exports;
    const struct tern_elem *elems;
    const struct tern_data *datas;
};

/* ---- What continuations say of themselves (TERN_CONTINUATIONS, one array a unit) ---- */

struct tern_continuation {
    tern_code code; /* of the function's own type; its arguments do not matter */
    uint32_t func;
    uint32_t offset; /* of the instruction that is executed next, or of the call it is inside of */
    uint8_t inside;
};

struct tern_continuations {
    uint32_t abi; /* TERN_RT_ABI */
    uint32_t count;
    const struct tern_continuation *list; /* by func, then offset, then inside */
};

/*
 * A saved value takes TERN_VALUE_BYTES, whatever its type: little-endian from the first byte, the
 * rest 0. A funcref is the number that tern_ref_number gives it, an externref itself.
 */
#define TERN_VALUE_BYTES 16

struct tern_resumed { /* the frame that is to be rebuilt */
    tern_code code;
    struct tern_instance *instance;
    const uint8_t *value; /* its locals, then its operands */
    uint32_t func;
    uint32_t offset;
    uint32_t inside;
};

/* ---- What generated code may call: the executable must export these ---- */

#pragma GCC visibility push(default)

/* func and offset (of the instruction, in the module) say where. Does not return. */
_Noreturn void tern_trap(struct tern_instance *in, uint32_t kind, uint32_t func, uint32_t offset)
    __attribute__((cold));

/* Calls imported function `func`; arguments and results in cells. */
void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells);

/* The size before in pages, or UINT32_MAX. */
uint32_t tern_memory_grow(struct tern_instance *in, uint32_t delta_pages);

/* The size before, or UINT32_MAX. */
uint32_t tern_table_grow(struct tern_instance *in, uint32_t table, uint64_t ref, uint32_t delta);

/* Bounds checked first; 0 if refused and nothing was done, else 1. */
uint32_t tern_memory_init(struct tern_instance *in, uint32_t data, uint32_t to, uint32_t from,
                          uint32_t size);
uint32_t tern_memory_copy(struct tern_instance *in, uint32_t to, uint32_t from, uint32_t size);
uint32_t tern_memory_fill(struct tern_instance *in, uint32_t to, uint32_t byte, uint32_t size);
uint32_t tern_table_init(struct tern_instance *in, uint32_t table, uint32_t elem, uint32_t to,
                         uint32_t from, uint32_t count);
uint32_t tern_table_copy(struct tern_instance *in, uint32_t to_table, uint32_t from_table,
                         uint32_t to, uint32_t from, uint32_t count);
uint32_t tern_table_fill(struct tern_instance *in, uint32_t table, uint32_t to, uint64_t ref,
                         uint32_t count);
uint32_t tern_table_set(struct tern_instance *in, uint32_t table, uint32_t at, uint64_t ref);
void tern_data_drop(struct tern_instance *in, uint32_t data);
void tern_elem_drop(struct tern_instance *in, uint32_t elem);

/* At a safepoint with in->stop set: 1 if the frame is to be saved and the function left. */
uint32_t tern_safepoint(struct tern_instance *in) __attribute__((cold));
/* The same, not to be called from C: the answer is in the flags, all registers stay as they are. */
void tern_safepoint_keeping(void); /* where rt/safepoint.c has it */

/*
 * A frame for function `func`: room for its `count` locals and operands, all 0. `next` is the
 * instruction behind the safepoint. If the program was stopped inside the call at `call`, the last
 * `results` values do not count.
 */
uint8_t *tern_frame(struct tern_instance *in, uint32_t func, uint32_t call, uint32_t next,
                    uint32_t count, uint32_t results) __attribute__((cold));

/* A funcref as a number that means the same elsewhere, and back; null is 0. */
uint64_t tern_ref_number(uint64_t ref) __attribute__((cold));
uint64_t tern_ref_numbered(uint64_t number) __attribute__((cold));

/* The frame whose continuation was just entered; then the next one, called by it. */
const struct tern_resumed *tern_resumed(void);
const struct tern_resumed *tern_resume_callee(void);
/* The same for a host call: its arguments. */
void tern_resumed_arguments(struct tern_instance *in, union tern_cell *cells);

#pragma GCC visibility pop

#endif
