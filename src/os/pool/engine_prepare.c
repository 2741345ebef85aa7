/*
 * From a task's order to a program that can be started. On a thread, so nothing here tells anybody.
 */
#include "os/pool/engine_inner.h"

#include "os/file.h"
#include "os/go_on.h"
#include "os/pool/stored_blob.h"
#include "os/sys.h"
#include "wasm/module.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    KEEP_CHECKPOINTS = 2,
    PROGRAMS_MAX = 4096, /* of one runner */
    STACK_BYTES_LEAST = 64 << 10,
    STACK_BYTES_MOST = 1 << 30,
};

#define FILES_BYTES_DEFAULT (UINT64_C(4) << 30)

static void warn_nobody(const char *sentence)
{
    (void)sentence;
}

static const char *name_of(const Tern__Program *p)
{
    return p->name && *p->name ? p->name : "the program";
}

/* What no other machine would take either. */
static enum tern_err refused(enum tern_err err)
{
    return err == TERN_EMALFORMED || err == TERN_ETOOBIG ? TERN_EINVALID : err;
}

/* ---- The module ---- */

static bool is_same_module(const struct engine_module *m, const struct engine_order *o)
{
    const Tern__Blob *blob = o->program->module;

    return m->domain && strcmp(m->domain, o->domain) == 0 && blob &&
           blob->sha256.len == sizeof m->name &&
           memcmp(blob->sha256.data, &m->name, sizeof m->name) == 0 && blob->size == m->size &&
           m->deterministic == (o->task->deterministic != 0);
}

void engine_module_release(struct engine_module *m)
{
    free(m->domain);
    warm_end(&m->warm);
    sys_unmap((void *)(uintptr_t)m->bytes.data, m->bytes.size);
    sys_close(m->fd);
    sys_close(m->object.fd);
    *m = (struct engine_module){.fd = -1, .object.fd = -1};
}

static enum tern_err keep_module(struct engine_module *m, struct view bytes, struct problem *p)
{
    void *map = NULL;
    enum tern_err err = file_sealed("tern-module", bytes, &m->fd);

    if (!err && bytes.size) {
        map = sys_map(m->fd, bytes.size, PROT_READ);
        err = map ? TERN_OK : TERN_ENOMEM;
    }
    if (err)
        return problem_set(p, err, "cannot keep the module in memory: %s", tern_err_text(err));
    m->bytes = view_of(map, map ? bytes.size : 0);
    m->digest = hash_of(m->bytes);
    return TERN_OK;
}

static enum tern_err fetch_module(struct engine_program *e, struct problem *p)
{
    const struct engine_order *o = &e->task.order;
    const Tern__Blob *blob = o->program->module;
    struct bytes bytes = {.limit = WASM_MODULE_BYTES_MAX};
    enum tern_err err;

    if (!blob)
        return problem_set(p, TERN_EINVALID, "it has no module");
    if (blob->size > WASM_MODULE_BYTES_MAX)
        return problem_set(p, TERN_EINVALID, "%s is larger than a module may be (%d MiB)",
                           name_of(o->program), (int)(WASM_MODULE_BYTES_MAX >> 20));
    err = stored_blob_get(e->task.store, blob, &bytes);
    if (err)
        problem_set(p, err, "the module of %s cannot be read on this machine: %s",
                    name_of(o->program), tern_err_text(err));
    else
        err = keep_module(&e->module, bytes_view(&bytes), p);
    bytes_release(&bytes);
    return err;
}

static struct object_order object_order(const struct engine_program *e)
{
    return (struct object_order){.settings = e->config.settings,
                                 .module = e->module.bytes,
                                 .name = name_of(e->task.order.program),
                                 .deterministic = e->task.order.task->deterministic,
                                 .give_up = &e->give_up,
                                 .warn = e->config.warn ? e->config.warn : warn_nobody};
}

static enum tern_err have_module(struct engine_program *e, struct problem *p)
{
    const struct engine_order *o = &e->task.order;
    struct engine_module *m = &e->module;
    const struct object_order order_of_nothing = {.settings = NULL};
    struct object_order order = order_of_nothing;
    enum tern_err err;

    if (is_same_module(m, o))
        return TERN_OK;
    engine_module_release(m);
    err = fetch_module(e, p);
    if (err)
        return err;
    order = object_order(e);
    err = object_make(&order, &m->object, p);
    if (err)
        return refused(err);
    memcpy(&m->name, o->program->module->sha256.data, sizeof m->name);
    m->size = o->program->module->size;
    m->deterministic = o->task->deterministic;
    m->domain = strdup(o->domain);
    return m->domain ? TERN_OK : problem_set(p, TERN_ENOMEM, "out of memory");
}

