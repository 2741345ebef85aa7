/*
 * tern.h - libtern: name work, send and fetch data, wait. Where it runs is the pool's business.
 *
 *     struct tern *pool;
 *     struct tern_result *r;
 *     struct tern_submitted s;
 *     struct tern_job job = {.module = {.kind = TERN_FILE, .text = "prog.wasm"}};
 *
 *     if (tern_connect(NULL, &pool) || tern_submit(pool, &job, &s) ||
 *         tern_wait(pool, s.first, -1, &r))
 *         fprintf(stderr, "%s\n", tern_why(pool));
 *
 * Link with `pkg-config --cflags --libs libtern`. This header is the manual.
 *
 * Handles  A struct tern is a connection to one pool, with its session. The session outlives the
 *          connection: when that breaks, the library dials again, repeats what was not answered,
 *          and the pool does nothing twice. A handle, and all that was made with it, belongs to one
 *          thread at a time; two handles know nothing of each other.
 * Global   There is no global state, no signal handler, no thread of the library's own. (The host
 *          part of "tcp:host:port", unless it is a number, is looked up by libuv's helper thread.)
 *          SIGPIPE is never raised.
 * Waiting  Functions with a timeout_ms wait at most so long: 0 looks and does not wait, -1 waits for
 *          ever; TERN_EAGAIN: not yet, call again. Plain verbs (tern_submit) block until the pool
 *          has answered. Each of them has a tern_..._begin that does not block and gives a struct
 *          tern_op; tern_op_wait with 0 asks what became of it. All others return at once.
 * Loops    For an event loop of one's own: wait until tern_fd is readable, or tern_timeout has
 *          passed; then call tern_step, which never blocks; then ask whatever is under way with
 *          timeout_ms 0. Ask tern_timeout anew after any call to the library.
 * Memory   What one hands over is borrowed for the call; of tern_..._begin until the op has ended
 *          where it says so. What one is given is freed by the function that is named with it;
 *          tern_close frees the rest. All functions that free accept NULL.
 * Errors   enum tern_err, 0 is success; tern_why has the sentence for a person, of the last call
 *          that failed on this handle. Out parameters are untouched by a call that failed.
 * Growth   Structures that are handed over are to be zeroed first (= {0}): 0 in each field is what
 *          most want, and later versions add fields at their ends only with a new soname.
 */
#ifndef TERN_TERN_H
#define TERN_TERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TERN_PUBLIC __attribute__((visibility("default")))
#else
#define TERN_PUBLIC
#endif

/* ---------------------------------------------------------------- errors */

/* name, number (stable: part of what parts of a pool say to each other), meaning */
#define TERN_PUBLIC_ERRORS(X)                                                                      \
    X(TERN_OK, 0, "ok")                                                                            \
    X(TERN_ENOMEM, 1, "out of memory")                                                             \
    X(TERN_ETOOBIG, 2, "larger than the limit")                                                    \
    X(TERN_EPROTO, 3, "peer broke the protocol")                                                   \
    X(TERN_EIO, 4, "input or output failed")                                                       \
    X(TERN_ENOENT, 5, "no such file, name or task")                                                \
    X(TERN_EACCES, 6, "permission denied")                                                         \
    X(TERN_EMALFORMED, 7, "malformed module")                                                      \
    X(TERN_EINVALID, 8, "invalid module")                                                          \
    X(TERN_EUSAGE, 9, "wrong usage")                                                               \
    X(TERN_EMISSING, 10, "a tool or library is missing")                                           \
    X(TERN_ECOMPILE, 11, "the C compiler failed")                                                  \
    X(TERN_ETIME, 12, "time limit reached")                                                        \
    X(TERN_EUNSAFE, 13, "refused for safety")                                                      \
    X(TERN_ELINK, 14, "an import cannot be met")                                                   \
    X(TERN_EEXIST, 15, "already exists")                                                           \
    X(TERN_ESYSTEM, 16, "the operating system refused")                                            \
    X(TERN_EBUSY, 17, "in use by another, or full for now")                                        \
    X(TERN_ECORRUPT, 18, "damaged")                                                                \
    X(TERN_ENOSPACE, 19, "no room left")                                                           \
    X(TERN_EAGAIN, 40, "not yet")                                                                  \
    X(TERN_EUNREACHABLE, 41, "cannot be reached")                                                  \
    X(TERN_EVERSION, 42, "of a version that is not understood")                                    \
    X(TERN_EEXPIRED, 43, "too old: forgotten meanwhile")

