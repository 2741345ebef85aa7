/* slot: what comes out is what the program writes, whatever happens to the slot and to depots. */
#include "slot_bay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORDER(name) TERN__ORDER_KIND__ORDER_##name
#define MS          INT64_C(1000000)
#define SECOND      INT64_C(1000000000)

static void assert_output(struct bay *b, const char *const *args, const char *input)
{
    struct bytes is = {0}, should = {0};

    bay_expect(args, input, &should);
    assert_non_null(b->end);
    assert_non_null(b->end->results);
    assert_int_equal(b->end->results->output_bytes, should.size);
    bay_content(b, b->end->results->output, &is);
    assert_int_equal(is.size, should.size);
    if (is.size)
        assert_memory_equal(is.data, should.data, is.size);
    bytes_release(&is);
    bytes_release(&should);
}

#define assert_told(b, text) assert_string_equal(bytes_text(&(b)->told), text)

static void test_short(void **state)
{
    struct bay b;
    const struct bay_task t = {.n = 1, .args = {"seed=4", "steps=2", "code=3"}};

    (void)state;
    bay_begin(&b, 1);
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_told(&b, "end 1"); /* nobody needs to hear that it began */
    assert_int_equal(b.end->kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(b.end->code, 3);
    assert_int_equal(b.end->n_depots, 0);
    assert_output(&b, t.args, "");
    assert_int_equal(b.depot[1].gets + b.depot[2].gets, 0); /* the first one had it all */
    bay_end(&b);
}

static void test_many_of_one_program(void **state)
{
    struct bay b;
    struct bay_task t = {.args = {"seed={}", "steps=2"}, .item = "17"};

    (void)state;
    bay_begin(&b, 2);
    for (t.n = 1; t.n <= 20; t.n++)
        bay_place(&b, &t);
    bay_until(&b, &b.ended, 20);
    assert_output(&b, (const char *const[]){"seed=17", "steps=2", NULL}, "");
    assert_int_equal(b.depot[0].gets, 1); /* the module stays */
    bay_end(&b);
}

static void test_checkpoints(void **state)
{
    struct bay b;
    const struct bay_task t = {
        .n = 1, .args = {"steps=20000", "line=10", "pages=64"}, .every_ns = 2 * SECOND};

    (void)state;
    bay_begin(&b, 3);
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_in_range(b.checkpoints, 8, 10); /* in 20 s */
    assert_int_equal(b.checkpoint->n_depots, 2);
    assert_int_equal(b.depot[2].commits, 0); /* two copies */
    assert_output(&b, t.args, "");
    assert_int_equal(b.end->n_depots, 2); /* it is more than travels in a message */
    assert_true(b.depot[0].tail[0].size > 0);
    bay_end(&b);
}

/* Somebody waits for its output: each checkpoint that counts is followed by one soon, as long as
 * there is more; one that does not get to count by others, in time, and more and more seldom. */
static void test_awaited(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1,
                         .args = {"steps=20000", "line=10", "pages=64"},
                         .awaited = true,
                         .every_ns = 3600 * SECOND};

    (void)state;
    bay_begin(&b, 3);
    bay_place(&b, &t);
    for (uint64_t i = 1; i <= 5; i++) {
        bay_until(&b, &b.checkpoints, i);
        bay_committed(&b, 1);
    }
    bay_until(&b, &b.ended, 1);
    assert_in_range(b.checkpoints, 7, 9); /* 5 in as many seconds, then after 1, 2, 4 and 8 */
    t.n = 2;
    t.awaited = false;
    b.checkpoints = 0;
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 2);
    assert_int_equal(b.checkpoints, 0);
    bay_end(&b);
}

/* Killed again and again: the next one goes on where the newest checkpoint was. */
static void test_goes_on_elsewhere(void **state)
{
    struct bay b;
    struct bay_task t = {
        .n = 1, .args = {"steps=30000", "line=7", "pages=20", "input=3"}, .every_ns = SECOND};
    static char input[60000];

    (void)state;
    for (size_t i = 0; i < sizeof input - 1; i++)
        input[i] = (char)('a' + i % 23);
    t.input_blob = input;
    bay_begin(&b, 4);
    bay_place(&b, &t);
    for (uint64_t i = 1; i <= 5; i++) {
        bay_until(&b, &b.checkpoints, 2 * i);
        bay_for(&b, 400 * MS);
        bay_new_slot(&b);
        t.attempt = 1 + i;
        t.from = b.checkpoint;
        t.first_depot = i % 2; /* both have it */
        bay_place(&b, &t);
    }
    bay_until(&b, &b.ended, 1);
    assert_output(&b, t.args, input);
    bay_end(&b);
}

static void test_move(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=20000", "pages=500"}, .every_ns = 60 * SECOND};

    (void)state;
    bay_begin(&b, 5);
    bay_place(&b, &t);
    bay_for(&b, 5 * SECOND);
    bay_tell(&b, ORDER(MOVE), 1, 1);
    bay_until(&b, &b.ended, 1);
    assert_in_range(b.checkpoints, 2, 6); /* ahead, and the last one */
    assert_null(b.end);
    bytes_clear(&b.told);
    t.attempt = 2;
    t.from = b.checkpoint;
    bay_place(&b, &t); /* the same process takes the next */
    bay_until(&b, &b.ended, 2);
    assert_told(&b, "begun 1, end 1");
    assert_output(&b, t.args, "");
    bay_end(&b);
}

