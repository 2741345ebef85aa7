/* image_check: globals, tables, segments, memory, the host's side: each rule broken once. */
#include "image_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- Forged images ---- */

static void few_globals(struct sample *s)
{
    s->instance.global_count--;
}

static void global_letter(struct sample *s)
{
    s->globals[1].letter = 'd';
}

static void global_long(struct sample *s)
{
    s->globals[1].value[8] = 1;
}

static void global_ref(struct sample *s)
{
    s->globals[3].value[0] = SAMPLE_LEAF + 1;
}

static void global_externref(struct sample *s)
{
    s->globals[5].value[0] = 1;
}

static void constant_number(struct sample *s)
{
    s->globals[0].value[0] = 8;
}

static void constant_ref(struct sample *s)
{
    s->globals[2].value[0] = SAMPLE_PAUSE + 1;
}

static void constant_vector(struct sample *s)
{
    s->globals[4].value[15] = 0;
}

static void few_tables(struct sample *s)
{
    s->instance.table_count = 1;
}

static void table_letter(struct sample *s)
{
    s->tables[1].letter = 'r';
}

static void table_small(struct sample *s)
{
    s->tables[0].size = 1;
}

static void table_large(struct sample *s)
{
    s->tables[0].size = 5;
}

static void table_ref(struct sample *s)
{
    s->refs[0][16] = SAMPLE_TWIN + 1;
}

static void table_externref(struct sample *s)
{
    s->refs[1][7] = 1;
}

static void few_datas(struct sample *s)
{
    s->instance.data_count = 1;
}

static void few_elems(struct sample *s)
{
    s->instance.elem_count = 4;
    s->instance.elem_dropped = s->lists;
}

static void data_not_dropped(struct sample *s)
{
    s->data_dropped[0] = 0;
}

static void data_half_dropped(struct sample *s)
{
    s->data_dropped[1] = 2;
}

static void elem_not_dropped(struct sample *s)
{
    s->elem_dropped[0] = 0;
}

static void declarative_not_dropped(struct sample *s)
{
    s->elem_dropped[2] = 0;
}

static void memory_small(struct sample *s)
{
    s->instance.memory_pages = 0;
    s->image.list_count = 0;
}

static void memory_large(struct sample *s)
{
    s->instance.memory_pages = 4;
    s->image.limits_memory_pages = 10;
}

static void memory_beyond_limit(struct sample *s)
{
    s->image.limits_memory_pages = 1;
}

static void fd_order(struct sample *s)
{
    s->fds[4].number = 3;
}

static void fd_number(struct sample *s)
{
    s->fds[5].number = 1024;
}

static void fd_kind(struct sample *s)
{
    s->fds[4].kind = 8;
}

static void fd_filetype(struct sample *s)
{
    s->fds[0].filetype = 8;
}

static void fd_file_is_directory(struct sample *s)
{
    s->fds[4].filetype = 3;
}

static void fd_directory_is_file(struct sample *s)
{
    s->fds[5].filetype = 4;
}

static void fd_stream(struct sample *s)
{
    s->fds[2].source = 3;
}

static void fd_source(struct sample *s)
{
    s->fds[4].source = 64;
}

static void fd_absolute(struct sample *s)
{
    s->fds[4].path = view_of_string("/etc/passwd");
}

static void fd_up_in_front(struct sample *s)
{
    s->fds[4].path = view_of_string("../x");
}

static void fd_up_behind(struct sample *s)
{
    s->fds[4].path = view_of_string("a//..");
}

static void fd_up_alone(struct sample *s)
{
    s->fds[5].path = view_of_string("..");
}

static void fd_zero_byte(struct sample *s)
{
    s->fds[4].path = view_of("a\0b", 3);
}

static void fd_no_path(struct sample *s)
{
    s->fds[4].path = view_of_string("");
}

static void fd_no_directory_path(struct sample *s)
{
    s->fds[5].path = view_of_string("");
}

static void fd_same_stream(struct sample *s)
{
    s->fds[2].source = 1;
}

static void fd_odd_path(struct sample *s)
{
    s->fds[0].path = view_of_string("a");
}

static void fd_flags(struct sample *s)
{
    s->fds[4].flags = 0x20;
}

static void fd_rights(struct sample *s)
{
    s->fds[3].inheriting = UINT64_C(1) << 30;
}

static void fd_offset(struct sample *s)
{
    s->fds[4].offset = UINT64_MAX;
}

static void fd_written_directory(struct sample *s)
{
    s->fds[3].written = true;
}

static void fd_ends_of_directory(struct sample *s)
{
    s->fds[3].ends = 1;
}

static void fd_written_read_only(struct sample *s)
{
    s->fds[4].read_only = true;
}