#ifndef TERN_BASE_ERROR_H
enum tern_err {
#define TERN_PUBLIC_ERROR(name, number, text) name = number,
    TERN_PUBLIC_ERRORS(TERN_PUBLIC_ERROR)
#undef TERN_PUBLIC_ERROR
};
#endif

/* A few words; never NULL. */
TERN_PUBLIC const char *tern_error_text(enum tern_err err);

/* ---------------------------------------------------------------- a connection to a pool */

struct tern;

/*
 * pool: "unix:/path", "tcp:host:port", or "host:port". NULL or "": what the environment variable
 * TERN_POOL says, else the socket of `tern up` or of an agent on this machine. Blocks until the pool
 * has answered. TERN_EUNREACHABLE: nobody is there; TERN_EVERSION; TERN_EACCES.
 *
 * *out is a handle even after an error, so that tern_why can say what to do; NULL only without
 * memory. In any case it is to be closed.
 */
TERN_PUBLIC enum tern_err tern_connect(const char *pool, struct tern **out);
/* The same without waiting: tern_connected says what became of it. */
TERN_PUBLIC enum tern_err tern_connect_begin(const char *pool, struct tern **out);
TERN_PUBLIC enum tern_err tern_connected(struct tern *t, int timeout_ms);
/* Ends the connection at once. Tasks go on; ops, watches and streams of it are freed. */
TERN_PUBLIC void tern_close(struct tern *t);

/* Never NULL; good until the next call on this handle. */
TERN_PUBLIC const char *tern_why(const struct tern *t);
/* Is the agent there at this moment? If not, it is being dialled, and calls wait. */
TERN_PUBLIC bool tern_is_up(const struct tern *t);
/* How long calls wait for an agent that went away, before TERN_EUNREACHABLE; -1: for ever. */
TERN_PUBLIC void tern_set_patience(struct tern *t, int ms);
/* As whom the pool knows us; "" before it has said. */
TERN_PUBLIC const char *tern_owner(const struct tern *t);
/* "0.1.0" */
TERN_PUBLIC const char *tern_version(void);

/* For event loops of others. tern_timeout: milliseconds, -1: none. */
TERN_PUBLIC int tern_fd(const struct tern *t);
TERN_PUBLIC int tern_timeout(const struct tern *t);
TERN_PUBLIC void tern_step(struct tern *t);

/* ---------------------------------------------------------------- something under way */

/* From a tern_..._begin; NULL from there: no memory. */
struct tern_op;

/* TERN_EAGAIN: under way. Anything else is its end, and stays the answer. */
TERN_PUBLIC enum tern_err tern_op_wait(struct tern_op *op, int timeout_ms);
/* Bytes that travelled, and of how many (0: not known). */
TERN_PUBLIC void tern_op_progress(const struct tern_op *op, uint64_t *done, uint64_t *all);
/* Of one under way: its answer is not waited for; what was asked may still be done. */
TERN_PUBLIC void tern_op_free(struct tern_op *op);

/* ---------------------------------------------------------------- data */

enum { TERN_NAME_BYTES = 32, TERN_TASKS_MAX = 4096, TERN_INPUT_MAX = 1 << 20 };

/* An immutable run of bytes, by its content; in depots of the pool. */
struct tern_blob {
    uint8_t sha256[TERN_NAME_BYTES];
    uint64_t size;
    uint32_t kind; /* how it lies in depots: to be kept, not to be looked at */
};

struct tern_task { uint64_t n; };  /* 0: none */
struct tern_job_id { uint64_t n; };

enum tern_source_kind {
    TERN_EMPTY, /* nothing at all */
    TERN_BYTES, /* bytes, size */
    TERN_FILE,  /* text: path on this machine */
    TERN_FD,    /* fd: is read to its end, from where it stands; stays open */
    TERN_NAMED, /* text: a name given by tern_put; as it is now */
    TERN_BLOB,  /* blob */
    TERN_OUTPUT /* what that task will have made: its output `text`; NULL: standard output */
};

