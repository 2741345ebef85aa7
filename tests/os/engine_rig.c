#include "engine_rig.h"

#include "base/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The owner ---- */

static void on_prepared(void *context, enum tern_err err, const char *why)
{
    struct rig *r = context;

    r->prepared = true;
    r->err = err;
    snprintf(r->why, sizeof r->why, "%s", why);
}

static void on_began(void *context)
{
    struct rig *r = context;

    check(!r->began && !r->over);
    r->began = true;
}

static void on_output(void *context, int stream, struct view bytes)
{
    struct rig *r = context;

    check(bytes.size > 0 && !r->over);
    bytes_append(&r->out[stream - 1], bytes.data, bytes.size);
    if (r->on_output)
        r->on_output(r);
}

static void on_wants(void *context)
{
    struct rig *r = context;

    check(!r->over);
    r->wants++;
    if (r->on_wants)
        r->on_wants(r);
}

static void on_checkpointed(void *context, const struct engine_checkpoint *c)
{
    struct rig *r = context;

    check(r->taken < RIG_CHECKPOINTS_MAX && !r->over);
    for (int i = 0; i < 2; i++)
        r->told_at[r->taken][i] = r->out[i].size;
    r->checkpoints[r->taken++] = *c;
    r->over = c->last;
}

static void on_not_checkpointed(void *context, bool last, const char *why)
{
    struct rig *r = context;

    (void)last;
    r->not_taken++;
    snprintf(r->why, sizeof r->why, "%s", why);
}

static void on_ended(void *context, const struct engine_end *end)
{
    struct rig *r = context;

    check(!r->over);
    r->over = r->ended = true;
    r->kind = end->kind;
    r->code = end->code;
    snprintf(r->text, sizeof r->text, "%s", end->text ? end->text : "");
    check(end->file_count <= RIG_FILES_MAX);
    r->file_count = end->file_count;
    for (size_t i = 0; i < end->file_count; i++)
        r->files[i] = end->files[i];
    if (r->on_end)
        r->on_end(r);
}

/* ---- The store ---- */

void rig_store_open(struct rig_store *s)
{
    struct problem p;

    strcpy(s->dir, "/tmp/tern-engine-XXXXXX");
    check(mkdtemp(s->dir));
    check(store_open(s->dir, true, &s->store, &p) == TERN_OK);
}

void rig_store_close(struct rig_store *s)
{
    char command[128];

    store_close(s->store);
    snprintf(command, sizeof command, "rm -r %s", s->dir);
    check(system(command) == 0);
}

static enum tern_err store_of(void *context, const char *domain, struct store **out,
                              struct problem *p)
{
    const struct rig *r = context;

    if (strcmp(domain, "tests") != 0)
        return problem_set(p, TERN_ENOENT, "there is no such domain");
    *out = r->shelf->store;
    return TERN_OK;
}

void rig_put(struct rig_store *s, struct view bytes, Tern__Blob *blob,
             uint8_t name[STORE_NAME_BYTES])
{
    struct stored_blob b = {.names = {0}};
    struct store_name root;
    struct problem p;
    unsigned kind;

    for (size_t at = 0; at < bytes.size; at += STORE_CHUNK_MAX) {
        const size_t rest = bytes.size - at;
        const struct view piece =
            view_of(bytes.data + at, rest < STORE_CHUNK_MAX ? rest : STORE_CHUNK_MAX);

        check(stored_blob_add(&b, s->store, piece, &p) == TERN_OK);
    }
    check(stored_blob_end(&b, s->store, &root, &kind, &p) == TERN_OK);
    stored_blob_release(&b);
    memcpy(name, root.bytes, STORE_NAME_BYTES);
    tern__blob__init(blob);
    blob->sha256 = (ProtobufCBinaryData){STORE_NAME_BYTES, name};
    blob->size = bytes.size;
    blob->kind = kind;
}

/* ---- The rig ---- */

