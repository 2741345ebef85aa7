/*
 * agent_inner - what the sources of the agent's core share. For them only.
 *
 * Tables   A directory for what has a number, a tree for what has a name or an order; no hash, so
 *          that nothing can come in an order that two runs do not share.
 * Two lives Fields above a line "not facts" are set by agent_apply alone. Those below belong to
 *          connections, and are empty after a restart.
 * Work     What an event sets off may be much (a node with many tasks is lost): it is done in
 *          portions, AGENT_PORTION in one step, and the core asks to be woken at once for the rest.
 */
#ifndef TERN_CORE_AGENT_INNER_H
#define TERN_CORE_AGENT_INNER_H

#include "base/directory.h"
#include "base/tree.h"
#include "core/agent.h"
#include "core/packed.h"
#include "core/policy_ahead.h"
#include "core/policy_match.h"

enum {
    AGENT_PORTION = 1024,
    AGENT_ORDERS_BYTES = 1 << 20, /* of one message, about */
    AGENT_INPUTS_MAX = 4096,      /* pieces that wait for a checkpoint */
    AGENT_ATTEMPTS_MAX = 128,     /* that are remembered of one task */
    AGENT_CHECKPOINTS_MAX = 64,
    AGENT_CHECKPOINTS_HELD = 2, /* newest ones whose data is kept */
    AGENT_COPIES_MAX = 8,
    AGENT_NEAR_MAX = 8,
    NODE_SLOTS_LIMIT = 65536,
    RIGHT_READ = 1,
    RIGHT_WRITE = 2,
    AGENT_NAMES_MAX = 1 << 20,
    NODE_REFUSALS_MAX = 32
};

/* A user: whose work and data it is. A domain is the owner's. Never forgotten: there are few. */
struct owner {
    struct tree_link link;
    uint64_t n; /* in the order of coming, from 1 on */
    char *name;
    struct tree names;
    uint64_t tasks; /* that have not ended */
};

struct name {
    struct tree_link link; /* owner->names */
    char *name;
    struct root *root;
    int64_t time_ns;
};

/* ---- data ---- */

struct copy { /* of a root, at a depot */
    struct tree_link link; /* depot->copies, by due_ns */
    struct root *root;
    struct depot *depot;
    struct copy *next; /* of this root */
    int64_t due_ns;    /* when its lease has to be taken again */
};

struct root {
    struct tree_link link; /* agent->roots */
    struct tree_link idle; /* agent->idle: nobody wants it */
    uint64_t n;
    struct owner *domain;
    uint8_t sha256[32];
    uint32_t kind;
    uint64_t size;
    uint32_t wanted;  /* by tasks, jobs, names */
    int64_t fresh_ns; /* somebody is about to want it until then */
    struct copy *copies;
    uint32_t copy_count;
    /* not facts */
    uint64_t for_task; /* whose checkpoint waits for more copies */
    uint32_t copying;  /* the peer that was told to copy it, and has not answered */
};

struct depot {
    struct tree_link link; /* agent->depots */
    struct tree_link room; /* agent->rooms: up, by free space */
    uint64_t n;
    char *name;
    struct packed known; /* DepotKnown */
    char **endpoints;
    size_t endpoint_count;
    struct tree copies; /* by due_ns */
    /* not facts */
    uint32_t peer; /* 0: it is not here */
    uint64_t instance;
    uint64_t space_bytes, free_bytes;
    bool memory;
    int64_t seen_ns, down_ns;
    bool rescue;             /* it is gone: its roots are copied elsewhere */
    struct tree_link timer;  /* agent->timers_depot */
    int64_t timer_ns;
    struct tree_link hold;   /* agent->holds: here, and some lease is to be taken again then */
    int64_t hold_ns;
    Tern__Hold *letting; /* of this sweep */
    struct depot *letting_next;
};

/* ---- nodes ---- */

