/*
 * world_sim - machines, processes on them and the network between: drive/world.h, virtual.
 *
 * Does     Carries bytes with delay, jitter and limited speed; in pieces, as a stream does. Breaks
 *          what it is told to break. What a process had sent when it is killed still arrives, what
 *          it had not is lost; the other end hears of it later. A machine that fails tells nobody.
 * Clocks   Each machine has its own, which starts anywhere and runs a little wrong.
 * Pauses   A paused part (SIGSTOP) or machine (suspended) does nothing; bytes wait for it, its
 *          clock runs on.
 * Frames   Whole frames of one connection between machines may also be lost, doubled or come in
 *          another order, which no TCP does: then drive/links.h has something to find.
 * Order    All draws are from streams of the seed; the same calls give the same world.
 */
#ifndef TERN_SIM_WORLD_SIM_H
#define TERN_SIM_WORLD_SIM_H

#include "drive/world.h"
#include "sim/sim.h"

struct sim_net_config {
    int64_t delay_least_ns, delay_most_ns; /* between machines, one way: drawn for a connection */
    int64_t jitter_ns;                     /* at most so much more, for each piece */
    uint64_t bytes_per_s;                  /* of one connection */
    uint32_t odd_frames;                   /* in a million: lost, doubled, swapped with the next */
    uint32_t split_reads;                  /* in a million: received in two pieces */
    uint32_t refused_dials;                /* in a million: nobody answers, or not in time */
};

extern const struct sim_net_config sim_net_default;

struct sim_net;
struct sim_host;
struct sim_part;

struct sim_net *sim_net_new(struct sim *sim, const struct sim_net_config *config);
void sim_net_free(struct sim_net *n);
/* For the time of healing. */
void sim_net_set(struct sim_net *n, const struct sim_net_config *config);

/* drift: by how many millionths its clock is fast. Texts are copied. */
struct sim_host *sim_host_new(struct sim_net *n, const char *name, int32_t drift);
const char *sim_host_name(const struct sim_host *h);

/* A process; `owner`: the user that it runs as. Handlers are to be set before time goes on. */
struct sim_part *sim_part_new(struct sim_host *h, const char *name, const char *owner);
struct world sim_part_world(struct sim_part *p);
void sim_part_handle(struct sim_part *p, const struct handlers *handlers);
const char *sim_part_name(const struct sim_part *p); /* "host/name" */
/* "unix:PATH" is reached from its own machine only; "tcp:HOST:PORT" from all. */
void sim_part_listen(struct sim_part *p, const char *endpoint);
/* Two processes of one machine, joined by a pair of sockets; both will be told. */
void sim_part_join(struct sim_part *a, struct sim_part *b, link_id *at_a, link_id *at_b);

/* It is over; nothing is called any more, and what is called does nothing. Its memory stays. */
void sim_part_kill(struct sim_part *p); /* what it had not sent is lost */
void sim_part_exit(struct sim_part *p); /* that is still sent */
bool sim_part_dead(const struct sim_part *p);
void sim_part_pause(struct sim_part *p, bool paused);

/* The power goes, or comes back: its parts are dead, nobody hears of it. */
void sim_host_fail(struct sim_host *h);
void sim_host_back(struct sim_host *h);

/* Nothing arrives at `to` from `from` (NULL: any) until it is mended; connections outlive it. */
void sim_net_cut(struct sim_net *n, struct sim_host *from, struct sim_host *to);
void sim_net_mend(struct sim_net *n, struct sim_host *from, struct sim_host *to);
void sim_net_mend_all(struct sim_net *n);

enum sim_break {
    SIM_BREAK_TOLD,   /* both ends hear, at different times */
    SIM_BREAK_HALF,   /* one of them does, the other one never */
    SIM_BREAK_SILENT, /* nobody does, and nothing arrives any more */
    SIM_BREAK_KINDS
};
/* Any connection between machines, drawn; false: there is none. */
bool sim_net_break(struct sim_net *n, struct prng *dice, enum sim_break how);

/* For the outside: connections that are there, bytes that arrived. */
struct sim_net_count {
    uint64_t connections, open, bytes, odd_frames;
};
struct sim_net_count sim_net_count(const struct sim_net *n);

#endif
