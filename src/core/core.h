/*
 * core - what all decision cores have in common: events come in, actions go out.
 *
 * A core is a struct and a step. A step cannot fail, never waits and never calls back. It takes one
 * event, with the time in it, and appends actions; the drive (drive/) carries them out, in order.
 *
 * Peers    A peer is a connection, by a number that the drive gives and never gives again. All that
 *          is known of it came with CORE_UP. Messages on one arrive in the order they were sent,
 *          each once, up to some point, and then CORE_DOWN does: what was sent and not answered by
 *          then may or may not have arrived.
 * Facts    CORE_STORE says what has to be on the journal. The drive sends nothing that comes behind
 *          it, in this step or later ones, before it is: nothing that others see can be forgotten
 *          by a restart. The core itself goes on at once, as if it were stored.
 * Memory   Messages of an event are good until the step is over. What actions point to lies in the
 *          out's arena, which the drive empties afterwards.
 * Notes    CORE_NOTE names something that happened (note.h): for logs, metrics, traces, marks. It
 *          is never needed for anything to work.
 */
#ifndef TERN_CORE_CORE_H
#define TERN_CORE_CORE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "core/note.h"
#include "message/message.h"

enum core_event_kind {
    CORE_TICK,    /* the wake-up that was asked for, or any other time */
    CORE_UP,      /* a peer, with its Hello, which has been looked at (drive/links.h) */
    CORE_MESSAGE, /* from a peer that is up */
    CORE_DOWN,    /* a peer is gone */
    CORE_LEAVE,   /* we have been asked to end: get ready for it, then say CORE_END */
    CORE_ABSENT   /* node: the agent was dialled, and its machine says that it does not run */
};

struct core_event {
    enum core_event_kind kind;
    int64_t now_ns; /* agent time for the agent, the drive's own (never back) for others */
    uint32_t peer;
    const Tern__Envelope *message; /* CORE_UP: its Hello */
    struct view attachment;
    const char *owner; /* CORE_UP: whom the drive takes it for; of this machine: a user's name */
    /* CORE_UP of a PART_SLOT: which; CORE_DOWN of peer 0: a slot that never became a peer. */
    uint32_t index;
    int64_t sent_ns; /* CORE_MESSAGE, a Beat that answers: when ours was sent */
    const char *why; /* CORE_DOWN: for a person; may be NULL */
};

enum core_action_kind {
    CORE_SEND,
    CORE_CLOSE, /* what was sent before still goes out */
    CORE_STORE,
    CORE_NOTE,
    CORE_START_SLOT, /* node: a process for slot `index`; it comes back as a peer, PART_SLOT */
    CORE_KILL_SLOT,  /* node: at once; the peer goes down */
    CORE_END         /* the part ends, cleanly */
};

struct core_action {
    enum core_action_kind kind;
    uint32_t peer;
    uint32_t index;
    const Tern__Envelope *message;
    struct view attachment;
    const Tern__Fact *fact;
    struct note note;
};

struct core_out {
    struct arena arena;
    struct core_action *actions;
    size_t count, capacity;
    int64_t wake_ns; /* the next CORE_TICK at the latest then; INT64_MAX: none needed */
};

/* Memory from the out's arena, zeroed; there is always some, or the program ends (check). */
void *core_new(struct core_out *out, size_t count, size_t size);
char *core_text(struct core_out *out, const char *format, ...)
    __attribute__((format(__printf__, 2, 3)));

/* An envelope with nothing in it yet, to be filled in by the caller, that is sent. */
Tern__Envelope *core_send(struct core_out *out, uint32_t peer);
/* The same as an answer to that number. */
Tern__Envelope *core_answer(struct core_out *out, uint32_t peer, uint64_t number);
void core_refuse(struct core_out *out, uint32_t peer, uint64_t number, enum tern_err err,
                 const char *format, ...) __attribute__((format(__printf__, 5, 6)));
void core_close(struct core_out *out, uint32_t peer);
void core_slot(struct core_out *out, enum core_action_kind kind, uint32_t index);
void core_end(struct core_out *out);
Tern__Fact *core_store(struct core_out *out, int64_t now_ns);
void core_note(struct core_out *out, enum note_name name, uint64_t a, uint64_t b, uint64_t c);
void core_wake(struct core_out *out, int64_t at_ns); /* the earliest that was asked for counts */

/* To be called on one that is zeroed before the first step, and between steps; keeps room. */
void core_out_clear(struct core_out *out);
void core_out_release(struct core_out *out);

#endif