static void test_prepare(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=9000", "pages=50"}, .every_ns = SECOND};

    (void)state;
    bay_begin(&b, 6);
    bay_place(&b, &t);
    bay_until(&b, &b.checkpoints, 2);
    bay_new_slot(&b);
    t.kind = ORDER(PREPARE);
    t.attempt = 2;
    t.from = b.checkpoint;
    bytes_clear(&b.told);
    bay_place(&b, &t);
    bay_for(&b, SECOND);
    assert_told(&b, "prepared 1");
    t.kind = ORDER(PLACE);
    bay_place(&b, &t);
    bay_until(&b, &b.checkpoints, 4);
    bay_new_slot(&b);
    t.kind = ORDER(PREPARE); /* once more, and then with a later one */
    t.attempt = 3;
    bay_place(&b, &t);
    bay_for(&b, SECOND);
    t.kind = ORDER(PLACE);
    t.from = b.checkpoint;
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_output(&b, t.args, "");
    bay_end(&b);
}

static void test_depot_dies(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=20000", "pages=64"}, .every_ns = 2 * SECOND};

    (void)state;
    bay_begin(&b, 7);
    bay_place(&b, &t);
    bay_until(&b, &b.checkpoints, 1);
    b.depot[0].fail_after = b.depot[0].puts + 5; /* in the middle of the next one */
    bay_until(&b, &b.checkpoints, 2);
    assert_int_equal(b.checkpoint->n_depots, 2); /* the third has taken its place */
    assert_string_equal(b.checkpoint->depots[1], "d2");
    small_depot_kill(&b.depot[1]);
    bay_until(&b, &b.checkpoints, 3);
    assert_int_equal(b.checkpoint->n_depots, 1); /* fewer copies than wanted, and it says so */
    small_depot_kill(&b.depot[2]);
    bay_until(&b, &b.ended, 1);
    assert_int_equal(b.end->kind, TERN__END_KIND__END_BROKEN); /* its output is for nobody */
    assert_non_null(strstr(b.end->text, "no depot takes its results"));
    bay_end(&b);
}

static void test_depot_is_silent(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=2000"}};

    (void)state;
    bay_begin(&b, 8);
    b.depot[0].silent = true;
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_int_equal(b.depot[1].gets, 1);
    assert_output(&b, t.args, "");
    bay_end(&b);
}

static void test_nothing_to_fetch(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=2"}};

    (void)state;
    bay_begin(&b, 9);
    for (size_t i = 0; i < BAY_DEPOTS; i++)
        small_depot_kill(&b.depot[i]);
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_int_equal(b.end->kind, TERN__END_KIND__END_BROKEN);
    assert_non_null(strstr(b.end->text, "cannot be fetched from any depot"));
    bay_end(&b);
}

static void test_stop_and_recall(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=20000"}};

    (void)state;
    bay_begin(&b, 10);
    bay_place(&b, &t);
    t.n = 2;
    bay_place(&b, &t);
    t.n = 3;
    bay_place(&b, &t);
    bay_for(&b, SECOND);
    bay_tell(&b, ORDER(RECALL), 1, 0); /* too late */
    bay_tell(&b, ORDER(RECALL), 2, 0);
    bay_tell(&b, ORDER(STOP), 1, 0);
    bay_until(&b, &b.ended, 2);
    assert_told(&b, "begun 1, returned 2, end 1");
    assert_int_equal(b.end->kind, TERN__END_KIND__END_CANCELLED);
    bay_until(&b, &b.ended, 3);
    assert_output(&b, t.args, "");
    bay_end(&b);
}

static void test_input_comes_later(void **state)
{
    struct bay b;
    struct bay_task t = {
        .n = 1, .args = {"steps=10", "input=4"}, .input = "abcdef", .open_input = true};

    (void)state;
    bay_begin(&b, 11);
    bay_place(&b, &t);
    bay_for(&b, SECOND);
    bay_input(&b, 1, 6, "ghijklm", false);
    bay_for(&b, SECOND);
    bay_input(&b, 1, 13, "nopq", true);
    bay_until(&b, &b.ended, 1);
    assert_output(&b, t.args, "abcdefghijklmnopq");
    bay_end(&b);
}

static void test_refused(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"no such argument"}};

    (void)state;
    bay_begin(&b, 12);
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 1);
    assert_int_equal(b.end->kind, TERN__END_KIND__END_REFUSED);
    t = (struct bay_task){.n = 2, .args = {"steps=1"}, .output = "left/behind"};
    bay_place(&b, &t);
    bay_until(&b, &b.ended, 2); /* and the slot goes on */
    assert_int_equal(b.end->kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(b.end->results->n_files, 1);
    assert_string_equal(b.end->results->files[0]->name, "left/behind");
    assert_true(b.end->results->files[0]->content->here.len > 0);
    bay_end(&b);
}

static void test_node_goes(void **state)
{
    struct bay b;
    struct bay_task t = {.n = 1, .args = {"steps=20000"}};

    (void)state;
    bay_begin(&b, 13);
    bay_place(&b, &t);
    bay_for(&b, SECOND);
    sim_part_kill(b.node);
    bay_for(&b, SECOND);
    assert_true(b.over);
    bay_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_many_of_one_program),
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_awaited),
        cmocka_unit_test(test_goes_on_elsewhere),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_depot_dies),
        cmocka_unit_test(test_depot_is_silent),
        cmocka_unit_test(test_nothing_to_fetch),
        cmocka_unit_test(test_stop_and_recall),
        cmocka_unit_test(test_input_comes_later),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_node_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
