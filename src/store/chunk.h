/*
 * chunk - what kinds of chunk there are, what hangs beneath each, and a chunk as it is stored.
 *
 * Lists    A CHUNK_LIST is "TERNLST1" and entries of 33 bytes: the kind of a chunk, its name. So one
 *          root can hold a blob of many chunks, or a program's checkpoint with its outputs.
 */
#ifndef TERN_STORE_CHUNK_H
#define TERN_STORE_CHUNK_H

#include "store/store.h"

enum chunk_kind {
    CHUNK_CHECKPOINT = 0, /* os/checkpoint_root.h; its lists are kinds 1 and 2 */
    CHUNK_PAGES = 1,      /* names of pages */
    CHUNK_PAGE_LISTS = 2, /* names of CHUNK_PAGES */
    CHUNK_LIST = 3,
    CHUNK_LEAF = STORE_LEAF
};

struct store_stored {
    uint32_t codec; /* 0 plain, 1 zstd, 2 zstd against `like` */
    struct store_name like;
    uint32_t plain_size;
    struct view bytes;
};

#endif