/* ---- What it goes on from ---- */

/* The program's own checkpoint is the first of the list that the blob is. */
static enum tern_err find_checkpoint(struct engine_task *t, struct store_root *root)
{
    const Tern__Blob *blob = t->order.from->root;
    struct bytes list = {.limit = STORE_CHUNK_MAX};
    struct store_name name;
    enum tern_err err = TERN_ECORRUPT;

    if (!blob || blob->sha256.len != sizeof name)
        return err;
    memcpy(&name, blob->sha256.data, sizeof name);
    if (blob->kind == CHUNK_CHECKPOINT) {
        root->list = name;
        return TERN_OK;
    }
    err = store_get(t->store, &name, &list);
    if (!err && (chunk_list_count(bytes_view(&list)) < 1 ||
                 chunk_list_at(bytes_view(&list), 0, &root->list) != CHUNK_CHECKPOINT))
        err = TERN_ECORRUPT;
    bytes_release(&list);
    return err;
}

static enum tern_err check_checkpoint(const struct engine_program *e, uint64_t files_bytes,
                                      struct problem *p)
{
    const struct engine_task *t = &e->task;
    const struct go_on_order order = {.image = &t->from.image,
                                      .module = e->module.bytes,
                                      .module_sha256 = e->module.digest.byte,
                                      .name = name_of(t->order.program),
                                      .limits = &t->program_order.limits,
                                      .files_bytes = files_bytes};
    enum tern_err err = go_on_check(&order, p);

    if (!err && t->from.image.deterministic != (t->order.task->deterministic != 0))
        err = problem_set(p, TERN_EINVALID, "its image was made under another --deterministic");
    return err == TERN_EINVALID ? TERN_ECORRUPT : err; /* of the checkpoint, not of the program */
}

static enum tern_err have_checkpoint(struct engine_program *e, struct problem *p)
{
    struct engine_task *t = &e->task;
    struct store_root root = {.number = t->order.from->n};
    struct object_order order = object_order(e);
    const struct files_order *files = &t->program_order.files;
    enum tern_err err = find_checkpoint(t, &root);

    if (err)
        return problem_set(p, err, "checkpoint %ju cannot be read on this machine: %s",
                           (uintmax_t)root.number, tern_err_text(err));
    err = checkpoint_open_root(t->store, &root, &t->from, p);
    if (!err)
        err = check_checkpoint(e, files->wanted ? files->bytes_max : 0, p);
    if (err)
        return err;
    t->points = go_on_points(&t->from.image.state);
    if (!t->points.list)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    order.points = &t->points;
    return object_make(&order, &t->continuations, p);
}

/* ---- The order ---- */

static enum tern_err begin_tree(void *context, int arena, uint32_t pages_max, struct bytes *tree,
                                struct problem *p)
{
    const struct engine_task *t = context;

    return task_tree_begin(t->order.task, t->store, arena, pages_max, tree, p);
}

static enum tern_err leave_tree(void *context, const struct state_tree *tree, int arena,
                                struct problem *p)
{
    struct engine_task *t = context;

    t->left = task_tree_leave(t->order.task, t->store, tree, arena, &t->files, p);
    return t->left;
}

static struct files_order files_order(struct engine_task *t)
{
    const uint64_t bytes = t->order.program->files_bytes;
    const uint64_t most = (uint64_t)TREE_PAGES_MAX * TREE_PAGE_BYTES;
    struct files_order f = {.wanted = task_tree_wanted(&t->order),
                            .bytes_max = bytes ? bytes : FILES_BYTES_DEFAULT,
                            .warn = warn_nobody,
                            .context = t,
                            .begin = begin_tree};

    if (t->order.task->n_outputs > 0)
        f.leave = leave_tree;
    f.bytes_max = f.bytes_max < most ? f.bytes_max / TREE_PAGE_BYTES * TREE_PAGE_BYTES : most;
    return f;
}

