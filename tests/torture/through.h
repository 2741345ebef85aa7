/*
 * through - takes a stopped program through a checkpoint on disk and back, as a move to another
 * machine does: written by os/checkpoint_take, read by os/checkpoint, checked by image/, loaded
 * into fresh memory.
 *
 * Steps    As the stopper: what changed is copied while the program is stopped; then it could run,
 *          here it is overwritten (meanwhile); then only is the copy stored. What is known of pages
 *          from one checkpoint to the next is used, and now and then forgotten.
 * Life     through_open once, through_go for each stop; what came back stays until the next.
 * Store    A directory, best in memory: nothing here is to survive anything.
 * Errors   Whatever the parts say, with a sentence in *p; TERN_ECORRUPT where what came back is
 *          not what was given.
 */
#ifndef TERN_TESTS_THROUGH_H
#define TERN_TESTS_THROUGH_H

#include "image/image.h"
#include "store/store.h"
#include "wire/state.h"

struct through_module {
    struct view bytes; /* borrowed */
    uint8_t sha256[IMAGE_HASH_BYTES];
    struct wasm_module m;
};

/* False: no valid module. */
bool through_module_init(struct through_module *module, struct view bytes);
void through_module_release(struct through_module *module);

struct through {
    struct store *store;
    int memory, state; /* memfds: what came back */
    uint64_t images;
    struct take *take; /* goes on from checkpoint to checkpoint of a module */
    const struct through_module *of;
    uint32_t room; /* pages that it is for */
};

enum tern_err through_open(struct through *t, const char *dir, struct problem *p);
void through_close(struct through *t);

struct through_order {
    const struct through_module *module;
    int memory, state; /* memfds: memory 0, the encoded struct state */
    uint32_t limits_memory_pages, limits_stack_cells;
    bool check;            /* whether the image is to be one that any resume would take */
    const uint32_t *entry; /* the function that the outermost frame is of; NULL: a program's */
    void (*meanwhile)(void *context); /* overwrites `memory`, and what else is left of it */
    void *context;
};

enum tern_err through_go(struct through *t, const struct through_order *o, struct problem *p);

/* The state that came back; *bytes (emptied first) holds what it borrows, lists live in *arena. */
enum tern_err through_state(const struct through *t, struct state *s, struct bytes *bytes,
                            struct arena *arena);

/* `fd` with exactly these bytes, which is a memfd. */
enum tern_err through_put(int fd, struct view bytes);
/* Of so many zero bytes. */
enum tern_err through_empty(int fd, uint64_t size);

#endif
