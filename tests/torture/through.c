#include "through.h"

#include "os/checkpoint.h"
#include "os/checkpoint_take.h"
#include "os/file.h"
#include "os/fill.h"
#include "os/sys.h"

#include <string.h>
#include <unistd.h>

enum { KEEP = 2, RENEW_EVERY = 4, PAGE_BITS = 16, STATE_BYTES_MAX = 1 << 30 };

static const char settings[] = "torture";

bool through_module_init(struct through_module *module, struct view bytes)
{
    struct wasm_fault fault;
    const struct store_name name = store_name_of(bytes); /* which is SHA-256 */

    *module = (struct through_module){.bytes = bytes};
    memcpy(module->sha256, name.bytes, sizeof module->sha256);
    return module_load(&module->m, bytes, &fault) == TERN_OK;
}

void through_module_release(struct through_module *module)
{
    module_release(&module->m);
}

enum tern_err through_open(struct through *t, const char *dir, struct problem *p)
{
    struct through fresh = {.memory = sys_memfd("torture-memory"),
                            .state = sys_memfd("torture-state")};
    enum tern_err err;

    if (fresh.memory < 0 || fresh.state < 0)
        err = problem_set(p, TERN_ESYSTEM, "no memfd");
    else
        err = store_open(dir, true, &fresh.store, p);
    if (err)
        through_close(&fresh);
    else
        *t = fresh;
    return err;
}

void through_close(struct through *t)
{
    take_free(t->take);
    store_close(t->store);
    sys_close(t->memory);
    sys_close(t->state);
}

enum tern_err through_empty(int fd, uint64_t size)
{
    int result = sys_ftruncate(fd, 0);

    if (result >= 0)
        result = sys_ftruncate(fd, (off_t)size);
    return file_error(result);
}

enum tern_err through_put(int fd, struct view bytes)
{
    if (sys_ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return TERN_EIO;
    return file_write_fd(fd, bytes);
}

/* For the next checkpoint; what is known of its pages is of the same module's memory. */
static enum tern_err renew(struct through *t, const struct through_order *o, struct problem *p)
{
    const struct take_order order = {
        .store = t->store,
        .settings = view_of_string(settings),
        .module = o->module->bytes,
        .module_sha256 = o->module->sha256,
        .memory = o->memory,
        .state = o->state,
        .limits_memory_pages = o->limits_memory_pages,
        .limits_stack_cells = o->limits_stack_cells,
        .keep = KEEP,
    };

    take_free(t->take);
    t->take = NULL;
    t->of = o->module;
    t->room = o->limits_memory_pages;
    return take_new(&order, &t->take, p);
}

static enum tern_err take(struct through *t, const struct through_order *o, struct problem *p)
{
    struct take_done done;
    bool still = false;
    const bool goes_on = t->of == o->module && t->room == o->limits_memory_pages;
    enum tern_err err = goes_on ? TERN_OK : renew(t, o, p);

    if (!err)
        err = take_stopped(t->take, &still, p);
    if (!err && !still)
        o->meanwhile(o->context);
    if (!err)
        err = take_store(t->take, &done, p);
    if (!err && still)
        o->meanwhile(o->context);
    return err;
}

static enum tern_err check_image(const struct through_order *o, const struct image *image,
                                 struct problem *p)
{
    const struct through_module *m = o->module;

    if (!o->check)
        return TERN_OK;
    return o->entry ? image_check_call(image, &m->m, m->sha256, *o->entry, p)
                    : image_check(image, &m->m, m->sha256, p);
}

/* Into memory that is all zero, at once. */
static enum tern_err load_memory(const struct through *t, const struct checkpoint *c,
                                 struct problem *p)
{
    struct fill *f = NULL;
    enum tern_err err = fill_new(t->store, &c->image, NULL, &f);

    if (!err)
        err = fill_all(f, t->memory);
    fill_free(f);
    return err ? checkpoint_unloaded(c, err, p) : TERN_OK;
}

static enum tern_err load(const struct through *t, const struct checkpoint *c, struct problem *p)
{
    enum tern_err err =
        through_empty(t->memory, (uint64_t)c->image.state.instances[0].memory_pages << PAGE_BITS);

    if (!err)
        err = through_put(t->state, view_of("", 0));
    if (err)
        return problem_set(p, err, "no room for what comes back");
    err = load_memory(t, c, p);
    return err ? err : checkpoint_load_state(c, t->state, p);
}

enum tern_err through_go(struct through *t, const struct through_order *o, struct problem *p)
{
    struct checkpoint c;
    enum tern_err err = take(t, o, p);

    if (!err)
        err = checkpoint_open(t->store, 0, &c, p);
    if (err)
        return err;
    if (!view_equal(bytes_view(&c.module), o->module->bytes) ||
        !view_equal(bytes_view(&c.settings), view_of_string(settings)))
        err = problem_set(p, TERN_ECORRUPT, "module or settings changed on the way");
    if (!err)
        err = check_image(o, &c.image, p);
    if (!err)
        err = load(t, &c, p);
    checkpoint_release(&c);
    if (!err && ++t->images % RENEW_EVERY == 0)
        err = renew(t, o, p);
    return err;
}

enum tern_err through_state(const struct through *t, struct state *s, struct bytes *bytes,
                            struct arena *arena)
{
    struct stat st;
    uint8_t *room;

    bytes_clear(bytes);
    if (sys_fstat(t->state, &st) < 0 || st.st_size > STATE_BYTES_MAX)
        return TERN_EIO;
    room = bytes_reserve(bytes, (size_t)st.st_size);
    if (!room)
        return TERN_ENOMEM;
    if (sys_pread(t->state, room, (size_t)st.st_size, 0) != st.st_size)
        return TERN_EIO;
    bytes->size = (size_t)st.st_size;
    return state_decode(s, bytes_view(bytes), arena);
}