void rig_open(struct rig *r, struct rig_store *s)
{
    struct problem p = {.text = ""};

    memset(r, 0, sizeof *r);
    r->shelf = s;
    r->settings = settings_read();
    r->settings.self = getenv("TERN_EXE"); /* which compilers are confined by */
    check(uv_loop_init(&r->loop) == 0);
    const struct engine_program_config config = {
        .loop = &r->loop, .settings = &r->settings, .context = r, .store = store_of};
    check(engine_program_new(&config, &r->program, &p) == TERN_OK);
    r->engine = engine_program_engine(r->program);
    r->engine->context = r;
    r->engine->prepared = on_prepared;
    r->engine->began = on_began;
    r->engine->output = on_output;
    r->engine->wants_input = on_wants;
    r->engine->checkpointed = on_checkpointed;
    r->engine->not_checkpointed = on_not_checkpointed;
    r->engine->ended = on_ended;
}

void rig_close(struct rig *r)
{
    engine_program_free(r->program);
    while (uv_run(&r->loop, UV_RUN_DEFAULT))
        ;
    check(uv_loop_close(&r->loop) == 0);
    bytes_release(&r->out[0]);
    bytes_release(&r->out[1]);
}

void rig_task(struct rig_task *t, struct rig_store *s, struct view module, char **words,
              size_t count)
{
    static char name[] = "task.wasm";

    memset(t, 0, sizeof *t);
    tern__program__init(&t->program);
    tern__program_limits__init(&t->limits);
    tern__task__init(&t->task);
    rig_put(s, module, &t->module, t->name);
    t->program.module = &t->module;
    t->program.limits = &t->limits;
    t->program.name = name;
    t->program.args = words;
    t->program.n_args = count;
}

void rig_goes_on(struct rig_task *t, const struct engine_checkpoint *c)
{
    tern__checkpoint__init(&t->from);
    tern__blob__init(&t->root);
    tern__results__init(&t->results);
    memcpy(t->root_name, c->root.name.bytes, STORE_NAME_BYTES);
    t->root.sha256 = (ProtobufCBinaryData){STORE_NAME_BYTES, t->root_name};
    t->root.kind = c->root.kind;
    t->results.output_bytes = c->output_bytes[0];
    t->results.error_bytes = c->output_bytes[1];
    t->from.n = 1;
    t->from.root = &t->root;
    t->from.results = &t->results;
    t->from.input_bytes = c->input_bytes;
    t->from.cpu_ns = c->cpu_ns;
    t->resumes = true;
}

static void forget(struct rig *r)
{
    bytes_clear(&r->out[0]);
    bytes_clear(&r->out[1]);
    r->prepared = r->began = r->over = r->ended = false;
    r->wants = r->taken = r->not_taken = 0;
    r->file_count = 0;
    r->why[0] = r->text[0] = 0;
}

void rig_prepare(struct rig *r, const struct rig_task *t)
{
    const struct engine_order order = {.domain = "tests",
                                       .program = &t->program,
                                       .task = &t->task,
                                       .from = t->resumes ? &t->from : NULL};

    forget(r);
    r->engine->calls->prepare(r->engine->self, &order);
    check(!r->prepared); /* never from within a call */
}

void rig_step(struct rig *r)
{
    uv_run(&r->loop, UV_RUN_ONCE);
}

void rig_until(struct rig *r, const bool *what)
{
    while (!*what)
        rig_step(r);
}

void rig_start(struct rig *r, const struct rig_task *t)
{
    rig_prepare(r, t);
    rig_until(r, &r->prepared);
    if (r->err)
        fprintf(stderr, "not prepared: %s\n", r->why);
    check(!r->err);
    r->engine->calls->start(r->engine->self);
}

void rig_run(struct rig *r, const struct rig_task *t)
{
    rig_start(r, t);
    rig_until(r, &r->over);
}

const char *rig_text(struct rig *r, int stream)
{
    return bytes_text(&r->out[stream - 1]);
}

/* ---- The runner ---- */

static int parent_of(int process, char name[64])
{
    char path[64], text[512] = "";
    FILE *f;
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", process);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fgets(text, sizeof text, f) && strrchr(text, ')')) {
        sscanf(strrchr(text, ')') + 1, " %*c %d", &parent);
        snprintf(name, 64, "%.20s", strchr(text, '(') + 1);
    }
    fclose(f);
    return parent;
}

int rig_runner(void)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    int found = 0;

    while (d && (e = readdir(d)) != NULL) {
        char name[64] = "";

        if (parent_of(atoi(e->d_name), name) == getpid() && strncmp(name, "tern-runner", 11) == 0)
            found = atoi(e->d_name);
    }
    closedir(d);
    return found;
}
