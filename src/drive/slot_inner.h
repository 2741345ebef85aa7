/*
 * slot_inner - what the sources of slot share. For them only.
 *
 * Steps of the first attempt in the queue, which is the one that something is done for:
 *
 *     WAITING -> FETCHING -> PREPARING -> STARTING -> RUNNING -> SAVING -> over
 *                    ^           |                       |
 *                    |           v                       v
 *                    +------- PREPARED                 LEAVING -> over
 *
 * From any of them STOPPING may come, which waits for the engine, and then does what stop says.
 */
#ifndef TERN_DRIVE_SLOT_INNER_H
#define TERN_DRIVE_SLOT_INNER_H

#include "drive/carry.h"
#include "drive/slot.h"
#include "drive/stream.h"

#define BEGUN_DELAY_NS INT64_C(20000000) /* what ends sooner need not be told of twice */
#define TAIL_DELAY_NS INT64_C(10000000)
#define RETRY_NS INT64_C(1000000000)
#define AWAITED_NS INT64_C(1000000000) /* between checkpoints that somebody waits for, at least */
#define AWAITED_DELAY_NS INT64_C(10000000) /* what is written within that goes with the same one */
#define ONLY_GUESS_NS INT64_C(50000000) /* what a checkpoint costs, before there was one */

enum {
    SLOT_ROOTS_MAX = 64, /* that were fetched, and are kept */
    SLOT_RETRIES = 30,   /* of bringing the last things to any depot */
    SLOT_AHEAD_ROUNDS = 6,
    AWAITED_SHARE = 10, /* of the program's time, one part goes into those */
    AWAITED_DOUBLED = 5, /* as long as none of them counts: so many times */
    SLOT_FILES_MAX = LIMIT_FILES
};

enum job_step {
    JOB_WAITING,
    JOB_FETCHING,
    JOB_PREPARING,
    JOB_PREPARED, /* PREPARE: waits for PLACE */
    JOB_STARTING,
    JOB_RUNNING,
    JOB_LEAVING, /* its last checkpoint goes to depots */
    JOB_SAVING,  /* it has ended: its results do */
    JOB_STOPPING
};

enum job_stop { STOP_CANCELLED, STOP_RETURNED, STOP_BROKEN, STOP_AGAIN /* to be prepared anew */ };

struct piece { /* of standard input */
    struct piece *next;
    uint64_t offset, size;
    const Tern__Content *content;
    bool end;
};

struct job {
    struct job *next;
    struct arena arena;
    Tern__Fence fence;
    const Tern__Placing *placing;
    bool prepare; /* only */
    bool wished;  /* a checkpoint, before it began */
    bool awaited; /* its committed output, by somebody */
    struct piece *input;
    struct piece **input_end;
};

struct held_root {
    char *domain;
    struct chunks_root root;
    uint64_t used; /* by that attempt of ours, counted from 1 on */
    bool fetched;        /* it is there, not only on its way */
    bool once;     /* a checkpoint: of no use to another attempt */
};

struct input { /* being fed */
    uint64_t fed;
    bool wanted, ended;
    struct carry *carry; /* of a blob */
    size_t skip;         /* of what comes first: it begins at a full MiB */
    struct bytes bytes;  /* that came, and are not fed yet */
};

enum taking { TAKE_IDLE, TAKE_ENGINE, TAKE_SENDING };

struct checkpoints {
    enum taking taking;
    uint64_t n; /* newest that was reported, or that it began from */
    struct engine_checkpoint now;
    struct stream_blob output[2];
    struct chunks_root root, before; /* what is sent; the one before it, still held */
    bool has_before;
    struct carry *carry;
    int64_t due_ns;
    int64_t awaited_ns; /* because somebody waits for output; INT64_MAX: nobody does */
    int64_t taken_ns;   /* the last one was begun; 0: none was */
    uint64_t reported[2], committed[2]; /* output that is in the newest one; in one that counts */
    unsigned unconfirmed;               /* reported since one was said to count */
    int64_t cost_ns;
    bool wished; /* ORDER_CHECKPOINT, or a move */
    bool move, last;
    unsigned rounds, tries;
    uint64_t round_bytes;
};