static void negative_clock(struct sample *s)
{
    s->image.state.monotonic_ns = -1;
}

static void much_waiting(struct sample *s)
{
    s->image.state.waited_ns = UINT64_MAX;
}
static const struct forgery forgeries[] = {
    {few_globals, "the image has 5 globals, the module 6"},
    {global_letter, "global 1: not of its type, which is i64"},
    {global_long, "global 1: its value is longer than its type"},
    {global_ref, "global 3: its value refers to a function that the module never"},
    {global_externref, "global 5: its value is an externref that is not null"},
    {constant_number, "global 0: it is immutable"},
    {constant_ref, "global 2: it is immutable"},
    {constant_vector, "global 4: it is immutable"},
    {few_tables, "the image has 1 tables, the module 2"},
    {table_letter, "table 1: not of its type, which is externref"},
    {table_small, "table 0: it has 1 elements, which the module does not allow"},
    {table_large, "table 0: it has 5 elements, which the module does not allow"},
    {table_ref, "table 0: its element 2 refers to a function that the module never"},
    {table_externref, "table 1: its element 0 is an externref that is not null"},
    {few_datas, "the image has 1 data and 3 element segments, the module 2 and 3"},
    {few_elems, "the image has 2 data and 4 element segments, the module 2 and 3"},
    {data_not_dropped, "data segment 0: not dropped, though it is active"},
    {data_half_dropped, "data segment 1: neither dropped nor not dropped"},
    {elem_not_dropped, "element segment 0: not dropped, though it is active"},
    {declarative_not_dropped, "element segment 2: not dropped, though it is declarative"},
    {memory_small, "memory: it has 0 pages, which the module does not allow"},
    {memory_large, "memory: it has 4 pages, which the module does not allow"},
    {memory_beyond_limit, "memory: it has 2 pages, and the run was allowed 1"},
    {fd_order, "descriptor 3: its number is not above that of the one before"},
    {fd_number, "descriptor 1024: there is no such number"},
    {fd_kind, "descriptor 7: its kind is unknown"},
    {fd_filetype, "descriptor 0: its file type is none of WASI's"},
    {fd_file_is_directory, "descriptor 7: it is a file, but its file type says otherwise"},
    {fd_directory_is_file, "descriptor 1023: it is a directory, but its file type"},
    {fd_stream, "descriptor 2: there is no such standard stream"},
    {fd_source, "descriptor 7: no run has so many directories"},
    {fd_absolute, "descriptor 7: its path is absolute"},
    {fd_up_in_front, "descriptor 7: its path has '..' in it"},
    {fd_up_behind, "descriptor 7: its path has '..' in it"},
    {fd_up_alone, "descriptor 1023: its path has '..' in it"},
    {fd_zero_byte, "descriptor 7: its path has a zero byte"},
    {fd_no_path, "descriptor 7: it has no path"},
    {fd_no_directory_path, "descriptor 1023: it has no path"},
    {fd_same_stream, "descriptor 2: another one is the same standard stream"},
    {fd_odd_path, "descriptor 0: it has a path, which its kind has not"},
    {fd_flags, "descriptor 7: it has flags that are none of WASI's"},
    {fd_rights, "descriptor 3: it has rights that are none of WASI's"},
    {fd_offset, "descriptor 7: its offset or size is larger than any can be"},
    {fd_written_directory, "descriptor 3: it was written, but is not a file"},
    {fd_ends_of_directory, "descriptor 3: what its file holds is told, but it was not written"},
    {fd_written_read_only, "descriptor 7: it was written, but is read-only"},
    {negative_clock, "the program's clock is larger than any can be, or negative"},
    {much_waiting, "the time that a host call waited is larger than any can be"},
};

static void test_forgeries(void **unused)
{
    (void)unused;
    assert_all_forged(forgeries, sizeof forgeries / sizeof *forgeries);
}

/* What a caller can put together, and no bytes. */
static void test_impossible(void **unused)
{
    struct problem p;

    (void)unused;
    sample_init(&sample);
    sample.image.list_count = 2;
    assert_int_equal(check_sample(&sample.image, &p), TERN_EINVALID);
    assert_non_null(strstr(p.text, "it has 2 lists of pages, not 1"));
    sample.image.list_count = 1;
    sample.image.state.instance_count = 0;
    assert_int_equal(check_sample(&sample.image, &p), TERN_EINVALID);
    assert_non_null(strstr(p.text, "0 instances, not one"));
    sample.image.state.instance_count = 1;
    sample.fds[4].path.size = STATE_PATH_BYTES_MAX + 1;
    assert_int_equal(check_sample(&sample.image, &p), TERN_EINVALID);
    assert_non_null(strstr(p.text, "more of something"));
    sample_release(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forgeries),
        cmocka_unit_test(test_impossible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
