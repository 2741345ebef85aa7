/*
 * The agent's core among parts that crash, connections that break, restarts, requests that come
 * twice: after everything has healed, each accepted task has ended, once. The seed is printed.
 */
#include "agent_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 40, EVENTS = 3000 };

static uint64_t seed_from = 1, seed_count = SEEDS;

/* How attempts have ended, by AttemptState, over all seeds. */
static uint64_t gone[16];

static void count_gone(const struct model *m)
{
    for (size_t i = 0; i < m->rig.fact_count; i++) {
        struct arena arena = {0};
        Tern__Fact *f;

        assert_int_equal(fact_decode(bytes_view(&m->rig.facts[i]), &arena, &f), TERN_OK);
        if (f->what_case == TERN__FACT__WHAT_GONE)
            gone[f->gone->state & 15]++;
        arena_release(&arena);
    }
}

static void one_seed(struct model *m, uint64_t seed)
{
    print_message("seed %llu\n", (unsigned long long)seed);
    model_init(m, seed);
    for (size_t i = 0; i < EVENTS; i++)
        model_event(m);
    if (!model_heal(m))
        fail_msg("seed %llu does not come to an end", (unsigned long long)seed);
    model_verify(m);
    count_gone(m);
    assert_true(m->ends_seen > 0);
    model_release(m);
}

static void test_each_task_ends_once(void **state)
{
    struct model *m = malloc(sizeof *m);

    (void)state;
    assert_non_null(m);
    for (uint64_t i = 0; i < seed_count; i++)
        one_seed(m, seed_from + i);
    free(m);
    print_message("attempts: %llu lost, %llu moved, %llu returned, %llu broken\n",
                  (unsigned long long)gone[TERN__ATTEMPT_STATE__ATTEMPT_LOST],
                  (unsigned long long)gone[TERN__ATTEMPT_STATE__ATTEMPT_MOVED],
                  (unsigned long long)gone[TERN__ATTEMPT_STATE__ATTEMPT_RETURNED],
                  (unsigned long long)gone[TERN__ATTEMPT_STATE__ATTEMPT_BROKEN]);
    for (int i = TERN__ATTEMPT_STATE__ATTEMPT_LOST;
         seed_count >= SEEDS && i <= TERN__ATTEMPT_STATE__ATTEMPT_BROKEN; i++)
        assert_true(gone[i] > 0); /* all of it has been tried */
}

/* test_agent_random [SEED [COUNT]] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_task_ends_once)};

    if (argc > 1)
        seed_from = strtoull(argv[1], NULL, 10);
    if (argc > 1)
        seed_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
