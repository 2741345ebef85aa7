/*
 * poll_oneoff: clocks, readiness, errors. Standard input is a pipe with "some input\n" in it and
 * nobody at the other end; in DATA there is a named pipe, fifo.
 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static const uint64_t ms = 1000000;

static uint64_t now(__wasi_clockid_t id)
{
    __wasi_timestamp_t t;

    IS(SUCCESS, __wasi_clock_time_get(id, 0, &t));
    return t;
}

static __wasi_subscription_t clock_at(uint64_t userdata, __wasi_clockid_t id, uint64_t timeout,
                                      __wasi_subclockflags_t flags)
{
    __wasi_subscription_t s = {.userdata = userdata};

    s.u.tag = __WASI_EVENTTYPE_CLOCK;
    s.u.u.clock.id = id;
    s.u.u.clock.timeout = timeout;
    s.u.u.clock.flags = flags;
    return s;
}

static __wasi_subscription_t ready(uint64_t userdata, __wasi_fd_t fd, __wasi_eventtype_t type)
{
    __wasi_subscription_t s = {.userdata = userdata};

    s.u.tag = type;
    s.u.u.fd_read.file_descriptor = fd;
    return s;
}

static size_t wait_for(const __wasi_subscription_t *s, size_t count, __wasi_event_t *out)
{
    __wasi_size_t n = 99;

    memset(out, '#', count * sizeof *out);
    IS(SUCCESS, __wasi_poll_oneoff(s, out, count, &n));
    CHECK(n > 0 && n <= count);
    return n;
}

static void test_clocks(void)
{
    const __wasi_subclockflags_t absolute = __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
    static const __wasi_clockid_t ids[] = {__WASI_CLOCKID_REALTIME, __WASI_CLOCKID_MONOTONIC};
    __wasi_subscription_t s;
    __wasi_event_t e;
    uint64_t before;

    for (int i = 0; i < 2; i++) {
        before = now(__WASI_CLOCKID_MONOTONIC);
        s = clock_at(7, ids[i], 20 * ms, 0);
        CHECK(wait_for(&s, 1, &e) == 1);
        CHECK(e.userdata == 7 && e.error == 0 && e.type == __WASI_EVENTTYPE_CLOCK);
        CHECK(now(__WASI_CLOCKID_MONOTONIC) - before >= 20 * ms);

        before = now(ids[i]);
        s = clock_at(8, ids[i], before + 20 * ms, absolute);
        CHECK(wait_for(&s, 1, &e) == 1 && e.userdata == 8 && e.error == 0);
        CHECK(now(ids[i]) - before >= 20 * ms);

        s = clock_at(9, ids[i], 1, absolute); /* long gone */
        CHECK(wait_for(&s, 1, &e) == 1 && e.userdata == 9 && e.error == 0);
    }
    s = clock_at(1, __WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, 0);
    CHECK(wait_for(&s, 1, &e) == 1 && e.error == __WASI_ERRNO_INVAL);
}

static void test_nearest(void)
{
    __wasi_subscription_t s[3] = {clock_at(1, __WASI_CLOCKID_MONOTONIC, UINT64_MAX, 0),
                                  clock_at(2, __WASI_CLOCKID_MONOTONIC, 10 * ms, 0),
                                  clock_at(3, __WASI_CLOCKID_REALTIME, 3600000 * ms, 0)};
    __wasi_event_t e[3];

    CHECK(wait_for(s, 3, e) == 1 && e[0].userdata == 2);
}

