#include "runner/replayer.h"

#include "runner/end.h"
#include "runner/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct replayer {
    struct record_reader reader;
    struct record_call next;
    bool left; /* next is one */
    struct plan plan;
};

/* What is behind the last call, END or nothing, is for the parent. */
static void advance(struct replayer *r)
{
    const uint64_t before = r->next.sequence;
    struct record_block block;

    r->left = record_next(&r->reader, &block) == RECORD_READ_BLOCK && block.kind == RECORD_CALL;
    if (r->left &&
        (record_decode_call(&r->next, block.contents) != TERN_OK || r->next.sequence != before + 1))
        end_refused("the record is damaged behind call %" PRIu64, before);
}

void replayer_start(struct host *h)
{
    static struct replayer replayer;
    struct record_block block;
    struct stat st;
    void *bytes;

    if (fstat(TICKET_FD_RECORD, &st) < 0 || st.st_size <= 0)
        end_refused("the runner was given no record");
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, TICKET_FD_RECORD, 0);
    if (bytes == MAP_FAILED)
        end_refused("the record cannot be mapped: %s", strerror(errno));
    if (record_begin(&replayer.reader, view_of(bytes, (size_t)st.st_size)) != TERN_OK ||
        record_next(&replayer.reader, &block) != RECORD_READ_BLOCK ||
        record_next(&replayer.reader, &block) != RECORD_READ_BLOCK)
        end_refused("the record makes no sense");
    advance(&replayer);
    h->replayer = &replayer;
}

bool replayer_next(const struct host *h, uint64_t *sequence, const char **name)
{
    const struct replayer *r = h->replayer;

    if (!r->left)
        return false;
    *sequence = r->next.sequence;
    *name = call_find(r->next.number)->name;
    return true;
}

/* ---- The same call? ---- */

static void compare_args(const struct record_call *was, const struct call *what,
                         const union tern_cell *now)
{
    uint32_t at = 0;

    for (const struct call_param *q = what->params; q->kind != CALL_NONE; q++) {
        for (uint32_t k = 0; k < call_param_args((enum call_kind)q->kind); k++, at++) {
            const uint64_t value = what->signature[at] == 'i' ? now[at].i32 : now[at].i64;

            if (value != was->args[at])
                end_diverged("call %" PRIu64 ", %s, has %s%s = 0x%" PRIx64 " and had 0x%" PRIx64,
                             was->sequence, what->name, k ? "the length of " : "", q->name, value,
                             was->args[at]);
        }
    }
}

static void compare(const struct replayer *r, const struct host *h)
{
    const struct record_call *was = &r->next;
    const struct call *what = call_find(was->number);

    if (was->number != h->call.number)
        end_diverged("call %" PRIu64 " is %s and was %s", was->sequence,
                     call_find(h->call.number)->name, what->name);
    compare_args(was, what, h->call.args);
    if (plan_hash(&r->plan, h) != was->read_hash)
        end_diverged("call %" PRIu64 ", %s, is given other bytes than it was", was->sequence,
                     what->name);
}

/* ---- What it did ---- */

static _Noreturn void refuse(const struct record_call *c)
{
    end_refused("the record is damaged: call %" PRIu64 ", %s, cannot have done what it says",
                c->sequence, call_find(c->number)->name);
}

static void write_all(int fd, const uint8_t *from, size_t size)
{
    while (size > 0) {
        const ssize_t done = write(fd, from, size);

        if (done >= 0) {
            from += done;
            size -= (size_t)done;
        } else if (errno == EPIPE) {
            end_signal(SIGPIPE);
        } else if (errno == EAGAIN) {
            ppoll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, NULL, NULL);
        } else if (errno != EINTR) {
            end_refused("standard %s cannot be written: %s",
                        fd == STDOUT_FILENO ? "output" : "error", strerror(errno));
        }
    }
}

static void show(const struct replayer *r, struct host *h)
{
    uint64_t left = r->next.moved;

    host_written(h, left);
    for (uint32_t i = r->plan.sent; left > 0 && i < r->plan.sent + r->plan.sent_count; i++) {
        const struct record_range *s = &r->plan.reads[i];
        const size_t size = s->size < left ? s->size : (size_t)left;

        write_all(r->next.stream, guest_at(h->memory, s->at, size), size);
        left -= size;
    }
}

enum wasi_errno replayer_answer(struct host *h)
{
    struct replayer *r = h->replayer;
    enum wasi_errno answer;

    if (!r->left)
        end_replayed(h->call.number);
    plan_make(&r->plan, h, &h->call);
    compare(r, h);
    if (h->call.number == HOST_proc_exit) {
        advance(r);
        end_exit(h->call.args[0].i32);
    }
    answer = (enum wasi_errno)r->next.answer;
    if (r->next.stream)
        show(r, h);
    if (!plan_settle(&r->plan, answer, r->next.moved) || !plan_fill(&r->plan, h, &r->next))
        refuse(&r->next);
    advance(r);
    return answer;
}
