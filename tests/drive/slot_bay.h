/*
 * slot_bay - a slot in the virtual world: its node played by the test, small depots, the engine
 *            whose programs count (sim/program_sim.h).
 */
#ifndef TERN_TESTS_SLOT_BAY_H
#define TERN_TESTS_SLOT_BAY_H

#include "drive/slot.h"
#include "sim/engine_sim.h"
#include "small_depot.h"

enum { BAY_DEPOTS = 3 };

struct bay {
    struct sim sim;
    struct sim_net *net;
    struct sim_host *host;
    struct small_depot depot[BAY_DEPOTS];
    /* The node. */
    struct sim_part *node;
    struct world node_world;
    struct links *node_links;
    link_id link; /* to the slot */
    struct bytes told; /* reports, as words */
    struct arena kept;
    Tern__Checkpoint *checkpoint; /* the newest, of any attempt */
    Tern__End *end;
    uint64_t begun, checkpoints, ended;
    /* The slot. */
    struct sim_part *part;
    struct world world;
    struct chunks_mem *store;
    struct prng dice;
    uint64_t strict;
    struct engine_sim *engine;
    struct slot *slot;
    bool over;
};

struct bay_task {
    Tern__OrderKind kind; /* 0: PLACE */
    uint64_t n;           /* task, and attempt unless that is given */
    uint64_t attempt;
    const char *args[8]; /* NULL behind the last */
    const char *item;
    const char *input; /* standard input, in the message */
    const char *input_blob; /* or this, put into the first depot */
    const char *output; /* a file that it is to leave */
    bool open_input;
    bool awaited; /* its committed output, by somebody */
    int64_t every_ns;
    uint32_t copies;
    size_t first_depot; /* the others behind it, in turn */
    const Tern__Checkpoint *from;
};

void bay_begin(struct bay *b, uint64_t seed);
void bay_end(struct bay *b);
/* Another process for the slot, with nothing in its store: the one before is killed. */
void bay_new_slot(struct bay *b);
void bay_place(struct bay *b, const struct bay_task *t);
void bay_tell(struct bay *b, Tern__OrderKind kind, uint64_t n, uint64_t attempt);
/* The newest checkpoint counts. */
void bay_committed(struct bay *b, uint64_t n);
void bay_input(struct bay *b, uint64_t n, uint64_t offset, const char *text, bool end);
/* Until so much has been told, or 1,000 s have passed, which is a failure. */
void bay_until(struct bay *b, const uint64_t *count, uint64_t is);
void bay_for(struct bay *b, int64_t ns);
/* What a program with these arguments writes, run without anything in between. */
void bay_expect(const char *const *args, const char *input, struct bytes *output);
/* Bytes of a result, from any depot that has them. */
void bay_content(struct bay *b, const Tern__Content *c, struct bytes *out);

#endif