/* Nodes that are alike to all requirements. */
struct shape {
    struct tree_link link; /* agent->shapes */
    uint64_t n;
    char *machine;
    uint64_t memory_bytes;
    char **labels;
    size_t label_count;
    struct tree nodes;   /* that can be given something, best first */
    struct tree waiting; /* struct pair: classes with something that is ready */
    uint64_t node_count, node_up;
};

/* A node has given back a task of this class unasked: it is given none of it for a while. */
struct refusal {
    struct tree_link timer; /* agent->refusals */
    struct node_at *node;
    uint64_t class;
    int64_t until_ns;
    struct refusal *next; /* of this node, the newest first */
};

enum node_state { NODE_DOWN, NODE_SUSPECT, NODE_UP };

struct node_at {
    struct tree_link link; /* agent->nodes */
    uint64_t n;
    char *name;
    bool drained;
    uint64_t losses;
    int64_t up_before_ns;
    struct tree tasks; /* placed or running here */
    /* not facts */
    uint32_t peer;
    uint64_t instance;
    enum node_state state;
    struct tree_link place; /* shape->nodes */
    uint64_t cost;          /* its key there, with `busy` */
    bool busy;
    struct shape *shape;
    struct packed ad;
    char **near;
    size_t near_count;
    uint32_t slots, speed, foreign, running, waiting;
    uint64_t memory_free;
    uint32_t reserved; /* for tasks that are on their way here */
    bool leaving;
    int64_t seen_ns, up_ns;
    struct tree_link timer; /* agent->timers */
    int64_t timer_ns;
    bool dirty; /* it may have room for more */
    struct node_at *dirty_next;
    struct tree_link drain; /* agent->draining */
    struct refusal *refusals; /* at most NODE_REFUSALS_MAX */
    Tern__Orders *orders;   /* of this step */
    size_t orders_room, orders_bytes;
    struct node_at *orders_next;
};

/* ---- tasks ---- */

/* What tasks need: all with equal requirements are of one class. */
struct class {
    struct tree_link link; /* agent->classes */
    uint64_t n;
    struct packed key;             /* Requirements */
    Tern__Requirements *needs;     /* in `arena` */
    struct arena arena;
    uint64_t jobs;
    struct tree ready; /* of its tasks, in order of priority and number */
    struct pair *pairs;
    struct tree_link pin; /* agent->pins: for one node by name */
    bool dirty;
    struct class *dirty_next;
};

/* A class and a shape that fits it. */
struct pair {
    struct tree_link link; /* shape->waiting */
    struct class *class;
    struct shape *shape;
    struct pair *next; /* of this class */
    int32_t priority;  /* as they were when it was put there */
    uint64_t first;
};

/* What is known of tasks of one module. */
struct program {
    struct tree_link link; /* agent->programs */
    uint8_t sha256[32];
    uint64_t jobs;
    struct duration took;
};

struct range { /* of a job's tasks: numbers first .. first + count - 1 have indexes from `index` */
    uint64_t first, count, index;
};

struct job {
    uint64_t n;
    struct owner *owner;
    struct arena arena;
    Tern__Job *known; /* all of it */
    Tern__Job lean;   /* what nodes are told */
    size_t lean_bytes;
    struct class *class;
    struct program *program;
    struct root *module;
    struct range *ranges;
    size_t range_count, range_room;
    uint64_t tasks, ended; /* that are known */
    uint64_t next_index;
    bool cancelled;
    int64_t accepted_ns;
    struct job *buried; /* freed with the next step */
    struct tree_link walk; /* agent->cancelling */
    uint64_t walked;       /* numbers below have been cancelled */
    struct tree_link due;  /* agent->deadlines: until all that had not ended by then has */
    int64_t due_ns;        /* agent time; INT64_MAX: whenever it ends */
    uint64_t expired;      /* numbers below have been looked at since */
};

struct attempt {
    uint64_t n, term;
    char *node;
    Tern__AttemptState state;
    int64_t placed_ns, begun_ns, ended_ns;
    uint64_t from, cpu_ns;
    char *why;
};

