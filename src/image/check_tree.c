#include "image/check.h"

#include <inttypes.h>
#include <string.h>

static bool is_zero(const uint8_t *name)
{
    static const uint8_t zero[IMAGE_HASH_BYTES];

    return memcmp(name, zero, sizeof zero) == 0;
}

/* ---- Where contents are: what is wrong with one inode, as a sentence ---- */

static const char *lists_fault(const struct image_file *f, uint64_t pages)
{
    for (uint32_t i = 0; i < f->list_count; i++) {
        if (f->lists[i].index >= (pages + IMAGE_LIST_PAGES - 1) / IMAGE_LIST_PAGES)
            return "it has a list of pages behind its end";
        if (i > 0 && f->lists[i].index <= f->lists[i - 1].index)
            return "its lists of pages are not in order";
        if (is_zero(f->lists[i].name))
            return "it has a list of pages without a name";
    }
    return NULL;
}

static const char *file_fault(const struct state_node *n, const struct image_file *f)
{
    const uint64_t pages = state_tree_pages(n->size);
    const bool direct = pages <= IMAGE_FILE_DIRECT_PAGES;

    if (n->run_count)
        return "it says where its pages lie in a process";
    if (direct ? f->list_count : f->page_count)
        return "its pages are named in another way than its size asks for";
    if (direct && f->page_count != pages)
        return "it has not as many names of pages as its size asks for";
    return lists_fault(f, pages);
}

/* ---- Descriptors ---- */

static const char *fd_fault(const struct state *s, const struct state_fd *fd)
{
    const struct state_node *n = state_tree_find(s->tree, fd->inode);

    if (!n)
        return "the file tree has no such inode";
    if (n->kind != (fd->kind == STATE_FD_TREE_FILE ? STATE_NODE_FILE : STATE_NODE_DIRECTORY))
        return "its inode is of another kind";
    if (fd->kind == STATE_FD_TREE && fd->inode != TREE_ROOT)
        return "it is not the root of the file tree";
    return fd->offset > TREE_FILE_BYTES_MAX ? "its offset is larger than any can be" : NULL;
}

static enum tern_err check_fds(const struct checker *c, uint64_t *inodes, size_t *count)
{
    const struct state *s = c->state;

    for (uint32_t i = 0; i < s->fd_count; i++) {
        const struct state_fd *fd = &s->fds[i];
        const char *fault = NULL;

        if (fd->kind < STATE_FD_TREE)
            continue;
        fault = s->tree ? fd_fault(s, fd) : "there is no file tree";
        if (fault)
            return problem_set(c->p, TERN_EINVALID, "descriptor %" PRIu32 ": %s", fd->number,
                               fault);
        inodes[(*count)++] = fd->inode;
    }
    return TERN_OK;
}

enum tern_err check_tree(const struct checker *c)
{
    const struct state_tree *t = c->state->tree;
    const uint64_t most = c->image->limits_files_bytes;
    uint64_t inodes[STATE_FDS_MAX];
    size_t count = 0;
    enum tern_err err = check_fds(c, inodes, &count);

    if (!err && (!t != !most || most % TREE_PAGE_BYTES || most / TREE_PAGE_BYTES > TREE_PAGES_MAX))
        err =
            problem_set(c->p, TERN_EINVALID, "the limit on its files is none that a run can have");
    if (err || !t)
        return err;
    err = state_tree_check(t, inodes, count, c->p);
    for (uint32_t i = 0; i < t->node_count && !err; i++) {
        const char *fault = file_fault(&t->nodes[i], &c->image->files[i]);

        if (fault)
            err = problem_set(c->p, TERN_EINVALID, "file tree, inode %" PRIu64 ": %s",
                              t->nodes[i].number, fault);
    }
    return err;
}
