/*
 * chunks - a store of chunks as a depot or a slot needs it: an interface. os/pool/ has the one over
 *          store/ (a directory for each domain), sim/ one in memory that can lose power.
 *
 * Names    A chunk belongs to a domain; nothing tells in one domain what is in another.
 * Stored   Chunks travel as they are stored (codec, perhaps against another chunk), so that nobody
 *          compresses twice. put takes them apart and checks name and size before it believes them.
 * Roots    A root holds everything beneath it, until it is dropped. commit is durable when it
 *          returns; what was put without a root is forgotten by a restart, and when room is needed.
 */
#ifndef TERN_DRIVE_CHUNKS_H
#define TERN_DRIVE_CHUNKS_H

#include "base/bytes.h"
#include "base/error.h"
#include "store/chunk.h"

struct chunks {
    const struct chunks_calls *calls;
    void *self;
};

struct chunks_root {
    struct store_name name;
    unsigned kind;
    int64_t expires_ns; /* as it was given */
};

struct chunks_usage {
    uint64_t space_bytes; /* that may be used; 0: nobody knows */
    uint64_t used_bytes;
    uint64_t roots;
    uint64_t damaged; /* chunks that were found so since it was opened: roots may not be whole */
};

struct chunks_calls {
    /* There, with everything beneath it that its kind says. */
    bool (*has)(void *self, const char *domain, const struct store_name *name, unsigned kind);
    /* TERN_ECORRUPT: not what its name says; TERN_ENOSPACE. */
    enum tern_err (*put)(void *self, const char *domain, const struct store_name *name,
                         const struct store_stored *stored);
    /* Appends to out->bytes; `has`: the reader has that one too, or NULL. */
    enum tern_err (*get)(void *self, const char *domain, const struct store_name *name,
                         const struct store_name *has, struct store_stored *out,
                         struct bytes *room);
    enum tern_err (*plain)(void *self, const char *domain, const struct store_name *name,
                           struct bytes *out);
    /* TERN_ENOENT: something beneath is missing. *new_bytes: taken by it that no other had. */
    enum tern_err (*commit)(void *self, const char *domain, const struct chunks_root *root,
                            uint64_t *new_bytes, struct problem *p);
    /* Another time of expiry: not durable at once. TERN_ENOENT. */
    enum tern_err (*extend)(void *self, const char *domain, const struct chunks_root *root);
    enum tern_err (*drop)(void *self, const char *domain, const struct store_name *name);
    /* All roots, in an order of the store's own. */
    void (*roots)(void *self, void *context,
                  void (*each)(void *context, const char *domain, const struct chunks_root *root));
    void (*usage)(void *self, struct chunks_usage *out);
    /* A step of cleaning up, of a few milliseconds; true: there is more to do. */
    bool (*tidy)(void *self);
    /* What it is stored against; false: nothing. May be NULL. */
    bool (*like)(void *self, const char *domain, const struct store_name *name,
                 struct store_name *base);
    /* What has no root yet, and was put or found to be there since the stamp `oldest`, stays. Gives
     * the next stamp. May be NULL: then all of it stays until a restart. */
    uint64_t (*pins)(void *self, uint64_t oldest);
};

#endif
