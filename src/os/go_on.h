/*
 * go_on - what has to be true before a program may go on from a checkpoint, and what is compiled
 * for it.
 */
#ifndef TERN_OS_GO_ON_H
#define TERN_OS_GO_ON_H

#include "image/image.h"
#include "os/program.h"
#include "translate/translate.h"

struct go_on_order {
    const struct image *image;
    struct view module;
    const uint8_t *module_sha256;
    const char *name; /* of the module's file, for messages */
    const struct program_limits *limits;
    uint64_t files_bytes; /* of its own file tree; 0: it has none */
};

/* Whether the image fits to the module, which is valid, and was made under these limits. */
enum tern_err go_on_check(const struct go_on_order *o, struct problem *p);

/* Where the frames are, in order, each point once; the list is to be freed. NULL list: no memory. */
struct translate_points go_on_points(const struct state *s);

#endif
