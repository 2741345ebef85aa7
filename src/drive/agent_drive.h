/*
 * agent_drive - the agent's core among its interfaces: links, journal, clock.
 *
 * Does     Reads snapshot and facts, begins a new term, carries events to the core and actions out.
 * Facts    What the core sends behind a fact waits, in order, until that fact is stored; so does
 *          closing. While much waits, nothing more is read from those who ask.
 * Time     Agent time is the world's plus an offset, and never runs back: no time is used that is
 *          not below one that is on the journal (a fact without content), AGENT_TIME_AHEAD_NS
 *          ahead. After a clean end it goes on where it was, after a crash at that bound.
 * Rights   The core gives capabilities without their proof; they are sealed here with the depot's
 *          key, which came with its ad (drive/capability.h).
 * Snapshot When as many facts as that came since the last one, and as many as it had: the journal
 *          makes it of its own facts (a second agent's core that applies them, agent_drive_fold.c),
 *          so that nobody waits for it. Once more at a clean end, of the core itself.
 * Ends     `ended`, once: after agent_drive_leave, or when the journal is broken. Then
 *          agent_drive_free.
 */
#ifndef TERN_DRIVE_AGENT_DRIVE_H
#define TERN_DRIVE_AGENT_DRIVE_H

#include "core/agent.h"
#include "drive/journal.h"
#include "drive/links.h"

enum { AGENT_SNAPSHOT_FACTS = 200000, AGENT_HELD_BYTES = 64 << 20 };
#define AGENT_TIME_AHEAD_NS INT64_C(20000000000)

struct agent_drive_config {
    struct world *world;
    struct journal *journal;          /* the owner closes it, after agent_drive_free */
    const struct agent_config *agent; /* NULL: agent_default */
    const uint8_t *token;             /* LINKS_TOKEN_BYTES; NULL: local peers only; borrowed */
    const char *software;             /* for people; may be NULL */
    uint64_t snapshot_facts;          /* 0: AGENT_SNAPSHOT_FACTS */
    void *context;
    /* What happened; may be NULL. */
    void (*log)(void *context, enum note_level level, const char *line);
    /* The same as it is, for who counts them; may be NULL. */
    void (*note)(void *context, const struct note *note);
    /* Every event before it is given to the core, as agent_record.h has it; may be NULL. */
    void (*record)(void *context, struct view bytes);
    void (*ended)(void *context, enum tern_err err, const char *why);
};

struct agent_drive;

/* TERN_ECORRUPT and others of the journal. The world's handlers are to be set to the drive's. */
enum tern_err agent_drive_new(const struct agent_drive_config *config, struct agent_drive **out,
                              struct problem *p);
struct handlers agent_drive_handlers(struct agent_drive *d);
/* Gets ready to end: then `ended` is told. */
void agent_drive_leave(struct agent_drive *d);
/* Not from within what it tells. */
void agent_drive_free(struct agent_drive *d);

/* For checks, and lines about it. */
const struct agent *agent_drive_core(const struct agent_drive *d);
int64_t agent_drive_now(const struct agent_drive *d);

#endif
