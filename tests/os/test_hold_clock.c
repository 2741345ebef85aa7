/* hold: clocks, counters, and a call that was left in the middle to be made again. */
#include "world.h"

#include "runner/end.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { POLL_ONEOFF = 38 };
enum { IN = 8192, OUT = 12288, RESULT = 256 };

static uint32_t number; /* of the host call that tern_host is to make */
static unsigned asked;
static bool (*when_asked)(void); /* for the second time */

uint32_t __wrap_instance_host_number(const struct tern_instance *in, uint32_t func);
uint32_t __wrap_instance_host_number(const struct tern_instance *in, uint32_t func)
{
    (void)in;
    (void)func;
    return number;
}

bool __wrap_suspend_host_call(struct tern_instance *in, uint32_t func,
                              const union tern_cell *cells);
bool __wrap_suspend_host_call(struct tern_instance *in, uint32_t func, const union tern_cell *cells)
{
    (void)in;
    (void)func;
    (void)cells;
    return ++asked > 1 && when_asked && when_asked();
}

/* The seam itself. What it leaves in the first cell. */
static uint32_t call(struct host *h, union tern_cell *cells)
{
    static struct tern_instance in;

    in.host = h;
    asked = 0;
    tern_host(&in, 0, 0, cells);
    return cells[0].i32;
}

static void subscribe(struct host *h, uint32_t i, uint8_t type, uint32_t what, uint64_t timeout,
                      uint16_t flags)
{
    uint8_t *to = h->memory->base + IN + (size_t)i * SUBSCRIPTION_BYTES;

    memset(to, 0, SUBSCRIPTION_BYTES);
    to[8] = type;
    guest_store32(to + 16, what);
    guest_store64(to + 24, timeout);
    guest_store16(to + 40, flags);
}

/* How many events. */
static uint32_t poll_for(struct host *h, uint32_t count)
{
    union tern_cell cells[] = {{.i32 = IN}, {.i32 = OUT}, {.i32 = count}, {.i32 = RESULT}};

    number = POLL_ONEOFF;
    assert_int_equal(call(h, cells), WASI_E_SUCCESS);
    return guest_load32(h->memory->base + RESULT);
}

static uint8_t event_type(struct host *h, uint32_t i)
{
    return h->memory->base[OUT + i * EVENT_BYTES + 10];
}

/* ---- A call that is left ---- */

static int ends[2];

static void on_alarm(int signal)
{
    (void)signal;
}

/* Until a wait is interrupted, however often the first ones come too early. */
static void alarms(suseconds_t us)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval when = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &when, NULL);
}

static bool leave(void)
{
    return true;
}

static bool save_and_go_on(void)
{
    assert_null(world_save());
    when_asked = NULL;
    assert_int_equal(write(ends[1], "x", 1), 1);
    return false;
}

static int set_up(void **state)
{
    when_asked = NULL;
    if (world_set_up(state) < 0 || pipe(ends) < 0)
        return -1;
    world_stream(0, ends[0]);
    return 0;
}

static int tear_down(void **state)
{
    alarms(0);
    close(ends[0]);
    close(ends[1]);
    return world_tear_down(state);
}

static void test_left(void **state)
{
    union tern_cell cells[] = {{.i32 = IN}, {.i32 = OUT}, {.i32 = 1}, {.i32 = RESULT}};

    (void)state;
    subscribe(&world, 0, EVENTTYPE_FD_READ, 0, 0, 0);
    number = POLL_ONEOFF;
    when_asked = leave;
    alarms(1000);
    assert_int_equal(call(&world, cells), IN); /* the cells are as they were */
    assert_true(asked == 2);
    assert_null(world_save());
    assert_int_equal(world_state.sequence, 0);
    assert_true(world_state.waited_ns > 0);
    assert_true(world_state.waited_ns < (uint64_t)world_state.monotonic_ns);
}

/* Saved in the middle of a call, which then goes on in the same process. */
static void test_saved_in_the_middle(void **state)
{
    (void)state;
    subscribe(&world, 0, EVENTTYPE_FD_READ, 0, 0, 0);
    when_asked = save_and_go_on;
    alarms(1000);
    assert_int_equal(poll_for(&world, 1), 1);
    assert_int_equal(world_state.sequence, 0);
    assert_true(world_state.waited_ns > 0);
    assert_null(world_save());
    assert_int_equal(world_state.sequence, 1);
    assert_int_equal(world_state.waited_ns, 0);
}

/* ---- Waiting, and having waited ---- */

static const uint64_t long_ns = 1000000000000000000;

