#include "os/pool/chunks_inner.h"

#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>

enum { CHUNK_OVERHEAD = 256 }; /* of a chunk, in the index */

/* ---- The interface ---- */

static struct store *found_damaged(struct chunks_store *cs, struct store *s,
                                   const struct store_name *name)
{
    store_spoil(s, name);
    cs->damaged++;
    return s;
}

static bool call_has(void *self, const char *domain, const struct store_name *name, unsigned kind)
{
    struct chunks_store *cs = self;
    struct store *s = domains_find(cs, domain);

    if (!s || !store_is_whole(s, name, kind, &chunks_rules))
        return false;
    store_pin(s, name, kind);
    return true;
}

static enum tern_err call_put(void *self, const char *domain, const struct store_name *name,
                              const struct store_stored *stored)
{
    struct chunks_store *cs = self;
    const uint64_t bytes = stored->bytes.size + CHUNK_OVERHEAD;
    struct store *s;
    enum tern_err err = chunks_store_of(cs, domain, &s, NULL);

    if (err)
        return err;
    if (store_has(s, name)) {
        store_pin(s, name, STORE_LEAF);
        return TERN_OK;
    }
    if (!tidy_make_room(cs, bytes))
        return TERN_ENOSPACE;
    err = store_put_stored(s, name, stored, NULL);
    if (err)
        return err;
    store_pin(s, name, STORE_LEAF);
    cs->used_bytes += bytes;
    return TERN_OK;
}

static enum tern_err call_get(void *self, const char *domain, const struct store_name *name,
                              const struct store_name *has, struct store_stored *out,
                              struct bytes *room)
{
    struct chunks_store *cs = self;
    struct store *s = domains_find(cs, domain);
    enum tern_err err = s ? store_get_stored(s, name, has, out, room) : TERN_ENOENT;

    if (err == TERN_ECORRUPT)
        found_damaged(cs, s, name);
    return err;
}

static enum tern_err call_plain(void *self, const char *domain, const struct store_name *name,
                                struct bytes *out)
{
    struct chunks_store *cs = self;
    struct store *s = domains_find(cs, domain);
    enum tern_err err = s ? store_get(s, name, out) : TERN_ENOENT;

    if (err == TERN_ECORRUPT)
        found_damaged(cs, s, name);
    return err;
}

static enum tern_err call_commit(void *self, const char *domain, const struct chunks_root *root,
                                 uint64_t *new_bytes, struct problem *p)
{
    const struct store_held held = {
        .name = root->name, .kind = root->kind, .expires_ns = root->expires_ns};
    struct chunks_store *cs = self;
    struct store *s = domains_find(cs, domain);

    if (!s)
        return problem_set(p, TERN_ENOENT, "there is nothing of that root");
    return store_hold(s, &held, &chunks_rules, new_bytes, p);
}

static enum tern_err call_extend(void *self, const char *domain, const struct chunks_root *root)
{
    const struct store_held held = {
        .name = root->name, .kind = root->kind, .expires_ns = root->expires_ns};
    struct store *s = domains_find(self, domain);

    return s ? store_extend(s, &held) : TERN_ENOENT;
}

static enum tern_err call_drop(void *self, const char *domain, const struct store_name *name)
{
    struct chunks_store *cs = self;
    struct store *s = domains_find(cs, domain);

    cs->futile = false;
    return s ? store_drop(s, name) : TERN_ENOENT;
}

struct listing {
    void *context;
    void (*each)(void *context, const char *domain, const struct chunks_root *root);
    const char *domain;
};

static void list_one(void *context, const struct store_held *root)
{
    const struct listing *l = context;

    l->each(l->context, l->domain, &(struct chunks_root){root->name, root->kind, root->expires_ns});
}

static void call_roots(void *self, void *context,
                       void (*each)(void *context, const char *domain,
                                    const struct chunks_root *root))
{
    const struct chunks_store *cs = self;
    struct listing l = {.context = context, .each = each};

    for (size_t i = 0; i < cs->count; i++) {
        l.domain = cs->domain[i].name;
        store_each_held(cs->domain[i].store, &l, list_one);
    }
}

