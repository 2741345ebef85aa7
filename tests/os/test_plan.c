/* plan: whatever a host call changes in the program's memory stands in its plan; calls are drawn.
 */
#include "world.h"

#include "runner/plan.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 60000, GUEST_BYTES = 65536, NEAR = 6000, BUFFERS_MAX = 6 };

static struct plan plan;
static uint8_t before[GUEST_BYTES];
static uint64_t state = 20261120;
static uint32_t changed[HOST_CALLS_END];
static int far_end; /* of the socket that is standard input */

static host_handler *const handlers[HOST_CALLS_END] = {
#define HANDLER(number, name, signature) [number] = wasi_##name,
    HOST_CALLS(HANDLER)
#undef HANDLER
};

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 20) % below);
}

/* ---- Arguments that make sense more often than not ---- */

static uint32_t draw_address(void)
{
    switch (draw(20)) {
    case 0: return GUEST_BYTES - draw(40);
    case 1: return GUEST_BYTES + draw(40);
    default: return draw(NEAR);
    }
}

static uint32_t draw_size(void)
{
    return draw(20) ? draw(300) : draw(2 * GUEST_BYTES);
}

static uint8_t *room(uint32_t at, uint32_t size)
{
    return guest_at(world.memory, at, size);
}

static void put_path(union tern_cell *a)
{
    static const char *const names[] = {"a", "b", "dir", "dir/c", "link", ".", "..", "no/such", ""};
    const struct view name = view_of_string(names[draw(sizeof names / sizeof *names)]);
    uint8_t *to = room(a[0].i32, (uint32_t)name.size);

    if (to)
        memcpy(to, name.data, name.size);
    a[1].i32 = draw(30) ? (uint32_t)name.size : draw_size();
}

static void put_buffers(union tern_cell *a)
{
    uint8_t *to;

    a[1].i32 = draw(BUFFERS_MAX);
    to = room(a[0].i32, a[1].i32 * IOVEC_BYTES);
    for (uint32_t i = 0; to && i < a[1].i32; i++) {
        guest_store32(to + i * IOVEC_BYTES, draw_address());
        guest_store32(to + i * IOVEC_BYTES + 4, draw_size());
    }
}

/* The first is a clock that has gone off: nothing waits here. */
static void put_subscriptions(union tern_cell *a)
{
    const uint32_t count = 1 + draw(4);
    uint8_t *to = room(a[0].i32, count * SUBSCRIPTION_BYTES);

    a[2].i32 = count;
    for (uint32_t i = 0; to && i < count; i++, to += SUBSCRIPTION_BYTES) {
        memset(to, 0, SUBSCRIPTION_BYTES);
        guest_store64(to, draw(UINT32_MAX));
        to[8] = (uint8_t)(i ? draw(3) : EVENTTYPE_CLOCK);
        guest_store32(to + 16, i ? draw(8) : (uint32_t)CLOCKID_MONOTONIC);
    }
}

static void draw_args(const struct call *c, union tern_cell a[RECORD_ARGS_MAX])
{
    for (uint32_t i = 0; i < call_arg_count(c); i++)
        a[i].i64 = draw(9) ? draw(4) : draw(UINT32_MAX);
    for (const struct call_param *q = c->params; q->kind != CALL_NONE; q++) {
        if (q->kind >= CALL_PATH)
            a->i32 = draw_address();
        if (q->kind == CALL_FD)
            a->i32 = draw(9);
        else if (q->kind == CALL_BUFFER)
            a[1].i32 = draw_size();
        else if (q->kind == CALL_FLAGS && q->detail == CALL_RIGHTS)
            a->i64 = WORLD_RIGHTS;
        a += call_param_args((enum call_kind)q->kind);
    }
}

/* Behind all addresses, since one may lie over the other. */
static void put_memory(const struct call *c, union tern_cell a[RECORD_ARGS_MAX])
{
    for (const struct call_param *q = c->params; q->kind != CALL_NONE; q++) {
        if (q->kind == CALL_PATH)
            put_path(a);
        else if (q->kind == CALL_SEND || q->kind == CALL_RECEIVE)
            put_buffers(a);
        else if (q->kind == CALL_SUBSCRIPTIONS)
            put_subscriptions(a);
        a += call_param_args((enum call_kind)q->kind);
    }
}

