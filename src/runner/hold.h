/*
 * hold - what a stopped program holds of the world: its descriptors, clocks and counters, written
 * down, and had again by another process.
 *
 * Saving   Changes nothing. Files are told by a path beneath the directory they came from, which
 *          leads to them at this moment.
 * Having   Standard streams are the new process's own. They keep the type that the program knows,
 *          so that it does not change its ways in the middle. Standard input is sought to where it
 *          was, if it was a file and is one; output goes on wherever the new streams stand. Files
 *          are opened again: never made anew, never emptied.
 * Files    One that was only being read must be as it was. One that was being written may have
 *          become longer: it is cut back, since what follows is written again (what others
 *          appended goes, too). Anything else is refused, as far as size, time of change and, of
 *          one that was written, the bytes at its two ends (ends.h) tell.
 *          The time becomes what it was, so that the same can be done once more. Nothing is cut
 *          before everything is found to be in order.
 * Own      What lies in the program's own file tree is had again with the tree (private.h): nothing
 *          of it can have changed, so nothing of it is refused.
 * Rights   Are those that the ticket gives and that opening the file now would give, less what the
 *          program did not have. State is believed for nothing else.
 * Clock    Goes on from where it stood.
 * Not here Frames, globals, tables, memory; random numbers, which are the kernel's; real time.
 */
#ifndef TERN_RUNNER_HOLD_H
#define TERN_RUNNER_HOLD_H

#include "base/arena.h"
#include "runner/host.h"
#include "wire/state.h"

/*
 * Fills s but for phase, frames and instances. TERN_EBUSY: it cannot be stopped now, since it holds
 * what cannot be had again; *p says what ("it has /data/x open, which ..."). TERN_ENOMEM, TERN_EIO.
 */
enum tern_err hold_save(struct host *h, struct state *s, struct arena *arena, struct problem *p);

/*
 * h as it is before a program's first instruction: standard streams and directories, nothing else.
 * Inside the walls, since it opens what the state names. What cannot be had again ends the process
 * by end_refused.
 */
void hold_restore(struct host *h, const struct state *s);

/* For quota_start_clock: what is left of the ticket's processor time; 0: no limit. Where nothing
 * is left, the program ends here. */
uint64_t hold_cpu_left_ns(const struct ticket *t, const struct state *s);

#endif
