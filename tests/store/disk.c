#include "disk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct disk_event *note(struct disk *d, enum disk_kind kind, uint64_t number, uint64_t at)
{
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? 2 * d->capacity : 256;
        d->events = realloc(d->events, d->capacity * sizeof *d->events);
        assert_non_null(d->events);
    }
    d->events[d->count] = (struct disk_event){.kind = kind, .number = number, .at = at};
    return &d->events[d->count++];
}

static uint64_t pack_number(const char *name)
{
    return strncmp(name, "pack-", 5) == 0 ? strtoull(name + 5, NULL, 10) : 0;
}

static int watch_open(void *context, int dir, const char *name, int flags)
{
    struct disk *d = context;
    int fd = store_io_system()->open(NULL, dir, name, flags);

    if (fd < 0)
        return fd;
    assert_true(fd < DISK_FDS);
    d->pack_of[fd] = pack_number(name);
    if (flags & O_CREAT && d->pack_of[fd]) {
        assert_true(flags & O_EXCL);
        note(d, DISK_CREATE, d->pack_of[fd], 0);
    }
    return fd;
}

static ssize_t watch_write(void *context, int fd, struct view bytes, uint64_t at)
{
    struct disk *d = context;
    ssize_t put = store_io_system()->write(NULL, fd, bytes, at);

    if (put > 0 && d->pack_of[fd])
        bytes_append(&note(d, DISK_WRITE, d->pack_of[fd], at)->bytes, bytes.data, (size_t)put);
    return put;
}

static int watch_resize(void *context, int fd, uint64_t size)
{
    struct disk *d = context;

    if (d->pack_of[fd])
        note(d, DISK_RESIZE, d->pack_of[fd], size);
    return store_io_system()->resize(NULL, fd, size);
}

/* Nothing has to reach a real disk here. */
static int watch_sync(void *context, int fd)
{
    struct disk *d = context;

    if (d->pack_of[fd])
        note(d, DISK_SYNC, d->pack_of[fd], 0);
    return 0;
}

static int watch_sync_dir(void *context, int fd)
{
    (void)fd;
    note(context, DISK_SYNC_DIR, 0, 0);
    return 0;
}

static int watch_remove(void *context, int dir, const char *name)
{
    if (pack_number(name))
        note(context, DISK_REMOVE, pack_number(name), 0);
    return store_io_system()->remove(NULL, dir, name);
}

static int watch_commit(void *context, struct MDB_txn *txn)
{
    struct disk *d = context;
    int rc = mdb_txn_commit(txn);

    if (!rc)
        file_load(d->index, &note(d, DISK_COMMIT, 0, 0)->bytes);
    return rc;
}

void disk_watch(struct disk *d, const struct shelf *shelf)
{
    *d = (struct disk){.io = *store_io_system()};
    d->io.context = d;
    d->io.open = watch_open;
    d->io.write = watch_write;
    d->io.resize = watch_resize;
    d->io.sync = watch_sync;
    d->io.sync_dir = watch_sync_dir;
    d->io.remove = watch_remove;
    d->io.commit = watch_commit;
    snprintf(d->index, sizeof d->index, "%s", shelf_file(shelf, "index"));
}

void disk_release(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++)
        bytes_release(&d->events[i].bytes);
    free(d->events);
}

void disk_mark(struct disk *d, uint64_t number)
{
    note(d, DISK_MARK, number, 0);
}

uint64_t disk_last_mark(const struct disk *d, size_t cut)
{
    for (size_t i = cut; i-- > 0;)
        if (d->events[i].kind == DISK_MARK)
            return d->events[i].number;
    return 0;
}

static void resize_to(struct bytes *file, uint64_t size)
{
    if (size > file->size) {
        uint8_t *room = bytes_reserve(file, size - file->size);

        assert_non_null(room);
        memset(room, 0, size - file->size);
    }
    file->size = size;
}

static void land(struct bytes *file, const struct disk_event *e, size_t from, size_t to)
{
    if (e->kind == DISK_RESIZE) {
        resize_to(file, e->at);
        return;
    }
    if (file->size < e->at + to)
        resize_to(file, e->at + to);
    if (to > from)
        memcpy(file->data + e->at + from, e->bytes.data + from, to - from);
}

/* One that was not synced. */
static void roll(struct bytes *file, const struct disk_event *e, uint64_t *seed)
{
    uint32_t size = (uint32_t)e->bytes.size, a, b;

    switch (draw_below(seed, 3)) {
    case 0: land(file, e, 0, size); break;
    case 1: break;
    default:
        a = draw_below(seed, size + 1);
        b = draw_below(seed, size + 1);
        land(file, e, a < b ? a : b, a < b ? b : a);
        a = a < b ? a : b;
        if (e->kind == DISK_WRITE && a && file->data && draw_below(seed, 2)) { /* anything */
            for (uint32_t i = 0; i < a; i++)
                file->data[e->at + i] = (uint8_t)draw(seed);
        }
    }
}

/* The last event of a kind that is about this pack, or about all: its index + 1, else 0. */
static size_t last_of(const struct disk *d, size_t cut, enum disk_kind kind, uint64_t number)
{
    for (size_t i = cut; i-- > 0;)
        if (d->events[i].kind == kind && d->events[i].number == number)
            return i + 1;
    return 0;
}

/* Whether the file has its name: certain once the directory was synced, else up to the dice. */
static bool has_name(const struct disk *d, size_t cut, uint64_t number, uint64_t *seed)
{
    size_t synced = last_of(d, cut, DISK_SYNC_DIR, 0);
    size_t made = last_of(d, cut, DISK_CREATE, number);
    size_t removed = last_of(d, cut, DISK_REMOVE, number);
    bool made_for_sure = made < synced, removed_for_sure = removed && removed < synced;

    if (removed_for_sure)
        return false;
    if (removed || !made_for_sure)
        return draw_below(seed, 2);
    return true;
}

static void save_pack(const struct disk *d, size_t cut, uint64_t number, uint64_t *seed,
                      const struct shelf *to)
{
    size_t synced = last_of(d, cut, DISK_SYNC, number);
    struct bytes file = {0};
    char name[PACK_NAME_BYTES];

    for (size_t i = 0; i < cut; i++) {
        const struct disk_event *e = &d->events[i];

        if (e->number != number || (e->kind != DISK_WRITE && e->kind != DISK_RESIZE))
            continue;
        if (i < synced)
            land(&file, e, 0, e->bytes.size);
        else
            roll(&file, e, seed);
    }
    pack_name(number, name);
    file_save(shelf_file(to, name), bytes_view(&file));
    bytes_release(&file);
}

void disk_after_cut(const struct disk *d, size_t cut, uint64_t *seed, const struct shelf *to)
{
    size_t index = last_of(d, cut, DISK_COMMIT, 0);

    shelf_empty(to->store);
    assert_int_equal(mkdir(to->store, 0700), 0);
    for (size_t i = 0; i < cut; i++)
        if (d->events[i].kind == DISK_CREATE && has_name(d, cut, d->events[i].number, seed))
            save_pack(d, cut, d->events[i].number, seed, to);
    if (index)
        file_save(shelf_file(to, "index"), bytes_view(&d->events[index - 1].bytes));
}