struct checkpoint {
    uint64_t n, attempt;
    struct packed packed;
    struct root *root; /* NULL: its data is not kept any more */
};

enum moving { MOVING_NOT, MOVING_PREPARE, MOVING_AWAY };

/* Of a task that has been more than queued. */
struct run {
    struct attempt *attempts;
    size_t attempt_count, attempt_room;
    uint32_t moves, losses; /* of all attempts, also of those not remembered any more */
    uint32_t broken;        /* in a row: since it got on to another checkpoint */
    uint64_t dropped;
    struct checkpoint *checkpoints;
    size_t checkpoint_count, checkpoint_room;
    uint64_t checkpoint_next; /* numbers from this on have not been used */
    struct packed *inputs; /* MoreInput */
    size_t input_count, input_room;
    uint64_t input_at; /* where the next piece goes */
    bool input_ended;
    struct depot *depots[AGENT_COPIES_MAX]; /* where this attempt's data goes */
    size_t depot_count;
    struct packed end;
    int64_t ended_ns, forget_ns;
    uint64_t task;
    struct tree_link keep; /* agent->keeping */
    uint64_t *waiters;     /* tasks that want its outputs */
    size_t waiter_count, waiter_room, waiters_done;
    /* not facts */
    uint64_t given; /* newest number of an attempt, placed or only prepared */
    struct tree_link mover; /* agent->movers */
    enum moving moving;
    struct node_at *target;
    int64_t move_after_ns; /* a drained node need not try before */
    struct packed pending; /* a checkpoint that too few depots hold */
    int64_t recalled_ns;
    bool recalled;
};

struct task {
    struct tree_link link; /* in the tree that its state says (task_home) */
    struct tree *in;
    uint64_t n, index;
    struct job *job;
    struct packed spec; /* Task, without n, job and index */
    struct run *run;    /* NULL: never placed, nobody waits for it */
    struct node_at *node;
    uint32_t waits; /* promises that are not kept yet */
    uint8_t state;  /* Tern__TaskState */
    bool begun, open_input;
    bool promises;  /* some of its inputs are promises */
    bool blobs;     /* its spec has names of data in it, which are wanted until it ends */
    uint64_t doomed; /* by the end of that task */
};

/* ---- clients ---- */

struct answer { /* to a Submit */
    uint64_t number, job, first, count;
};

struct session {
    struct tree_link timer; /* agent->lapses */
    int64_t timer_ns;
    uint64_t n;
    struct owner *owner;
    struct answer *answers; /* at most LIMIT_OUTSTANDING */
    size_t answer_count;
    uint64_t highest; /* number of a request that was a fact */
    /* not facts */
    uint32_t peer;
};

struct watch {
    struct tree_link link; /* agent->watches, by what is watched */
    uint64_t task, job;    /* one of them is 0 */
    uint64_t n;
    struct peer *peer;
    struct watch *next; /* of this peer */
    bool ends_only;
    bool awaits; /* committed output */
    uint64_t from_index;
    struct tree_link catch_up; /* agent->catching: has not been told all yet */
    uint64_t told;             /* numbers of tasks below have been */
};

struct peer {
    struct tree_link link; /* agent->peers */
    uint32_t n;
    Tern__Part part;
    char *name;
    uint64_t instance; /* 0: it does not say */
    struct owner *owner;
    struct session *session;
    struct node_at *node;
    struct depot *depot;
    struct watch *watches;
    Tern__Seen *seen; /* of this step */
    size_t seen_room, seen_bytes;
    struct peer *seen_next;
};

