/*
 * Sockets. Standard input is one: "stream" (connected; "hello socket" waits in it, and what is
 * sent comes back to run.py), "listening" (somebody has connected, and says "hi").
 */
#include "check.h"

static __wasi_errno_t receive(__wasi_fd_t fd, char *to, size_t size, __wasi_riflags_t flags,
                              __wasi_size_t *n, __wasi_roflags_t *out)
{
    __wasi_iovec_t into = {(uint8_t *)to, size};

    return __wasi_sock_recv(fd, &into, 1, flags, n, out);
}

static __wasi_errno_t send_text(__wasi_fd_t fd, const char *text, __wasi_siflags_t flags,
                                __wasi_size_t *n)
{
    __wasi_ciovec_t from = {(const uint8_t *)text, strlen(text)};

    return __wasi_sock_send(fd, &from, 1, flags, n);
}

static void test_stream(void)
{
    __wasi_roflags_t flags = 99;
    __wasi_fdstat_t st;
    __wasi_size_t n;
    char text[32];

    IS(SUCCESS, __wasi_fd_fdstat_get(0, &st));
    CHECK(st.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM);
    IS(SUCCESS, receive(0, text, 5, __WASI_RIFLAGS_RECV_PEEK, &n, &flags));
    CHECK(n == 5 && memcmp(text, "hello", 5) == 0 && flags == 0);
    IS(SUCCESS, receive(0, text, 12, __WASI_RIFLAGS_RECV_WAITALL, &n, &flags));
    CHECK(n == 12 && memcmp(text, "hello socket", 12) == 0);
    IS(INVAL, receive(0, text, 12, 1 << 2, &n, &flags));
    IS(SUCCESS, send_text(0, "from the program", 0, &n));
    CHECK(n == 16);
    IS(INVAL, send_text(0, "x", 1, &n));
    IS(INVAL, __wasi_sock_shutdown(0, 0));
    IS(INVAL, __wasi_sock_shutdown(0, 4));
    IS(SUCCESS, __wasi_sock_shutdown(0, __WASI_SDFLAGS_WR));
    IS(PIPE, send_text(0, "x", 0, &n));
    IS(SUCCESS, __wasi_sock_shutdown(0, __WASI_SDFLAGS_RD));
    IS(SUCCESS, receive(0, text, 1, 0, &n, &flags));
    CHECK(n == 0);
}

static void test_listening(void)
{
    __wasi_roflags_t flags;
    __wasi_size_t n;
    __wasi_fd_t fd;
    char text[8];

    IS(INVAL, __wasi_sock_accept(0, __WASI_FDFLAGS_APPEND, &fd));
    IS(SUCCESS, __wasi_sock_accept(0, 0, &fd));
    CHECK(fd > LENT);
    IS(SUCCESS, receive(fd, text, 2, __WASI_RIFLAGS_RECV_WAITALL, &n, &flags));
    CHECK(n == 2 && memcmp(text, "hi", 2) == 0);
    IS(SUCCESS, write_text(fd, "answer", &n));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_no_socket(void)
{
    __wasi_roflags_t flags;
    __wasi_size_t n;
    __wasi_fd_t fd;
    char byte;

    IS(NOTSOCK, receive(DATA, &byte, 1, 0, &n, &flags));
    IS(NOTSOCK, send_text(DATA, "x", 0, &n));
    IS(NOTSOCK, __wasi_sock_shutdown(DATA, __WASI_SDFLAGS_WR));
    IS(NOTSOCK, __wasi_sock_accept(DATA, 0, &fd));
    IS(BADF, receive(99, &byte, 1, 0, &n, &flags));
    IS(BADF, send_text(99, "x", 0, &n));
    IS(BADF, __wasi_sock_shutdown(99, __WASI_SDFLAGS_WR));
    IS(BADF, __wasi_sock_accept(99, 0, &fd));
}

int main(int argc, char **argv)
{
    CHECK(argc > 1);
    if (strcmp(argv[1], "stream") == 0)
        test_stream();
    else
        test_listening();
    test_no_socket();
    return done();
}
