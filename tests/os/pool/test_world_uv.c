/*
 * The world of libuv: sockets of all kinds, who is at the other end, bytes both ways, what is told
 * when something is wrong.
 */
#include "../folder.h"

#include "os/pool/world_uv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct end {
    struct world_uv *w;
    struct world *world;
    unsigned opened, closed, woke, sent;
    link_id link; /* the last that was opened */
    struct world_peer peer;
    char owner[64], why[640];
    enum tern_err err;
    struct bytes got;
    size_t stop_at; /* bytes, all told */
    size_t total;
    bool echo, hold;
    unsigned stop_opened, stop_closed, stop_woke;
};

static struct folder *folder;

static void stop_if(struct end *e)
{
    if ((e->stop_at && e->total >= e->stop_at) || (e->stop_opened && e->opened >= e->stop_opened) ||
        (e->stop_closed && e->closed >= e->stop_closed) ||
        (e->stop_woke && e->woke >= e->stop_woke))
        world_uv_stop(e->w);
}

static void on_opened(void *context, link_id link, const struct world_peer *peer)
{
    struct end *e = context;

    e->opened++;
    e->link = link;
    e->peer = *peer;
    snprintf(e->owner, sizeof e->owner, "%s", peer->owner ? peer->owner : "(none)");
    stop_if(e);
}

static void on_received(void *context, link_id link, struct view bytes)
{
    struct end *e = context;

    e->total += bytes.size;
    if (e->got.size < 4096)
        bytes_append(&e->got, bytes.data, bytes.size);
    if (e->echo)
        e->world->calls->send(e->world->self, link, &bytes, 1);
    if (e->hold)
        e->world->calls->hold(e->world->self, link, true);
    stop_if(e);
}

static void on_closed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct end *e = context;

    (void)link;
    e->closed++;
    e->err = err;
    snprintf(e->why, sizeof e->why, "%s", why);
    stop_if(e);
}

static void on_woke(void *context)
{
    struct end *e = context;

    e->woke++;
    stop_if(e);
}

static void on_sent(void *context, link_id link)
{
    (void)link;
    ((struct end *)context)->sent++;
}

static void begin(struct end *e, uv_loop_t *loop, struct tls *tls)
{
    const struct handlers handlers = {.context = e,
                                      .opened = on_opened,
                                      .received = on_received,
                                      .closed = on_closed,
                                      .woke = on_woke,
                                      .sent = on_sent};

    *e = (struct end){0};
    assert_int_equal(world_uv_new(loop, tls, &e->w, NULL), TERN_OK);
    e->world = world_uv_world(e->w);
    world_uv_handlers(e->w, &handlers);
}

static void finish(struct end *e)
{
    world_uv_free(e->w);
    bytes_release(&e->got);
}

/* Two worlds on one loop: what one stops, stops both. */
struct two {
    struct end server, client;
    char at[LIMIT_ENDPOINT + 1];
    struct tls *server_tls, *client_tls;
};

static void two_begin(struct two *t, bool far)
{
    char path[4300];
    struct problem p = {0};

    *t = (struct two){0};
    if (far) {
        snprintf(path, sizeof path, "%s/tls", folder->path);
        assert_int_equal(tls_new(path, &t->server_tls, &p), TERN_OK);
        assert_int_equal(tls_new(NULL, &t->client_tls, &p), TERN_OK);
        snprintf(path, sizeof path, "tcp:127.0.0.1:0");
    } else {
        snprintf(path, sizeof path, "unix:%s/socket", folder->path);
    }
    begin(&t->server, NULL, t->server_tls);
    begin(&t->client, world_uv_loop(t->server.w), t->client_tls);
    if (world_uv_listen(t->server.w, path, t->at, &p))
        fail_msg("%s", p.text);
}

static void two_end(struct two *t)
{
    finish(&t->client);
    finish(&t->server);
    tls_free(t->server_tls);
    tls_free(t->client_tls);
}

static link_id dial(struct end *e, const char *at)
{
    return e->world->calls->dial(e->world->self, at);
}

static void send_text(struct end *e, link_id link, const char *text)
{
    const struct view v = view_of_string(text);

    e->world->calls->send(e->world->self, link, &v, 1);
}