struct saved { /* something of the results */
    struct stream_blob blob;
    char *name; /* of a file; NULL: output, error */
    struct bytes here;
    struct carry *carry;
    bool done;
};

struct saving {
    Tern__EndKind kind;
    int32_t code;
    char *text;
    uint64_t cpu_ns;
    struct saved *item; /* standard output, standard error, files */
    size_t count;
    unsigned tries;
    int64_t retry_ns;
};

struct slot {
    struct slot_config config;
    struct links *links;
    struct depots *depots;
    link_id node;
    bool node_up;
    struct job *jobs; /* the first is at work */
    enum job_step step;
    enum job_stop stop;
    char why[CARRY_WHY_BYTES]; /* STOP_BROKEN */
    uint64_t lives; /* attempts so far */
    bool again; /* something began that settle has to look at */
    char *domain;
    struct depot *depot[CARRY_LEGS];
    size_t depot_count;
    unsigned fetching;
    bool engine_busy;
    bool begun_told;
    int64_t given_ns, began_ns;
    int64_t begun_due_ns, tail_due_ns; /* INT64_MAX: not */
    struct stream stream[2];
    uint64_t tail[2];
    struct input input;
    struct checkpoints take;
    struct saving saving;
    struct held_root held[SLOT_ROOTS_MAX];
    size_t held_count;
};

/* slot.c */
void slot_report(struct slot *s, const struct job *job, Tern__Report *report);
void slot_end_with(struct slot *s, Tern__EndKind kind, const char *text); /* and nothing else */
void slot_broken(struct slot *s, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));
void slot_over(struct slot *s); /* the first attempt: on to the next */
void slot_settle(struct slot *s);
void slot_tell_begun(struct slot *s);
/* Carries away what the engine would do otherwise; what follows is `stop`. */
void slot_stop(struct slot *s, enum job_stop stop);

/* slot_orders.c */
void slot_orders(struct slot *s, const Tern__SlotWork *work);
void job_free(struct slot *s, struct job *job);

/* slot_fetch.c */
void fetch_begin(struct slot *s);
void fetch_release(struct slot *s); /* of an attempt that is over */
void fetch_forget_all(struct slot *s);
bool blob_name(const Tern__Blob *blob, struct store_name *name);

/* slot_input.c */
void input_begin(struct slot *s);
void input_feed(struct slot *s);
void input_release(struct slot *s);
bool job_has_input(const struct job *job, const Tern__MoreInput *more); /* it is said twice */
void job_add_input(struct job *job, const Tern__MoreInput *more);

/* slot_checkpoint.c */
void take_begin(struct slot *s);
void take_due(struct slot *s);
void take_release(struct slot *s);
int64_t take_wake(const struct slot *s);
/* Output came, or whether somebody waits for it has changed. */
void take_awaited(struct slot *s);
void take_committed(struct slot *s, uint64_t checkpoint);
void take_made(struct slot *s, const struct engine_checkpoint *c);
void take_not_made(struct slot *s, bool last, const char *why);

/* slot_end.c */
void save_begin(struct slot *s, const struct engine_end *end);
void save_due(struct slot *s);
void save_release(struct slot *s);

/* slot_tail.c */
void tail_send(struct slot *s);

static inline int64_t slot_now(const struct slot *s)
{
    return links_now(s->links);
}

static inline struct carry_order slot_carry_order(struct slot *s)
{
    return (struct carry_order){.depots = s->depot,
                                .count = s->depot_count,
                                .wanted = 1,
                                .chunks = s->config.chunks,
                                .domain = s->domain,
                                .context = s};
}

#endif
