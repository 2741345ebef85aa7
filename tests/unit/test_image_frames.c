/* image_check: the module, the frames and the calls between them: each rule broken once. */
#include "image_forge.h"
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- Forged images ---- */

static void wrong_hash(struct sample *s)
{
    s->image.module_sha256[31] ^= 1;
}

static void wrong_size(struct sample *s)
{
    s->image.module_bytes++;
}

static void large_memory_limit(struct sample *s)
{
    s->image.limits_memory_pages = 65537;
}

static void large_stack_limit(struct sample *s)
{
    s->image.limits_stack_cells = UINT64_C(1) << 32;
}

static void no_phase(struct sample *s)
{
    s->image.state.phase = 3;
}

static void other_phase(struct sample *s)
{
    s->image.state.phase = STATE_IN_START;
}

static void no_frames(struct sample *s)
{
    s->image.state.frame_count = 0;
}

static void other_outermost(struct sample *s)
{
    sample_frame(s, 0, SAMPLE_WORK, true, 1);
}

static void other_instance(struct sample *s)
{
    s->frames[1].instance = 1;
}

static void no_such_func(struct sample *s)
{
    s->frames[1].func = 7;
}

static void no_such_point(struct sample *s)
{
    s->frames[1].offset++;
}

static void no_such_last_point(struct sample *s)
{
    sample_frame(s, 2, SAMPLE_WORK, false, 0)->offset--;
    s->image.state.frame_count = 3;
}

static void too_few_values(struct sample *s)
{
    s->frames[0].value_count--;
}

static void too_many_values(struct sample *s)
{
    s->frames[1].value_count++;
}

static void last_inside(struct sample *s)
{
    s->image.state.frame_count = 3;
}

static void caller_not_inside(struct sample *s)
{
    sample_frame(s, 1, SAMPLE_WORK, false, 0);
}

static void other_callee(struct sample *s)
{
    sample_frame(s, 1, SAMPLE_TWIN, false, 0);
    s->image.state.frame_count = 2;
}

static void other_type(struct sample *s)
{
    sample_frame(s, 0, SAMPLE_MAIN, true, 1); /* call_indirect of type 1 */
    sample_frame(s, 1, SAMPLE_LEAF, false, 0);
    s->image.state.frame_count = 2;
}

static void in_no_table(struct sample *s)
{
    sample_frame(s, 0, SAMPLE_MAIN, true, 1);
    sample_frame(s, 1, SAMPLE_TWIN, false, 0);
    s->image.state.frame_count = 2;
}

static void import_offset(struct sample *s)
{
    s->frames[3].offset = 1;
}

static void import_inside(struct sample *s)
{
    s->frames[3].inside = true;
}

static void import_in_the_middle(struct sample *s)
{
    s->frames[4] = s->frames[3];
    s->image.state.frame_count = 5;
}

static void import_values(struct sample *s)
{
    s->frames[3].value_count = 2;
}

static void import_long_value(struct sample *s)
{
    sample_value(s, 3, 0)[4] = 1;
}

static void too_deep(struct sample *s)
{
    s->image.limits_stack_cells = 1;
}

static void long_param(struct sample *s)
{
    sample_value(s, 1, 0)[4] = 1;
}

static void long_local(struct sample *s)
{
    sample_value(s, 2, 2)[8] = 1;
}

static void long_operand(struct sample *s)
{
    sample_value(s, 0, 2)[15] = 1;
}

static void ref_nowhere(struct sample *s)
{
    sample_value(s, 0, 1)[0] = 8;
}

static void ref_elsewhere(struct sample *s)
{
    sample_value(s, 0, 1)[4] = 1;
}

