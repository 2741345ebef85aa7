#include "runner/recorder.h"

#include "base/xxh64.h"
#include "runner/plan.h"

#include <errno.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct recorder {
    struct plan plan;
    struct record_call call;
    uint64_t start_ns;
    off_t size; /* of the file, so far */
    bool broken;
    uint8_t head[RECORD_HEAD_BYTES];
    uint8_t contents[RECORD_CALL_BYTES_MAX];
    struct iovec parts[2 + RECORD_RANGES_MAX];
};

static uint64_t now_ns(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void recorder_start(struct host *h)
{
    static struct recorder recorder;

    recorder.start_ns = now_ns();
    recorder.size = lseek(TICKET_FD_RECORD, 0, SEEK_CUR);
    h->recorder = &recorder;
}

/* ---- Writing ---- */

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

static bool write_all(struct iovec *parts, int count)
{
    while (count > 0) {
        const ssize_t done =
            writev(TICKET_FD_RECORD, parts, count < VECTORS_MAX ? count : VECTORS_MAX);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        parts = skip(parts, &count, (size_t)done);
    }
    return true;
}

/* There is room for this: it is there already. */
static void give_up(struct recorder *r, int error)
{
    uint8_t why[4];
    struct iovec part = {why, sizeof why};

    r->broken = true;
    record_encode_broken((uint32_t)error, why);
    (void)!ftruncate(TICKET_FD_RECORD, r->size); /* if not, an incomplete block is cut, too */
    (void)!pwritev(TICKET_FD_RECORD, &part, 1, RECORD_BROKEN_AT);
}

static uint64_t hash_parts(const struct iovec *parts, int count)
{
    struct xxh64 hash;

    xxh64_begin(&hash, RECORD_CALL);
    for (int i = 0; i < count; i++)
        xxh64_add(&hash, parts[i].iov_base, parts[i].iov_len);
    return xxh64_end(&hash);
}

static void write_call(struct recorder *r, const struct host *h)
{
    uint64_t size = 0;
    int count = 2;

    r->parts[0] = (struct iovec){r->head, sizeof r->head};
    r->parts[1] =
        (struct iovec){r->contents, record_encode_call(&r->call, r->plan.fills, r->contents)};
    for (uint32_t i = 0; i < r->plan.fill_count; i++) {
        const struct record_range *f = &r->plan.fills[i];

        r->parts[count++] = (struct iovec){guest_at(h->memory, f->at, f->size), f->size};
    }
    for (int i = 1; i < count; i++)
        size += r->parts[i].iov_len;
    record_encode_head(RECORD_CALL, size, hash_parts(r->parts + 1, count - 1), r->head);
    if (write_all(r->parts, count))
        r->size += (off_t)(sizeof r->head + size);
    else
        give_up(r, errno);
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
        .at_ns = now_ns() - r->start_ns,
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
    r->call.took_ns = now_ns() - r->start_ns - r->call.at_ns;
    r->call.answer = (uint16_t)answer;
    r->call.moved = answer ? 0 : plan_moved(&r->plan, h);
    r->call.stream = answer ? 0 : r->call.stream;
    plan_settle(&r->plan, answer, r->call.moved);
    r->call.range_count = r->plan.fill_count;
    write_call(r, h);
}
