#include "os/files.h"

#include "os/file.h"
#include "os/sys.h"
#include "os/tree_import.h"

#include <stdlib.h>

enum { TREE_BYTES_MAX = 1 << 30 };

static enum tern_err check_outs(const struct files_order *o, struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < o->out_count && !err; i++)
        err = tree_out_check(&o->outs[i], p);
    return err;
}

static enum tern_err begin_empty(struct files *f)
{
    struct state_node root = {.number = TREE_ROOT,
                              .kind = STATE_NODE_DIRECTORY,
                              .links = 2,
                              .next_cookie = TREE_COOKIE_FIRST};
    const struct state_tree tree = {TREE_ROOT + 1, &root, 1};

    return state_tree_encode(&tree, &f->tree);
}

bool files_leave(const struct files_order *o)
{
    return o->wanted && (o->out_count > 0 || o->leave);
}

static enum tern_err begin(struct files *f, struct problem *p)
{
    const struct tree_import import = {
        .folder = f->order->folder,
        .arena = f->arena,
        .pages_max = f->pages_max,
        .warn = f->order->warn,
    };

    if (f->order->begin)
        return f->order->begin(f->order->context, f->arena, f->pages_max, &f->tree, p);
    if (!f->order->folder)
        return begin_empty(f);
    return tree_import(&import, &f->tree, p);
}

enum tern_err files_open(struct files *f, const struct files_order *order,
                         const struct settings *settings, bool begins, struct problem *p)
{
    enum tern_err err;

    *f = (struct files){.order = order, .arena = -1};
    if (!order->wanted)
        return TERN_OK;
    f->pages_max = (uint32_t)(order->bytes_max / TREE_PAGE_BYTES);
    err = check_outs(order, p);
    if (err)
        return err;
    err = file_unnamed(settings->temporary, &f->arena);
    if (err)
        return problem_set(p, err,
                           "cannot make a temporary file in %s for the program's files: "
                           "%s; set TMPDIR",
                           settings->temporary, tern_err_text(err));
    return begins ? begin(f, p) : TERN_OK;
}

void files_close(struct files *f)
{
    sys_close(f->arena);
    bytes_release(&f->tree);
    f->arena = -1;
}

static enum tern_err put_all(const struct files *f, const struct state_tree *t, struct problem *p)
{
    enum tern_err first = TERN_OK;

    for (size_t i = 0; i < f->order->out_count; i++) {
        struct problem why = {.text = ""};
        enum tern_err err = tree_out_write(t, f->arena, &f->order->outs[i], &why);

        if (err && first)
            f->order->warn(why.text);
        if (err && !first) {
            first = err;
            *p = why;
        }
    }
    return first;
}

enum tern_err files_put_out(const struct files *f, int state, struct problem *p)
{
    struct bytes encoded = {0};
    struct arena memory = {0};
    struct state_tree tree;
    enum tern_err err;

    if (f->arena < 0 || !files_leave(f->order))
        return TERN_OK;
    err = sys_lseek(state, 0, 0) < 0 ? TERN_EIO : file_read_fd(state, TREE_BYTES_MAX, &encoded);
    if (!err)
        err = state_tree_decode(&tree, bytes_view(&encoded), &memory);
    if (!err)
        err = state_tree_check(&tree, NULL, 0, p);
    if (err)
        problem_set(p, err,
                    "the program's outputs cannot be found: the runner did not say what "
                    "files it left");
    else if (f->order->leave)
        err = f->order->leave(f->order->context, &tree, f->arena, p);
    else
        err = put_all(f, &tree, p);
    bytes_release(&encoded);
    arena_release(&memory);
    return err;
}