struct agent {
    struct agent_config config;
    int64_t now_ns;
    bool started;
    uint64_t term;
    uint8_t pool[16];
    uint64_t session_next, session_end;
    uint64_t task_next, job_next; /* numbers that have not been given */
    struct directory tasks, jobs, sessions, node_dir, depot_dir, root_dir, owner_dir;
    uint64_t node_next, depot_next, root_next, owner_next, class_next, shape_next;
    struct tree owners, nodes, depots, roots, idle, classes, pins, shapes, programs;
    struct tree ended;   /* tasks, in the order in which they are forgotten */
    struct tree doomed;  /* tasks whose inputs will never be there */
    struct tree keeping; /* runs of tasks that have ended, with waiters that are not told yet */
    struct tree cancelling, deadlines; /* jobs */
    struct agent_count count;
    uint64_t names;
    /* not facts */
    struct tree stalled;  /* ready tasks whose data is with depots that are not here */
    struct tree movers;   /* runs that are on their way to another node */
    struct tree draining; /* nodes that are drained, with tasks */
    struct tree peers, rooms, watches, catching;
    struct tree timers_node, timers_depot, lapses, holds, refusals;
    uint64_t watch_next;
    uint32_t watch_count;
    uint64_t session_count;
    struct class *dirty_classes;
    struct node_at *dirty_nodes;
    struct node_at *ordered;
    struct peer *seeing;
    uint64_t *changed; /* tasks, in this step */
    size_t changed_count, changed_room;
    struct job *graves;
    uint64_t stalled_looked; /* tasks below have been looked at since a depot came */
    int64_t stalled_due_ns;
    bool again;      /* there is more to do at once */
};

/* ---- agent_memory.c: there is memory, or the program ends ---- */
void *agent_alloc(size_t count, size_t size);
void *agent_grow(void *array, size_t *room, size_t count, size_t size);
char *agent_text(const char *text);
char **agent_texts(char *const *texts, size_t count);
void agent_texts_free(char **texts, size_t count);
int order_u64(uint64_t a, uint64_t b);
struct owner *agent_owner(struct agent *a, const char *name); /* made if it is new */
void owners_release(struct agent *a);
struct owner *agent_owner_find(const struct agent *a, const char *name);

/* ---- agent_tasks.c: tasks and jobs, as facts change them ---- */
void tasks_init(struct agent *a);
struct task *task_get(const struct agent *a, uint64_t n);
struct job *job_get(const struct agent *a, uint64_t n);
struct run *task_run(struct agent *a, struct task *t);
bool task_ended(const struct task *t);
struct attempt *task_attempt(const struct task *t); /* the newest, or NULL */
bool task_is_at(const struct task *t, const Tern__Fence *fence); /* placed or running by it */
struct checkpoint *task_checkpoint(const struct task *t); /* newest whose data is kept, or NULL */
/* With the depots that have it now. */
Tern__Checkpoint *checkpoint_message(const struct checkpoint *c, struct core_out *out);
uint64_t task_content_size(const Tern__Content *c);
uint64_t task_input_at(const struct task *t); /* where its standard input goes on */
void task_state(struct agent *a, struct task *t, Tern__TaskState state);
void task_changed(struct agent *a, const struct task *t);
void task_home(struct agent *a, struct task *t); /* into the tree where its state belongs */
void task_leave_home(struct agent *a, struct task *t);
Tern__Task *task_spec(const struct task *t, struct core_out *out); /* with n, job and index */
struct job *job_new(struct agent *a, const Tern__Job *spec, struct owner *owner);
struct task *task_new(struct agent *a, struct job *j, const Tern__Task *spec, uint64_t n);
void task_free(struct agent *a, struct task *t);
void task_respec(struct agent *a, struct task *t, const Tern__Task *spec);
void task_unwant(struct agent *a, struct task *t); /* what it wanted in order to run */
/* Counts from its acceptance as many nanoseconds as it was to have by its sender's clock. */
void job_begin(struct agent *a, struct job *j, int64_t accepted_ns);
void jobs_expire_portion(struct agent *a, struct core_out *out);
void job_free_if_empty(struct agent *a, struct job *j);
void jobs_bury(struct agent *a); /* what was pointed to by the last step's messages */
void tasks_release(struct agent *a);
/* The number of the first task of a job from n on, or 0. */
uint64_t job_next_task(const struct agent *a, const struct job *j, uint64_t n);

