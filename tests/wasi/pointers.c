/* Pointers that lead out of memory, whole or in part: FAULT, and nothing has happened. */
#include "check.h"

#define RAW(name, ...)                                                                             \
    int32_t raw_##name(__VA_ARGS__)                                                                \
        __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

RAW(fd_read, uint32_t, uint32_t, uint32_t, uint32_t);
RAW(fd_write, uint32_t, uint32_t, uint32_t, uint32_t);
RAW(fd_readdir, uint32_t, uint32_t, uint32_t, uint64_t, uint32_t);
RAW(fd_seek, uint32_t, int64_t, uint32_t, uint32_t);
RAW(fd_fdstat_get, uint32_t, uint32_t);
RAW(fd_filestat_get, uint32_t, uint32_t);
RAW(fd_prestat_get, uint32_t, uint32_t);
RAW(fd_prestat_dir_name, uint32_t, uint32_t, uint32_t);
RAW(path_open, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t,
    uint32_t);
RAW(path_readlink, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
RAW(path_filestat_get, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
RAW(path_create_directory, uint32_t, uint32_t, uint32_t);
RAW(path_symlink, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
RAW(args_get, uint32_t, uint32_t);
RAW(args_sizes_get, uint32_t, uint32_t);
RAW(environ_sizes_get, uint32_t, uint32_t);
RAW(clock_time_get, uint32_t, uint64_t, uint32_t);
RAW(clock_res_get, uint32_t, uint32_t);
RAW(random_get, uint32_t, uint32_t);
RAW(poll_oneoff, uint32_t, uint32_t, uint32_t, uint32_t);

static uint32_t at(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

/* Just beyond the last byte, just before it, and where 32-bit sums wrap. */
static uint32_t end(void)
{
    return (uint32_t)__builtin_wasm_memory_size(0) << 16;
}

static uint32_t bad[4];

static void test_results(void)
{
    uint32_t in[2] = {at("x"), 1}, n = 0;
    uint64_t before = 1, after = 2;

    for (int i = 0; i < 4; i++) {
        IS(FAULT, raw_fd_fdstat_get(1, bad[i]));
        IS(FAULT, raw_fd_filestat_get(DATA, bad[i]));
        IS(FAULT, raw_fd_prestat_get(DATA, bad[i]));
        IS(FAULT, raw_fd_prestat_dir_name(DATA, bad[i], 5));
        IS(FAULT, raw_args_sizes_get(at(&n), bad[i]));
        IS(FAULT, raw_args_sizes_get(bad[i], at(&n)));
        IS(FAULT, raw_environ_sizes_get(bad[i], at(&n)));
        IS(FAULT, raw_args_get(bad[i], at(bad)));
        IS(FAULT, raw_clock_time_get(0, 0, bad[i]));
        IS(FAULT, raw_clock_res_get(0, bad[i]));
        IS(FAULT, raw_random_get(bad[i], 16));
        IS(FAULT, raw_fd_write(1, at(in), 1, bad[i]));
        IS(FAULT, raw_path_filestat_get(DATA, 0, at("."), 1, bad[i]));
        IS(FAULT, raw_path_open(DATA, 0, at("never"), 5, __WASI_OFLAGS_CREAT, 0, 0, 0, bad[i]));
        IS(FAULT, raw_fd_readdir(DATA, bad[i], 64, 0, at(&n)));
        IS(FAULT, raw_fd_readdir(DATA, at(bad), 4, 0, bad[i]));
    }
    IS(SUCCESS,
       raw_path_open(DATA, 0, at("file"), 4, __WASI_OFLAGS_CREAT, ALL_RIGHTS, 0, 0, at(&n)));
    IS(SUCCESS, raw_fd_seek(n, 0, __WASI_WHENCE_CUR, at(&before)));
    IS(FAULT, raw_fd_seek(n, 10, __WASI_WHENCE_SET, bad[0]));
    IS(SUCCESS, raw_fd_seek(n, 0, __WASI_WHENCE_CUR, at(&after)));
    CHECK(before == after);
    IS(SUCCESS, __wasi_fd_close((__wasi_fd_t)n));
    IS(NOENT, __wasi_path_unlink_file(DATA, "never"));
}

static void test_paths(void)
{
    uint32_t n = 0;
    char text[8];

    for (int i = 0; i < 4; i++) {
        IS(FAULT, raw_path_create_directory(DATA, bad[i], 5));
        IS(FAULT, raw_path_create_directory(DATA, at("x"), end()));
        IS(FAULT, raw_path_create_directory(DATA, at("x"), UINT32_MAX));
        IS(FAULT, raw_path_open(DATA, 0, bad[i], 5, 0, 0, 0, 0, at(&n)));
        IS(FAULT, raw_path_symlink(bad[i], 5, DATA, at("x"), 1));
        IS(FAULT, raw_path_readlink(DATA, at("x"), 1, bad[i], 8, at(&n)));
        IS(FAULT, raw_path_readlink(DATA, at("x"), 1, at(text), 8, bad[i]));
    }
    IS(INVAL, raw_path_create_directory(DATA, at("x\0y"), 3));
    IS(INVAL, raw_path_open(DATA, 0, at("file\0"), 5, 0, 0, 0, 0, at(&n)));
    IS(INVAL, raw_path_symlink(at("a\0b"), 3, DATA, at("x"), 1));
    IS(NOENT, raw_path_create_directory(DATA, 0, 0));
    IS(NOENT, raw_path_create_directory(DATA, UINT32_MAX, 0)); /* empty: looked at nowhere */
}

static void test_vectors(void)
{
    uint32_t list[4] = {at("x"), 1, 0, 0}, n = 0;

    for (int i = 0; i < 4; i++) {
        IS(FAULT, raw_fd_write(1, bad[i], 1, at(&n)));
        IS(FAULT, raw_fd_read(0, bad[i], 1, at(&n)));
        list[2] = bad[i];
        list[3] = 5;
        IS(FAULT, raw_fd_write(1, at(list), 2, at(&n)));
        IS(FAULT, raw_fd_read(0, at(list), 2, at(&n)));
    }
    IS(FAULT, raw_fd_write(1, at(list), 0x20000000, at(&n)));
    IS(FAULT, raw_fd_write(1, at(list), UINT32_MAX, at(&n)));
    list[2] = at("y");
    list[3] = UINT32_MAX;
    IS(FAULT, raw_fd_write(1, at(list), 2, at(&n)));
    IS(FAULT, raw_poll_oneoff(bad[0], at(list), 1, at(&n)));
    IS(FAULT, raw_poll_oneoff(at(list), bad[0], 1, at(&n)));
    IS(FAULT, raw_poll_oneoff(at(list), at(list), 1, bad[0]));
    IS(INVAL, raw_poll_oneoff(at(list), at(list), UINT32_MAX, at(&n)));
}

/* The last bytes are as good as any. */
static void test_last_bytes(void)
{
    uint8_t *last = (uint8_t *)(uintptr_t)(end() - 8);

    memset(last, 0, 8);
    IS(SUCCESS, raw_clock_time_get(0, 0, end() - 8));
    CHECK(last[0] | last[1] | last[2] | last[3] | last[4] | last[5] | last[6] | last[7]);
    IS(SUCCESS, raw_random_get(end() - 8, 8));
    IS(FAULT, raw_random_get(end() - 8, 9));
    IS(SUCCESS, raw_random_get(end(), 0));
}

int main(void)
{
    bad[0] = end();
    bad[1] = end() - 3;
    bad[2] = UINT32_MAX - 2;
    bad[3] = 0x80000000u;
    test_results();
    test_paths();
    test_vectors();
    test_last_bytes();
    return done();
}
