#include "cli/follow.h"

#include "cli/follow_line.h"
#include "cli/say.h"
#include "cli/signals.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_BYTES = TERN_INPUT_MAX, LINE_MS = 500 };

struct follower {
    const struct follow_order *order;
    struct tern_stream *stream[2]; /* [1] only where the two are shown in different ways */
    struct follow_line line;
    /* Input. */
    struct tern_op *input; /* a piece under way */
    uint64_t input_offset;
    uint8_t *ahead; /* what was read meanwhile: the next piece */
    size_t ahead_size;
    bool input_read, input_over; /* to its end; and no more is sent */
    /* What became of it, for notes. */
    char node[128];
    uint64_t attempt, checkpoint;
    enum tern_state state;
    int64_t checkpoint_at_ns;
    uint32_t losses, moves;
    bool was_down, asked;
    struct tern_result *result;
    enum follow_end end;
    bool over;
    int code;
};

static void note(struct follower *f, const char *text)
{
    char id[POOL_ID_BYTES];

    if (f->order->quiet)
        return;
    follow_line_clear(&f->line);
    say("%s: %s", pool_task_text(f->order->task, id), text);
}

/* ---- output ---- */

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static void fail(struct follower *f, int code)
{
    f->over = true;
    f->end = FOLLOW_FAILED;
    f->code = code;
}

static void take_bytes(struct follower *f, const struct tern_piece *piece)
{
    follow_line_clear(&f->line);
    if (write_all(piece->stream, piece->bytes, piece->size))
        return;
    if (errno == EPIPE) { /* nobody reads it any more: as a program here would end */
        f->over = true;
        f->end = FOLLOW_DETACHED;
        f->code = -SIGPIPE;
        return;
    }
    say("%s: cannot write the output: %s", f->order->in->command->name, strerror(errno));
    fail(f, CLI_FAILED);
}

static void take_differs(struct follower *f, const struct tern_piece *piece)
{
    char text[160];

    snprintf(text, sizeof text,
             "its %s has turned out otherwise from byte %llu on, which is shown again",
             piece->stream == 1 ? "output" : "standard error", (unsigned long long)piece->offset);
    note(f, text);
}

static void note_changes(struct follower *f, const struct tern_result *r)
{
    char text[256];

    if (r->losses > f->losses) {
        snprintf(text, sizeof text, "node %s was lost; it goes on from ", f->node);
        if (r->checkpoint)
            snprintf(text + strlen(text), 64, "checkpoint %llu", (unsigned long long)r->checkpoint);
        else
            strcat(text, "its beginning");
        note(f, text);
    } else if (*f->node && *r->node && strcmp(f->node, r->node) != 0) {
        snprintf(text, sizeof text, "it goes on at node %.100s", r->node);
        note(f, text);
    }
    if (*r->node)
        snprintf(f->node, sizeof f->node, "%s", r->node);
}

static void take_change(struct follower *f, const struct tern_result *r)
{
    note_changes(f, r);
    f->state = r->state;
    f->attempt = r->attempt;
    if (r->checkpoint != f->checkpoint)
        f->checkpoint_at_ns = pool_wall_ns();
    f->checkpoint = r->checkpoint;
    f->losses = r->losses;
    f->moves = r->moves;
}

static void take_end(struct follower *f)
{
    enum tern_err err =
        tern_wait(f->order->pool, f->order->task, f->order->at_now ? 0 : -1, &f->result);

    f->over = true;
    f->end = FOLLOW_ENDED;
    if (err && !(err == TERN_EAGAIN && f->order->at_now))
        fail(f, pool_fail(f->order->in, f->order->pool, err));
}

static void take_piece(struct follower *f, int which, const struct tern_piece *piece)
{
    /* Two streams: each has both, and is looked at for one of them. */
    if (f->stream[1] && piece->stream && piece->stream != which + 1)
        return;
    switch (piece->kind) {
    case TERN_PIECE_BYTES: take_bytes(f, piece); break;
    case TERN_PIECE_DIFFERS: take_differs(f, piece); break;
    case TERN_PIECE_CHANGED: take_change(f, piece->result); break;
    case TERN_PIECE_ENDED:
        tern_stream_free(f->stream[which]);
        f->stream[which] = NULL;
        if (!f->stream[0] && !f->stream[1])
            take_end(f);
        break;
    }
}

static void take_pieces(struct follower *f)
{
    for (int i = 0; i < 2; i++) {
        struct tern_piece piece;
        enum tern_err err = TERN_OK;

        while (f->stream[i] && !f->over && !(err = tern_stream_next(f->stream[i], 0, &piece)))
            take_piece(f, i, &piece);
        if (!f->over && err && err != TERN_EAGAIN)
            fail(f, pool_fail(f->order->in, f->order->pool, err));
    }
}

/* ---- input ---- */

/* While a piece is under way more is read, so that the next one is a large one: each is a fact in
 * the agent's journal. */
static void read_input(struct follower *f)
{
    ssize_t n = read(STDIN_FILENO, f->ahead + f->ahead_size, INPUT_BYTES - f->ahead_size);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    f->input_read = n <= 0;
    f->ahead_size += n > 0 ? (size_t)n : 0;
}

static void send_input(struct follower *f)
{
    if (f->input || f->input_over || (!f->ahead_size && !f->input_read))
        return;
    f->input = tern_input_begin(f->order->pool, f->order->task, f->input_offset, f->ahead,
                                f->ahead_size, f->input_read);
    f->input_over = f->input_read;
    f->input_offset += f->ahead_size;
    f->ahead_size = 0;
}

