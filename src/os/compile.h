/*
 * compile - turns a validated module into one ELF object.
 *
 * Does     Translates the module piece by piece into a private work directory, runs the C
 *          compiler on the pieces side by side, each confined, and links them.
 * Errors   TERN_ECOMPILE, TERN_ETIME, TERN_EMISSING, TERN_ETOOBIG, TERN_ENOMEM, TERN_EIO; with
 *          *signal if we were asked to end meanwhile. The work directory is gone in any case.
 */
#ifndef TERN_OS_COMPILE_H
#define TERN_OS_COMPILE_H

#include "os/compiler.h"
#include "translate/translate.h"

#include <stdatomic.h>

/* How all objects are cut, and what else the translator is told; part of the cache's key. */
struct translate_options compile_options(bool deterministic);

struct compile_order {
    const struct settings *settings;
    const struct compiler *compiler;
    const struct wasm_module *module;
    const char *name; /* of the module, for messages */
    bool deterministic;
    const struct translate_points *points; /* NULL: the module; else continuations there */
    const atomic_bool *give_up;            /* NULL: signals ask for it (jobs.h) */
    struct cache *cache;                   /* keeps the messages of a compiler that failed */
};

enum tern_err compile_module(const struct compile_order *order, struct bytes *object, int *signal,
                             struct problem *p);

/*
 * Writes the headers and pieces ("piece-0.c" ...) into a directory, as a compiler gets them.
 */
enum tern_err compile_write_sources(const struct wasm_module *m,
                                    const struct translate_options *options, const char *dir,
                                    uint32_t *piece_count, struct problem *p);

#endif
