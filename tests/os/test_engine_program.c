/*
 * The engine with real modules in real runners. Arguments: tern, the source of the module.
 * TERN_RUNNER is the runner.
 */
#include "engine_rig.h"

#include "os/ending.h"
#include "os/file.h"
#include "wire/ticket.h"

#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ALL_MAX = 1 << 20 };

static struct bytes module;
static struct rig_store store;
static struct rig rig;
static struct rig_task task;

#define WORDS(...)      (char *[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *)
#define CALL0(name)     rig.engine->calls->name(rig.engine->self)
#define CALL(name, ...) rig.engine->calls->name(rig.engine->self, __VA_ARGS__)

static void begin_with(char **words, size_t count)
{
    rig_task(&task, &store, bytes_view(&module), words, count);
}

static int open_all(void **unused)
{
    (void)unused;
    rig_store_open(&store);
    rig_open(&rig, &store);
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    rig_close(&rig);
    rig_store_close(&store);
    return 0;
}

static struct view text(const char *t)
{
    return view_of_string(t);
}

static void assert_same(const struct bytes *got, const struct bytes *wanted)
{
    assert_int_equal(got->size, wanted->size);
    assert_memory_equal(got->data, wanted->data, wanted->size);
}

/* What the task writes when nothing disturbs it. */
static void run_undisturbed(struct bytes whole[2])
{
    struct rig other;

    rig_open(&other, &store);
    rig_run(&other, &task);
    assert_int_equal(other.code, 0);
    for (int i = 0; i < 2; i++)
        bytes_append(&whole[i], other.out[i].data, other.out[i].size);
    rig_close(&other);
}

static void release_whole(struct bytes whole[2])
{
    bytes_release(&whole[0]);
    bytes_release(&whole[1]);
}

/* ---- To its end ---- */

static void it_runs_and_ends(void **unused)
{
    (void)unused;
    begin_with(WORDS("words", "two words", ""));
    task.program.env = (char *[]){"COLOUR=green"};
    task.program.n_env = 1;
    rig_run(&rig, &task);
    assert_string_equal(rig_text(&rig, 1), "task.wasm\nwords\ntwo words\n\ngreen\n");
    assert_int_equal(rig.out[1].size, 0);
    assert_true(rig.began && rig.ended);
    assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(rig.code, 0);
    assert_string_equal(rig.text, "");
    assert_int_equal(rig.wants, 0);
}

static void it_ends_with_its_code(void **unused)
{
    (void)unused;
    for (int code = 0; code < 300; code += 37) {
        char word[8];

        snprintf(word, sizeof word, "%d", code);
        begin_with(WORDS("exit", word));
        rig_run(&rig, &task);
        assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
        assert_int_equal(rig.code, code & 255);
    }
}

static void it_finds_the_end_where_there_is_no_input(void **unused)
{
    (void)unused;
    begin_with(WORDS("echo"));
    rig_run(&rig, &task);
    assert_int_equal(rig.code, 0);
    assert_int_equal(rig.out[0].size, 0);
}

/* ---- Input ---- */

static void give_next(struct rig *r)
{
    char line[32];

    if (r->wants > 3) {
        r->engine->calls->input(r->engine->self, view_of(NULL, 0), true);
        return;
    }
    snprintf(line, sizeof line, "piece %u\n", r->wants);
    r->engine->calls->input(r->engine->self, text(line), false);
}

static void it_is_given_input_in_pieces(void **unused)
{
    (void)unused;
    begin_with(WORDS("echo"));
    task.task.open_input = true;
    rig.on_wants = give_next;
    rig_run(&rig, &task);
    assert_string_equal(rig_text(&rig, 1), "piece 1\npiece 2\npiece 3\n");
    assert_int_equal(rig.wants, 4);
    assert_int_equal(rig.code, 0);
}