struct tern_source {
    enum tern_source_kind kind;
    const char *text;
    const void *bytes;
    size_t size;
    int fd;
    struct tern_blob blob;
    struct tern_task task;
};

/* Where fetched bytes go: to `take` if there is one, else to fd, by blocking writes. */
struct tern_sink {
    int fd;
    void *context;
    /* Anything but TERN_OK ends the transfer with that. It may not call the library. */
    enum tern_err (*take)(void *context, const void *bytes, size_t size);
};

/*
 * Brings bytes into the pool, and gives them a name there (NULL: none; then the pool lets go of
 * them after an hour unless a task uses them). A name that is there means these bytes from now on.
 * out may be NULL. name, source and *out are needed until the op has ended. Equal bytes are not
 * sent twice.
 */
TERN_PUBLIC enum tern_err tern_put(struct tern *t, const char *name,
                                   const struct tern_source *source, struct tern_blob *out);
TERN_PUBLIC struct tern_op *tern_put_begin(struct tern *t, const char *name,
                                           const struct tern_source *source,
                                           struct tern_blob *out);
/* TERN_NAMED and TERN_BLOB only. What reached the sink before an error has reached it. */
TERN_PUBLIC enum tern_err tern_get(struct tern *t, const struct tern_source *source,
                                   const struct tern_sink *sink);
TERN_PUBLIC struct tern_op *tern_get_begin(struct tern *t, const struct tern_source *source,
                                           const struct tern_sink *sink);
/* TERN_ENOENT: there is no such name. */
TERN_PUBLIC enum tern_err tern_remove(struct tern *t, const char *name);
TERN_PUBLIC struct tern_op *tern_remove_begin(struct tern *t, const char *name);

/* ---------------------------------------------------------------- work */

struct tern_input {
    const char *path; /* in the program's own file tree: "in.txt" */
    struct tern_source source;
};

struct tern_output {
    const char *path;
    bool optional; /* it is no failure if there is none */
};

/* One run of the job's program. */
struct tern_task_of {
    const char *item; /* what stands for "{}" in the job's arguments; at most 4 KiB */
    struct tern_source input; /* standard input */
    bool open_input;          /* more follows by tern_input */
    const struct tern_input *inputs;
    size_t input_count;
    const struct tern_output *outputs;
    size_t output_count;
};

struct tern_job {
    struct tern_source module;
    const char *name;        /* of the program, its args[0]; NULL: from the module's file name */
    const char *label;       /* for people; NULL: name */
    const char *const *args; /* without the program's name; "{}" stands for a task's item */
    size_t arg_count;
    const char *const *env; /* "NAME=VALUE" */
    size_t env_count;
    const struct tern_task_of *tasks; /* none: one, with nothing; at most TERN_TASKS_MAX */
    size_t task_count;
    uint64_t first_index; /* of tasks[0], in the job: for tern_submit_more */

    int32_t priority;     /* higher goes first */
    int64_t deadline_ns;  /* since 1970; 0: none. What has not ended by then fails */
    uint64_t memory_bytes, stack_bytes, cpu_ns, output_bytes; /* limits; 0: the pool's own */
    uint64_t files_bytes; /* of the file tree */
    bool deterministic;   /* as tern exec --deterministic */
    bool seeded;
    uint64_t random_seed;
    bool pure;            /* a result of before, of equal inputs, will do */

    /* Requirements. */
    const char *const *machines; /* any of "x86_64", "aarch64" */
    size_t machine_count;
    const char *const *labels; /* "gpu", "site=berlin": a node that has all of them */
    size_t label_count;
    uint64_t needs_memory_bytes; /* that the node must have */
    const char *node;            /* only this one */

    /* Policy. */
    uint32_t copies;             /* depots that hold a checkpoint before it counts */
    int64_t checkpoint_every_ns; /* most work that may be lost */
    bool speculative;            /* may run twice: the first answer counts. Not done yet: refused */
    int64_t keep_ns;             /* how long results are kept after the end */
    uint32_t attempts;           /* after so many that ended by no fault of its own it fails */
};

