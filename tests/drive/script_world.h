/*
 * script_world - a world for tests of links: two parts or more, their bytes carried when the test
 *                says so, a clock that the test turns.
 *
 * Everything is written down in order and told by script_run, from one queue: handlers are never
 * called from within a call, as world.h demands.
 */
#ifndef TERN_TESTS_DRIVE_SCRIPT_WORLD_H
#define TERN_TESTS_DRIVE_SCRIPT_WORLD_H

#include "drive/world.h"

enum { SCRIPT_ENDS = 64, SCRIPT_PARTS = 4 };

struct script;

struct script_part { /* one world each, over the same script */
    struct script *script;
    struct world world;
    struct handlers handlers;
    const char *endpoint; /* where it listens; NULL: nowhere */
    int64_t alarm_ns;
};

struct script_end { /* of a link; number i + 1 */
    struct script_part *part;
    link_id other; /* 0: gone */
    struct bytes in; /* has arrived, was not told */
    bool open, held, closed_here, told_closed;
};

struct script {
    struct script_part part[SCRIPT_PARTS];
    size_t part_count;
    struct script_end end[SCRIPT_ENDS];
    size_t end_count;
    int64_t now_ns;
    struct world_peer peer; /* what each end is told of the other */
    bool deaf;              /* bytes are swallowed: a network that was cut */
    bool stuck;             /* nothing is carried: it stays unsent */
    size_t piece;           /* most bytes told at a time; 0: all */
};

void script_init(struct script *s);
void script_release(struct script *s);
struct script_part *script_add(struct script *s, const char *endpoint);
/* Tells all there is to tell, at this time. */
void script_run(struct script *s);
/* Goes on to that time, alarm by alarm. */
void script_until(struct script *s, int64_t at_ns);
/* The connection breaks, for both ends. */
void script_cut(struct script *s, link_id link);
/* Bytes as if the other end had sent them. */
void script_inject(struct script *s, link_id link, struct view bytes);
/* A connection from nobody of ours to that part: its end there. */
link_id script_stranger(struct script *s, struct script_part *to);

#endif
