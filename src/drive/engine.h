/*
 * engine - one program at a time, run and lifted: an interface. os/pool/ has the one over
 *          os/program.h; sim/ one whose programs count.
 *
 * Life     prepare (compiles; nothing runs), start, then any of checkpoint, input, stop until
 *          `ended` is told, or the last checkpoint; then prepare again. Also what is only prepared
 *          can be stopped. Prepared with an error it is at its beginning again. Answers are told
 *          from the loop, never from within a call.
 * Refused  Prepared with TERN_EINVALID it cannot be run at all (END_REFUSED), with any other error
 *          not here (END_BROKEN); `why` is the sentence.
 * Store    Of chunks on this machine: module, inputs and the checkpoint that it goes on from are
 *          there before prepare, and the last until another one is taken: the next shares its
 *          chunks. Checkpoints are put there. Domain as in the order.
 */
#ifndef TERN_DRIVE_ENGINE_H
#define TERN_DRIVE_ENGINE_H

#include "base/bytes.h"
#include "base/error.h"
#include "drive/chunks.h"
#include "message/message.h"

struct engine_order {
    const char *domain;
    const Tern__Program *program; /* "{}" is replaced already */
    const Tern__Task *task;       /* inputs (files), outputs, flags */
    const Tern__Checkpoint *from; /* NULL: from the beginning */
};

struct engine_checkpoint {
    struct chunks_root root;    /* of the program alone: CHUNK_CHECKPOINT */
    /* Standard output and error up to it, standard input that it has used; each counts from the
     * program's own beginning, earlier attempts included (order.from->results, ->input_bytes). */
    uint64_t output_bytes[2];
    uint64_t input_bytes;
    uint64_t pause_ns, total_ns, image_bytes, cpu_ns;
    bool last;                  /* the program does not go on: `ended` is not told */
};

struct engine_end {
    Tern__EndKind kind;
    int32_t code;
    const char *text;
    uint64_t cpu_ns;
    /* Declared outputs as blobs in the store, in the order of the task. */
    const struct engine_file *files;
    size_t file_count;
};

struct engine_file {
    const char *path;
    struct chunks_root root; /* CHUNK_LIST or CHUNK_LEAF */
    uint64_t size;
};

struct engine_calls;

struct engine {
    const struct engine_calls *calls;
    void *self;
    /* Set by the owner. */
    void *context;
    void (*prepared)(void *context, enum tern_err err, const char *why);
    void (*began)(void *context); /* its first instruction */
    /* stream 1 or 2; the owner may hold it by engine->hold. */
    void (*output)(void *context, int stream, struct view bytes);
    /* It could use more standard input than it was given. */
    void (*wants_input)(void *context);
    void (*checkpointed)(void *context, const struct engine_checkpoint *c);
    void (*not_checkpointed)(void *context, bool last, const char *why);
    void (*ended)(void *context, const struct engine_end *end);
};

struct engine_calls {
    void (*prepare)(void *self, const struct engine_order *order);
    void (*start)(void *self);
    void (*input)(void *self, struct view bytes, bool end);
    void (*hold)(void *self, bool held); /* take no output from it for now */
    void (*checkpoint)(void *self, bool last);
    void (*stop)(void *self); /* at once; `ended` still comes */
};

#endif