static void ref_undeclared(struct sample *s)
{
    sample_value(s, 0, 1)[0] = SAMPLE_TWIN + 1;
}
static const struct forgery forgeries[] = {
    {wrong_hash, "the image is of another module"},
    {wrong_size, "the image is of another module"},
    {large_memory_limit, "allowed 65537 pages of memory, more than 65536"},
    {large_stack_limit, "allowed 4294967296 cells of call stack"},
    {no_phase, "does not say which function the program began with"},
    {other_phase, "frame 0, function 2 at 0x"},
    {other_phase, "it is not the start function, with which the program began"},
    {no_frames, "the image has no frames"},
    {other_outermost, "it is not the function _start"},
    {other_instance, "frame 1, function 3 at 0x"},
    {other_instance, "an instance that does not exist"},
    {no_such_func, "frame 1, function 7 at 0x"},
    {no_such_func, "there is no such function in the module"},
    {no_such_point, "there is no call that a program can be stopped inside of"},
    {no_such_last_point, "frame 2, function 3 at 0x"},
    {no_such_last_point, "a program cannot be stopped there"},
    {too_few_values, "it has 2 values, not 2 locals and 1 operands"},
    {too_many_values, "it has 4 values, not 3 locals and 0 operands"},
    {last_inside, "it is inside of a call, but there is no frame behind it"},
    {caller_not_inside, "it is not inside of a call, but there are frames behind it"},
    {other_callee, "frame 1, function 4 at 0x"},
    {other_callee, "it is not of the function that the frame before is calling"},
    {other_type, "it is not of the type that the frame before is calling"},
    {in_no_table, "it was called through a table, in which it cannot be"},
    {import_offset, "frame 3, function 0 at 0x1: an imported function has no code"},
    {import_inside, "frame 3, function 0 at 0x0: it is inside of a call"},
    {import_in_the_middle, "an imported function calls nothing"},
    {import_values, "it has 2 values, not 1 parameters"},
    {import_long_value, "frame 3, function 0 at 0x0: its local 0 is longer than its type"},
    {too_deep, "frame 0, function 2 at 0x"},
    {too_deep, "the stack is deeper than the 1 cells that the run was allowed"},
    {long_param, "its local 0 is longer than its type"},
    {long_local, "its local 2 is longer than its type"},
    {long_operand, "its operand 0 is longer than its type"},
    {ref_nowhere, "its local 1 refers to a function that does not exist"},
    {ref_elsewhere, "its local 1 refers to an instance that does not exist"},
    {ref_undeclared, "its local 1 refers to a function that the module never makes"},
};

static void test_forgeries(void **unused)
{
    (void)unused;
    assert_all_forged(forgeries, sizeof forgeries / sizeof *forgeries);
}

/* ---- Images that are not refused ---- */

/* Stopped in the start function; inside of each call of _start, direct and not. */
static void test_other_places(void **unused)
{
    static const struct {
        uint32_t call, callee;
    } calls[] = {{0, SAMPLE_WORK}, {1, SAMPLE_WORK}, {2, SAMPLE_PAUSE},
                 {3, SAMPLE_LEAF}, {4, SAMPLE_WIDE}, {5, SAMPLE_TWIN}};

    (void)unused;
    sample_init(&sample);
    sample.image.state.frame_count = 2;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        sample_frame(&sample, 0, SAMPLE_MAIN, true, calls[i].call);
        sample_frame(&sample, 1, calls[i].callee, false, 0);
        assert_accepted();
    }
    sample.image.state.frame_count = 1;
    sample_frame(&sample, 0, SAMPLE_MAIN, false, 0);
    assert_accepted();
    sample.image.state.phase = STATE_IN_START;
    sample_frame(&sample, 0, SAMPLE_START, false, 0);
    assert_accepted();
    sample_release(&sample);
}

