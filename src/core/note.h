/*
 * note - everything worth telling that happens in a core, from one table.
 *
 * The same stream of notes serves log lines, metrics, the simulator's trace and its marks ("did any
 * seed ever reach this?"). A note has a name and at most three numbers.
 */
#ifndef TERN_CORE_NOTE_H
#define TERN_CORE_NOTE_H

#include <stdint.h>

enum note_level { NOTE_DEBUG, NOTE_INFO, NOTE_WARN };

/* name, level, text with the names of its numbers in {} */
#define NOTES(X)                                                                                   \
    X(NODE_UP, INFO, "node up: peer {peer}, {slots} slots")                                        \
    X(NODE_SUSPECT, INFO, "node suspect: {attempts} attempts")                                     \
    X(NODE_LOST, WARN, "node lost: {attempts} attempts go on elsewhere")                           \
    X(DEPOT_UP, INFO, "depot up: peer {peer}")                                                     \
    X(DEPOT_LOST, WARN, "depot lost")                                                              \
    X(TASK_ACCEPTED, DEBUG, "job {job}: tasks from {first}, {count} of them")                      \
    X(TASK_PLACED, DEBUG, "task {task} placed, attempt {attempt}")                                 \
    X(TASK_BEGUN, DEBUG, "task {task} begun, attempt {attempt}")                                   \
    X(TASK_CHECKPOINT, DEBUG, "task {task}: checkpoint {checkpoint} counts")                       \
    X(TASK_ENDED, DEBUG, "task {task} ended, attempt {attempt}, state {state}")                    \
    X(TASK_BACK, INFO, "task {task} goes on from checkpoint {checkpoint}")                         \
    X(FENCED, INFO, "refused: task {task}, attempt {attempt} is over")                             \
    X(REFUSED, INFO, "refused a request: error {error}")                                           \
    X(LEASE_OVER, WARN, "no agent for {ms} ms: {attempts} attempts ended")                         \
    X(SLOT_UP, DEBUG, "slot {slot} is there")                                                      \
    X(SLOT_GONE, WARN, "slot {slot} ended by itself, with {attempts} attempts")                    \
    X(SLOT_STUCK, WARN, "slot {slot} does not stop task {task}: it is killed")                     \
    X(LEAVING, INFO, "leaving: {attempts} attempts go elsewhere")

enum note_name {
#define NOTE_ENUM(name, level, text) NOTE_##name,
    NOTES(NOTE_ENUM)
#undef NOTE_ENUM
        NOTE_COUNT
};

struct note {
    enum note_name name;
    uint64_t value[3];
};

enum note_level note_level(enum note_name name);
const char *note_text(enum note_name name); /* as in the table */

#endif
