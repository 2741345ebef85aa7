#include "runner/input.h"

#include "runner/end.h"
#include "runner/host.h"
#include "runner/stop.h"
#include "runner/write.h"
#include "wire/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10, SUM_BYTES = 16 << 10 };

static uint8_t buffer[BUFFER_BYTES]; /* struct input's held bytes */

static off_t place_of(uint64_t byte)
{
    return (off_t)(INPUT_HEAD_BYTES + byte);
}

/* ---- Beginning, and going on ---- */

static void read_head(struct input *in, const struct stat *st)
{
    uint8_t head[INPUT_MARK_BYTES];
    const struct iovec part = {.iov_base = head, .iov_len = sizeof head};

    if (st->st_size < INPUT_HEAD_BYTES ||
        preadv(TICKET_FD_INPUT, &part, 1, 0) != (ssize_t)sizeof head ||
        !input_head_decode(head, &in->head))
        end_refused("the file that keeps its standard input is damaged");
    in->end = (uint64_t)st->st_size - INPUT_HEAD_BYTES;
    if (in->head.summed > in->end)
        in->head.summed = 0; /* what is behind was lost: it comes anew */
}

/* Whether the file says that there is nothing behind it. */
static bool is_end(const struct input *in)
{
    return in->head.ended && in->head.length == in->end;
}

static void go_on(struct input *in, const struct state *s)
{
    if (s->input_bytes > in->end || s->input_kept > in->end - s->input_bytes)
        end_refused("standard input that it had taken in is missing in the file that keeps it");
    in->at = in->passed = s->input_bytes;
    in->sum = s->input_bytes ? s->input_sum : INPUT_SUM_NONE;
    in->begun = true;
    in->over = is_end(in) || (s->input_ended && s->input_bytes + s->input_kept == in->end);
}

static bool is_type_to_keep(const struct fd_entry *e)
{
    return e->host >= 0 && !e->seekable && e->filetype != FILETYPE_DIRECTORY &&
           e->filetype != FILETYPE_SOCKET_DGRAM;
}

/* It comes in a pipe, from wherever the program stands. */
static void begin_counting(struct input *in, const struct state *s, struct fd_entry *e)
{
    if (s && s->input_kept > 0)
        end_refused("standard input that it had taken in is missing: it went on elsewhere before");
    in->counted = true;
    in->at = in->end = s ? s->input_bytes : 0;
    if (e->host >= 0)
        e->seekable = false;
}

void input_begin(struct host *h, const struct state *s)
{
    struct input *in = &h->input;
    struct fd_entry *e = &h->fds.entry[STDIN_FILENO];
    struct stat st;
    bool used;

    *in = (struct input){.sum = INPUT_SUM_NONE};
    if (h->ticket->counts_input) {
        begin_counting(in, s, e);
        return;
    }
    if (fstat(TICKET_FD_INPUT, &st) < 0 || !S_ISREG(st.st_mode)) {
        if (s && (s->input_bytes > 0 || s->input_kept > 0))
            end_refused("the runner was given no file that keeps its standard input");
        return;
    }
    read_head(in, &st);
    if (s)
        go_on(in, s);
    used = in->end > 0 || in->over;
    if (e->host < 0)
        return;
    if (used)
        e->seekable = false; /* whatever it is: it comes behind what the file has */
    in->kept = used || is_type_to_keep(e);
    in->is_pipe = fstat(e->host, &st) == 0 && S_ISFIFO(st.st_mode);
}

void input_save(struct host *h, struct state *s)
{
    struct input *in = &h->input;

    s->input_bytes = in->at;
    s->input_kept = in->end - in->at;
    s->input_sum = in->kept && in->at ? in->sum : 0;
    s->input_ended = in->over || is_end(in);
    in->passed = in->at;
    in->wished = false;
}

void input_count(struct host *h, const struct fd_entry *e, uint64_t bytes)
{
    struct input *in = &h->input;

    if (in->counted && e->kind == STATE_FD_STANDARD && e->source == STDIN_FILENO)
        in->at = in->end += bytes;
}

bool input_keeps(const struct host *h, const struct fd_entry *e)
{
    return h->input.kept && e->kind == STATE_FD_STANDARD && e->source == STDIN_FILENO;
}

/* ---- Into the file ---- */

/* -1: errno says why not. SUCCESS when there is something to read, or the end. */
static ssize_t move_pipe(const struct input *in, const struct fd_entry *e, size_t want)
{
    struct pollfd pollfd = {.fd = e->host, .events = POLLIN};

    for (;;) {
        off_t to = place_of(in->end);
        ssize_t moved = splice(e->host, NULL, TICKET_FD_INPUT, &to, want, SPLICE_F_NONBLOCK);
        int flags;

        if (moved >= 0 || errno != EAGAIN)
            return moved;
        flags = fcntl(e->host, F_GETFL);
        if (flags < 0 || flags & O_NONBLOCK)
            return -1;
        /* Not inside of splice: that would hold the file system's lock against freezing. */
        if (ppoll(&pollfd, 1, NULL, NULL) < 0)
            return -1;
    }
}