static void say_and_hear(struct two *t)
{
    t->client.stop_opened = 1;
    dial(&t->client, t->at);
    world_uv_run(t->server.w);
    t->client.stop_opened = 0;
    t->server.echo = true;
    for (unsigned i = 0; i < 100; i++)
        send_text(&t->client, t->client.link, "0123456789");
    t->client.stop_at = 1000;
    world_uv_run(t->server.w);
    assert_int_equal(t->client.got.size, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(t->client.got.data[i], '0' + i % 10);
}

static void test_unix_with_credentials(void **state)
{
    struct two t;

    (void)state;
    two_begin(&t, false);
    say_and_hear(&t);
    assert_true(t.server.peer.local && t.client.peer.local);
    assert_int_equal(t.server.peer.uid, geteuid());
    assert_false(t.server.peer.stranger);
    assert_true(*t.server.owner);
    two_end(&t);
}

static void test_tls(void **state)
{
    struct two t;

    (void)state;
    for (int again = 0; again < 2; again++) { /* the second time with the key that was kept */
        static char first[LIMIT_ENDPOINT + 1];

        two_begin(&t, true);
        say_and_hear(&t);
        assert_false(t.server.peer.local || t.client.peer.local);
        assert_true(t.client.peer.authentic);
        assert_false(t.server.peer.authentic);
        if (again)
            assert_string_equal(strchr(t.at, '#'), strchr(first, '#'));
        memcpy(first, t.at, sizeof first);
        two_end(&t);
    }
}

static void dial_in_vain(struct two *t, const char *at, enum tern_err err, const char *part)
{
    const unsigned before = t->client.closed;

    t->client.stop_closed = before + 1;
    dial(&t->client, at);
    assert_int_equal(t->client.closed, before); /* not from within the call */
    world_uv_run(t->server.w);
    assert_int_equal(t->client.err, err);
    if (!strstr(t->client.why, part))
        fail_msg("'%s' should contain '%s'", t->client.why, part);
}

static void test_dialling_in_vain(void **state)
{
    struct two t;
    char at[LIMIT_ENDPOINT + 1], nobody[4300];

    (void)state;
    two_begin(&t, true);
    snprintf(at, sizeof at, "%s", t.at);
    at[strlen(at) - 1] = at[strlen(at) - 1] == '0' ? '1' : '0';
    dial_in_vain(&t, at, TERN_EUNSAFE, "not the one that was expected");
    *strchr(at, '#') = 0;
    dial_in_vain(&t, at, TERN_EUNSAFE, "pin");
    snprintf(nobody, sizeof nobody, "unix:%s/nobody", folder->path);
    dial_in_vain(&t, nobody, TERN_EUNREACHABLE, "nobody listens");
    dial_in_vain(&t, "tcp:host:x", TERN_EUSAGE, "no endpoint");
    assert_int_equal(t.server.opened, 0);
    two_end(&t);
}

/* Bytes that are no TLS: the stranger is let go of, others go on. */
static void test_stranger_without_tls(void **state)
{
    struct two t;
    char *colon;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uv_loop_t *loop;
    struct sockaddr_in a;
    char byte;

    (void)state;
    two_begin(&t, true);
    loop = world_uv_loop(t.server.w);
    colon = strrchr(t.at, ':');
    assert_int_equal(uv_ip4_addr("127.0.0.1", atoi(colon + 1), &a), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (recv(fd, &byte, 1, 0) != 0) /* an alert, perhaps, and the end */
        uv_run(loop, UV_RUN_NOWAIT);
    close(fd);
    assert_int_equal(t.server.opened + t.server.closed, 0);
    say_and_hear(&t);
    two_end(&t);
}

static void stream(struct two *t, size_t size)
{
    static uint8_t block[1 << 20];
    const struct view v = view_of(block, sizeof block);

    t->client.stop_opened = 1;
    dial(&t->client, t->at);
    world_uv_run(t->server.w);
    t->client.stop_opened = 0;
    for (size_t sent = 0; sent < size; sent += sizeof block)
        t->client.world->calls->send(t->client.world->self, t->client.link, &v, 1);
    assert_int_equal(t->client.world->calls->unsent(t->client.world->self, t->client.link), size);
    t->server.stop_at = size;
    world_uv_run(t->server.w);
    assert_int_equal(t->server.total, size);
}

static void test_much_at_once(void **state)
{
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct two t;

        two_begin(&t, far);
        stream(&t, (size_t)32 << 20);
        while (!t.client.sent)
            uv_run(world_uv_loop(t.server.w), UV_RUN_ONCE);
        assert_int_equal(t.client.world->calls->unsent(t.client.world->self, t.client.link), 0);
        two_end(&t);
    }
}

static void test_closing_sends_what_is_left(void **state)
{
    (void)state;
    for (int far = 0; far < 2; far++) {
        static uint8_t block[1 << 20];
        const struct view v = view_of(block, sizeof block);
        struct two t;

        two_begin(&t, far);
        t.client.stop_opened = 1;
        dial(&t.client, t.at);
        world_uv_run(t.server.w);
        for (int i = 0; i < 8; i++)
            t.client.world->calls->send(t.client.world->self, t.client.link, &v, 1);
        t.client.world->calls->close(t.client.world->self, t.client.link);
        send_text(&t.client, t.client.link, "nothing any more");
        t.server.stop_closed = 1;
        t.client.stop_opened = 0;
        world_uv_run(t.server.w);
        assert_int_equal(t.server.total, 8 << 20);
        assert_int_equal(t.client.closed, 0); /* not told of what it closed itself */
        two_end(&t);
    }
}

static void test_hold(void **state)
{
    struct two t;

    (void)state;
    two_begin(&t, false);
    t.server.hold = true;
    t.client.stop_opened = 1;
    dial(&t.client, t.at);
    world_uv_run(t.server.w);
    send_text(&t.client, t.client.link, "first");
    t.server.stop_at = 5;
    world_uv_run(t.server.w);
    send_text(&t.client, t.client.link, "second");
    for (int i = 0; i < 10; i++)
        uv_run(world_uv_loop(t.server.w), UV_RUN_NOWAIT);
    assert_int_equal(t.server.total, 5);
    t.server.hold = false;
    t.server.world->calls->hold(t.server.world->self, t.server.link, false);
    t.server.stop_at = 11;
    world_uv_run(t.server.w);
    assert_int_equal(t.server.total, 11);
    two_end(&t);
}

static void test_pair_of_sockets(void **state)
{
    struct end e, other;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    begin(&e, NULL, NULL);
    begin(&other, world_uv_loop(e.w), NULL);
    world_uv_adopt(e.w, fds[0], "a slot");
    world_uv_adopt(other.w, fds[1], "its node");
    assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    e.stop_opened = 1;
    world_uv_run(e.w);
    e.stop_opened = 0;
    assert_true(e.peer.local);
    send_text(&e, e.link, "order");
    other.stop_at = 5;
    world_uv_run(e.w);
    assert_memory_equal(other.got.data, "order", 5);
    finish(&other);
    e.stop_closed = 1;
    world_uv_run(e.w);
    assert_non_null(strstr(e.why, "closed"));
    finish(&e);
}

static void test_socket_that_was_left_behind(void **state)
{
    struct two t;
    struct end other;
    struct problem p = {0};
    char at[LIMIT_ENDPOINT + 1], kept[4300];

    (void)state;
    two_begin(&t, false);
    begin(&other, world_uv_loop(t.server.w), NULL);
    assert_int_equal(world_uv_listen(other.w, t.at, at, &p), TERN_EBUSY); /* alive */
    assert_non_null(strstr(p.text, "in use"));
    snprintf(kept, sizeof kept, "%s/kept",
             folder->path); /* libuv removes the name; kill -9 does not */
    assert_int_equal(link(t.at + 5, kept), 0);
    finish(&other);
    two_end(&t);
    assert_int_equal(rename(kept, t.at + 5), 0);
    begin(&other, NULL, NULL);
    if (world_uv_listen(other.w, t.at, at, &p))
        fail_msg("%s", p.text);
    finish(&other);
}

static void test_alarms(void **state)
{
    struct end e;
    int64_t now;

    (void)state;
    begin(&e, NULL, NULL);
    now = e.world->calls->now(e.world->self);
    e.world->calls->wake(e.world->self, now + INT64_C(3600000000000));
    e.world->calls->wake(e.world->self, now - 5); /* the last one counts; late is at once */
    e.stop_woke = 1;
    world_uv_run(e.w);
    assert_int_equal(e.woke, 1);
    now = e.world->calls->now(e.world->self);
    e.world->calls->wake(e.world->self, now + 2000000);
    e.stop_woke = 2;
    world_uv_run(e.w);
    assert_true(e.world->calls->now(e.world->self) >= now + 2000000);
    finish(&e);
}

static int enter(void **state)
{
    const int failed = folder_setup(state);

    signal(SIGPIPE, SIG_IGN);
    folder = *state;
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unix_with_credentials),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_dialling_in_vain),
        cmocka_unit_test(test_stranger_without_tls),
        cmocka_unit_test(test_much_at_once),
        cmocka_unit_test(test_closing_sends_what_is_left),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_pair_of_sockets),
        cmocka_unit_test(test_socket_that_was_left_behind),
        cmocka_unit_test(test_alarms),
    };

    return cmocka_run_group_tests(tests, enter, folder_teardown);
}
