/*
 * engine_inner - what the sources of engine_program share.
 */
#ifndef TERN_OS_POOL_ENGINE_INNER_H
#define TERN_OS_POOL_ENGINE_INNER_H

#include "os/hash.h"
#include "os/object.h"
#include "os/pool/engine_program.h"
#include "os/pool/streams.h"
#include "os/pool/task_tree.h"
#include "os/program.h"
#include "translate/translate.h"

#include <stdatomic.h>

/* The last module, since the next task often is of the same job. */
struct engine_module {
    char *domain; /* NULL: none */
    struct store_name name;
    uint64_t size;
    bool deterministic;
    int fd; /* sealed */
    struct view bytes;
    struct digest digest;
    struct object object;
    struct warm warm; /* a runner that has it, of these limits: */
    struct program_limits limits;
};

/* One task. */
struct engine_task {
    struct arena arena; /* of the copies of its order */
    struct engine_order order;
    struct store *store;
    struct words args, env;
    struct program_order program_order;
    struct stopper_order stop;
    struct checkpoint from; /* of one that goes on */
    struct object continuations;
    struct translate_points points; /* the list is ours */
    struct program *program;
    struct task_files files; /* that it left */
    enum tern_err left;      /* why they could not be had */
    uint64_t told_before[2]; /* output of earlier attempts */
    bool taking;             /* the store knows */
};

enum engine_phase { ENGINE_IDLE, ENGINE_PREPARING, ENGINE_READY, ENGINE_RUNNING };

struct engine_program {
    struct engine engine;
    struct engine_program_config config;
    enum engine_phase phase;
    struct streams *streams;
    struct engine_module module;
    struct engine_task task;
    atomic_bool give_up;
    bool stopped, began;
    bool is_last; /* `last` is to be told at its end */
    struct engine_checkpoint last;
    struct ending ending;
    enum tern_err err; /* of prepare */
    struct problem why;
    uv_work_t work;
    uv_idle_t soon;
    uv_timer_t idle; /* how long a runner is kept for what may come */
    unsigned handles;
    void (*then)(struct engine_program *e); /* what is told soon */
};

/* engine_prepare.c. The task's order has been copied, its store found, its streams made. */
enum tern_err engine_prepare(struct engine_program *e, struct problem *p);
/* Nothing has to be fetched, compiled or filled. */
bool engine_prepares_quickly(const struct engine_program *e);
void engine_task_release(struct engine_task *t);
void engine_module_release(struct engine_module *m);

#endif