/* More than a pipe takes, before it runs, and both ways at once. */
static void it_takes_much_input(void **unused)
{
    struct bytes much = {0};

    (void)unused;
    for (int i = 0; i < 300000; i++)
        bytes_append(&much, &i, sizeof i);
    begin_with(WORDS("echo"));
    task.task.open_input = true;
    rig_prepare(&rig, &task);
    CALL(input, bytes_view(&much), true);
    rig_until(&rig, &rig.prepared);
    CALL0(start);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.out[0].size, much.size);
    assert_memory_equal(rig.out[0].data, much.data, much.size);
    assert_int_equal(rig.wants, 0);
    bytes_release(&much);
}

static void a_program_need_not_read_its_input(void **unused)
{
    (void)unused;
    begin_with(WORDS("exit", "7"));
    task.task.open_input = true;
    for (int i = 0; i < 3; i++) {
        rig_prepare(&rig, &task);
        CALL(input, text("nobody reads this\n"), i % 2);
        rig_until(&rig, &rig.prepared);
        CALL0(start);
        rig_until(&rig, &rig.over);
        assert_int_equal(rig.code, 7);
    }
    begin_with(WORDS("echo"));
    task.task.open_input = true;
    rig_prepare(&rig, &task);
    CALL(input, text("this\n"), true);
    rig_until(&rig, &rig.prepared);
    CALL0(start);
    rig_until(&rig, &rig.over);
    assert_string_equal(rig_text(&rig, 1), "this\n");
}

/* ---- Output ---- */

static void hold_at_once(struct rig *r)
{
    if (r->data++ == 0)
        r->engine->calls->hold(r->engine->self, true);
}

static void it_holds_its_output(void **unused)
{
    struct bytes whole[2] = {{0}, {0}};
    size_t before;

    (void)unused;
    begin_with(WORDS("count", "20000"));
    run_undisturbed(whole);
    rig.on_output = hold_at_once;
    rig_start(&rig, &task);
    while (rig.data == 0)
        rig_step(&rig);
    before = rig.out[0].size + rig.out[1].size;
    for (int i = 0; i < 100; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    assert_int_equal(rig.out[0].size + rig.out[1].size, before);
    assert_false(rig.over);
    CALL(hold, false);
    rig_until(&rig, &rig.over);
    assert_same(&rig.out[0], &whole[0]);
    assert_same(&rig.out[1], &whole[1]);
    release_whole(whole);
}

/* All that it wrote is told when it ends, also when it is held then. */
static void it_ends_when_all_is_told(void **unused)
{
    (void)unused;
    begin_with(WORDS("words"));
    task.limits.cpu_ns = UINT64_C(60000000000); /* such a runner is not kept */
    rig_start(&rig, &task);
    CALL(hold, true);
    while (rig_runner())
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 20; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    assert_false(rig.over);
    CALL(hold, false);
    assert_false(rig.over);
    rig_until(&rig, &rig.over);
    assert_string_equal(rig_text(&rig, 1), "task.wasm\nwords\nnone\n");
}

/* ---- Checkpoints ---- */

/* Another engine, as if on another machine; what it writes is put behind what came before. */
static void go_on_elsewhere(const struct engine_checkpoint *c, const struct bytes *before,
                            const struct bytes whole[2])
{
    struct rig_task rest = task;
    struct rig other;

    rig_goes_on(&rest, c);
    rig_open(&other, &store);
    rig_run(&other, &rest);
    assert_true(other.ended && other.began);
    assert_int_equal(other.code, 0);
    for (int i = 0; i < 2; i++) {
        struct bytes all = {0};

        assert_true(c->output_bytes[i] <= before[i].size);
        bytes_append(&all, before[i].data, c->output_bytes[i]);
        bytes_append(&all, other.out[i].data, other.out[i].size);
        assert_same(&all, &whole[i]);
        bytes_release(&all);
    }
    rig_close(&other);
}

static void checkpoint_in_the_middle(struct rig *r)
{
    if (r->out[0].size >= r->data) {
        r->data = UINT64_MAX;
        r->engine->calls->checkpoint(r->engine->self, true);
    }
}

static void it_goes_on_elsewhere(void **unused)
{
    struct bytes whole[2] = {{0}, {0}};

    (void)unused;
    begin_with(WORDS("count", "30000"));
    run_undisturbed(whole);
    rig.on_output = checkpoint_in_the_middle;
    rig.data = whole[0].size / 3;
    rig_run(&rig, &task);
    assert_false(rig.ended);
    assert_int_equal(rig.taken, 1);
    assert_true(rig.checkpoints[0].last);
    assert_int_equal(rig.checkpoints[0].root.kind, CHUNK_CHECKPOINT);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig.checkpoints[0].output_bytes[i], rig.out[i].size);
        assert_true(rig.out[i].size < whole[i].size);
    }
    assert_true(rig.checkpoints[0].image_bytes > 0 && rig.checkpoints[0].cpu_ns > 0);
    go_on_elsewhere(&rig.checkpoints[0], rig.out, whole);
    release_whole(whole);
}