static enum tern_err take_limits(const Tern__Program *p, struct program_limits *out,
                                 struct problem *why)
{
    *out = program_default;
    if (p->limits && p->limits->memory_pages)
        out->memory_pages_max = p->limits->memory_pages;
    if (p->limits && p->limits->stack_bytes)
        out->stack_bytes = p->limits->stack_bytes;
    if (p->limits) {
        out->cpu_ns_max = p->limits->cpu_ns;
        out->output_bytes_max = p->limits->output_bytes;
    }
    if (out->memory_pages_max > WASM_MEMORY_PAGES_MAX || out->stack_bytes < STACK_BYTES_LEAST ||
        out->stack_bytes > STACK_BYTES_MOST)
        return problem_set(why, TERN_EINVALID,
                           "its limits should be 64 KiB to 4 GiB of memory, and 64 KiB to 1 GiB "
                           "of stack");
    return TERN_OK;
}

static enum tern_err take_words(struct engine_task *t, struct problem *p)
{
    const Tern__Program *program = t->order.program;

    words_add(&t->args, name_of(program));
    for (size_t i = 0; i < program->n_args; i++)
        words_add(&t->args, program->args[i]);
    for (size_t i = 0; i < program->n_env; i++)
        words_add(&t->env, program->env[i]);
    return t->args.failed || t->env.failed ? problem_set(p, TERN_ENOMEM, "out of memory") : TERN_OK;
}

static enum tern_err take_order(struct engine_program *e, struct problem *p)
{
    struct engine_task *t = &e->task;
    struct program_order *o = &t->program_order;
    const Tern__Program *program = t->order.program;
    enum tern_err err = take_limits(program, &o->limits, p);

    if (!err)
        err = take_words(t, p);
    o->settings = e->config.settings;
    o->name = name_of(program);
    o->args = &t->args;
    o->env = &t->env;
    o->counts_input = true;
    o->files = files_order(t);
    o->deterministic = t->order.task->deterministic;
    if (program->random_seeded || o->deterministic)
        o->random_seed = &program->random_seed;
    o->stop = &t->stop;
    o->store = t->store;
    o->continuations = -1;
    o->record = -1;
    return err;
}

/* Nobody's domain has no runner of its own. */
static struct warm *warm_for(struct engine_module *m, const struct program_limits *limits)
{
    if (m->limits.memory_pages_max != limits->memory_pages_max ||
        m->limits.stack_bytes != limits->stack_bytes || m->warm.programs >= PROGRAMS_MAX)
        warm_end(&m->warm);
    m->limits = *limits;
    return strcmp(m->domain, "public") == 0 ? NULL : &m->warm;
}

static void take_parts(struct engine_program *e)
{
    struct engine_task *t = &e->task;
    struct program_order *o = &t->program_order;

    o->module = e->module.fd;
    o->module_bytes = e->module.bytes;
    o->object = e->module.object.fd;
    o->warm = warm_for(&e->module, &o->limits);
    if (t->order.from) {
        o->from = &t->from;
        o->continuations = t->continuations.fd;
        o->points = &t->points;
    }
    t->stop.compare = e->config.settings->compare_pages;
    t->stop.lets_go = true;
    t->stop.take =
        (struct take_order){.store = t->store,
                            .module = e->module.bytes,
                            .module_sha256 = e->module.digest.byte,
                            .limits_memory_pages = o->limits.memory_pages_max,
                            .limits_stack_cells = (uint32_t)(o->limits.stack_bytes / 8),
                            .deterministic = o->deterministic,
                            .limits_files_bytes = o->files.wanted ? o->files.bytes_max : 0,
                            .keep = KEEP_CHECKPOINTS};
}

/* ---- All of it ---- */

bool engine_prepares_quickly(const struct engine_program *e)
{
    const struct engine_task *t = &e->task;

    return is_same_module(&e->module, &t->order) && !t->order.from && !task_tree_wanted(&t->order);
}

enum tern_err engine_prepare(struct engine_program *e, struct problem *p)
{
    enum tern_err err = take_order(e, p);

    if (!err)
        err = have_module(e, p);
    if (!err && e->task.order.from)
        err = have_checkpoint(e, p);
    if (err)
        return err;
    take_parts(e);
    err = program_new(&e->task.program_order, &e->task.program, p);
    return refused(err);
}

void engine_task_release(struct engine_task *t)
{
    program_free(t->program);
    checkpoint_release(&t->from);
    sys_close(t->continuations.fd);
    free((void *)(uintptr_t)t->points.list);
    words_release(&t->args);
    words_release(&t->env);
    task_files_release(&t->files);
    arena_release(&t->arena);
    *t = (struct engine_task){.continuations.fd = -1};
}
