/*
 * pool_inner - what the sources of pool_sim share. For them only.
 */
#ifndef TERN_SIM_POOL_INNER_H
#define TERN_SIM_POOL_INNER_H

#include "core/agent.h"
#include "drive/client.h"
#include "sim/chunks_mem.h"
#include "sim/journal_sim.h"
#include "sim/pool_sim.h"
#include "sim/program_sim.h"
#include "sim/world_sim.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)

enum {
    POOL_DEPOTS_MAX = 4,
    POOL_CLIENTS_MAX = 4,
    POOL_NAME_BYTES = 32,
    POOL_TOKEN_BYTES = LINKS_TOKEN_BYTES,
    WORK_INPUTS_MAX = 3
};

#define POOL_AGENT_ENDPOINT "tcp:agent:7000"

struct pool;

/* ---- pool_work.c: what users ask for, and what is to come of it ---- */

struct work_task {
    char *item;              /* or NULL */
    struct program_args args;
    struct bytes input;      /* standard input */
    uint64_t input_now;      /* bytes of it that are there at once; the others come later */
    /* Others of whose outputs it is given, by their place in the model. */
    size_t from[WORK_INPUTS_MAX];
    bool from_file[WORK_INPUTS_MAX]; /* their file, not their standard output */
    size_t from_count;
    bool makes_file;
    /* Of an undisturbed run. */
    struct program whole;
    struct bytes output;
    /* What became of it. */
    uint64_t number; /* the agent's; 0: not acknowledged */
    bool ended;
    uint64_t end_hash;
    uint64_t ends; /* how often it was told */
};

enum work_state { WORK_DUE, WORK_UPLOADING, WORK_ASKING, WORK_KNOWN, WORK_OVER };

struct work_job {
    enum work_state state;
    size_t client;
    int64_t due_ns;
    size_t first, count; /* tasks in the model */
    int64_t cancel_ns;   /* INT64_MAX: never */
    bool cancel_sent;
    uint64_t number;
    struct bytes module;
    uint64_t ended;
};

struct work {
    struct work_job *jobs;
    size_t job_count, job_capacity;
    struct work_task *tasks;
    size_t task_count, task_capacity;
};

void pool_work_draw(struct pool *p);
void pool_work_release(struct work *w);
/* What it was told, in words; NULL: it is as it should be. `output` is what it wrote. */
const char *pool_work_wrong(const struct work_job *j, const struct work_task *t,
                       const Tern__TaskSeen *seen, const struct view *output);
char **pool_work_args(const struct work_task *t, size_t *count); /* free with work_args_free */
void pool_work_args_free(char **args, size_t count);

/* ---- parts ---- */

struct pool_agent {
    struct sim_host *host;
    struct sim_part *part;
    struct sim_disk *disk;
    struct world world;
    struct agent_drive *drive;
    bool ended;
};

struct pool_depot {
    struct pool *pool;
    char name[POOL_NAME_BYTES];
    char endpoint[64];
    struct sim_host *host;
    struct sim_part *part;
    struct chunks_mem *chunks;
    const char *here[1];
    struct world world;
    struct depot_drive *drive;
};

struct pool_node {
    struct pool *pool;
    char name[POOL_NAME_BYTES];
    struct sim_host *host;
    struct sim_part *part;
    struct world world;
    uint32_t slot_count, speed;
    struct node_drive *drive;
    struct slot_part **slot; /* [slot_count] */
    struct slots *slots_calls;
    uint64_t life;
    bool ended;
};

struct pool_client {
    struct pool *pool;
    char name[POOL_NAME_BYTES];
    struct sim_host *host;
    struct sim_part *part;
    struct world world;
    struct client *drive;
    struct client_data *data;
    struct client_job *jobs; /* what it is doing for each of its jobs */
};

struct pool {
    struct pool_sim_config config;
    struct pool_sim_result *result;
    struct sim sim;
    struct sim_net *net;
    struct sim_net_config net_config;
    struct prng work_dice, program_dice;
    struct prng fault_dice[POOL_FAULT_COUNT];
    uint8_t token[POOL_TOKEN_BYTES];
    struct pool_agent agent;
    struct pool_depot depots[POOL_DEPOTS_MAX];
    size_t depot_count;
    struct pool_node *nodes;
    size_t node_count;
    struct pool_client clients[POOL_CLIENTS_MAX];
    size_t client_count;
    struct work work;
    int64_t for_ns, healed_ns;
    int64_t calm; /* tenths: how much rarer than usual faults are */
    bool healing, closing;
    uint64_t strict; /* what engines met that should not be */
    uint64_t checked;
    uint64_t snapshot_facts; /* after so many the agent begins a new journal */
};

__attribute__((format(__printf__, 2, 3))) void pool_wrong(struct pool *p, const char *format, ...);
void pool_note(struct pool *p, const char *who, const struct note *note);
bool pool_has_fault(const struct pool *p, enum pool_fault fault);

/* pool_agent.c */
void pool_agent_start_part(struct pool *p);
void pool_agent_kill(struct pool *p);
void pool_agent_draw(struct pool *p);
const struct agent *pool_agent_core(const struct pool *p); /* NULL: it is not running */
/* pool_depot.c */
void pool_depot_start_part(struct pool_depot *d);
void pool_depot_kill(struct pool_depot *d);
/* pool_node.c */
void pool_node_start_part(struct pool_node *n);
void pool_node_kill(struct pool_node *n); /* with its slots */
void pool_node_kill_slot(struct pool_node *n, uint32_t index);
void pool_node_pause(struct pool_node *n, bool paused, bool slots_too);
void pool_node_leave(struct pool_node *n);
void pool_node_reap(struct pool_node *n); /* slots that have ended by themselves */
void pool_node_look(struct pool_node *n); /* node_check */
void pool_node_make(struct pool_node *n);
void pool_node_release(struct pool_node *n);
/* pool_client.c */
void pool_client_start_part(struct pool_client *c);
void pool_client_kill(struct pool_client *c);
/* pool_fault.c */
void pool_faults_begin(struct pool *p);
void pool_faults_heal(struct pool *p);
/* pool_check.c */
void pool_check_step(struct pool *p);  /* after each event */
void pool_check_quiet(struct pool *p); /* in the end */
bool pool_check_all_over(struct pool *p);

#endif