static void checkpoint_now_and_then(struct rig *r)
{
    if (r->out[0].size >= r->data && r->taken < 8) {
        r->data = r->out[0].size + 20000;
        r->engine->calls->checkpoint(r->engine->self, false);
    }
}

/* From each of the two that are kept; the counts are exact each time. */
static void it_is_checkpointed_while_it_runs(void **unused)
{
    struct bytes whole[2] = {{0}, {0}};

    (void)unused;
    begin_with(WORDS("count", "60000"));
    run_undisturbed(whole);
    rig.on_output = checkpoint_now_and_then;
    rig_run(&rig, &task);
    assert_true(rig.ended);
    assert_same(&rig.out[0], &whole[0]);
    assert_same(&rig.out[1], &whole[1]);
    assert_true(rig.taken >= 2);
    assert_int_equal(rig.not_taken, 0);
    for (unsigned n = 0; n < rig.taken; n++) {
        assert_false(rig.checkpoints[n].last);
        for (int i = 0; i < 2; i++)
            assert_int_equal(rig.checkpoints[n].output_bytes[i], rig.told_at[n][i]);
    }
    go_on_elsewhere(&rig.checkpoints[rig.taken - 1], rig.out, whole);
    go_on_elsewhere(&rig.checkpoints[rig.taken - 2], rig.out, whole);
    release_whole(whole);
}

/* And from there, and from there: numbers count from the program's own beginning. */
static void it_goes_on_again_and_again(void **unused)
{
    struct bytes whole[2] = {{0}, {0}}, all[2] = {{0}, {0}};
    struct rig_task rest;
    unsigned moves = 0;

    (void)unused;
    begin_with(WORDS("count", "40000"));
    run_undisturbed(whole);
    rest = task;
    rig.on_output = checkpoint_in_the_middle;
    do {
        rig.data = 200000;
        rig_run(&rig, &rest);
        for (int i = 0; i < 2; i++)
            bytes_append(&all[i], rig.out[i].data, rig.out[i].size);
        if (!rig.ended) {
            assert_int_equal(rig.checkpoints[0].output_bytes[0], all[0].size);
            assert_int_equal(rig.checkpoints[0].output_bytes[1], all[1].size);
            rig_goes_on(&rest, &rig.checkpoints[0]);
            moves++;
        }
    } while (!rig.ended);
    assert_true(moves >= 2);
    assert_same(&all[0], &whole[0]);
    assert_same(&all[1], &whole[1]);
    release_whole(whole);
    release_whole(all);
}