/* Without a limit of our own: what the file system has left. */
static uint64_t space_of(const struct chunks_store *cs, uint64_t used_bytes)
{
    struct statvfs fs;

    if (cs->config.space_bytes || statvfs(cs->path, &fs))
        return cs->config.space_bytes;
    return used_bytes + (uint64_t)fs.f_bavail * fs.f_frsize;
}

static void call_usage(void *self, struct chunks_usage *out)
{
    struct chunks_store *cs = self;

    *out = (struct chunks_usage){.used_bytes = tidy_measure(cs), .damaged = cs->damaged};
    out->space_bytes = space_of(cs, out->used_bytes);
    for (size_t i = 0; i < cs->count; i++)
        out->roots += store_held_count(cs->domain[i].store);
}

static bool call_tidy(void *self)
{
    return tidy_step(self);
}

static bool call_like(void *self, const char *domain, const struct store_name *name,
                      struct store_name *base)
{
    struct store *s = domains_find(self, domain);

    return s && store_like(s, name, base);
}

static uint64_t call_pins(void *self, uint64_t oldest)
{
    struct chunks_store *cs = self;

    cs->oldest = oldest;
    cs->stamp++;
    cs->futile = false;
    for (size_t i = 0; i < cs->count; i++)
        store_pins(cs->domain[i].store, cs->stamp, oldest);
    return cs->stamp;
}

struct chunks chunks_store_chunks(struct chunks_store *cs)
{
    static const struct chunks_calls calls = {
        .has = call_has,
        .put = call_put,
        .get = call_get,
        .plain = call_plain,
        .commit = call_commit,
        .extend = call_extend,
        .drop = call_drop,
        .roots = call_roots,
        .usage = call_usage,
        .tidy = call_tidy,
        .like = call_like,
        .pins = call_pins,
    };

    return (struct chunks){.calls = &calls, .self = cs};
}

/* ---- Opening ---- */

static enum tern_err take_lock(struct chunks_store *cs, struct problem *p)
{
    char path[4096];
    int error;

    snprintf(path, sizeof path, "%s/lock", cs->path);
    cs->lock = sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (cs->lock < 0)
        return problem_set(p, file_error(cs->lock), "cannot open %s: %s", path,
                           strerror(-cs->lock));
    error = sys_flock(cs->lock, LOCK_EX | LOCK_NB);
    if (error == -EWOULDBLOCK)
        return problem_set(p, TERN_EBUSY, "%s is in use by another process", cs->path);
    return error < 0 ? problem_set(p, TERN_EIO, "cannot lock %s: %s", path, strerror(-error))
                     : TERN_OK;
}

static enum tern_err open_all(struct chunks_store *cs, struct problem *p)
{
    int made = sys_mkdir(cs->path, 0700);
    enum tern_err err;

    if (made == -ENOENT)
        return problem_set(p, TERN_ENOENT, "cannot make %s: the directory above it is not there",
                           cs->path);
    if (made < 0 && made != -EEXIST)
        return problem_set(p, file_error(made), "cannot make %s: %s", cs->path, strerror(-made));
    err = take_lock(cs, p);
    if (!err)
        err = domains_open_all(cs, p);
    if (!err)
        tidy_measure(cs);
    return err;
}

enum tern_err chunks_store_open(const struct chunks_store_config *config, struct chunks_store **out,
                                struct problem *p)
{
    struct chunks_store *cs = calloc(1, sizeof *cs);
    enum tern_err err = TERN_ENOMEM;

    if (cs) {
        *cs = (struct chunks_store){.config = *config, .lock = -1, .oldest = UINT64_MAX};
        cs->path = strdup(config->dir);
    }
    err = cs && cs->path ? open_all(cs, p) : problem_set(p, TERN_ENOMEM, "out of memory");
    if (err)
        chunks_store_close(cs);
    else
        *out = cs;
    return err;
}

void chunks_store_close(struct chunks_store *cs)
{
    if (!cs)
        return;
    domains_close_all(cs);
    if (cs->in_memory)
        file_remove_tree(cs->path);
    sys_close(cs->lock);
    free(cs->path);
    free(cs);
}

const char *chunks_store_path(const struct chunks_store *cs)
{
    return cs->path;
}
