/*
 * object - from the bytes of a module to the sealed object that a runner loads.
 *
 * Does     Looks in the cache first, by the hash of the module's bytes and of everything else
 *          that shapes the object; only a module that passed validation ever got in there, so a
 *          hit needs neither decoding nor validation. Else decodes, validates, translates,
 *          compiles, stores.
 * Errors   TERN_EMALFORMED, TERN_EINVALID with offset and reason; what compile and cache say.
 *          A cache that cannot be used is a warning, one that is unsafe an error.
 */
#ifndef TERN_OS_OBJECT_H
#define TERN_OS_OBJECT_H

#include "base/bytes.h"
#include "base/error.h"
#include "os/settings.h"

#include <stdatomic.h>
#include <stdbool.h>

struct translate_points;

struct object_order {
    const struct settings *settings;
    struct view module;
    const char *name; /* of the module's file, for messages */
    /* NULL: the module itself; else continuations at these points, which must exist. */
    const struct translate_points *points;
    bool deterministic;
    const atomic_bool *give_up; /* NULL: signals ask for it (jobs.h) */
    void (*warn)(const char *text);
};

struct object {
    int fd; /* sealed */
    bool cached;
    int signal; /* if asked to end while it was made: the caller ends by it */
};

enum tern_err object_make(const struct object_order *order, struct object *out, struct problem *p);

/* Decodes and validates, with a sentence for a person if that fails. */
struct wasm_module;
enum tern_err object_load_module(struct view bytes, const char *name, struct wasm_module *out,
                                 struct problem *p);

#endif