/* ---- agent_class.c: classes of requirements, shapes of nodes ---- */
void classes_init(struct agent *a);
struct class *class_take(struct agent *a, const Tern__Requirements *r);
void class_give_back(struct agent *a, struct class *c);
void class_ready(struct agent *a, struct class *c); /* something was put into c->ready */
struct task *class_first(const struct class *c);
bool class_fits(const struct class *c, const struct shape *s); /* but for one node by name */
struct shape *shape_take(struct agent *a, const Tern__NodeAd *ad);
void shape_give_back(struct agent *a, struct shape *s);
struct class *shape_first(struct shape *s, const struct class *behind);
void classes_release(struct agent *a);
struct program *program_take(struct agent *a, const uint8_t *sha256);
void program_give_back(struct agent *a, struct program *p);

/* ---- agent.c ---- */
struct peer *agent_peer(const struct agent *a, uint32_t n);
/* Sorts what it is given. */
void tasks_forgotten(struct agent *a, struct core_out *out, uint64_t *tasks, size_t count);

/* ---- agent_apply.c ---- */
/* Applies a fact that was filled in by core_store; it must be one that can be. */
void agent_fact(struct agent *a, const Tern__Fact *fact);
enum tern_err apply_node_known(struct agent *a, const Tern__NodeKnown *f);
enum tern_err apply_depot_known(struct agent *a, const Tern__DepotKnown *f);
enum tern_err apply_root_at(struct agent *a, const Tern__RootAt *f, int64_t time_ns);
enum tern_err apply_named(struct agent *a, const Tern__Named *f);

/* ---- agent_promise.c: tasks that wait for others ---- */
void promises_begin(struct agent *a, struct task *t);
void promises_end(struct agent *a, struct task *t); /* t has ended */
void promises_drop(struct agent *a, struct task *t); /* t is forgotten */
bool promises_portion(struct agent *a, size_t most);
char *promises_doom_text(const struct agent *a, const struct task *t, struct core_out *out);

/* ---- agent_roots.c ---- */
void roots_init(struct agent *a);
struct root *root_find(const struct agent *a, const struct owner *domain, const uint8_t *sha256);
struct root *root_make(struct agent *a, struct owner *domain, const Tern__Blob *blob);
void root_want(struct agent *a, struct root *r);
void root_unwant(struct agent *a, struct root *r);
void root_refresh(struct agent *a, struct root *r);
bool root_add(struct agent *a, struct root *r, struct depot *d);
void root_remove(struct agent *a, struct root *r, struct depot *d);
bool root_at(const struct root *r, const struct depot *d);
void root_free(struct agent *a, struct root *r);
void root_fact(struct agent *a, struct core_out *out, const struct root *r,
               struct depot *const *depots, size_t count);
struct depot *root_reachable(const struct root *r); /* a depot that is here and has it */
/* Of everything in these results, in the domain. */
void results_want(struct agent *a, struct owner *domain, const Tern__Results *r, bool want,
                  char *const *depots, size_t depot_count);
void root_set_fresh(struct agent *a, struct root *r, int64_t fresh_ns);
Tern__Blob *root_blob(const struct root *r, struct core_out *out);
/* A depot turns out not to have it, or to have it now: a fact. */
void root_lost_at(struct agent *a, struct core_out *out, struct root *r, struct depot *d);
void root_found_at(struct agent *a, struct core_out *out, struct root *r, struct depot *d);
void depot_hold_again(struct agent *a, struct depot *d); /* all: it may have lost anything */
void depot_hold_by(struct agent *a, struct depot *d, int64_t at_ns);
void roots_hold(struct agent *a, struct core_out *out);
void roots_sweep(struct agent *a, struct core_out *out);
void roots_repair(struct agent *a, struct core_out *out, struct root *r);
void roots_release(struct agent *a);
/* Another copy, for this task's checkpoint; false: there is nowhere to have one. */
bool root_copy_for(struct agent *a, struct core_out *out, struct root *r, const struct task *t);
uint32_t copies_wanted(const struct agent *a, const struct job *j);

