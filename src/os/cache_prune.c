#include "os/cache.h"
#include "os/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Temporary files and locks older than this belong to nobody alive. */
enum { LEFTOVER_S = 24 * 60 * 60 };

struct listing {
    struct cache_entry *entry;
    size_t count;
    size_t capacity;
    enum tern_err err;
};

static bool is_object(const char *name)
{
    return strlen(name) == DIGEST_HEX_BYTES + 1 &&
           strspn(name, "0123456789abcdef") == DIGEST_HEX_BYTES - 1 &&
           strcmp(name + DIGEST_HEX_BYTES - 1, ".o") == 0;
}

static bool is_leftover(const char *name, const struct stat *st)
{
    return (strstr(name, ".tmp-") || strstr(name, ".lock")) &&
           time(NULL) - st->st_mtime > LEFTOVER_S;
}

static void add(struct listing *l, const char *name, const struct stat *st)
{
    struct cache_entry *e;

    if (l->count == l->capacity) {
        size_t wanted = l->capacity ? 2 * l->capacity : 64;
        struct cache_entry *grown = realloc(l->entry, wanted * sizeof *grown);

        if (!grown) {
            l->err = TERN_ENOMEM;
            return;
        }
        l->entry = grown;
        l->capacity = wanted;
    }
    e = &l->entry[l->count++];
    *e = (struct cache_entry){.size_bytes = (uint64_t)st->st_size,
                              .used_ns =
                                  (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
    memcpy(e->name, name, DIGEST_HEX_BYTES - 1);
}

static int by_use(const void *a, const void *b)
{
    const struct cache_entry *x = a, *y = b;

    if (x->used_ns != y->used_ns)
        return x->used_ns < y->used_ns ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void look_at(struct cache *c, struct listing *l, const char *name)
{
    struct stat st;

    if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* just removed by somebody */
    if (is_object(name) && S_ISREG(st.st_mode))
        add(l, name, &st);
    else if (is_leftover(name, &st))
        sys_unlinkat(c->dir, name, 0);
}

enum tern_err cache_list(struct cache *c, struct cache_entry **out, size_t *count)
{
    struct listing l = {0};
    int dir = c->dir < 0 ? -1 : sys_openat(c->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *d = dir < 0 ? NULL : fdopendir(dir);
    struct dirent *e;

    if (!d)
        return TERN_EIO;
    while (!l.err && (e = readdir(d)))
        look_at(c, &l, e->d_name);
    closedir(d);
    if (l.err) {
        free(l.entry);
        return l.err;
    }
    if (l.count)
        qsort(l.entry, l.count, sizeof *l.entry, by_use);
    *out = l.entry;
    *count = l.count;
    return TERN_OK;
}

enum tern_err cache_prune(struct cache *c, uint64_t size_max, size_t *removed,
                          uint64_t *removed_bytes)
{
    struct cache_entry *entry = NULL;
    size_t count = 0;
    uint64_t kept = 0;
    enum tern_err err = cache_list(c, &entry, &count);

    *removed = 0;
    *removed_bytes = 0;
    for (size_t i = 0; i < count && !err; i++) {
        char name[DIGEST_HEX_BYTES + 2];

        kept += entry[i].size_bytes;
        if (kept <= size_max)
            continue;
        memcpy(name, entry[i].name, DIGEST_HEX_BYTES - 1);
        strcpy(name + DIGEST_HEX_BYTES - 1, ".o");
        if (sys_unlinkat(c->dir, name, 0) == 0) {
            kept -= entry[i].size_bytes;
            *removed_bytes += entry[i].size_bytes;
            ++*removed;
        }
    }
    free(entry);
    return err;
}
