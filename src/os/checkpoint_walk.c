#include "os/checkpoint_walk.h"

#include "store/chunk.h"

#include <string.h>

static enum tern_err add(struct checkpoint_walk *w, const struct walk_chunk *c)
{
    bool fresh;
    uint32_t *kinds = names_add(&w->seen, &c->name, &fresh);

    if (!kinds)
        return TERN_ENOMEM;
    if (*kinds >> c->kind & 1)
        return TERN_OK;
    *kinds |= 1U << c->kind;
    bytes_append(&w->visits, c, sizeof *c);
    return bytes_ok(&w->visits) ? TERN_OK : TERN_ENOMEM;
}

static enum tern_err add_child(void *to, unsigned kind, const struct store_name *name)
{
    struct checkpoint_walk *w = to;
    const bool in_list = w->at.use == WALK_PART && kind == STORE_LEAF;

    return add(w, &(struct walk_chunk){*name, kind, in_list ? WALK_PAGE : WALK_PART});
}

enum tern_err checkpoint_walk_begin(struct checkpoint_walk *w, struct store *s,
                                    const struct store_name *root)
{
    *w = (struct checkpoint_walk){.store = s,
                                  .seen = {.value_bytes = sizeof(uint32_t)},
                                  .at = {*root, 0, WALK_ROOT},
                                  .plain = {.limit = STORE_CHUNK_MAX}};
    return add(w, &w->at);
}

enum tern_err checkpoint_walk_next(struct checkpoint_walk *w, bool *over)
{
    enum tern_err err;

    *over = w->visits.size == 0;
    if (*over)
        return TERN_OK;
    w->visits.size -= sizeof w->at;
    memcpy(&w->at, w->visits.data + w->visits.size, sizeof w->at);
    bytes_clear(&w->plain);
    err = store_get(w->store, &w->at.name, &w->plain);
    return err ? err : chunk_children(NULL, w->at.kind, bytes_view(&w->plain), add_child, w);
}

void checkpoint_walk_release(struct checkpoint_walk *w)
{
    names_release(&w->seen);
    bytes_release(&w->visits);
    bytes_release(&w->plain);
}
