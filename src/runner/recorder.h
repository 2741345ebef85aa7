/*
 * recorder - writes each answered host call to the record (wire/record.h) on TICKET_FD_RECORD.
 *
 * Promise  When the program goes on, the call that it made is in the kernel's hands: who kills the
 *          runner or its parent loses at most the call that was being made. (When the machine
 *          itself goes down more may be lost.)
 * File     Behind what is written there can be zeros, up to the end of what is mapped: no block.
 * Full     If the file cannot be written any more, what is incomplete is cut off, the header says
 *          why, and the program goes on without a recorder.
 * Not here Calls that end the program are not answered: of them only proc_exit is recorded. END,
 *          which is the parent's. Compressing.
 */
#ifndef TERN_RUNNER_RECORDER_H
#define TERN_RUNNER_RECORDER_H

#include "runner/host.h"

/* Sets h->recorder. The descriptor stands behind what the parent has written. */
void recorder_start(struct host *h);
/* Before the call in h->call is made for the first time. */
void recorder_before(struct host *h);
void recorder_after(struct host *h, enum wasi_errno answer);

#endif