/* What a program has read counts, what it was given and has not read is given again. */
static void it_goes_on_behind_the_input_that_it_has_used(void **unused)
{
    static const char given[] = "1\n20\n300\n4000\n";
    struct rig_task rest;
    struct rig other;
    uint64_t used;

    (void)unused;
    begin_with(WORDS("sum"));
    task.task.open_input = true;
    rig_prepare(&rig, &task);
    CALL(input, text("1\n20\n"), false);
    rig_until(&rig, &rig.prepared);
    CALL0(start);
    while (rig.out[0].size < strlen("1\n21\n"))
        rig_step(&rig);
    CALL(checkpoint, true);
    rig_until(&rig, &rig.over);
    assert_false(rig.ended);
    used = rig.checkpoints[0].input_bytes;
    assert_int_equal(used, strlen("1\n20\n"));

    rest = task;
    rig_goes_on(&rest, &rig.checkpoints[0]);
    rig_open(&other, &store);
    rig_prepare(&other, &rest);
    other.engine->calls->input(other.engine->self, text(given + used), true);
    rig_until(&other, &other.prepared);
    assert_int_equal(other.err, TERN_OK);
    other.engine->calls->start(other.engine->self);
    rig_until(&other, &other.over);
    assert_string_equal(rig_text(&other, 1), "321\n4321\n");
    rig_close(&other);
}

/* ---- Files ---- */

static struct bytes blob_of(const struct engine_file *f)
{
    struct bytes all = {0};
    Tern__Blob blob;

    tern__blob__init(&blob);
    blob.sha256 = (ProtobufCBinaryData){STORE_NAME_BYTES, (uint8_t *)(uintptr_t)f->root.name.bytes};
    blob.kind = f->root.kind;
    blob.size = f->size;
    assert_int_equal(stored_blob_get(store.store, &blob, &all), TERN_OK);
    return all;
}

static Tern__Input input_of(const char *path, Tern__Content *content)
{
    Tern__Input i;

    tern__input__init(&i);
    i.path = (char *)(uintptr_t)path;
    i.content = content;
    return i;
}

static Tern__Output output_of(const char *path, bool optional)
{
    Tern__Output o;

    tern__output__init(&o);
    o.path = (char *)(uintptr_t)path;
    o.optional = optional;
    return o;
}

static void give_files(Tern__Input **inputs, size_t input_count, Tern__Output **outputs,
                       size_t output_count)
{
    task.task.inputs = inputs;
    task.task.n_inputs = input_count;
    task.task.outputs = outputs;
    task.task.n_outputs = output_count;
}

/* Larger than a chunk, as a blob; and small, in the order itself. */
static void inputs_come_and_outputs_leave(void **unused)
{
    struct bytes large = {0}, got;
    uint8_t name[STORE_NAME_BYTES];
    Tern__Blob blob;
    Tern__Content in_store, here;
    Tern__Input inputs[2];
    Tern__Output outputs[2] = {output_of("out", false), output_of("/not there", true)};

    (void)unused;
    for (uint64_t i = 0; i < 350000; i++)
        bytes_append(&large, &i, sizeof i);
    rig_put(&store, bytes_view(&large), &blob, name);
    tern__content__init(&in_store);
    tern__content__init(&here);
    in_store.blob = &blob;
    here.here = (ProtobufCBinaryData){5, (uint8_t *)"small"};
    inputs[0] = input_of("deep/er/large", &in_store);
    inputs[1] = input_of("/deep/small", &here);
    for (int i = 0; i < 2; i++) {
        begin_with(WORDS("copy", i ? "/deep/small" : "deep/er/large", "out"));
        give_files((Tern__Input *[]){&inputs[0], &inputs[1]}, 2,
                   (Tern__Output *[]){&outputs[0], &outputs[1]}, 2);
        rig_run(&rig, &task);
        assert_int_equal(rig.code, 0);
        assert_string_equal(rig.text, "");
        assert_int_equal(rig.file_count, 1);
        assert_int_equal(rig.files[0].root.kind, i ? CHUNK_LEAF : CHUNK_LIST);
        got = blob_of(&rig.files[0]);
        if (i)
            assert_true(view_equal(bytes_view(&got), text("small")));
        else
            assert_same(&got, &large);
        bytes_release(&got);
    }
    bytes_release(&large);
}