struct tern_submitted {
    struct tern_job_id job;
    struct tern_task first; /* tasks are first, first + 1, ... in the order given */
    uint64_t count;
};

/*
 * Sends what has to be sent, and hands the job over. When it returns TERN_OK the pool has written
 * it down: it will end exactly once. The job and all it points to are needed until the op has
 * ended. TERN_EMALFORMED: the module is no WebAssembly, nothing was sent; TERN_ENOENT: a file, name
 * or task that is not there; TERN_EBUSY: the pool is full.
 */
TERN_PUBLIC enum tern_err tern_submit(struct tern *t, const struct tern_job *job,
                                      struct tern_submitted *out);
TERN_PUBLIC struct tern_op *tern_submit_begin(struct tern *t, const struct tern_job *job,
                                              struct tern_submitted *out);
/* More tasks of a job; of *job only tasks count. */
TERN_PUBLIC enum tern_err tern_submit_more(struct tern *t, struct tern_job_id id,
                                           const struct tern_job *job, struct tern_submitted *out);
TERN_PUBLIC struct tern_op *tern_submit_more_begin(struct tern *t, struct tern_job_id id,
                                                   const struct tern_job *job,
                                                   struct tern_submitted *out);

/*
 * More standard input of a task with open_input. `offset` counts from the first byte of all of it,
 * what came with the task included; the same bytes at the same offset may come again. end: there is
 * no more behind it. At most TERN_INPUT_MAX bytes at a time.
 */
TERN_PUBLIC enum tern_err tern_input(struct tern *t, struct tern_task task, uint64_t offset,
                                     const void *bytes, size_t size, bool end);
TERN_PUBLIC struct tern_op *tern_input_begin(struct tern *t, struct tern_task task,
                                             uint64_t offset, const void *bytes, size_t size,
                                             bool end);

/* Tasks that are meant: one, or all of a job. */
struct tern_which {
    struct tern_task task;
    struct tern_job_id job;
};

/* *count (may be NULL): tasks that it was true of. A task that has ended stays as it ended. */
TERN_PUBLIC enum tern_err tern_cancel(struct tern *t, struct tern_which which, uint64_t *count);
TERN_PUBLIC enum tern_err tern_checkpoint(struct tern *t, struct tern_which which,
                                          uint64_t *count);
/* node NULL: wherever it ranks best, but not where it is. Returns when it was ordered. */
TERN_PUBLIC enum tern_err tern_migrate(struct tern *t, struct tern_task task, const char *node);
/* Its tasks move away, and it gets no more; back: it does again. */
TERN_PUBLIC enum tern_err tern_drain(struct tern *t, const char *node, bool back, uint64_t *count);
/* Results of tasks that have ended are not needed any more. */
TERN_PUBLIC enum tern_err tern_forget(struct tern *t, struct tern_which which, uint64_t *count);

/* ---------------------------------------------------------------- what became of tasks */

enum tern_state { /* as in proto/tern.proto */
    TERN_STATE_NONE = 0,
    TERN_WAITING = 1, /* for an input */
    TERN_READY = 2,   /* for a node */
    TERN_PLACED = 3,  /* given to a node, not begun */
    TERN_RUNNING = 4,
    TERN_DONE = 5,   /* by exit, with any code */
    TERN_FAILED = 6, /* by a trap, a limit, or what no other attempt would mend */
    TERN_CANCELLED = 7
};

enum tern_end_kind {
    TERN_END_NONE = 0,
    TERN_END_EXIT = 1,  /* code: the program's own */
    TERN_END_TRAP = 2,  /* text says where */
    TERN_END_LIMIT = 3, /* code 1: processor time, 2: output */
    TERN_END_REFUSED = 4,
    TERN_END_BROKEN = 5, /* by faults of machines, too often */
    TERN_END_CANCELLED = 6
};

/* "done", "running"; never NULL. */
TERN_PUBLIC const char *tern_state_text(enum tern_state state);

struct tern_file {
    const char *path; /* of a declared output */
    uint64_t size;
};

