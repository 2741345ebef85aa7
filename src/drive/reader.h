/*
 * reader - follows one task: what becomes of it, and its output, at once or when it is committed.
 *
 * Provisional  Bytes are told when the depot that relays them has them; those that it has not kept
 *              come from the newest checkpoint. None is told twice (output.h).
 * Committed    Bytes are told when a checkpoint that counts has passed them, or with the end. The
 *              pool is told that somebody waits for them, and brings checkpoints forward: so it
 *              is for provisional bytes, too, that the depot has not kept, or while it is away.
 * Order        Of each stream by offsets; `seen` for every change; `ended` once, behind all bytes.
 * Calls        From the loop. reader_free may not be called from within them.
 * Pressure     reader_hold: what is under way (at most a few MiB) still comes.
 */
#ifndef TERN_DRIVE_READER_H
#define TERN_DRIVE_READER_H

#include "drive/client.h"

struct reader_order {
    uint64_t task;
    bool provisional;
    bool stop_at_now; /* `ended` behind what is committed now */
    uint64_t from[2];
    void *context;
    void (*bytes)(void *context, int stream, uint64_t offset, struct view bytes);
    void (*differs)(void *context, int stream, uint64_t offset);
    void (*seen)(void *context, const Tern__TaskSeen *task);
    void (*ended)(void *context, const Tern__TaskSeen *task);
    void (*failed)(void *context, enum tern_err err, const char *why);
};

struct reader;

struct reader *reader_new(struct client *client, const struct reader_order *order);
void reader_hold(struct reader *r, bool held);
void reader_free(struct reader *r); /* NULL is fine */

#endif
