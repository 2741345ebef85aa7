#include "store/pack.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_PART = 16 }; /* of a pack, at most */

void pack_name(uint64_t number, char out[PACK_NAME_BYTES])
{
    snprintf(out, PACK_NAME_BYTES, "pack-%" PRIu64, number);
}

void packs_init(struct packs *ps, const struct store_io *io, int dir, uint64_t bytes_max)
{
    const uint64_t part = bytes_max / TAIL_PART;

    *ps = (struct packs){.io = io, .dir = dir, .bytes_max = bytes_max, .next = 1, .writing = -1};
    ps->tail_max = part < PACK_TAIL_BYTES ? (size_t)part : PACK_TAIL_BYTES;
}

void packs_release(struct packs *ps)
{
    if (!ps->io)
        return;
    ps->tail_bytes = 0; /* nobody has committed it */
    packs_retire(ps);
    for (size_t i = 0; i < PACK_OPEN_MAX; i++)
        if (ps->open[i].number)
            ps->io->close(ps->io->context, ps->open[i].fd);
    free(ps->at);
    free(ps->tail);
    *ps = (struct packs){.writing = -1};
}

/* Remembers which pack it was about. */
static int fail(struct packs *ps, uint64_t number, int error)
{
    ps->failed = number;
    return error;
}

static struct pack *add(struct packs *ps, uint64_t number)
{
    if (ps->count == ps->capacity) {
        size_t wanted = ps->capacity ? 2 * ps->capacity : 16;
        struct pack *at = wanted <= PACK_COUNT_MAX ? realloc(ps->at, wanted * sizeof *at) : NULL;

        if (!at)
            return NULL;
        ps->at = at;
        ps->capacity = wanted;
    }
    ps->at[ps->count] = (struct pack){.number = number};
    return &ps->at[ps->count++];
}