/* A task that has ended takes no more, which is no failure. */
static void take_input_answer(struct follower *f)
{
    enum tern_err err = f->input ? tern_op_wait(f->input, 0) : TERN_EAGAIN;

    if (err == TERN_EAGAIN)
        return;
    tern_op_free(f->input);
    f->input = NULL;
    if (err)
        f->input_over = true;
}

static bool reads_input(const struct follower *f)
{
    return f->ahead && !f->input_read && !f->input_over && f->ahead_size < INPUT_BYTES;
}

/* ---- the line ---- */

static void draw(struct follower *f)
{
    char text[256], id[POOL_ID_BYTES], since[POOL_TIME_BYTES];
    int n;

    if (!f->line.on)
        return;
    n = snprintf(text, sizeof text, "%s %s", pool_task_text(f->order->task, id),
                 tern_is_up(f->order->pool) ? tern_state_text(f->state)
                                            : "goes on; the agent is away, dialling again");
    if (*f->node && f->state == TERN_RUNNING)
        n += snprintf(text + n, sizeof text - (size_t)n, " on %.60s", f->node);
    if (f->checkpoint)
        n += snprintf(text + n, sizeof text - (size_t)n, ", checkpoint %llu %s ago",
                      (unsigned long long)f->checkpoint,
                      pool_duration(pool_wall_ns() - f->checkpoint_at_ns, since));
    if (f->losses + f->moves)
        snprintf(text + n, sizeof text - (size_t)n, ", lost %u, moved %u", f->losses, f->moves);
    follow_line_draw(&f->line, text);
}

static void watch_connection(struct follower *f)
{
    const bool down = !tern_is_up(f->order->pool);

    if (down != f->was_down)
        note(f, down ? "the connection to the agent is lost; it goes on, and we dial again"
                     : "the agent is back");
    f->was_down = down;
}

/* ---- Ctrl-C ---- */

static void detach(struct follower *f)
{
    char id[POOL_ID_BYTES];

    follow_line_clear(&f->line);
    if (f->order->ctrl_c)
        say("%s goes on; tern attach %s comes back to it", pool_task_text(f->order->task, id), id);
    f->over = true;
    f->end = FOLLOW_DETACHED;
}

static void cancel(struct follower *f)
{
    const struct tern_which which = {.task = f->order->task};
    enum tern_err err;

    follow_line_clear(&f->line);
    tern_set_patience(f->order->pool, 2000);
    err = tern_cancel(f->order->pool, which, NULL);
    tern_set_patience(f->order->pool, -1);
    if (err)
        fail(f, pool_fail(f->order->in, f->order->pool, err));
}

static void ask(struct follower *f)
{
    char id[POOL_ID_BYTES], answer[16] = "";

    follow_line_clear(&f->line);
    fprintf(stderr, "\ntern: %s: [d]etach, [c]ancel, or Enter to go on? ",
            pool_task_text(f->order->task, id));
    fflush(stderr);
    f->asked = true;
    signals_default(); /* a second Ctrl-C ends this at once; the task goes on */
    if (!fgets(answer, sizeof answer, stdin))
        answer[0] = 'd';
    signals_catch();
    if (tolower((unsigned char)answer[0]) == 'c')
        cancel(f);
    else if (tolower((unsigned char)answer[0]) == 'd')
        detach(f);
}

static void take_signal(struct follower *f, int number)
{
    if (!number)
        return;
    if (!f->order->ctrl_c || number == SIGHUP)
        detach(f);
    else if (number == SIGINT && isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        ask(f);
    else
        cancel(f);
}

/* ---- */

static int sooner(int a, int b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static void turn(struct follower *f)
{
    struct pollfd fds[2] = {{.fd = tern_fd(f->order->pool), .events = POLLIN},
                            {.fd = reads_input(f) ? STDIN_FILENO : -1, .events = POLLIN}};
    int timeout_ms = tern_timeout(f->order->pool);

    if (f->line.on)
        timeout_ms = sooner(timeout_ms, LINE_MS);
    if (signals_poll(fds, 2, timeout_ms) < 0)
        fds[1].revents = 0;
    tern_step(f->order->pool);
    if (fds[1].revents)
        read_input(f);
    take_input_answer(f);
    send_input(f);
    take_pieces(f);
    if (!f->over) {
        watch_connection(f);
        draw(f);
        take_signal(f, signals_take());
    }
}

static bool begin(struct follower *f)
{
    const bool shown[2] = {isatty(STDOUT_FILENO), isatty(STDERR_FILENO)};
    struct tern_stream_of of = {.task = f->order->task,
                                .provisional = shown[0],
                                .changes = true,
                                .stop_at_now = f->order->at_now};
    bool fine;

    f->stream[0] = tern_stream_new(f->order->pool, &of);
    fine = f->stream[0];
    if (fine && shown[0] != shown[1]) {
        of.provisional = shown[1];
        of.changes = false;
        f->stream[1] = tern_stream_new(f->order->pool, &of);
        fine = f->stream[1];
    }
    if (fine && f->order->input) {
        f->ahead = malloc(INPUT_BYTES);
        fine = f->ahead;
    }
    if (!fine)
        say("%s: out of memory", f->order->in->command->name);
    f->line = follow_line_begin(!f->order->quiet && !shown[0]);
    return fine;
}

enum follow_end follow(const struct follow_order *order, struct tern_result **result, int *code)
{
    struct follower f = {.order = order, .end = FOLLOW_FAILED, .code = CLI_FAILED};

    signals_catch();
    if (begin(&f))
        while (!f.over)
            turn(&f);
    signals_default();
    follow_line_clear(&f.line);
    tern_op_free(f.input);
    free(f.ahead);
    tern_stream_free(f.stream[0]);
    tern_stream_free(f.stream[1]);
    *result = f.result;
    *code = f.code;
    return f.end;
}