/* It would take thirty years. */
static void wait_the_rest(struct host *h)
{
    subscribe(h, 0, EVENTTYPE_CLOCK, CLOCKID_MONOTONIC, long_ns, 0);
    assert_int_equal(poll_for(h, 1), 1);
    assert_int_equal(event_type(h, 0), EVENTTYPE_CLOCK);
    assert_int_equal(h->waited_ns, 0);
    assert_int_equal(h->call.sequence, 42);
}

static void test_waited(void **state)
{
    (void)state;
    assert_null(world_save());
    world_state.sequence = 41;
    world_state.monotonic_ns = (int64_t)(2 * long_ns);
    world_state.waited_ns = long_ns;
    assert_null(world_again(wait_the_rest));
}

static void wait_until_then(struct host *h)
{
    subscribe(h, 0, EVENTTYPE_CLOCK, CLOCKID_MONOTONIC, 4 * long_ns, SUBCLOCK_ABSTIME);
    assert_int_equal(poll_for(h, 1), 1);
    assert_true(time_of(h, CLOCKID_MONOTONIC) >= 4 * long_ns);
}

/* On the machine's clock it is long past, on the program's still to come. */
static void do_not_wait(struct host *h)
{
    struct timespec machine;

    clock_gettime(CLOCK_MONOTONIC, &machine);
    subscribe(h, 0, EVENTTYPE_CLOCK, CLOCKID_MONOTONIC,
              (uint64_t)machine.tv_sec * 1000000000 + (uint64_t)machine.tv_nsec, SUBCLOCK_ABSTIME);
    subscribe(h, 1, EVENTTYPE_FD_READ, 0, 0, 0);
    assert_int_equal(poll_for(h, 2), 1);
    assert_int_equal(event_type(h, 0), EVENTTYPE_FD_READ);
}

static void test_own_clock(void **state)
{
    (void)state;
    assert_null(world_save());
    world_state.monotonic_ns = (int64_t)(4 * long_ns);
    assert_null(world_again(wait_until_then));
    world_state.monotonic_ns = 0;
    assert_null(world_again(do_not_wait));
}

static void save_again(struct host *h)
{
    struct arena arena = {0};
    struct state s = {0};
    struct problem p;

    assert_true(time_of(h, CLOCKID_MONOTONIC) >= (uint64_t)world_state.monotonic_ns);
    assert_int_equal(hold_save(h, &s, &arena, &p), TERN_OK);
    assert_true(s.monotonic_ns >= world_state.monotonic_ns);
    assert_true(s.cpu_ns >= world_state.cpu_ns);
    assert_int_equal(s.output_bytes, world_state.output_bytes);
    assert_int_equal(s.sequence, world_state.sequence);
    assert_int_equal(s.fd_count, world_state.fd_count);
    for (uint32_t i = 0; i < s.fd_count; i++)
        assert_int_equal(s.fds[i].rights, world_state.fds[i].rights);
    arena_release(&arena);
}

static void test_never_back(void **state)
{
    (void)state;
    assert_true(time_of(&world, CLOCKID_MONOTONIC) > 0);
    assert_null(world_save());
    assert_null(world_again(save_again));
}

/* ---- Counters ---- */

static void look_at_counters(struct host *h)
{
    const uint64_t cpu = time_of(h, CLOCKID_PROCESS_CPU);

    assert_true(cpu >= long_ns && cpu - long_ns < (uint64_t)3600 * 1000000000);
    assert_int_equal(host_may_write(h, 10), 1);
}

static void test_counters(void **state)
{
    (void)state;
    write_to(&world, 1, "output");
    assert_null(world_save());
    assert_int_equal(world_state.output_bytes, 6);
    world_ticket.output_bytes_max = 7;
    world_state.cpu_ns = long_ns;
    assert_null(world_again(look_at_counters));
    world_ticket.output_bytes_max = 0;
}

static void test_time_left(void **state)
{
    static const struct {
        uint64_t max, used, left;
    } cases[] = {{0, 0, 0}, {0, 5, 0}, {10, 0, 10}, {10, 9, 1}};
    static struct ticket t;
    uint8_t bytes[REPORT_BYTES];
    struct report r;
    int status;
    pid_t child;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        t.cpu_ns_max = cases[i].max;
        assert_int_equal(hold_cpu_left_ns(&t, &(struct state){.cpu_ns = cases[i].used}),
                         cases[i].left);
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        end_init(ends[1]);
        hold_cpu_left_ns(&t, &(struct state){.cpu_ns = t.cpu_ns_max});
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(report_decode(&r, view_of(bytes, sizeof bytes)), TERN_OK);
    assert_true(r.kind == REPORT_LIMIT && r.code == REPORT_LIMIT_CPU);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_saved_in_the_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_never_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_left, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("hold_clock", tests, NULL, NULL);
}