static int by_number(const void *a, const void *b)
{
    const struct pack *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

struct pack *packs_find(struct packs *ps, uint64_t number)
{
    struct pack key = {.number = number};

    return ps->count ? bsearch(&key, ps->at, ps->count, sizeof key, by_number) : NULL;
}

struct finding {
    struct packs *packs;
    int error;
};

/* Only names that pack_name gives: no leading zeros, nothing behind. */
static void found(void *to, const char *name)
{
    struct finding *f = to;
    char again[PACK_NAME_BYTES];
    uint64_t number;

    if (strncmp(name, "pack-", 5) != 0)
        return;
    number = strtoull(name + 5, NULL, 10);
    pack_name(number, again);
    if (number == 0 || number >= UINT64_MAX / 2 || strcmp(name, again) != 0)
        return;
    if (!add(f->packs, number))
        f->error = -ENOMEM;
}

static int measure(struct packs *ps, struct pack *p)
{
    char name[PACK_NAME_BYTES];
    int64_t size;
    int fd;

    pack_name(p->number, name);
    fd = ps->io->open(ps->io->context, ps->dir, name, O_RDONLY | O_NOFOLLOW);
    if (fd == -ENOENT) /* whoever writes has just removed it */
        return 0;
    if (fd < 0)
        return fail(ps, p->number, fd);
    size = ps->io->size(ps->io->context, fd);
    ps->io->close(ps->io->context, fd);
    if (size < 0)
        return fail(ps, p->number, (int)size);
    p->size = p->durable = (uint64_t)size;
    return 0;
}

int packs_load(struct packs *ps)
{
    struct finding f = {.packs = ps};
    int error = ps->io->list(ps->io->context, ps->dir, found, &f);

    error = error ? error : f.error;
    if (error)
        return fail(ps, 0, error);
    if (ps->count == 0)
        return 0;
    qsort(ps->at, ps->count, sizeof *ps->at, by_number);
    for (size_t i = 0; i < ps->count && !error; i++)
        error = measure(ps, &ps->at[i]);
    ps->next = ps->at[ps->count - 1].number + 1;
    return error;
}

void packs_cut(struct packs *ps, struct pack *p, uint64_t size)
{
    char name[PACK_NAME_BYTES];
    int fd;

    pack_name(p->number, name);
    fd = ps->io->open(ps->io->context, ps->dir, name, O_WRONLY | O_NOFOLLOW);
    if (fd >= 0 && ps->io->resize(ps->io->context, fd, size) == 0) {
        p->size = size;
        p->durable = p->durable < size ? p->durable : size;
    }
    ps->io->close(ps->io->context, fd);
}

void packs_trim(struct packs *ps)
{
    for (size_t i = ps->count; i-- > 0;) {
        struct pack *p = &ps->at[i];

        if (p->end == 0)
            packs_remove(ps, p->number);
        else if (p->size > p->end)
            packs_cut(ps, p, p->end);
    }
}

static struct pack *newest(struct packs *ps)
{
    check(ps->count > 0);
    return &ps->at[ps->count - 1];
}

static int write_tail(struct packs *ps)
{
    struct pack *p;
    int error;

    if (ps->tail_bytes == 0)
        return 0;
    p = newest(ps);
    error = store_io_write_all(ps->io, ps->writing, view_of(ps->tail, ps->tail_bytes),
                               p->size - ps->tail_bytes);
    if (error)
        return fail(ps, p->number, error);
    ps->tail_bytes = 0;
    return 0;
}

void packs_retire(struct packs *ps)
{
    if (ps->writing < 0)
        return;
    if (write_tail(ps)) {
        newest(ps)->size -= ps->tail_bytes; /* lost: whoever reads it finds it too short */
        ps->tail_bytes = 0;
    }
    ps->io->close(ps->io->context, ps->writing);
    ps->writing = -1;
}

/* A pack to append to: the newest if that is whole and has room and is open or can be. */
static int begin(struct packs *ps, bool fresh)
{
    char name[PACK_NAME_BYTES];
    uint64_t number = fresh ? ps->next : newest(ps)->number;
    int fd;

    if (fresh && ps->count == ps->capacity && ps->capacity >= PACK_COUNT_MAX)
        return fail(ps, number, -EMFILE);
    pack_name(number, name);
    fd = ps->io->open(ps->io->context, ps->dir, name,
                      fresh ? O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW : O_WRONLY | O_NOFOLLOW);
    if (fd < 0)
        return fail(ps, number, fd);
    if (fresh) {
        ps->next++;
        ps->unsynced_name = true;
    }
    if (fresh && !add(ps, number)) {
        ps->io->close(ps->io->context, fd);
        ps->io->remove(ps->io->context, ps->dir, name);
        return fail(ps, number, -ENOMEM);
    }
    ps->writing = fd;
    return 0;
}

/* A pack that is as the index says: open it again instead of making one for each session. */
static bool can_go_on(struct packs *ps)
{
    const struct pack *p = ps->count ? newest(ps) : NULL;

    return p && !p->closed && p->number + 1 == ps->next && p->size == p->end && p->end > 0 &&
           p->size < ps->bytes_max;
}

static int sync_newest(struct packs *ps)
{
    struct pack *p = newest(ps);
    int error;

    if (p->durable == p->size)
        return 0;
    error = write_tail(ps);
    if (error)
        return error;
    error = ps->io->sync(ps->io->context, ps->writing);
    if (error) {
        packs_retire(ps);
        p->closed = true;
        return fail(ps, p->number, error);
    }
    p->durable = p->size;
    return 0;
}

static int ready(struct packs *ps)
{
    int error;

    if (ps->writing >= 0 && newest(ps)->size < ps->bytes_max)
        return 0;
    if (ps->writing >= 0) {
        error = sync_newest(ps);
        if (error && ps->tail_bytes)
            return error; /* nothing is lost: it is tried again */
        packs_retire(ps);
        if (error)
            return error;
        return begin(ps, true);
    }
    return begin(ps, !can_go_on(ps));
}

/* Behind what is gathered, or, if that is too much, to the file. */
static int gather(struct packs *ps, struct view stored)
{
    int error = ps->tail_bytes + stored.size > ps->tail_max ? write_tail(ps) : 0;

    if (error)
        return error;
    if (!ps->tail)
        ps->tail = malloc(ps->tail_max);
    if (!ps->tail || stored.size > ps->tail_max) {
        error = store_io_write_all(ps->io, ps->writing, stored, newest(ps)->size);
        return error ? fail(ps, newest(ps)->number, error) : 0;
    }
    memcpy(ps->tail + ps->tail_bytes, stored.data, stored.size);
    ps->tail_bytes += stored.size;
    return 0;
}

int packs_append(struct packs *ps, struct view stored, uint64_t *number, uint64_t *offset)
{
    int error = ready(ps);
    struct pack *p;

    if (error)
        return error;
    p = newest(ps);
    error = gather(ps, stored);
    if (error)
        return error;
    *number = p->number;
    *offset = p->size;
    p->size += stored.size;
    return 0;
}

int packs_sync(struct packs *ps)
{
    int error = ps->writing >= 0 ? sync_newest(ps) : 0;

    if (error || !ps->unsynced_name)
        return error;
    error = ps->io->sync_dir(ps->io->context, ps->dir);
    if (error)
        return fail(ps, 0, error);
    ps->unsynced_name = false;
    return 0;
}

static int reading(struct packs *ps, uint64_t number)
{
    char name[PACK_NAME_BYTES];
    int fd;

    for (size_t i = 0; i < PACK_OPEN_MAX; i++)
        if (ps->open[i].number == number)
            return ps->open[i].fd;
    pack_name(number, name);
    fd = ps->io->open(ps->io->context, ps->dir, name, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        return fd;
    ps->turn = (ps->turn + 1) % PACK_OPEN_MAX;
    if (ps->open[ps->turn].number)
        ps->io->close(ps->io->context, ps->open[ps->turn].fd);
    ps->open[ps->turn].number = number;
    ps->open[ps->turn].fd = fd;
    return fd;
}

int packs_read(struct packs *ps, uint64_t number, uint64_t offset, void *to, size_t size)
{
    const bool gathered = ps->tail_bytes && newest(ps)->number == number &&
                          offset + size > newest(ps)->size - ps->tail_bytes;
    int fd = number ? reading(ps, number) : -ENOENT;
    int error = gathered ? write_tail(ps) : 0;

    if (error)
        return error;
    error = fd < 0 ? fd : store_io_read_all(ps->io, fd, to, size, offset);

    return error ? fail(ps, number, error) : 0;
}

static void stop_reading(struct packs *ps, uint64_t number)
{
    for (size_t i = 0; i < PACK_OPEN_MAX; i++) {
        if (ps->open[i].number != number)
            continue;
        ps->io->close(ps->io->context, ps->open[i].fd);
        ps->open[i].number = 0;
    }
}

int packs_remove(struct packs *ps, uint64_t number)
{
    struct pack *p = packs_find(ps, number);
    char name[PACK_NAME_BYTES];
    int error;

    check(p);
    if (p == newest(ps)) {
        ps->tail_bytes = 0; /* it goes */
        packs_retire(ps);
    }
    pack_name(number, name);
    error = ps->io->remove(ps->io->context, ps->dir, name);
    if (error && error != -ENOENT)
        return fail(ps, number, error);
    stop_reading(ps, number);
    memmove(p, p + 1, (size_t)(ps->at + ps->count - (p + 1)) * sizeof *p);
    ps->count--;
    return 0;
}