/* What ENTER takes: to the cell. Small functions that call nothing take none. */
static void test_room(void **unused)
{
    enum { MAIN = 8 + 2 * (2 + 4), WIDE = 8 + 1020 + 1 };

    (void)unused;
    sample_init(&sample);
    sample.image.state.frame_count = 2;
    sample_frame(&sample, 0, SAMPLE_MAIN, true, 3);
    sample_frame(&sample, 1, SAMPLE_LEAF, false, 0);
    sample.image.limits_stack_cells = MAIN - 1;
    assert_forged("frame 0");
    sample.image.limits_stack_cells = MAIN;
    assert_accepted();
    sample_frame(&sample, 0, SAMPLE_MAIN, true, 4);
    sample_frame(&sample, 1, SAMPLE_WIDE, false, 0);
    sample.image.limits_stack_cells = MAIN + WIDE - 1;
    assert_forged("frame 1, function 6");
    sample.image.limits_stack_cells = MAIN + WIDE;
    assert_accepted();
    sample_release(&sample);
}

/* ---- Modules that lack something ---- */

static void reload_without(uint8_t section)
{
    struct wasm_fault fault;

    sample_init(&sample);
    sample_release(&sample);
    sample.binary = sample_module_without(section);
    assert_int_equal(module_load(&sample.module, bytes_view(&sample.binary), &fault), TERN_OK);
    sample.image.module_bytes = sample.binary.size;
}

static void test_lacking(void **unused)
{
    (void)unused;
    reload_without(8);
    sample.image.state.phase = STATE_IN_START;
    assert_forged("the program began with its start function, but it has none");
    sample_release(&sample);
    reload_without(7);
    assert_forged("the program began with its function _start, but it has none");
    sample_release(&sample);
}

/* One function of this type that does nothing, exported as _start. */
#define ONE_FUNCTION(type, imports)                                                                \
    type imports "03 02 01 00  07 0a 01 06 5f 73 74 61 72 74 00 00  0a 04 01 02 00 0b"
#define NO_PARAMS "01 04 01 60 00 00"

/* In its one function, with nothing else but pages. */
static void load_small(const char *hex, uint32_t pages)
{
    struct wasm_fault fault;

    memset(&sample, 0, sizeof sample);
    sample.binary = build_module(hex);
    assert_int_equal(module_load(&sample.module, bytes_view(&sample.binary), &fault), TERN_OK);
    for (size_t k = 0; k < IMAGE_HASH_BYTES; k++)
        sample.image.module_sha256[k] = (uint8_t)(0xa0 + k);
    sample.image.module_bytes = sample.binary.size;
    sample.image.limits_memory_pages = 1;
    sample.image.lists = sample.lists;
    sample.image.list_count = sample.instance.memory_pages = pages;
    sample.image.state = (struct state){.phase = STATE_IN_MAIN,
                                        .frames = sample.frames,
                                        .instances = &sample.instance,
                                        .frame_count = 1,
                                        .instance_count = 1};
}

static void test_other_modules(void **unused)
{
    static const struct {
        const char *hex;
        uint32_t pages;
        const char *words;
    } cases[] = {
        {ONE_FUNCTION(NO_PARAMS, ""), 0, "frame 0, function 0 at 0x0: a program cannot be stopped"},
        {ONE_FUNCTION(NO_PARAMS, ""), 1, "memory: the image has 1 pages, the module no memory"},
        {ONE_FUNCTION("01 05 01 60 01 7f 00", ""), 0, "but that has parameters or results"},
        {ONE_FUNCTION(NO_PARAMS, "02 08 01 01 6d 01 67 03 7f 00"), 0, "imports other things"},
        {ONE_FUNCTION(NO_PARAMS, "02 08 01 01 6d 01 6d 02 00 01"), 0, "imports other things"},
        {ONE_FUNCTION(NO_PARAMS, "02 09 01 01 6d 01 74 01 70 00 01"), 0, "imports other things"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_small(cases[i].hex, cases[i].pages);
        assert_forged(cases[i].words);
        sample_release(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forgeries),     cmocka_unit_test(test_other_places),
        cmocka_unit_test(test_room),          cmocka_unit_test(test_lacking),
        cmocka_unit_test(test_other_modules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
