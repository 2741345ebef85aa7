#include "os/object.h"

#include "os/cache.h"
#include "os/compile.h"
#include "os/compiler.h"
#include "os/embedded.h"
#include "os/file.h"
#include "rt/tern_rt.h"

#include <stdio.h>
#include <string.h>

static bool looks_like_module(struct view bytes)
{
    return bytes.size >= 4 && memcmp(bytes.data, "\0asm", 4) == 0;
}

enum tern_err object_load_module(struct view bytes, const char *name, struct wasm_module *out,
                                 struct problem *p)
{
    struct wasm_fault fault;
    enum tern_err err;

    if (!looks_like_module(bytes))
        return problem_set(p, TERN_EMALFORMED,
                           "%s is not a WebAssembly module (it does not begin with \\0asm); "
                           "tern cc makes one from C",
                           name);
    err = module_load(out, bytes, &fault);
    if (err == TERN_EMALFORMED || err == TERN_EINVALID)
        return problem_set(p, err, "%s is %s: %s at offset 0x%x", name,
                           err == TERN_EINVALID ? "not valid" : "malformed", fault.reason,
                           fault.offset);
    return err ? problem_set(p, err, "cannot load %s: %s", name, tern_err_text(err)) : TERN_OK;
}

static void add_points(struct hash *h, const struct translate_points *points)
{
    char text[64];

    for (size_t i = 0; i < points->count; i++) {
        const struct translate_point *at = &points->list[i];

        snprintf(text, sizeof text, "point %u %u %d", at->func, at->offset, (int)at->inside);
        hash_add_text(h, text);
    }
}

static enum tern_err make_key(const struct object_order *o, const struct compiler *c,
                              struct digest *out)
{
    struct words flags = {0};
    const struct digest module = hash_of(o->module);
    struct hash h;
    const struct translate_options options = compile_options(o->deterministic);
    char numbers[96];
    bool failed;

    compiler_flags(c, o->settings->cflags, &flags);
    compiler_link_flags(c, &flags);
    snprintf(numbers, sizeof numbers, "object 1 translate %d abi %d piece %u%s", TRANSLATE_VERSION,
             (int)TERN_RT_ABI, options.piece_bytes, options.deterministic ? " deterministic" : "");
    hash_begin(&h);
    hash_add_text(&h, numbers);
    hash_add(&h, view_of(module.byte, sizeof module.byte));
    hash_add_text(&h, embedded_hash);
    hash_add_text(&h, c->version);
    hash_add_text(&h, c->machine);
    for (size_t i = 0; i < c->command.count; i++)
        hash_add_text(&h, c->command.word[i]);
    for (size_t i = 0; i < flags.count; i++)
        hash_add_text(&h, flags.word[i]);
    if (o->points)
        add_points(&h, o->points);
    *out = hash_end(&h);
    failed = flags.failed;
    words_release(&flags);
    return failed ? TERN_ENOMEM : TERN_OK;
}

static enum tern_err open_cache(const struct object_order *o, struct cache *out, struct problem *p)
{
    char path[DIRS_PATH_MAX], text[PROBLEM_TEXT_MAX + 64];
    struct problem why;
    enum tern_err err = dirs_cache_path(o->settings->cache_dir, o->settings->cache_home,
                                        o->settings->home, path, &why);

    *out = (struct cache){.dir = -1};
    if (!err)
        err = cache_open(out, path, o->settings->cache_bytes_max, &why);
    if (err == TERN_EUNSAFE) {
        if (p)
            *p = why;
        return err;
    }
    if (err) {
        snprintf(text, sizeof text, "%s; going on without keeping the compiled module", why.text);
        o->warn(text);
    }
    return TERN_OK;
}

static enum tern_err store(const struct object_order *o, struct cache *cache,
                           const struct digest *key, struct view object)
{
    struct problem why;
    enum tern_err err = cache->dir < 0 ? TERN_OK : cache_put(cache, key, object, &why);

    if (err)
        o->warn(why.text);
    return err;
}

static enum tern_err build(const struct object_order *o, const struct compiler *c,
                           struct cache *cache, const struct digest *key, struct object *out,
                           struct problem *p)
{
    struct compile_order order = {.settings = o->settings,
                                  .compiler = c,
                                  .name = o->name,
                                  .points = o->points,
                                  .deterministic = o->deterministic,
                                  .give_up = o->give_up,
                                  .cache = cache};
    struct bytes object = {0};
    struct wasm_module m;
    enum tern_err err = object_load_module(o->module, o->name, &m, p);

    if (err)
        return err;
    order.module = &m;
    err = compile_module(&order, &object, &out->signal, p);
    if (!err) {
        store(o, cache, key, bytes_view(&object));
        err = file_sealed("tern-object", bytes_view(&object), &out->fd);
        if (err)
            problem_set(p, err, "cannot keep the compiled module in memory: %s",
                        tern_err_text(err));
    }
    bytes_release(&object);
    module_release(&m);
    return err;
}

/* One of several processes that want the same object builds it; the others wait and find it. */
static enum tern_err get_or_build(const struct object_order *o, const struct compiler *c,
                                  struct cache *cache, struct object *out, struct problem *p)
{
    struct cache_lock lock;
    struct digest key;
    enum tern_err err = make_key(o, c, &key);

    if (err)
        return problem_set(p, err, "out of memory");
    err = cache_get(cache, &key, &out->fd, p);
    if (err == TERN_ENOENT) {
        cache_lock(cache, &key, &lock);
        err = lock.fd < 0 ? TERN_ENOENT : cache_get(cache, &key, &out->fd, p);
        out->cached = err == TERN_OK;
        if (err == TERN_ENOENT)
            err = build(o, c, cache, &key, out, p);
        cache_unlock(cache, &lock);
        return err;
    }
    out->cached = err == TERN_OK;
    return err;
}

enum tern_err object_make(const struct object_order *order, struct object *out, struct problem *p)
{
    struct object made = {.fd = -1};
    struct compiler c = {0};
    struct cache cache;
    enum tern_err err = open_cache(order, &cache, p);

    out->signal = 0;
    if (err)
        return err;
    err = compiler_find(order->settings, &c, p);
    if (!err)
        err = compiler_identify(&c, &cache, p);
    if (!err)
        err = get_or_build(order, &c, &cache, &made, p);
    compiler_release(&c);
    cache_close(&cache);
    out->signal = made.signal;
    if (!err)
        *out = made;
    return err;
}
