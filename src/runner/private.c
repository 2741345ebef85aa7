#include "runner/private.h"

#include "runner/end.h"
#include "runner/write.h"

#include <string.h>
#include <unistd.h>

static struct tree tree; /* there is one */

/* ---- At the start ---- */

static void have(struct host *h, const struct state_tree *from, bool frozen)
{
    const enum wasi_errno error = tree_restore(&tree, from, h->ticket->tree_pages_max, frozen);

    if (error == WASI_E_NOSPC)
        end_refused("its files take more than it is allowed");
    if (error == WASI_E_NOMEM)
        end_refused("there is no memory for its files");
    if (error)
        end_refused("its files are described in a way that makes no sense");
    tree.arena = TICKET_FD_TREE;
    h->fds.tree = &tree;
}

void private_begin(struct host *h, struct view encoded)
{
    struct arena arena = {0};
    struct state_tree from;
    struct problem why;

    if (state_tree_decode(&from, encoded, &arena) || state_tree_check(&from, NULL, 0, &why))
        end_refused("the files that it was given make no sense");
    have(h, &from, false);
    arena_release(&arena);
    fds_add_tree(&h->fds, &tree);
}

static size_t inodes_of(const struct state *s, uint64_t list[STATE_FDS_MAX])
{
    size_t count = 0;

    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].inode)
            list[count++] = s->fds[i].inode;
    }
    return count;
}

void private_restore(struct host *h, const struct state *s)
{
    static uint64_t inodes[STATE_FDS_MAX];
    struct problem why;

    if (!s->tree != (h->ticket->tree_pages_max == 0))
        end_refused("it had files of its own when it stopped, or has them here: not both");
    if (!s->tree)
        return;
    if (state_tree_check(s->tree, inodes, inodes_of(s, inodes), &why))
        end_refused("%s", why.text);
    have(h, s->tree, true);
}

/* ---- Telling it ---- */

bool private_save(const struct host *h, struct state *s, struct arena *arena)
{
    if (!h->fds.tree)
        return true;
    s->tree = arena_new(arena, 1, sizeof *s->tree);
    return s->tree && tree_save(h->fds.tree, s->tree, arena);
}

/* Its descriptors are gone, and with them what had no name. */
static void close_all(struct host *h)
{
    for (uint32_t i = 0; i < FDS_MAX; i++) {
        if (h->fds.entry[i].host >= 0 && h->fds.entry[i].node)
            fds_close(&h->fds, i);
    }
}

void private_exit(struct host *h, uint32_t code)
{
    struct arena arena = {0};
    struct bytes encoded = {0};
    struct state_tree out;

    if (h->fds.tree && h->ticket->tells_tree) {
        close_all(h);
        if (!tree_save(h->fds.tree, &out, &arena) || state_tree_encode(&out, &encoded) ||
            !write_file(TICKET_FD_STATE, bytes_view(&encoded)))
            end_refused("there is no memory to tell what files it leaves");
    }
    end_exit(code);
}
