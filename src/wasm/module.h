/*
 * module - a WebAssembly 2.0 module as data: what the decoder finds and the validator proves.
 *
 * Source   WebAssembly Core Specification 2.0, chapters 2 (Structure) and 5 (Binary Format).
 * Memory   Everything hangs in the module's arena and borrows the module's bytes, which must
 *          outlive it. module_release frees the arena.
 * Index    funcs, tables, memories and globals are WebAssembly's index spaces: imported ones
 *          first, in the order of the imports.
 * Limits   enum wasm_limit: a module beyond one of them is refused, with the offset.
 */
#ifndef TERN_WASM_MODULE_H
#define TERN_WASM_MODULE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum wasm_limit {
    WASM_MODULE_BYTES_MAX = 1 << 30,
    WASM_TYPES_MAX = 1000000,
    WASM_IMPORTS_MAX = 100000,
    WASM_FUNCS_MAX = 1000000, /* with imported ones */
    WASM_TABLES_MAX = 100,
    WASM_MEMORIES_MAX = 1, /* WebAssembly 2.0 */
    WASM_GLOBALS_MAX = 1000000,
    WASM_EXPORTS_MAX = 1000000,
    WASM_ELEMS_MAX = 1000000,
    WASM_DATAS_MAX = 1000000,
    WASM_CUSTOMS_MAX = 10000,
    WASM_PARAMS_MAX = 1000,
    WASM_RESULTS_MAX = 1000,
    WASM_LOCALS_MAX = 50000,
    WASM_FUNC_BYTES_MAX = 7654321,
    WASM_NAME_BYTES_MAX = 100000,
    WASM_NESTING_MAX = 10000,           /* blocks open at once in a function */
    WASM_STACK_MAX = 100000,            /* operands on the stack at once in a function */
    WASM_BR_TABLE_MAX = 65520,          /* labels of one br_table */
    WASM_TABLE_ELEMENTS_MAX = 10000000, /* least size a module may ask for */
    WASM_PAGE_BYTES = 65536,
    WASM_MEMORY_PAGES_MAX = 65536,
};

/* The binary format's own bytes. */
enum wasm_valtype {
    WASM_I32 = 0x7f,
    WASM_I64 = 0x7e,
    WASM_F32 = 0x7d,
    WASM_F64 = 0x7c,
    WASM_V128 = 0x7b,
    WASM_FUNCREF = 0x70,
    WASM_EXTERNREF = 0x6f,
};

enum wasm_kind { WASM_FUNC = 0, WASM_TABLE = 1, WASM_MEMORY = 2, WASM_GLOBAL = 3 };

/* The letter for a value type: i I f d v r e; 0 for anything else. */
char wasm_valtype_letter(uint8_t valtype);
/* "i32", "funcref" ...; "?" for anything else. */
const char *wasm_valtype_name(uint8_t valtype);
bool wasm_valtype_is_ref(uint8_t valtype);

struct wasm_type {         /* of a function */
    const uint8_t *params; /* wasm_valtype each */
    const uint8_t *results;
    uint32_t param_count;
    uint32_t result_count;
    uint32_t canonical; /* the first type of the module that is equal to this one */
    bool suspends;      /* canonical ones: a call_indirect may be stopped inside (suspend.h) */
};

struct wasm_bounds { /* of a table in elements, of a memory in pages */
    uint32_t min;
    uint32_t max; /* if has_max */
    bool has_max;
};

enum wasm_const_kind {
    WASM_CONST_BITS,   /* i32, i64, f32, f64, v128: bits[] */
    WASM_CONST_GLOBAL, /* global.get index */
    WASM_CONST_REF_NULL,
    WASM_CONST_REF_FUNC, /* ref.func index */
};

struct wasm_const { /* a constant expression, evaluated as far as it can be */
    enum wasm_const_kind kind;
    uint8_t valtype; /* filled by the decoder, but for GLOBAL: then by the validator */
    uint32_t index;
    uint32_t offset;  /* in the module */
    uint64_t bits[2]; /* little-endian lanes: bits[0] holds the low bytes */
};

struct wasm_import {
    struct view module;
    struct view field;
    enum wasm_kind kind;
    uint32_t index; /* in the index space of its kind */
    uint32_t offset;
};

struct wasm_locals { /* a run of equal local variables, as the binary format has them */
    uint32_t count;
    uint8_t valtype;
};