static void holes_are_zeros(void **unused)
{
    static const uint8_t zeros[1 << 16];
    Tern__Output output = output_of("sparse", false);
    struct bytes got;

    (void)unused;
    begin_with(WORDS("sparse", "sparse"));
    give_files(NULL, 0, (Tern__Output *[]){&output}, 1);
    rig_run(&rig, &task);
    assert_int_equal(rig.code, 0);
    assert_int_equal(rig.files[0].size, 5 << 20);
    got = blob_of(&rig.files[0]);
    for (size_t at = 0; at + sizeof zeros < got.size; at += sizeof zeros)
        assert_memory_equal(got.data + at, zeros, sizeof zeros);
    assert_memory_equal(got.data + got.size - 3, "end", 3);
    bytes_release(&got);
}

static void outputs_that_cannot_be(void **unused)
{
    Tern__Output output = output_of("out", false);

    (void)unused;
    begin_with(WORDS("exit", "0"));
    give_files(NULL, 0, (Tern__Output *[]){&output}, 1);
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(rig.code, EXIT_TERN);
    assert_string_equal(rig.text, "the output out: the program left no such file");
    assert_int_equal(rig.file_count, 0);

    begin_with(WORDS("exit", "3")); /* its own code says more */
    give_files(NULL, 0, (Tern__Output *[]){&output}, 1);
    rig_run(&rig, &task);
    assert_int_equal(rig.code, 3);

    begin_with(WORDS("mkdir", "out"));
    give_files(NULL, 0, (Tern__Output *[]){&output}, 1);
    rig_run(&rig, &task);
    assert_int_equal(rig.code, EXIT_TERN);
    assert_string_equal(rig.text, "the output out: it is a folder; name the files in it");
}

static void assert_input_refused(const char *first, const char *second, const char *why)
{
    Tern__Content here;
    Tern__Input inputs[2];

    tern__content__init(&here);
    inputs[0] = input_of(first, &here);
    inputs[1] = input_of(second, &here);
    begin_with(WORDS("exit", "0"));
    give_files((Tern__Input *[]){&inputs[0], &inputs[1]}, 2, NULL, 0);
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_EINVALID);
    assert_non_null(strstr(rig.why, why));
}

static void inputs_that_cannot_be(void **unused)
{
    char name[300];

    (void)unused;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    assert_input_refused("a", "a", "another input has the same path");
    assert_input_refused("a", "a/b", "another input is a file where");
    assert_input_refused("a/b", "a", "another input has the same path");
    assert_input_refused("a", "b/../c", "no '.' or '..'");
    assert_input_refused("a", "/", "lead to a file");
    assert_input_refused("a", "b/", "lead to a file");
    assert_input_refused("a", name, "longer than 255");
}

static void inputs_that_are_too_much(void **unused)
{
    struct bytes large = {0};
    uint8_t name[STORE_NAME_BYTES];
    Tern__Blob blob;
    Tern__Content content;
    Tern__Input input;

    (void)unused;
    bytes_reserve(&large, 40000);
    memset(large.data, 1, 40000);
    large.size = 40000;
    rig_put(&store, bytes_view(&large), &blob, name);
    tern__content__init(&content);
    content.blob = &blob;
    input = input_of("in", &content);
    begin_with(WORDS("exit", "0"));
    give_files((Tern__Input *[]){&input}, 1, NULL, 0);
    task.program.files_bytes = 36864;
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_EINVALID);
    assert_non_null(strstr(rig.why, "more than the program's files may take"));

    task.program.files_bytes = 40960;
    rig_run(&rig, &task);
    assert_int_equal(rig.code, 0);

    name[0] ^= 1; /* not on this machine */
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_ENOENT);
    bytes_release(&large);
}

