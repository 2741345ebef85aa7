#include "runner/recorder.h"

#include "base/xxh64.h"
#include "runner/clock.h"
#include "runner/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

struct recorder {
    struct plan plan;
    struct record_call call;
    uint64_t start_ns;
    off_t size; /* of the file, so far */
    bool broken;
    bool unmappable; /* a file system without fallocate, or without shared mappings */
    uint8_t *window; /* of the file, from window_at on; NULL: none yet */
    off_t window_at;
    uint8_t head[RECORD_HEAD_BYTES];
    uint8_t contents[RECORD_CALL_BYTES_MAX];
    struct iovec parts[1 + RECORD_RANGES_MAX];
};

void recorder_start(struct host *h)
{
    static struct recorder recorder;

    recorder.start_ns = clock_ns(CLOCK_MONOTONIC);
    recorder.size = lseek(TICKET_FD_RECORD, 0, SEEK_CUR);
    h->recorder = &recorder;
}

/* ---- Writing ---- */

/*
 * The contents of a block first, its head behind them: until that is there, a reader finds zeros
 * in its place, which are no block. Most blocks go into a part of the file that is mapped, which
 * costs no system call; it belongs to the kernel the moment that it is stored there.
 */
enum {
    WINDOW_BYTES = 1 << 20,
    WINDOW_ALIGN = 64 << 10, /* no machine has larger pages */
    MAPPED_MAX = 64 << 10,   /* larger blocks are written */
};

/* There is room for this: it is there already. */
static void give_up(struct recorder *r, int error)
{
    uint8_t why[4];
    struct iovec part = {why, sizeof why};

    r->broken = true;
    record_encode_broken((uint32_t)error, why);
    (void)!ftruncate(TICKET_FD_RECORD, r->size); /* if not: what is behind has no head */
    (void)!pwritev(TICKET_FD_RECORD, &part, 1, RECORD_BROKEN_AT);
}

static int allocate(off_t at, off_t size)
{
    int result;

    do
        result = fallocate(TICKET_FD_RECORD, 0, at, size);
    while (result < 0 && errno == EINTR);
    return result < 0 ? errno : 0;
}

/* From where the file ends on; its room is allocated, since a full disk would be a fault. */
static int open_window(struct recorder *r)
{
    const off_t at = r->size & ~(off_t)(WINDOW_ALIGN - 1);
    const int error = allocate(at, WINDOW_BYTES);
    void *window;

    if (error)
        return error;
    window = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                  TICKET_FD_RECORD, at);
    if (window == MAP_FAILED)
        return errno;
    if (r->window)
        munmap(r->window, WINDOW_BYTES);
    r->window = window;
    r->window_at = at;
    return 0;
}

/* Where the next block goes, if it is mapped; NULL: it has to be written. */
static uint8_t *room_for(struct recorder *r, uint64_t bytes)
{
    int error;

    if (bytes > MAPPED_MAX || r->unmappable)
        return NULL;
    if (!r->window || r->size + (off_t)bytes > r->window_at + WINDOW_BYTES) {
        error = open_window(r);
        r->unmappable = error == EOPNOTSUPP || error == ENOSYS || error == ENODEV;
        if (error && !r->unmappable)
            give_up(r, error);
        if (error)
            return NULL;
    }
    return r->window + (r->size - r->window_at);
}

/* Forgets the first `bytes` of what is to be written. */
static struct iovec *skip(struct iovec *parts, int *count, size_t bytes)
{
    while (*count > 0 && bytes >= parts->iov_len) {
        bytes -= parts->iov_len;
        parts++;
        --*count;
    }
    if (*count > 0) {
        parts->iov_base = (uint8_t *)parts->iov_base + bytes;
        parts->iov_len -= bytes;
    }
    return parts;
}

