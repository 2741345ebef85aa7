/*
 * input - standard input that cannot be sought, by way of a file that keeps it: what the program
 * has read since its last checkpoint can be given to it again.
 *
 * Does     Whatever the program reads is brought into the file first (wire/input_head.h) and comes
 *          from there. It takes no more than the program asks for: another reader of the same pipe
 *          misses nothing.
 * Pipes    Bytes move from the pipe to the file in one system call, splice: at no instant are they
 *          in neither, whoever is killed. From a terminal or a socket they are read, then
 *          written: killed just between, one read is lost, of which the program has seen nothing.
 * Begin    Before anything is taken in, a first checkpoint is wished for, and waited for until it
 *          is complete: without any, there would be nothing to give it to again.
 * The end  Of a pipe, FIFO or socket is remembered. Within one process the system's word counts: a
 *          FIFO may have a new writer. What had ended before a program was stopped or killed stays
 *          ended when it goes on, whatever its new standard input holds. That of a terminal is only
 *          as good as the next line.
 * Going on What the file has and the program had not read comes first, then the new standard input.
 * Counted  Where whoever gives standard input keeps it (struct ticket, counts_input), the program
 *          reads for itself, and what it reads is counted.
 * Sum      What the program has been given is summed up in the file's head, so that damage is found
 *          before it is given again (os/kept_input.h).
 * Limits   When INPUT_KEPT_BYTES_MAX were taken in since the last checkpoint, one is wished for.
 * Not here Letting go of what a checkpoint has passed: the parent does.
 * Errors   A full disk: NOSPC, and nothing has been taken out of the pipe.
 */
#ifndef TERN_RUNNER_INPUT_H
#define TERN_RUNNER_INPUT_H

#include "runner/fds.h"
#include "runner/vectors.h"
#include "wire/input_head.h"

#include <stdbool.h>
#include <stdint.h>

#define INPUT_KEPT_BYTES_MAX (UINT64_C(256) << 20)

struct host;
struct state;

struct input {
    bool kept;              /* else the program reads for itself */
    bool counted;           /* and this says how much: at, which is end then */
    bool is_pipe;           /* what it comes from */
    bool over;              /* it had ended before this process began: nothing more is asked for */
    struct input_head head; /* of the file */
    uint64_t sum;           /* of what the program has read; 0: not known */
    uint64_t at;            /* the program has read so far */
    uint64_t end;           /* the file has so far */
    uint64_t passed;        /* the last checkpoint was at */
    bool wished;            /* for a checkpoint, since then */
    bool begun;             /* there is one, or there can be none: no waiting for it */
    uint32_t held;          /* read, and not yet written to the file */
};

/* Before the walls are up: whether standard input, if it is open, is kept. s: NULL, or what the
 * program goes on from. What does not fit together ends the process by end_refused. */
void input_begin(struct host *h, const struct state *s);
void input_save(struct host *h, struct state *s);

/* Whether e is standard input, and kept. */
bool input_keeps(const struct host *h, const struct fd_entry *e);

/* So much was read from e, by the program itself. */
void input_count(struct host *h, const struct fd_entry *e, uint64_t bytes);

enum input_way { INPUT_READ, INPUT_PEEK = 1, INPUT_ALL = 2 }; /* bits, as those of recv */

/* Into v, by some bits of enum input_way; *done is 0 at the end of input. */
enum wasi_errno input_read(struct host *h, const struct fd_entry *e, const struct vectors *v,
                           unsigned way, uint64_t *done);

/* Whether a read would not wait for anybody. *bytes: what the file has for it. */
bool input_is_ready(const struct host *h, uint64_t *bytes);

#endif