/* A file of its own moves with it. */
static void its_files_go_on_with_it(void **unused)
{
    struct bytes whole[2] = {{0}, {0}}, got;
    Tern__Output output = output_of("notes", false);
    struct rig_task rest;

    (void)unused;
    begin_with(WORDS("notes", "3000"));
    give_files(NULL, 0, (Tern__Output *[]){&output}, 1);
    run_undisturbed(whole);
    rig.on_output = checkpoint_in_the_middle;
    rig.data = whole[0].size / 2;
    rig_run(&rig, &task);
    assert_false(rig.ended);
    rest = task;
    rig_goes_on(&rest, &rig.checkpoints[0]);
    rig.data = UINT64_MAX;
    rig_run(&rig, &rest);
    assert_true(rig.ended);
    assert_int_equal(rig.code, 0);
    got = blob_of(&rig.files[0]);
    assert_memory_equal(got.data, "note 0\nnote 1\n", 14);
    assert_memory_equal(got.data + got.size - 10, "note 2999\n", 10);
    assert_int_equal(got.size, whole[0].size + 5 * 3000);
    bytes_release(&got);
    release_whole(whole);
}

/* ---- Other ends ---- */

static void it_traps(void **unused)
{
    (void)unused;
    begin_with(WORDS("trap"));
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_TRAP);
    assert_int_equal(rig.code, 1); /* unreachable */
    assert_non_null(strstr(rig.text, "task.wasm: unreachable in function"));
}

static void it_comes_to_its_limits(void **unused)
{
    (void)unused;
    begin_with(WORDS("spin"));
    task.limits.cpu_ns = 50000000;
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_LIMIT);
    assert_int_equal(rig.code, REPORT_LIMIT_CPU);
    assert_true(rig.began);

    begin_with(WORDS("count", "1000"));
    task.limits.output_bytes = 500;
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_LIMIT);
    assert_int_equal(rig.code, REPORT_LIMIT_OUTPUT);
    assert_int_equal(rig.out[0].size + rig.out[1].size, 500);

    begin_with(WORDS("fill", "64"));
    task.limits.memory_pages = 256;
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(rig.code, 3); /* malloc says no */
}

static void assert_refused(struct view what, const char *why)
{
    rig_task(&task, &store, what, NULL, 0);
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_EINVALID);
    assert_non_null(strstr(rig.why, why));
    assert_false(rig.over);
}

static void what_is_no_module_is_refused(void **unused)
{
    (void)unused;
    assert_refused(text("#!/bin/sh\n"), "task.wasm is not a WebAssembly module");
    assert_refused(view_of(NULL, 0), "task.wasm is not a WebAssembly module");
    assert_refused(view_of(module.data, module.size / 2), "task.wasm is malformed");
}

/* (module (import "env" "f" (func)) (func (export "_start"))): valid, and nobody has env.f. */
static void what_cannot_be_linked_ends_as_refused(void **unused)
{
    static const uint8_t bytes[] = {
        0,  'a', 's', 'm', 1,   0,    0,   0,   1,   4,   1, 0x60, 0, 0, /* type */
        2,  9,   1,   3,   'e', 'n',  'v', 1,   'f', 0,   0,             /* import */
        3,  2,   1,   0,                                                 /* function */
        7,  10,  1,   6,   '_', 's',  't', 'a', 'r', 't', 0, 1,          /* export */
        10, 4,   1,   2,   0,   0x0b,                                    /* code */
    };

    (void)unused;
    rig_task(&task, &store, view_of(bytes, sizeof bytes), NULL, 0);
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_REFUSED);
    assert_non_null(strstr(rig.text, "imports the function env.f"));
    assert_false(rig.began);
}

static void bad_limits_are_refused(void **unused)
{
    (void)unused;
    begin_with(WORDS("exit", "0"));
    task.limits.stack_bytes = 100;
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_EINVALID);

    begin_with(WORDS("exit", "0"));
    task.limits.memory_pages = 65537;
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_EINVALID);

    begin_with(WORDS("exit", "0"));
    task.limits.memory_pages = 1; /* less than it begins with */
    rig_run(&rig, &task);
    assert_int_equal(rig.kind, TERN__END_KIND__END_REFUSED);
}