/* ---- agent_depots.c ---- */
void depots_init(struct agent *a);
struct depot *depot_find(const struct agent *a, const char *name);
struct depot *depot_make(struct agent *a, const char *name);
bool depots_up(struct agent *a, const struct peer *p, struct core_out *out); /* false: refused */
void depots_message(struct agent *a, struct peer *p, const Tern__Envelope *e,
                    struct core_out *out);
void depots_down(struct agent *a, struct peer *p, struct core_out *out);
void depots_started(struct agent *a);
void depots_due(struct agent *a, struct core_out *out);
/* So many that are here, with room, of different names: by `seed`, so that not all choose one. */
size_t depots_choose(const struct agent *a, uint64_t seed, uint64_t bytes,
                     const struct node_at *near, struct depot **out, size_t most);
Tern__DepotAt *depot_at(const struct agent *a, const struct depot *d, const struct owner *domain,
                        uint32_t rights, const Tern__Fence *fence, struct core_out *out);
void depots_release(struct agent *a);

/* ---- agent_nodes.c ---- */
void nodes_init(struct agent *a);
struct node_at *node_find(const struct agent *a, const char *name);
struct node_at *node_make(struct agent *a, const char *name);
void node_free_at(struct agent *a, struct node_at *n);
bool nodes_up(struct agent *a, const struct peer *p, struct core_out *out); /* false: refused */
void nodes_message(struct agent *a, struct peer *p, const Tern__Envelope *e,
                   struct core_out *out);
void nodes_down(struct agent *a, struct peer *p, struct core_out *out);
void nodes_due(struct agent *a, struct core_out *out);
void nodes_started(struct agent *a);
void node_place(struct agent *a, struct node_at *n); /* into its shape's tree, by what it has now */
Tern__Order *node_order(struct agent *a, struct node_at *n, Tern__OrderKind kind,
                        const struct task *t, struct core_out *out);
void node_order_fence(struct agent *a, struct node_at *n, Tern__OrderKind kind,
                      const Tern__Fence *fence, struct core_out *out);
void orders_flush(struct agent *a, struct core_out *out);
/* The last order is of so many bytes: what there is goes at once if it is much. */
void orders_flush_if_large(struct node_at *n, size_t bytes, struct core_out *out);
void node_fact(struct agent *a, struct core_out *out, const struct node_at *n, bool drained,
               uint64_t losses);
int64_t node_failure_ns(const struct agent *a, const struct node_at *n);
void nodes_release(struct agent *a);

/* ---- agent_reconcile.c: a node has come, and says what it has ---- */
void node_reconcile(struct agent *a, struct node_at *n, const Tern__NodeAd *ad,
                    struct core_out *out);

/* ---- agent_refuse.c: who is not asked again at once ---- */
void refusals_init(struct agent *a);
void node_refuses(struct agent *a, struct node_at *n, const struct task *t, struct core_out *out);
bool node_has_refused(const struct node_at *n, const struct class *c);
void refusals_due(struct agent *a, struct core_out *out);
void refusals_forget(struct agent *a, struct node_at *n);

/* ---- agent_reports.c ---- */
void reports_take(struct agent *a, struct node_at *n, const Tern__Reports *reports,
                  struct core_out *out);
void task_gone(struct agent *a, struct core_out *out, struct task *t, Tern__AttemptState how,
               const char *why);
void task_end(struct agent *a, struct core_out *out, struct task *t, Tern__TaskState state,
              const Tern__End *end);
void task_end_text(struct agent *a, struct core_out *out, struct task *t, Tern__TaskState state,
                   Tern__EndKind kind, const char *text);
/* Checkpoints that wait for another copy of this root. */
void checkpoint_copied(struct agent *a, struct core_out *out, struct root *r, bool failed);