/* Room first: what has been read has to be written. */
static ssize_t read_and_write(struct input *in, const struct fd_entry *e, size_t want)
{
    uint32_t held;

    if (in->held == 0) {
        ssize_t got;

        if (want > sizeof buffer)
            want = sizeof buffer;
        if (fallocate(TICKET_FD_INPUT, FALLOC_FL_KEEP_SIZE, place_of(in->end), (off_t)want) < 0 &&
            (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
            return -1;
        got = read(e->host, buffer, want);
        if (got <= 0)
            return got;
        in->held = (uint32_t)got;
    }
    if (!write_whole_at(TICKET_FD_INPUT, view_of(buffer, in->held), place_of(in->end)))
        return -1;
    held = in->held;
    in->held = 0;
    return held;
}

static void write_head(struct input *in, struct input_head head)
{
    uint8_t bytes[INPUT_MARK_BYTES];

    input_head_encode(&head, bytes);
    if (write_whole_at(TICKET_FD_INPUT, view_of(bytes, sizeof bytes), 0))
        in->head = head;
}

/* A terminal's end is no end. */
static void mark_end(struct input *in, const struct fd_entry *e)
{
    struct input_head head = in->head;

    if (e->filetype == FILETYPE_CHARACTER_DEVICE || is_end(in))
        return;
    head.ended = true;
    head.length = in->end;
    write_head(in, head);
}

static void wish(struct input *in)
{
    if (!in->wished)
        stop_wish();
    in->wished = true;
}

/* Whoever asks for a checkpoint does so by a signal, and again until he has it. */
static enum wasi_errno wait_for_first(struct input *in)
{
    wish(in);
    ppoll(NULL, 0, NULL, NULL);
    return HOST_AGAIN;
}

/* Some more, at most `want` bytes; *got is 0 at the end of input. */
static enum wasi_errno fetch(struct input *in, const struct fd_entry *e, uint64_t want,
                             uint64_t *got)
{
    ssize_t moved = -1;

    if (!in->begun)
        return wait_for_first(in);
    if (want > INPUT_BYTES_MAX - in->end)
        return WASI_E_FBIG;
    if (in->is_pipe) {
        moved = move_pipe(in, e, want);
        if (moved < 0 && errno == EINVAL)
            in->is_pipe = false; /* a file system that cannot */
    }
    if (!in->is_pipe)
        moved = read_and_write(in, e, want);
    if (moved < 0)
        return host_answer(-1);
    if (moved == 0)
        mark_end(in, e);
    in->end += (uint64_t)moved;
    *got = (uint64_t)moved;
    if (in->end - in->passed >= INPUT_KEPT_BYTES_MAX)
        wish(in);
    return WASI_E_SUCCESS;
}

/* ---- Out of it ---- */

static enum wasi_errno make_ready(struct input *in, const struct fd_entry *e, uint64_t want,
                                  bool all)
{
    enum wasi_errno error = WASI_E_SUCCESS;
    uint64_t got = 1;

    while (!error && got > 0 && !in->over && in->end - in->at < want && (all || in->end == in->at))
        error = fetch(in, e, want - (in->end - in->at), &got);
    /* What was taken in before a signal came stays: the call is made again. */
    return error == HOST_AGAIN || in->end == in->at ? error : WASI_E_SUCCESS;
}

/* Read once more: a program's buffers may overlap, and then do not say what was in the file. */
static void sum_up(struct input *in, uint64_t to)
{
    uint8_t some[SUM_BYTES];

    for (uint64_t at = in->at; in->sum && at < to;) {
        const struct iovec part = {some, to - at < sizeof some ? to - at : sizeof some};
        const ssize_t got = preadv(TICKET_FD_INPUT, &part, 1, place_of(at));

        in->sum = got > 0 ? input_sum(in->sum, view_of(some, (size_t)got)) : 0;
        at += got > 0 ? (uint64_t)got : 0;
    }
}

/* The program has been given these. What it is given for a second time is in the file's sum. */
static void pass(struct input *in, uint64_t bytes)
{
    struct input_head head = in->head;

    sum_up(in, in->at + bytes);
    in->at += bytes;
    head.summed = in->at;
    head.sum = in->sum;
    if (in->sum && in->at > in->head.summed)
        write_head(in, head);
}

enum wasi_errno input_read(struct host *h, const struct fd_entry *e, const struct vectors *v,
                           unsigned way, uint64_t *done)
{
    struct input *in = &h->input;
    enum wasi_errno error = make_ready(in, e, v->bytes, way & INPUT_ALL);
    ssize_t got = 0;

    if (error)
        return error;
    if (v->bytes > 0 && in->end > in->at) {
        got = preadv(TICKET_FD_INPUT, v->iov, v->count, place_of(in->at));
        if (got < 0)
            return host_answer(got);
    }
    if (!(way & INPUT_PEEK))
        pass(in, (uint64_t)got);
    *done = (uint64_t)got;
    return WASI_E_SUCCESS;
}

bool input_is_ready(const struct host *h, uint64_t *bytes)
{
    *bytes = h->input.end - h->input.at;
    return *bytes > 0 || h->input.over;
}
