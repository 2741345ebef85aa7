#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void *agent_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    check(p); /* a step cannot fail: as core_new */
    return p;
}

void *agent_grow(void *array, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room ? 2 * *room : 1; /* most often there is one of a kind */
    void *grown;

    if (count < *room)
        return array;
    while (wanted <= count)
        wanted *= 2;
    grown = realloc(array, wanted * size);
    check(grown);
    *room = wanted;
    return grown;
}

char *agent_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = agent_alloc(size, 1);

    memcpy(copy, text, size);
    return copy;
}

char **agent_texts(char *const *texts, size_t count)
{
    char **copies = agent_alloc(count + 1, sizeof *copies);

    for (size_t i = 0; i < count; i++)
        copies[i] = agent_text(texts[i]);
    return copies;
}

void agent_texts_free(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

int order_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* ---------------------------------------------------------------- owners */

static struct owner *owner_of(const struct tree_link *link)
{
    return tree_of(link, struct owner, link);
}

static int compare_owners(const struct tree_link *a, const struct tree_link *b)
{
    return strcmp(owner_of(a)->name, owner_of(b)->name);
}

struct owner *agent_owner_find(const struct agent *a, const char *name)
{
    const struct owner like = {.name = (char *)name};

    return owner_of(tree_find(&a->owners, &like.link));
}

static int compare_names(const struct tree_link *a, const struct tree_link *b)
{
    return strcmp(tree_of(a, struct name, link)->name, tree_of(b, struct name, link)->name);
}

struct owner *agent_owner(struct agent *a, const char *name)
{
    struct owner *o = agent_owner_find(a, name);

    if (o)
        return o;
    a->owners.compare = compare_owners;
    o = agent_alloc(1, sizeof *o);
    o->name = agent_text(name);
    o->names.compare = compare_names;
    o->n = ++a->owner_next;
    check(directory_put(&a->owner_dir, o->n, o));
    tree_add(&a->owners, &o->link);
    return o;
}

void owners_release(struct agent *a)
{
    struct tree_link *l;

    while ((l = tree_first(&a->owners))) {
        tree_remove(&a->owners, l);
        free(owner_of(l)->name);
        free(owner_of(l));
    }
    directory_release(&a->owner_dir);
}
