/*
 * wasi_poll - poll_oneoff: waits until a descriptor is ready or a time has come.
 *
 * A subscription that cannot be met (a bad descriptor, a clock that cannot be waited for) is an
 * event with an error, not an error of the call: so poll() in libc can say POLLNVAL.
 */
#include "runner/descriptor.h"
#include "runner/host.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SUBSCRIPTIONS_MAX = 2048 };

struct subscription {
    uint64_t userdata;
    uint8_t type; /* EVENTTYPE_* */
    enum wasi_errno error;
    uint64_t deadline_ns; /* of a clock, on the program's own */
    const struct fd_entry *entry;
    uint32_t pollfd; /* index */
    bool kept;       /* standard input of which there is some already, or that is over */
    uint64_t kept_bytes;
};

/* All that one call waits for. Static: too large for a program's stack. */
struct waiting {
    struct subscription sub[SUBSCRIPTIONS_MAX];
    struct pollfd pollfd[SUBSCRIPTIONS_MAX];
    uint32_t count, pollfds;
    bool at_once;         /* an error is there already */
    uint64_t deadline_ns; /* the nearest; UINT64_MAX: none */
};

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- Reading what is waited for ---- */

static enum wasi_errno read_clock(const struct host *h, struct subscription *s, const uint8_t *from)
{
    uint32_t id = guest_load32(from + 16);
    uint64_t timeout = guest_load64(from + 24);
    bool absolute = guest_load16(from + 40) & SUBCLOCK_ABSTIME;
    uint64_t real;

    if (id != CLOCKID_REALTIME && id != CLOCKID_MONOTONIC)
        return WASI_E_INVAL;
    if (!absolute) {
        s->deadline_ns = sum(h->call.start_ns, timeout);
    } else if (id == CLOCKID_MONOTONIC) {
        s->deadline_ns = timeout;
    } else {
        real = host_real_ns(h);
        s->deadline_ns = timeout > real ? sum(host_monotonic_ns(h), timeout - real) : 0;
    }
    return WASI_E_SUCCESS;
}

static enum wasi_errno read_descriptor(struct host *h, struct waiting *w, struct subscription *s,
                                       const uint8_t *from)
{
    const short events = s->type == EVENTTYPE_FD_READ ? POLLIN : POLLOUT;
    struct fd_entry *e;
    enum wasi_errno error =
        fds_get_file(&h->fds, guest_load32(from + 16), RIGHT_POLL_FD_READWRITE, &e);

    if (error)
        return error;
    s->entry = e;
    s->pollfd = w->pollfds++;
    w->pollfd[s->pollfd] = (struct pollfd){.fd = e->host, .events = events};
    s->kept = events == POLLIN && input_keeps(h, e) && input_is_ready(h, &s->kept_bytes);
    if (s->kept) {
        w->at_once = true;
        w->pollfd[s->pollfd].fd = -1; /* what comes behind it does not count yet */
    }
    return WASI_E_SUCCESS;
}

static enum wasi_errno read_subscription(struct host *h, struct waiting *w, const uint8_t *from)
{
    struct subscription *s = &w->sub[w->count++];

    *s = (struct subscription){.userdata = guest_load64(from), .type = from[8]};
    switch (s->type) {
    case EVENTTYPE_CLOCK: s->error = read_clock(h, s, from); break;
    case EVENTTYPE_FD_READ:
    case EVENTTYPE_FD_WRITE: s->error = read_descriptor(h, w, s, from); break;
    default: return WASI_E_INVAL;
    }
    if (s->error)
        w->at_once = true;
    else if (s->type == EVENTTYPE_CLOCK && s->deadline_ns < w->deadline_ns)
        w->deadline_ns = s->deadline_ns;
    return WASI_E_SUCCESS;
}

static enum wasi_errno read_all(struct host *h, struct waiting *w, const uint8_t *from,
                                uint32_t count)
{
    enum wasi_errno error = WASI_E_SUCCESS;

    w->count = w->pollfds = 0;
    w->at_once = false;
    w->deadline_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count && !error; i++)
        error = read_subscription(h, w, from + (size_t)i * SUBSCRIPTION_BYTES);
    return error;
}

/* ---- Waiting ---- */