/* One that was taken under other limits, and one that is none. */
static void a_checkpoint_that_does_not_fit(void **unused)
{
    struct rig_task rest;

    (void)unused;
    begin_with(WORDS("spin"));
    rig_start(&rig, &task);
    rig_until(&rig, &rig.began);
    CALL(checkpoint, true);
    rig_until(&rig, &rig.over);
    assert_false(rig.ended);
    rest = task;
    rig_goes_on(&rest, &rig.checkpoints[0]);
    rest.limits.memory_pages = 1000;
    rest.program.limits = &rest.limits;
    rig_prepare(&rig, &rest);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_ECORRUPT);
    assert_non_null(strstr(rig.why, "other limits"));

    memcpy(rest.root_name, task.name, sizeof rest.root_name);
    rig_prepare(&rig, &rest);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_ECORRUPT);

    memset(rest.root_name, 1, sizeof rest.root_name);
    rig_prepare(&rig, &rest);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_ENOENT);
}

static void it_is_stopped(void **unused)
{
    (void)unused;
    begin_with(WORDS("spin"));
    rig_start(&rig, &task);
    rig_until(&rig, &rig.began);
    CALL0(stop);
    CALL0(stop);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.kind, TERN__END_KIND__END_CANCELLED);

    rig_prepare(&rig, &task); /* before it starts */
    rig_until(&rig, &rig.prepared);
    CALL0(stop);
    assert_false(rig.over);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.kind, TERN__END_KIND__END_CANCELLED);

    rig_prepare(&rig, &task); /* while it is prepared */
    CALL0(stop);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.kind, TERN__END_KIND__END_CANCELLED);
    assert_false(rig.prepared);
    assert_int_equal(rig_runner(), 0);
}

static void its_runner_dies(void **unused)
{
    (void)unused;
    begin_with(WORDS("spin"));
    rig_start(&rig, &task);
    rig_until(&rig, &rig.began);
    assert_int_equal(kill(rig_runner(), SIGKILL), 0);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.kind, TERN__END_KIND__END_BROKEN);
    assert_non_null(strstr(rig.text, "its runner was killed (Killed)"));

    rig_start(&rig, &task); /* as by a fault of ours */
    rig_until(&rig, &rig.began);
    assert_int_equal(kill(rig_runner(), SIGABRT), 0);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.kind, TERN__END_KIND__END_BROKEN);
    assert_non_null(strstr(rig.text, "please report this"));
}

static void a_broken_store_is_no_fault_of_the_program(void **unused)
{
    (void)unused;
    begin_with(WORDS("exit", "0"));
    task.name[0] ^= 1;
    rig_prepare(&rig, &task);
    rig_until(&rig, &rig.prepared);
    assert_int_equal(rig.err, TERN_ENOENT);
    assert_non_null(strstr(rig.why, "the module of task.wasm cannot be read on this machine"));
}

/* ---- One after another ---- */

static void prepare_next(struct rig *r)
{
    assert_int_equal(r->code, (int)(r->data & 63));
    if (--r->data == 0)
        return;
    snprintf(task.program.args[1], 8, "%d", (int)(r->data & 63));
    rig_prepare(r, &task);
}

/* The next one is prepared from within the end of the one before. */
static void many_in_a_row(void **unused)
{
    char number[8] = "36";

    (void)unused;
    begin_with((char *[]){"exit", number}, 2);
    rig.data = 100;
    rig.on_end = prepare_next;
    rig_prepare(&rig, &task);
    while (rig.data > 0) {
        rig_until(&rig, &rig.prepared);
        rig.prepared = false;
        assert_int_equal(rig.err, TERN_OK);
        CALL0(start);
        while (!rig.prepared && rig.data > 0)
            rig_step(&rig);
    }
}

