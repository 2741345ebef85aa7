/*
 * chunk - what kinds of chunk there are, what hangs beneath each, and a chunk as it is stored.
 *
 * Lists    A CHUNK_LIST is "TERNLST1" and entries of 33 bytes: the kind of a chunk, its name. So one
 *          root can hold a blob of many chunks, or a program's checkpoint with its outputs.
 * Stored   Chunks travel as they are stored. What came from a stranger is believed when
 *          chunk_unpack, or store_put_stored, has found it to be what its name says.
 */
#ifndef TERN_STORE_CHUNK_H
#define TERN_STORE_CHUNK_H

#include "store/store.h"

enum chunk_kind {
    CHUNK_CHECKPOINT = 0, /* store/checkpoint_root.h; its lists are kinds 1 and 2 */
    CHUNK_PAGES = 1,      /* names of pages */
    CHUNK_PAGE_LISTS = 2, /* names of CHUNK_PAGES */
    CHUNK_LIST = 3,
    CHUNK_LEAF = STORE_LEAF
};

enum {
    CHUNK_ENTRY_BYTES = 1 + STORE_NAME_BYTES,
    CHUNK_LIST_HEAD = 8,
    CHUNK_LIST_MAX = (STORE_CHUNK_MAX - CHUNK_LIST_HEAD) / CHUNK_ENTRY_BYTES /* entries of one */
};

bool chunk_kind_is_known(unsigned kind);

/* What hangs beneath a chunk of any of these kinds. TERN_ECORRUPT: it is none of that kind. */
store_children chunk_children;

/* Makes a list: begin (of an empty *list), add, ask bytes_ok in the end. */
void chunk_list_begin(struct bytes *list);
void chunk_list_add(struct bytes *list, unsigned kind, const struct store_name *name);
/* How many entries; -1: it is no list. */
int chunk_list_count(struct view list);
/* The i-th, of those that there are. */
unsigned chunk_list_at(struct view list, unsigned i, struct store_name *name);

enum chunk_codec { CODEC_PLAIN = 0, CODEC_ZSTD = 1, CODEC_LIKE = 2 };

struct store_stored {
    uint32_t codec; /* 0 plain, 1 zstd, 2 zstd against `like` */
    struct store_name like;
    uint32_t plain_size;
    struct view bytes;
};

/* Sizes and codec can be: what a stranger says of a chunk. Bytes are not looked into. */
bool chunk_is_possible(const struct store_stored *c);

/*
 * Appends the plain bytes, of CODEC_PLAIN and CODEC_ZSTD (else TERN_EPROTO). TERN_ECORRUPT: they do
 * not have that name; *out is as it was.
 */
enum tern_err chunk_unpack(const struct store_stored *c, const struct store_name *name,
                           struct bytes *out);
/* As it is to be stored: compressed into *room where that is worth it, else as it is. */
enum tern_err chunk_pack(struct view plain, struct store_stored *out, struct bytes *room);

/*
 * Puts a chunk as it travelled. TERN_ECORRUPT: it is not what its name says, or what it is stored
 * against is not here; TERN_EPROTO: nothing that could be a chunk; others as store_put.
 */
enum tern_err store_put_stored(struct store *s, const struct store_name *name,
                               const struct store_stored *stored, struct problem *p);
/*
 * As it is stored, or, if that is against another chunk than `has` (NULL: none), plain. out->bytes
 * is in *room, which is appended to; good until that changes. Its digest was checked; that its plain
 * bytes have their name, only where they had to be made: the receiver finds out.
 */
enum tern_err store_get_stored(struct store *s, const struct store_name *name,
                               const struct store_name *has, struct store_stored *out,
                               struct bytes *room);
/* What it is stored against; false: nothing, or it is not there. */
bool store_like(struct store *s, const struct store_name *name, struct store_name *base);

#endif