static void test_files(void)
{
    __wasi_fd_t fd = open_file(DATA, "file", __WASI_OFLAGS_CREAT);
    __wasi_subscription_t s[3];
    __wasi_event_t e[3];
    __wasi_filesize_t at;
    __wasi_size_t n;

    IS(SUCCESS, write_text(fd, "12345", &n));
    IS(SUCCESS, __wasi_fd_seek(fd, 2, __WASI_WHENCE_SET, &at));
    s[0] = ready(1, fd, __WASI_EVENTTYPE_FD_READ);
    s[1] = ready(2, fd, __WASI_EVENTTYPE_FD_WRITE);
    s[2] = clock_at(3, __WASI_CLOCKID_MONOTONIC, 3600000 * ms, 0);
    CHECK(wait_for(s, 3, e) == 2);
    CHECK(e[0].userdata == 1 && e[0].type == __WASI_EVENTTYPE_FD_READ && e[0].error == 0);
    CHECK(e[0].fd_readwrite.nbytes == 3);
    CHECK(e[1].userdata == 2 && e[1].type == __WASI_EVENTTYPE_FD_WRITE && e[1].error == 0);
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_pipe(void)
{
    __wasi_subscription_t s[2] = {ready(1, 0, __WASI_EVENTTYPE_FD_READ),
                                  ready(2, 1, __WASI_EVENTTYPE_FD_WRITE)};
    __wasi_event_t e[2];
    char text[64];
    __wasi_size_t n;

    CHECK(wait_for(s, 1, e) == 1 && e[0].userdata == 1 && e[0].error == 0);
    CHECK(e[0].fd_readwrite.nbytes == strlen("some input\n"));
    CHECK(wait_for(s + 1, 1, e) == 1 && e[0].userdata == 2 && e[0].error == 0);
    IS(SUCCESS, read_some(0, text, sizeof text, &n));
    CHECK(n == strlen("some input\n"));
    CHECK(wait_for(s, 1, e) == 1 && e[0].error == 0); /* at the end: ready, and hung up */
    CHECK(e[0].fd_readwrite.nbytes == 0);
    CHECK(e[0].fd_readwrite.flags & __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP);
    IS(SUCCESS, read_some(0, text, sizeof text, &n));
    CHECK(n == 0);
}

/* A pipe that we hold both ends of. */
static void test_waiting_in_vain(void)
{
    int in = open("/data/fifo", O_RDONLY | O_NONBLOCK), out = open("/data/fifo", O_WRONLY);
    __wasi_subscription_t s[2] = {ready(1, in, __WASI_EVENTTYPE_FD_READ),
                                  clock_at(2, __WASI_CLOCKID_MONOTONIC, 10 * ms, 0)};
    __wasi_event_t e[2];
    __wasi_size_t n;
    char byte;

    CHECK(in >= 0 && out >= 0);
    IS(AGAIN, read_some(in, &byte, 1, &n));
    CHECK(wait_for(s, 2, e) == 1 && e[0].userdata == 2); /* the clock only, and once */
    IS(SUCCESS, write_text(out, "x", &n));
    CHECK(wait_for(s, 2, e) == 1 && e[0].userdata == 1 && e[0].fd_readwrite.nbytes == 1);
    close(in);
    IS(PIPE, write_text(out, "x", &n)); /* an error; only standard output ends a program */
    close(out);
}

static void test_errors(void)
{
    __wasi_fd_t fd;
    __wasi_subscription_t s[4] = {ready(1, 99, __WASI_EVENTTYPE_FD_READ),
                                  ready(2, DATA, __WASI_EVENTTYPE_FD_READ),
                                  clock_at(3, __WASI_CLOCKID_MONOTONIC, 3600000 * ms, 0)};
    __wasi_event_t e[4];
    __wasi_size_t n;

    IS(SUCCESS, open_with(DATA, "file", 0, __WASI_RIGHTS_FD_READ, &fd));
    s[3] = ready(4, fd, __WASI_EVENTTYPE_FD_READ);
    CHECK(wait_for(s, 4, e) == 3); /* at once: there is something to tell */
    CHECK(e[0].userdata == 1 && e[0].error == __WASI_ERRNO_BADF);
    CHECK(e[1].userdata == 2 && e[1].error == __WASI_ERRNO_BADF);
    CHECK(e[2].userdata == 4 && e[2].error == __WASI_ERRNO_NOTCAPABLE);
    IS(INVAL, __wasi_poll_oneoff(s, e, 0, &n));
    s[0].u.tag = 3;
    IS(INVAL, __wasi_poll_oneoff(s, e, 1, &n));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_libc(void)
{
    struct pollfd fds[3] = {{.fd = 1, .events = POLLOUT}, {.fd = 55, .events = POLLIN}};

    CHECK(poll(fds, 2, 1000) == 2);
    CHECK(fds[0].revents == POLLOUT && fds[1].revents == POLLNVAL);
    CHECK(poll(NULL, 0, 1) == 0 || true); /* some libcs refuse to wait for nothing */
    CHECK(usleep(1000) == 0);
}

int main(void)
{
    test_clocks();
    test_nearest();
    test_files();
    test_pipe();
    test_waiting_in_vain();
    test_errors();
    test_libc();
    return done();
}