/* ---- agent_place.c ---- */
void place_all(struct agent *a, struct core_out *out);
bool place_on(struct agent *a, struct core_out *out, struct task *t, struct node_at *n);
struct node_at *place_best(const struct agent *a, const struct task *t,
                           const struct node_at *not_this, bool free_slot);
const struct root *place_missing(const struct agent *a, const struct task *t,
                                 struct core_out *out);
Tern__Placing *placing_make(struct agent *a, struct core_out *out, struct task *t,
                            const struct node_at *n, const Tern__Fence *fence,
                            const struct checkpoint *from);
void place_stalled_again(struct agent *a);

/* ---- agent_move.c ---- */
bool move_begin(struct agent *a, struct core_out *out, struct task *t, struct node_at *to);
void move_forget(struct agent *a, struct core_out *out, struct task *t);
void move_prepared(struct agent *a, struct core_out *out, struct task *t, struct node_at *n,
                   const Tern__Fence *fence);
bool move_refused(struct agent *a, struct core_out *out, struct task *t, const struct node_at *n,
                  const Tern__Report *r);
bool move_arrive(struct agent *a, struct core_out *out, struct task *t);
void moves_target_lost(struct agent *a, struct node_at *n, struct core_out *out);
void moves_drain(struct agent *a, struct core_out *out);
/* n has nothing to do: what waits behind others may come here. */
void moves_recall(struct agent *a, struct core_out *out, struct node_at *n);

/* ---- agent_clients.c, agent_submit.c, agent_watch.c, agent_query.c ---- */
void clients_init(struct agent *a);
void clients_started(struct agent *a);
bool clients_up(struct agent *a, struct peer *p, const Tern__Hello *hello, struct core_out *out);
void clients_message(struct agent *a, struct peer *p, const Tern__Envelope *e,
                     struct core_out *out);
void clients_down(struct agent *a, struct peer *p, struct core_out *out);
void clients_due(struct agent *a, struct core_out *out);
void clients_release(struct agent *a);
struct session *session_make(struct agent *a, uint64_t n, struct owner *owner);
void session_free(struct agent *a, struct session *s);
void session_answer(struct session *s, const struct answer *answer);
const struct answer *session_find(const struct session *s, uint64_t number);
void input_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct task *t,
                struct core_out *out);
void submit_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out);
/* The job or task that is meant, if it is this peer's; else it is refused, and false. */
bool clients_which(struct agent *a, struct peer *p, uint64_t number, const Tern__Which *which,
                   struct task **t, struct job **j, struct core_out *out);
void clients_done(struct core_out *out, const struct peer *p, uint64_t number, uint64_t count);
void jobs_cancel_portion(struct agent *a, struct core_out *out);
void watches_init(struct agent *a);
void watch_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out);
bool watch_awaits(const struct agent *a, const struct task *t); /* its committed output */
void watches_drop(struct agent *a, struct peer *p); /* nobody is told of that */
void watches_down(struct agent *a, struct peer *p, struct core_out *out);
/* To its node. Said again it does no harm. */
void watch_tell_awaited(struct agent *a, const struct task *t, struct core_out *out);
void watches_tell(struct agent *a, struct core_out *out);
void watches_flush(struct agent *a, struct core_out *out);
void query_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out);
Tern__TaskSeen *seen_of(const struct agent *a, const struct task *t, bool results,
                        struct core_out *out);
/* In a free slot, by what it requires; and why not. */
bool place_could(const struct task *t, const struct node_at *n);
const char *place_could_not(const struct task *t, const struct node_at *n, struct core_out *out);
const char *why_waits(const struct agent *a, const struct task *t, struct core_out *out);
size_t why_reasons(const struct agent *a, const struct task *t, Tern__Reason **reasons, size_t most,
                   struct core_out *out);
void names_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out);
void names_depots(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out);
Tern__NameRow *name_row(const struct agent *a, const struct owner *o, const struct name *n,
                        struct core_out *out);
struct name *name_find(const struct owner *o, const char *name);

#endif