struct wasm_func {
    uint32_t type; /* index of the type */
    bool imported;
    struct view name;           /* from the name section; empty if none */
    uint32_t code_offset;       /* of the first instruction, in the module */
    uint32_t code_end;          /* one past the final `end` */
    struct wasm_locals *locals; /* without parameters */
    uint32_t local_runs;
    uint32_t local_count; /* with parameters */
    /* What the validator found out: */
    uint32_t stack_max; /* operands at once */
    uint32_t insn_count;
    bool calls;       /* has a call or call_indirect */
    bool loops;       /* has a loop */
    bool uses_memory; /* touches memory 0 */
    bool uses_v128;
    bool suspends; /* a call of it may be stopped inside (suspend.h) */
    bool heavy;    /* there is a safepoint after every call that it makes */
};

struct wasm_table {
    uint8_t elemtype;
    bool imported;
    struct wasm_bounds bounds;
    uint32_t offset;
};

struct wasm_memory {
    bool imported;
    struct wasm_bounds bounds;
    uint32_t offset;
};

struct wasm_global {
    uint8_t valtype;
    bool mutable;
    bool imported;
    struct wasm_const init; /* not for imported ones */
};

struct wasm_export {
    struct view name;
    enum wasm_kind kind;
    uint32_t index;
    uint32_t offset;
};

enum wasm_segment_mode { WASM_PASSIVE, WASM_ACTIVE, WASM_DECLARATIVE };

struct wasm_elem {
    enum wasm_segment_mode mode;
    uint8_t elemtype;
    uint32_t table;
    struct wasm_const at; /* if active */
    struct wasm_const *inits;
    uint32_t init_count;
    uint32_t offset;
};

struct wasm_data {
    enum wasm_segment_mode mode;
    uint32_t memory;
    struct wasm_const at; /* if active */
    struct view bytes;    /* inside the module's bytes */
    uint32_t offset;      /* of the segment in the module */
};

struct wasm_custom {
    struct view name;
    struct view bytes;
};

struct wasm_module {
    struct arena arena;
    struct view bytes;
    struct wasm_type *types;
    struct wasm_import *imports;
    struct wasm_func *funcs;
    struct wasm_table *tables;
    struct wasm_memory *memories;
    struct wasm_global *globals;
    struct wasm_export *exports;
    struct wasm_elem *elems;
    struct wasm_data *datas;
    struct wasm_custom *customs;
    uint32_t type_count, import_count, func_count, table_count, memory_count, global_count;
    uint32_t export_count, elem_count, data_count, custom_count;
    uint32_t imported_funcs, imported_tables, imported_memories, imported_globals;
    uint32_t code_section; /* offset of the code section's contents; 0 if there is none */
    uint32_t start;        /* function index, if has_start */
    uint32_t start_offset;
    bool has_start;
    bool has_data_count;
    bool *func_declared; /* per function: may be named by ref.func inside code */
    bool uses_v128;      /* anywhere in code: known after module_validate */
};

/* Where and why a module was refused. Reasons follow the specification's test suite. */
struct wasm_fault {
    uint32_t offset; /* in the module's bytes */
    char reason[160];
};

/*
 * Decodes bytes into *m (need not be initialised). TERN_EMALFORMED with *fault filled if the
 * binary format is violated or a limit passed; TERN_ENOMEM. On failure *m is empty.
 * Function bodies are only delimited here: their instructions are read by module_validate.
 * Names of a broken name section are left out, as the specification asks.
 */
enum tern_err module_decode(struct wasm_module *m, struct view bytes, struct wasm_fault *fault);

/*
 * Decodes and types every instruction. TERN_EMALFORMED or TERN_EINVALID with *fault filled.
 * Only after this has returned TERN_OK may the module be translated.
 */
enum tern_err module_validate(struct wasm_module *m, struct wasm_fault *fault);

/* Both of the above, in the order that finds a malformed byte anywhere before an invalid type. */
enum tern_err module_load(struct wasm_module *m, struct view bytes, struct wasm_fault *fault);

void module_release(struct wasm_module *m);

const struct wasm_type *module_func_type(const struct wasm_module *m, uint32_t func);
/* The export of this name and kind, or NULL. */
const struct wasm_export *module_find_export(const struct wasm_module *m, struct view name,
                                             enum wasm_kind kind);

#endif
