/*
 * engine_rig - an engine of os/pool with a loop, a store, and an owner that writes down all it is
 * told, for tests.
 */
#ifndef TESTS_ENGINE_RIG_H
#define TESTS_ENGINE_RIG_H

#include "os/pool/engine_program.h"
#include "os/pool/stored_blob.h"
#include "os/words.h"

enum { RIG_CHECKPOINTS_MAX = 64, RIG_FILES_MAX = 8 };

struct rig_store {
    char dir[64];
    struct store *store;
};

struct rig {
    uv_loop_t loop;
    struct settings settings;
    struct rig_store *shelf;
    struct engine_program *program;
    struct engine *engine;
    struct bytes out[2]; /* told, of this start */

    bool prepared;
    enum tern_err err;
    char why[1024];
    bool began;
    unsigned wants;
    struct engine_checkpoint checkpoints[RIG_CHECKPOINTS_MAX];
    size_t told_at[RIG_CHECKPOINTS_MAX][2]; /* bytes in out, when it was told */
    unsigned taken, not_taken;
    bool over; /* ended, or the last checkpoint */
    bool ended;
    Tern__EndKind kind;
    int32_t code;
    char text[1024];
    struct engine_file files[RIG_FILES_MAX];
    size_t file_count;

    void (*on_output)(struct rig *r); /* may be NULL */
    void (*on_wants)(struct rig *r);
    void (*on_end)(struct rig *r);
    uint64_t data; /* the test's */
};

/* An order that a test fills in; strings and blobs are borrowed. */
struct rig_task {
    Tern__Program program;
    Tern__ProgramLimits limits;
    Tern__Task task;
    Tern__Blob module;
    uint8_t name[STORE_NAME_BYTES];
    Tern__Checkpoint from;
    Tern__Blob root;
    uint8_t root_name[STORE_NAME_BYTES];
    Tern__Results results;
    bool resumes;
};

void rig_store_open(struct rig_store *s);
void rig_store_close(struct rig_store *s); /* and removes it */
/* With what the environment says, and TERN_EXE. */
void rig_open(struct rig *r, struct rig_store *s);
void rig_close(struct rig *r);

/* A blob of these bytes, in the store: *blob borrows name. */
void rig_put(struct rig_store *s, struct view bytes, Tern__Blob *blob,
             uint8_t name[STORE_NAME_BYTES]);
/* The module, and words as for main. */
void rig_task(struct rig_task *t, struct rig_store *s, struct view module, char **words,
              size_t count);
/* To go on from a checkpoint that another one of this task has told. */
void rig_goes_on(struct rig_task *t, const struct engine_checkpoint *c);

void rig_prepare(struct rig *r, const struct rig_task *t); /* begins with nothing told */
void rig_until(struct rig *r, const bool *what);
void rig_step(struct rig *r);
/* prepare, which has to work, and start. */
void rig_start(struct rig *r, const struct rig_task *t);
/* All of it, without any input. */
void rig_run(struct rig *r, const struct rig_task *t);
const char *rig_text(struct rig *r, int stream);
/* The process of the runner; 0: there is none. */
int rig_runner(void);

#endif