/* How a task ended, or (state below TERN_DONE) where it stands. */
struct tern_result {
    struct tern_task task;
    struct tern_job_id job;
    uint64_t index; /* place in the job */
    enum tern_state state;
    enum tern_end_kind kind;
    int32_t code;
    const char *text; /* of all but TERN_END_EXIT: a sentence; else "" */
    const char *why;  /* of one that waits: why; else "" */
    const char *node;
    uint64_t attempt;
    uint32_t moves, losses;
    uint64_t cpu_ns, wall_ns;
    uint64_t checkpoint;    /* number of the newest that counts; 0: none */
    int64_t checkpoint_ns;  /* agent time */
    uint64_t output_bytes, error_bytes; /* committed */
    const struct tern_file *files;
    size_t file_count;
};

TERN_PUBLIC void tern_result_free(struct tern_result *r);

/*
 * Waits for the end of one task; its results are fetched by tern_result_get. At a timeout of 0 or
 * more TERN_EAGAIN until then.
 */
TERN_PUBLIC enum tern_err tern_wait(struct tern *t, struct tern_task task, int timeout_ms,
                                    struct tern_result **out);

/*
 * Many at once: a watch gives each end of what was added to it, once, as they come. For one task,
 * for any, for all. What was added may have ended long ago.
 */
struct tern_watch;

/* NULL: no memory. changes: tell also what happens before the end (a new state, node, checkpoint;
 * of changes that come too fast, only the newest). */
TERN_PUBLIC struct tern_watch *tern_watch_new(struct tern *t, bool changes);
TERN_PUBLIC enum tern_err tern_watch_add(struct tern_watch *w, struct tern_which which);
/* TERN_EAGAIN; TERN_ENOENT: a task or job that is not known (tern_why says which); then go on. */
TERN_PUBLIC enum tern_err tern_watch_next(struct tern_watch *w, int timeout_ms,
                                          struct tern_result **out);
TERN_PUBLIC void tern_watch_free(struct tern_watch *w);

/* What a task has left: path NULL is standard output, "\2" standard error, else a declared output.
 * The result is needed until the op has ended. TERN_ENOENT: it left no such thing. */
#define TERN_STDERR "\2"
TERN_PUBLIC enum tern_err tern_result_get(struct tern *t, const struct tern_result *r,
                                          const char *path, const struct tern_sink *sink);
TERN_PUBLIC struct tern_op *tern_result_get_begin(struct tern *t, const struct tern_result *r,
                                                  const char *path, const struct tern_sink *sink);

/* ---------------------------------------------------------------- streams: output as it comes */

/*
 * Committed bytes are those up to the last checkpoint that counts, or the end: they never change.
 * Provisional bytes come at once, and may come otherwise if the program has to go on from a
 * checkpoint on another machine. With `provisional` a stream shows bytes as soon as they are known,
 * and never the same ones twice; TERN_PIECE_DIFFERS tells that what was shown from an offset on has
 * turned out otherwise (only programs whose output depends on time or chance do that).
 */
struct tern_stream;

enum tern_piece_kind {
    TERN_PIECE_BYTES,   /* stream, offset, bytes, size */
    TERN_PIECE_DIFFERS, /* stream, offset: what was shown from there on does not count */
    TERN_PIECE_CHANGED, /* result: a new state, node or checkpoint */
    TERN_PIECE_ENDED    /* result; the last piece, behind all bytes */
};

struct tern_piece {
    enum tern_piece_kind kind;
    int stream; /* 1: standard output, 2: standard error */
    uint64_t offset;
    const void *bytes;
    size_t size;
    const struct tern_result *result;
};

struct tern_stream_of {
    struct tern_task task;
    bool provisional;   /* for a terminal; else committed bytes only */
    bool changes;       /* TERN_PIECE_CHANGED, too */
    bool stop_at_now;   /* do not wait for the end: TERN_PIECE_ENDED behind what there is now */
    uint64_t from[2];   /* offsets to begin at */
};

/* NULL: no memory. */
TERN_PUBLIC struct tern_stream *tern_stream_new(struct tern *t, const struct tern_stream_of *of);
/* *out is good until the next call with this stream. TERN_EAGAIN; TERN_ENOENT: no such task. */
TERN_PUBLIC enum tern_err tern_stream_next(struct tern_stream *s, int timeout_ms,
                                           struct tern_piece *out);
