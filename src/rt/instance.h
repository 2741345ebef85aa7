/*
 * instance - makes a running instance out of a compiled module.
 *
 * Does     Links imports, lays out globals, tables and memories, evaluates constant
 *          expressions, copies active segments, in the order of the specification (4.5.4).
 * Not here Where memory comes from (the caller's rt_memory_source), what host functions do.
 * Memory   One block per instance, tables by mmap; all live until the process ends or
 *          instance_free.
 * Errors   enum rt_link_err with a text; a trap in a segment leaves what was written before.
 * Needs    libc only: this is part of tern-runner.
 */
#ifndef TERN_RT_INSTANCE_H
#define TERN_RT_INSTANCE_H

#include "rt/tern_rt.h"

#include <stdbool.h>

/* What an import is met with; found by the caller's resolver. */
struct rt_extern {
    enum tern_kind kind;
    const struct tern_func *func; /* a WebAssembly function of another instance, or NULL: host */
    const char *host_type;        /* of a host function: "ii>i" letters */
    uint32_t host_number;         /* of a host function: in->host_number[] of the import */
    struct tern_table *table;
    struct tern_memory *memory;
    union tern_cell *global;
    char valtype;  /* of the global */
    bool mutable_; /* of the global */
};

enum rt_link_result {
    RT_LINKED,
    RT_UNKNOWN_IMPORT,      /* "unknown import" */
    RT_INCOMPATIBLE_IMPORT, /* "incompatible import type" */
    RT_NO_MEMORY,           /* a table or memory is larger than allowed, or there is none left */
    RT_TRAPPED,             /* a segment did not fit, or the start function trapped */
    RT_WRONG_ABI,
};

struct rt_config {
    void *host;            /* becomes in->host */
    const uint8_t *source; /* the module's bytes, for data segments */
    /* Fills *out, or returns false: unknown import. */
    bool (*resolve)(void *context, const struct tern_import *import, struct rt_extern *out);
    /* A memory for the module's own, mapped as tern_rt.h says; NULL if too large. */
    struct tern_memory *(*new_memory)(void *context, const struct tern_limits *limits);
    void *context;
    uint32_t table_elements_max; /* sum over the instance's tables, growth included */
    uint32_t room;               /* cells for the start function */
    bool resumes;                /* segments are not copied: the caller brings the state */
};

struct rt_failure {
    const struct tern_import *import; /* which, for the two import failures */
    enum tern_trap_kind trap;         /* which, for RT_TRAPPED in a segment */
};

/*
 * Everything but the start function. On failure *out is NULL, except for RT_TRAPPED: then the
 * instance exists, is not to be used, but its functions may already stand in shared tables.
 */
enum rt_link_result instance_new(const struct tern_module *module, const struct rt_config *config,
                                 struct tern_instance **out, struct rt_failure *failure);

/*
 * Gives back the instance and its own tables, not its memory. Nothing may refer to them any more:
 * no slot of another's table, no instance that imported from it.
 */
void instance_free(struct tern_instance *in);

/* The number that rt_extern.host_number gave to imported function `func`. */
uint32_t instance_host_number(const struct tern_instance *in, uint32_t func);

/* The export called name, or NULL. */
const struct tern_export *instance_find_export(const struct tern_instance *in, const char *name,
                                               uint32_t size);
/* An export as something another module can import. */
struct rt_extern instance_extern(const struct tern_instance *in, const struct tern_export *e);

/* The type of function `func`, with what calls it (invoke). */
const struct tern_type *instance_func_type(const struct tern_instance *in, uint32_t func);

/*
 * A memory of its own: reserves TERN_MEMORY_RESERVE + TERN_MEMORY_GUARD bytes and maps fd (a
 * memfd of at least max_pages) or, if fd < 0, anonymous memory; the first min pages accessible.
 * NULL if the system refuses.
 */
struct tern_memory *memory_new(int fd, uint32_t min_pages, uint32_t max_pages);
void memory_free(struct tern_memory *memory); /* NULL is fine */
/* As memory_new left it, of one with an fd; what was in it is gone. False: the system refuses. */
bool memory_again(struct tern_memory *memory, uint32_t min_pages);

/* Equal for equal signatures in the whole process; the exact code for short ones; 0: no memory. */
uint64_t tern_type_key(const struct tern_type *type);

#endif
