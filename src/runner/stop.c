#include "runner/stop.h"

#include "rt/suspend.h"
#include "rt/track.h"
#include "runner/capture.h"
#include "runner/clock.h"
#include "runner/end.h"
#include "runner/hold.h"
#include "runner/tree.h"
#include "runner/write.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ask(int number)
{
    (void)number;
    suspend_ask();
}

static enum tern_err save(const struct program *p, struct host *h, struct bytes *out,
                          struct problem *why)
{
    struct arena arena = {0};
    struct state s = {0};
    enum tern_err err = capture_save(p, &s, &arena) ? TERN_OK : TERN_ENOMEM;

    if (err)
        problem_set(why, err, "there is no memory for its state");
    if (!err)
        err = hold_save(h, &s, &arena, why);
    if (!err) {
        err = state_encode(&s, out);
        if (err)
            problem_set(why, err, "its state: %s", tern_err_text(err));
    }
    arena_release(&arena);
    return err;
}

static enum tern_err hand_over(const struct program *p, struct host *h, struct problem *why)
{
    struct bytes encoded = {0};
    enum tern_err err = save(p, h, &encoded, why);

    if (!err && !write_file(TICKET_FD_STATE, bytes_view(&encoded)))
        err = problem_set(why, TERN_EIO, "its state cannot be written");
    bytes_release(&encoded);
    return err;
}

static void say(const void *words, size_t size)
{
    if (!write_whole(TICKET_FD_CONTROL, view_of(words, size)))
        _exit(1); /* nobody is there to tell us, and nobody to report to */
}

static void say_number(char what, uint64_t number)
{
    uint8_t words[1 + sizeof number] = {(uint8_t)what};

    guest_store64(words + 1, number);
    say(words, sizeof words);
}

static void say_stays(const char *text)
{
    char line[512] = {CONTROL_STAYS};
    size_t size = 1;

    for (; *text && size + 1 < sizeof line; text++)
        line[size++] = *text;
    line[size++] = '\n';
    say(line, size);
}

static char hear(void)
{
    char what;
    ssize_t got;

    do
        got = read(TICKET_FD_CONTROL, &what, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? what : 0;
}

/* The first byte carries the descriptor, if there is one. */
static void say_ready(uint64_t base, int tracker)
{
    uint8_t words[1 + sizeof base] = {CONTROL_READY};
    char room[CMSG_SPACE(sizeof tracker)] = {0};
    struct iovec all = {words, sizeof words};
    struct msghdr message = {.msg_iov = &all, .msg_iovlen = 1};
    struct cmsghdr *head;

    guest_store64(words + 1, base);
    if (tracker >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){CMSG_LEN(sizeof tracker), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(head), &tracker, sizeof tracker);
    }
    if (sendmsg(TICKET_FD_CONTROL, &message, 0) != (ssize_t)sizeof words)
        _exit(1);
}

/* -1: the kernel cannot. The tracker stays open. */
static int track(struct tern_memory *memory, bool loaded)
{
    int tracker = -1;

    if (memory && memory->max_pages > 0)
        tracker = track_writes(memory->base, (size_t)memory->max_pages << 16);
    if (tracker < 0)
        return -1;
    memory->late = loaded;
    if (!loaded || track_arm(tracker, memory->base, (size_t)memory->pages << 16) == 0)
        return tracker;
    close(tracker);
    return -1;
}

void stop_listen(struct tern_memory *memory, bool loaded)
{
    int tracker;
    struct sigaction ask = {.sa_handler = on_ask}; /* not SA_RESTART: what waits is left */
    struct sigaction leave = {.sa_handler = SIG_IGN};

    sigemptyset(&ask.sa_mask);
    sigemptyset(&leave.sa_mask);
    sigaction(SIGUSR1, &ask, NULL);
    sigaction(SIGINT, &leave, NULL); /* a terminal's reach us, too: the parent decides */
    sigaction(SIGTERM, &leave, NULL);
    sigaction(SIGHUP, &leave, NULL);
    tracker = track(memory, loaded);
    say_ready(tracker < 0 ? 0 : (uintptr_t)memory->base, tracker);
    if (loaded && hear() != CONTROL_GO_ON)
        _exit(1);
}

void stop_wish(void)
{
    const char what = CONTROL_WISHES;

    say(&what, 1);
}

void stop_and_wait(const struct program *p, struct host *h)
{
    const uint64_t since = clock_ns(CLOCK_MONOTONIC);
    struct problem why = {.text = ""};
    char what;

    end_stay(NULL); /* pages are armed now, frames were kept: no place for another program */
    if (hand_over(p, h, &why) != TERN_OK) {
        h->input.begun = true; /* there can be none */
        say_stays(why.text);
        return;
    }
    if (h->fds.tree)
        tree_pages_freeze(&h->fds.tree->pages);
    say_number(CONTROL_STOPPED, since);
    what = hear();
    if (what != CONTROL_GO_ON && what != CONTROL_GO_READ)
        end_stopped();
    h->input.begun |= what == CONTROL_GO_READ;
    h->files_changed = false; /* the parent knows */
}