TERN_PUBLIC void tern_stream_free(struct tern_stream *s);

/* ---------------------------------------------------------------- questions */

struct tern_checkpoint {
    uint64_t n, attempt;
    int64_t time_ns; /* agent time */
    uint64_t pause_ns, total_ns, image_bytes, sent_bytes, cpu_ns;
    uint64_t input_bytes, output_bytes, error_bytes;
    const char *const *depots;
    size_t depot_count;
};

struct tern_attempt {
    uint64_t n, term;
    const char *node;
    const char *state; /* "placed", "running", "ended", "lost", "moved", "returned", "broken", ... */
    int64_t placed_ns, begun_ns, ended_ns; /* agent time; 0: not yet */
    uint64_t from;                         /* checkpoint it began from */
    const char *why;
    uint64_t cpu_ns;
};

struct tern_detail {
    struct tern_result now;
    const char *owner, *label, *program, *item;
    const char *const *args;
    size_t arg_count;
    int32_t priority;
    int64_t submitted_ns, deadline_ns; /* since 1970 */
    const struct tern_attempt *attempts;
    size_t attempt_count;
    const struct tern_checkpoint *checkpoints; /* that are still known */
    size_t checkpoint_count;
};

struct tern_reason {
    const char *what; /* "machine", "memory", "labels", "slots", "drained", "input", "rank" ... */
    const char *text;
    uint32_t nodes; /* that it is true of */
};

struct tern_node {
    const char *name, *state, *machine, *system;
    uint32_t slots, processors, speed, running, waiting, foreign_thousandths;
    uint64_t memory_bytes, memory_free, attempts, losses;
    const char *const *labels;
    size_t label_count;
    bool drained, leaving;
    int64_t seen_ns; /* agent time */
};

struct tern_depot {
    const char *name, *state;
    const char *const *endpoints;
    size_t endpoint_count;
    uint64_t space_bytes, free_bytes, roots;
    bool memory;
};

struct tern_name {
    const char *name;
    struct tern_blob blob;
    int64_t time_ns; /* agent time */
    uint32_t depots; /* that hold it */
};

struct tern_pool {
    uint8_t id[16];
    uint64_t term, waiting, ready, placed, running, ended, facts;
    int64_t now_ns, wall_of_zero_ns; /* agent time; wall time at agent time 0 */
    uint32_t nodes, slots, depots;
};

enum tern_question {
    TERN_ASK_TASKS = 1,
    TERN_ASK_TASK = 2,
    TERN_ASK_WHY = 3,
    TERN_ASK_NODES = 4,
    TERN_ASK_DEPOTS = 5,
    TERN_ASK_NAMES = 6,
    TERN_ASK_POOL = 7
};

struct tern_query {
    enum tern_question what;
    struct tern_which which;
    bool ended;             /* TERN_ASK_TASKS: those that have ended, too */
    uint64_t after;         /* tasks: those behind this one */
    const char *after_name; /* nodes, depots, names: likewise */
    uint32_t count;         /* rows, at most 1,000; 0: 1,000 */
};

/* Only what was asked for is there. */
struct tern_rows {
    const struct tern_result *tasks;
    const struct tern_detail *detail;
    const struct tern_reason *reasons;
    const struct tern_node *nodes;
    const struct tern_depot *depots;
    const struct tern_name *names;
    const struct tern_pool *pool;
    size_t task_count, reason_count, node_count, depot_count, name_count;
    bool more;     /* there are rows behind the last one: ask again, behind it */
    uint64_t next; /* of tasks: `after` of the next question */
};

/* The query is needed until the op has ended; *out is set then. TERN_ENOENT. */
TERN_PUBLIC enum tern_err tern_ask(struct tern *t, const struct tern_query *query,
                                   struct tern_rows **out);
TERN_PUBLIC struct tern_op *tern_ask_begin(struct tern *t, const struct tern_query *query,
                                           struct tern_rows **out);
TERN_PUBLIC void tern_rows_free(struct tern_rows *rows);

#ifdef __cplusplus
}
#endif

#endif