/* What was waited before the program was stopped is not waited again. */
static void begin(struct host *h)
{
    uint64_t now = host_monotonic_ns(h);

    h->call.start_ns = now > h->waited_ns ? now - h->waited_ns : 1;
}

static enum wasi_errno wait_for(const struct host *h, struct waiting *w)
{
    uint64_t now = host_monotonic_ns(h);
    uint64_t left = w->deadline_ns > now && !w->at_once ? w->deadline_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u),
                               .tv_nsec = (long)(left % 1000000000u)};
    bool for_ever = w->deadline_ns == UINT64_MAX && !w->at_once;

    return host_answer(ppoll(w->pollfd, w->pollfds, for_ever ? NULL : &timeout, NULL));
}

/* ---- Telling what happened ---- */

uint64_t kernel_readable_bytes(const struct fd_entry *e)
{
    struct stat st;
    int waiting = 0;
    off_t at;

    if (e->seekable && e->filetype == FILETYPE_REGULAR_FILE) {
        at = lseek(e->host, 0, SEEK_CUR);
        return fstat(e->host, &st) == 0 && at >= 0 && st.st_size > at ? (uint64_t)(st.st_size - at)
                                                                      : 0;
    }
    return ioctl(e->host, FIONREAD, &waiting) == 0 && waiting > 0 ? (uint64_t)waiting : 0;
}

static bool tell_kept(const struct subscription *s, uint8_t event[EVENT_BYTES])
{
    guest_store64(event + 16, s->kept_bytes);
    guest_store16(event + 24, s->kept_bytes ? 0 : EVENT_HANGUP);
    return true;
}

/* True if it has happened; then event, which is zeros, holds what is to be told. */
static bool happened(const struct waiting *w, const struct subscription *s, uint64_t now,
                     uint8_t event[EVENT_BYTES])
{
    short got;

    guest_store64(event, s->userdata);
    guest_store16(event + 8, (uint16_t)s->error);
    event[10] = s->type;
    if (s->error)
        return true;
    if (s->type == EVENTTYPE_CLOCK)
        return s->deadline_ns <= now;
    got = w->pollfd[s->pollfd].revents;
    if (s->kept)
        return tell_kept(s, event);
    if (got & POLLNVAL)
        guest_store16(event + 8, WASI_E_BADF);
    if (got & POLLIN && s->type == EVENTTYPE_FD_READ)
        guest_store64(event + 16, descriptor_ops(s->entry)->readable_bytes(s->entry));
    if (got & (POLLHUP | POLLERR))
        guest_store16(event + 24, EVENT_HANGUP);
    return got;
}

static uint32_t tell(const struct host *h, const struct waiting *w, uint8_t *to)
{
    uint64_t now = host_monotonic_ns(h);
    uint32_t told = 0;

    for (uint32_t i = 0; i < w->count; i++) {
        uint8_t event[EVENT_BYTES] = {0};

        if (happened(w, &w->sub[i], now, event)) {
            for (uint32_t k = 0; k < EVENT_BYTES; k++)
                to[told * EVENT_BYTES + k] = event[k];
            told++;
        }
    }
    return told;
}

enum wasi_errno wasi_poll_oneoff(struct host *h, const union tern_cell *a)
{
    static struct waiting waiting;
    uint32_t count = a[2].i32, told;
    const uint8_t *in = guest_at(h->memory, a[0].i32, (uint64_t)count * SUBSCRIPTION_BYTES);
    uint8_t *out = guest_at(h->memory, a[1].i32, (uint64_t)count * EVENT_BYTES);
    uint8_t *result = guest_at(h->memory, a[3].i32, 4);
    enum wasi_errno error;

    if (count == 0 || count > SUBSCRIPTIONS_MAX)
        return WASI_E_INVAL;
    if (!in || !out || !result)
        return WASI_E_FAULT;
    if (h->call.attempt == 0)
        begin(h);
    error = read_all(h, &waiting, in, count);
    if (!error)
        error = wait_for(h, &waiting);
    if (error)
        return error;
    told = tell(h, &waiting, out);
    if (told == 0)
        return HOST_AGAIN; /* the clock had been set, or the kernel woke early */
    guest_store32(result, told);
    return WASI_E_SUCCESS;
}