static bool write_all(struct iovec *parts, int count, off_t at)
{
    while (count > 0) {
        const ssize_t done =
            pwritev(TICKET_FD_RECORD, parts, count < VECTORS_MAX ? count : VECTORS_MAX, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        parts = skip(parts, &count, (size_t)done);
        at += done;
    }
    return true;
}

static void store_block(const struct recorder *r, uint8_t *to, int count)
{
    uint8_t *contents = to + sizeof r->head;

    for (int i = 0; i < count; i++) {
        memcpy(contents, r->parts[i].iov_base, r->parts[i].iov_len);
        contents += r->parts[i].iov_len;
    }
    atomic_thread_fence(memory_order_release); /* for whoever reads along */
    memcpy(to, r->head, sizeof r->head);
}

static void write_block(struct recorder *r, int count)
{
    struct iovec head = {r->head, sizeof r->head};

    if (!write_all(r->parts, count, r->size + (off_t)sizeof r->head) ||
        !write_all(&head, 1, r->size))
        give_up(r, errno);
}

static uint64_t hash_parts(const struct iovec *parts, int count)
{
    struct xxh64 hash;

    xxh64_begin(&hash, RECORD_CALL);
    for (int i = 0; i < count; i++)
        xxh64_add(&hash, parts[i].iov_base, parts[i].iov_len);
    return xxh64_end(&hash);
}

/* In parts; how many. */
static int gather(struct recorder *r, const struct host *h, uint64_t *size)
{
    int count = 0;

    r->parts[count++] =
        (struct iovec){r->contents, record_encode_call(&r->call, r->plan.fills, r->contents)};
    *size = r->parts[0].iov_len;
    for (uint32_t i = 0; i < r->plan.fill_count; i++) {
        const struct record_range *f = &r->plan.fills[i];

        r->parts[count++] = (struct iovec){guest_at(h->memory, f->at, f->size), f->size};
        *size += f->size;
    }
    return count;
}

static void write_call(struct recorder *r, const struct host *h)
{
    uint64_t size;
    const int count = gather(r, h, &size);
    const uint64_t all = sizeof r->head + size;
    uint8_t *to;

    record_encode_head(RECORD_CALL, size, hash_parts(r->parts, count), r->head);
    to = room_for(r, all);
    if (to)
        store_block(r, to, count);
    else if (!r->broken)
        write_block(r, count);
    if (!r->broken)
        r->size += (off_t)all;
}

/* ---- The call ---- */

/* Which of the standard streams it writes to; 0: none. */
static uint8_t stream_of(const struct host *h, const struct plan *p, const struct host_call *c)
{
    const struct fd_entry *e = &h->fds.entry[c->args[0].i32 < FDS_MAX ? c->args[0].i32 : 0];

    if (p->sent_count == 0 || c->args[0].i32 >= FDS_MAX || e->host < 0 ||
        e->kind != STATE_FD_STANDARD)
        return 0;
    return e->source == STDOUT_FILENO || e->source == STDERR_FILENO ? (uint8_t)e->source : 0;
}

void recorder_before(struct host *h)
{
    struct recorder *r = h->recorder;
    const struct host_call *c = &h->call;

    if (r->broken)
        return;
    plan_make(&r->plan, h, c);
    r->call = (struct record_call){
        .sequence = c->sequence,
        .at_ns = clock_ns(CLOCK_MONOTONIC) - r->start_ns,
        .read_hash = plan_hash(&r->plan, h),
        .number = (uint16_t)c->number,
        .stream = stream_of(h, &r->plan, c),
        .arg_count = (uint8_t)call_arg_count(r->plan.call),
    };
    for (uint32_t i = 0; i < r->call.arg_count; i++)
        r->call.args[i] = r->plan.call->signature[i] == 'i' ? c->args[i].i32 : c->args[i].i64;
    r->call.kept_count = plan_keep(&r->plan, h, c, r->call.kept);
    if (c->number == HOST_proc_exit)
        write_call(r, h); /* there is no afterwards */
}

void recorder_after(struct host *h, enum wasi_errno answer)
{
    struct recorder *r = h->recorder;

    if (r->broken)
        return;
    r->call.took_ns = clock_ns(CLOCK_MONOTONIC) - r->start_ns - r->call.at_ns;
    r->call.answer = (uint16_t)answer;
    r->call.moved = answer ? 0 : plan_moved(&r->plan, h);
    r->call.stream = answer ? 0 : r->call.stream;
    plan_settle(&r->plan, answer, r->call.moved);
    r->call.range_count = r->plan.fill_count;
    write_call(r, h);
}
