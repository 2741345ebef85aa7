/*
 * node_play - a node's core with an agent and slots that are played by hand or by dice: events in,
 *             actions looked at one by one.
 */
#ifndef TERN_TESTS_NODE_PLAY_H
#define TERN_TESTS_NODE_PLAY_H

#include "core/node.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

struct play {
    struct node *node;
    struct core_out out;
    struct arena arena; /* of messages to it */
    int64_t now_ns;
};

void play_begin(struct play *p, uint32_t slots);
void play_end(struct play *p);

/* Each makes a step; the actions of the one before are gone. Peers are the caller's numbers. */
void play_tick(struct play *p, int64_t after_ns);
void play_agent(struct play *p, uint32_t peer);
void play_slot(struct play *p, uint32_t peer, uint32_t index);
void play_down(struct play *p, uint32_t peer);
void play_absent(struct play *p);
void play_slot_gone(struct play *p, uint32_t index);
void play_leave(struct play *p);
void play_beat(struct play *p, uint32_t agent, int64_t sent_ns, int64_t lease_ns);
void play_stored(struct play *p, uint32_t agent, uint64_t n);

/* An order for attempt n of task n (term 1) is added; play_orders tells them. */
struct play_orders {
    Tern__Order *order[64];
    size_t count;
};
Tern__Order *play_order(struct play *p, struct play_orders *to, Tern__OrderKind kind, uint64_t n);
void play_orders(struct play *p, uint32_t agent, struct play_orders *orders);
void play_place(struct play *p, uint32_t agent, uint64_t from, uint64_t count);
void play_tell(struct play *p, uint32_t agent, Tern__OrderKind kind, uint64_t n);

/* A report of attempt n from a slot. checkpoint: for those that have one. */
void play_report(struct play *p, uint32_t slot_peer, Tern__Report__WhatCase what, uint64_t n,
                 uint64_t checkpoint);

/*
 * The actions of the last step as text, without notes, e.g. "start 0; 7: place 1, recall 2; 3: ad 2
 * 1/RUNNING; 3: #1 begun 1; end".
 */
const char *play_text(struct play *p);
#define assert_play(p, text) assert_string_equal(play_text(p), text)

#endif