/* ---- Runners end with whoever has them ---- */

static _Noreturn void run_for_ever(int tell)
{
    struct rig own;
    int runner;

    rig_open(&own, &store);
    rig_start(&own, &task);
    rig_until(&own, &own.began);
    runner = rig_runner();
    (void)!write(tell, &runner, sizeof runner);
    for (;;)
        pause();
}

static void a_killed_owner_leaves_no_runner(void **unused)
{
    int ends[2], runner = 0, watch;
    struct pollfd gone;
    pid_t owner;

    (void)unused;
    begin_with(WORDS("spin"));
    rig_prepare(&rig, &task); /* compiled, so that the other one need not */
    rig_until(&rig, &rig.prepared);
    CALL0(stop);
    rig_until(&rig, &rig.over);
    assert_int_equal(pipe(ends), 0);
    owner = fork();
    if (owner == 0)
        run_for_ever(ends[1]);
    assert_int_equal(read(ends[0], &runner, sizeof runner), sizeof runner);
    watch = (int)syscall(SYS_pidfd_open, runner, 0);
    assert_true(watch >= 0);
    assert_int_equal(kill(owner, SIGKILL), 0);
    waitpid(owner, NULL, 0);
    gone = (struct pollfd){.fd = watch, .events = POLLIN};
    assert_int_equal(poll(&gone, 1, 60000), 1);
    close(watch);
    close(ends[0]);
    close(ends[1]);
}

/* ---- All ---- */

static bool compile(const char *tern, const char *source)
{
    char out[] = "/tmp/tern-task-XXXXXX", command[1024];
    const int fd = mkstemp(out);
    bool fine;

    snprintf(command, sizeof command, "%s cc -O1 %s -o %s", tern, source, out);
    fine = fd >= 0 && system(command) == 0 && file_read(out, ALL_MAX, &module) == TERN_OK;
    close(fd);
    unlink(out);
    return fine;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_and_ends),
        TEST(it_ends_with_its_code),
        TEST(it_finds_the_end_where_there_is_no_input),
        TEST(it_is_given_input_in_pieces),
        TEST(it_takes_much_input),
        TEST(a_program_need_not_read_its_input),
        TEST(it_holds_its_output),
        TEST(it_ends_when_all_is_told),
        TEST(it_goes_on_elsewhere),
        TEST(it_is_checkpointed_while_it_runs),
        TEST(it_goes_on_again_and_again),
        TEST(it_goes_on_behind_the_input_that_it_has_used),
        TEST(inputs_come_and_outputs_leave),
        TEST(holes_are_zeros),
        TEST(outputs_that_cannot_be),
        TEST(inputs_that_cannot_be),
        TEST(inputs_that_are_too_much),
        TEST(its_files_go_on_with_it),
        TEST(it_traps),
        TEST(it_comes_to_its_limits),
        TEST(what_is_no_module_is_refused),
        TEST(what_cannot_be_linked_ends_as_refused),
        TEST(bad_limits_are_refused),
        TEST(a_checkpoint_that_does_not_fit),
        TEST(it_is_stopped),
        TEST(its_runner_dies),
        TEST(a_broken_store_is_no_fault_of_the_program),
        TEST(many_in_a_row),
        TEST(a_killed_owner_leaves_no_runner),
    };

    char tern[PATH_MAX];
    int failed;

    if (argc != 3) {
        fprintf(stderr, "usage: test_engine_program TERN SOURCE\n");
        return 2;
    }
    if (!realpath(argv[1], tern)) {
        perror(argv[1]);
        return 1;
    }
    setenv("TERN_EXE", tern, 1);
    if (!compile(argv[1], argv[2])) {
        fprintf(stderr, "%s cannot be compiled: is clang with wasi-libc there?\n", argv[2]);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bytes_release(&module);
    return failed;
}
