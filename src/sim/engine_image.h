/*
 * engine_image - what a program of the simulator finds in a store of chunks, and leaves there.
 */
#ifndef TERN_SIM_ENGINE_IMAGE_H
#define TERN_SIM_ENGINE_IMAGE_H

#include "drive/engine.h"
#include "sim/program_sim.h"

struct image_order { /* what has to be known of an order until its program has ended */
    char *domain;
    struct store_name module;
    char **outputs; /* paths of declared files */
    size_t output_count;
};
void image_order_release(struct image_order *o);

/*
 * A program that is ready to be run, from its beginning or from a checkpoint. TERN_EINVALID: it is
 * none; others: what should be in the store is not. *why is a text that stays.
 */
enum tern_err image_prepare(struct chunks *chunks, const struct engine_order *order,
                            struct image_order *out, struct program *program, const char **why);

/* A checkpoint of it. */
enum tern_err image_put(struct chunks *chunks, const struct image_order *o,
                        const struct program *p, struct chunks_root *root);

struct image_made {
    struct engine_file *files;
    size_t count;
};
/* The files that it was to leave. */
enum tern_err image_put_made(struct chunks *chunks, const struct image_order *o,
                              const struct program *p, struct image_made *out);
void image_made_release(struct image_made *files);

/* All bytes of a blob that lies there. */
enum tern_err image_blob(struct chunks *chunks, const char *domain, const Tern__Blob *blob,
                         struct bytes *out);

#endif