/* What would end the process, fill the disk, or leave nothing to call for the others. */
static bool is_left_out(uint32_t number, const union tern_cell *a)
{
    switch (number) {
    case HOST_proc_exit:
    case HOST_fd_allocate:
    case HOST_fd_fdstat_set_rights:
    case HOST_sock_shutdown:
    case HOST_fd_fdstat_set_flags: return true; /* the socket must not wait */
    case HOST_fd_filestat_set_size: return a[1].i64 > 10000;
    case HOST_fd_pwrite: return a[3].i64 > 10000;
    case HOST_fd_seek: return a[1].i64 > 10000;
    case HOST_fd_close: return a[0].i32 <= LENT;
    case HOST_fd_renumber: return a[0].i32 <= LENT || a[1].i32 <= LENT;
    default: return false;
    }
}

/* ---- What it changed ---- */

static bool is_planned(uint32_t at)
{
    for (uint32_t i = 0; i < plan.fill_count; i++) {
        if (at - plan.fills[i].at < plan.fills[i].size)
            return true;
    }
    return false;
}

static void compare(uint32_t number, const uint8_t *now)
{
    bool any = false;

    for (uint32_t i = 0; i < GUEST_BYTES; i++) {
        if (now[i] == before[i])
            continue;
        any = true;
        if (!is_planned(i))
            fail_msg("%s changed 0x%x, which is not in its plan", call_find(number)->name, i);
    }
    changed[number] += any;
}

static void make(uint32_t number, const union tern_cell *a)
{
    enum wasi_errno answer;
    uint64_t hash;

    world.call = (struct host_call){.number = number, .args = a};
    plan_make(&plan, &world, &world.call);
    hash = plan_hash(&plan, &world);
    assert_int_equal(hash, plan_hash(&plan, &world));
    memcpy(before, world.memory->base, GUEST_BYTES);
    while ((answer = handlers[number](&world, a)) == HOST_AGAIN)
        world.call.attempt++;
    assert_true(plan_settle(&plan, answer, answer ? 0 : plan_moved(&plan, &world)));
    compare(number, world.memory->base);
}

static void what_a_call_changes_is_in_its_plan(void **unused)
{
    union tern_cell a[RECORD_ARGS_MAX];

    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        const uint32_t number = 1 + draw(HOST_CALLS_END - 1);

        draw_args(call_find(number), a);
        if (is_left_out(number, a))
            continue;
        for (uint32_t k = 0; k < NEAR; k++)
            world.memory->base[k] = (uint8_t)draw(256);
        put_memory(call_find(number), a);
        (void)!write(far_end, "some bytes", draw(11));
        make(number, a);
    }
}

/* So that the above has looked. */
static void all_that_fill_memory_have_done_so(void **unused)
{
    (void)unused;
    for (uint32_t i = 1; i < HOST_CALLS_END; i++) {
        bool fills = false;

        for (const struct call_param *q = call_find(i)->params; q->kind != CALL_NONE; q++)
            fills |= q->kind > CALL_SUBSCRIPTIONS;
        if (fills && i != HOST_sock_accept && changed[i] == 0)
            fail_msg("%s has never filled memory", call_find(i)->name);
    }
}

static int set_up(void **unused)
{
    int ends[2];

    world_ticket.args[0] = view_of_string("program");
    world_ticket.args[1] = view_of_string("");
    world_ticket.env[0] = view_of_string("NAME=value");
    world_ticket.arg_count = 2;
    world_ticket.env_count = 1;
    if (world_set_up(unused) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    world_stream(0, ends[0]);
    close(ends[0]);
    far_end = ends[1];
    put_file("data/a", "the first file\n");
    put_file("lent/a", "the other\n");
    return symlink("a", "lent/link");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_call_changes_is_in_its_plan),
        cmocka_unit_test(all_that_fill_memory_have_done_so),
    };

    return cmocka_run_group_tests_name("plan", tests, set_up, world_tear_down);
}
