/*
 * decode - what the parts of the decoder share.
 *
 * Each function reads from d->r and returns false after the first failure, with d->fault
 * filled and d->err saying which kind it was.
 */
#ifndef TERN_WASM_DECODE_H
#define TERN_WASM_DECODE_H

#include "wasm/module.h"
#include "wasm/reader.h"

struct decoder {
    struct wasm_module *m;
    struct wasm_reader r; /* ends with the section being read */
    struct wasm_fault *fault;
    enum tern_err err;   /* TERN_EMALFORMED until memory runs out */
    uint32_t data_count; /* promised by the data count section */
    uint32_t inits;      /* of all element segments so far */
    uint32_t customs_capacity;
};

/* A count of entries, no more than there are bytes for: refused before anything is allocated. */
bool decode_count(struct decoder *d, const char *what, uint32_t limit, uint32_t *out);
/* Zeroed entries in the arena. */
void *decode_new(struct decoder *d, uint32_t count, size_t size);
/* A copy of an index space with room for `more` entries behind its `count`. */
void *decode_grown(struct decoder *d, const void *old, uint32_t count, uint32_t more, size_t size);

bool decode_valtype(struct decoder *d, uint8_t *out);
bool decode_reftype(struct decoder *d, uint8_t *out);
bool decode_table(struct decoder *d, struct wasm_table *out);
bool decode_memory(struct decoder *d, struct wasm_memory *out);
bool decode_global_type(struct decoder *d, struct wasm_global *out);
/* An expression up to its `end`. valtype 0 says that it is not just one constant. */
bool decode_const(struct decoder *d, struct wasm_const *out);

/* Sections. */
bool decode_types(struct decoder *d);
bool decode_imports(struct decoder *d);
bool decode_funcs(struct decoder *d);
bool decode_tables(struct decoder *d);
bool decode_memories(struct decoder *d);
bool decode_globals(struct decoder *d);
bool decode_exports(struct decoder *d);
bool decode_elems(struct decoder *d);
bool decode_code(struct decoder *d);
bool decode_datas(struct decoder *d);

#endif
