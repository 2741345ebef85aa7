/* Files: reading, writing, seeking, sizes, times, advice. */
#include "check.h"

static void test_write_and_read(void)
{
    __wasi_fd_t fd = open_file(DATA, "file", __WASI_OFLAGS_CREAT);
    __wasi_ciovec_t parts[3] = {{(const uint8_t *)"ab", 2}, {NULL, 0}, {(const uint8_t *)"cde", 3}};
    char one[3] = "", two[8] = "";
    __wasi_iovec_t into[2] = {{(uint8_t *)one, 2}, {(uint8_t *)two, 7}};
    __wasi_filesize_t at;
    __wasi_size_t n;

    IS(SUCCESS, __wasi_fd_write(fd, parts, 3, &n));
    CHECK(n == 5);
    IS(SUCCESS, __wasi_fd_tell(fd, &at));
    CHECK(at == 5);
    IS(SUCCESS, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    CHECK(at == 0);
    IS(SUCCESS, __wasi_fd_read(fd, into, 2, &n));
    CHECK(n == 5 && strcmp(one, "ab") == 0 && strcmp(two, "cde") == 0);
    IS(SUCCESS, read_some(fd, two, 1, &n));
    CHECK(n == 0);
    IS(SUCCESS, __wasi_fd_read(fd, into, 0, &n));
    CHECK(n == 0);
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_positions(void)
{
    __wasi_fd_t fd = open_file(DATA, "file", 0);
    char text[4] = "";
    __wasi_iovec_t into = {(uint8_t *)text, 3};
    __wasi_ciovec_t from = {(const uint8_t *)"XY", 2};
    __wasi_filesize_t at;
    __wasi_size_t n;

    IS(SUCCESS, __wasi_fd_pread(fd, &into, 1, 1, &n));
    CHECK(n == 3 && strcmp(text, "bcd") == 0);
    IS(SUCCESS, __wasi_fd_pwrite(fd, &from, 1, 1, &n));
    CHECK(n == 2);
    IS(SUCCESS, __wasi_fd_tell(fd, &at));
    CHECK(at == 0);
    IS(SUCCESS, __wasi_fd_pread(fd, &into, 1, 100, &n));
    CHECK(n == 0);
    IS(INVAL, __wasi_fd_pread(fd, &into, 1, UINT64_MAX, &n));
    IS(INVAL, __wasi_fd_pwrite(fd, &from, 1, UINT64_MAX, &n));
    IS(SUCCESS, __wasi_fd_seek(fd, -1, __WASI_WHENCE_END, &at));
    CHECK(at == 4);
    IS(SUCCESS, __wasi_fd_seek(fd, -2, __WASI_WHENCE_CUR, &at));
    CHECK(at == 2);
    IS(SUCCESS, __wasi_fd_seek(fd, 100, __WASI_WHENCE_SET, &at));
    CHECK(at == 100);
    IS(INVAL, __wasi_fd_seek(fd, -101, __WASI_WHENCE_CUR, &at));
    IS(INVAL, __wasi_fd_seek(fd, 0, 3, &at));
    IS(SUCCESS, __wasi_fd_pread(fd, &into, 1, 0, &n));
    CHECK(strcmp(text, "aXY") == 0);
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_sizes(void)
{
    __wasi_fd_t fd = open_file(DATA, "sized", __WASI_OFLAGS_CREAT);
    __wasi_filestat_t st;
    __wasi_errno_t e;

    IS(SUCCESS, __wasi_fd_filestat_set_size(fd, 100));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.size == 100 && st.filetype == __WASI_FILETYPE_REGULAR_FILE && st.nlink == 1);
    IS(SUCCESS, __wasi_fd_filestat_set_size(fd, 3));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.size == 3);
    IS(INVAL, __wasi_fd_filestat_set_size(fd, UINT64_MAX));
    e = __wasi_fd_allocate(fd, 10, 90);
    CHECK(e == __WASI_ERRNO_SUCCESS || e == __WASI_ERRNO_NOTSUP); /* some file systems cannot */
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.size == (e ? 3 : 100));
    IS(INVAL, __wasi_fd_allocate(fd, 0, 0));
    IS(INVAL, __wasi_fd_allocate(fd, UINT64_MAX, 1));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "sized", &st));
    CHECK(st.size == (e ? 3 : 100));
}

static void test_times(void)
{
    __wasi_fd_t fd = open_file(DATA, "timed", __WASI_OFLAGS_CREAT);
    __wasi_filestat_t st;
    const uint64_t second = 1000000000;

    IS(SUCCESS, __wasi_fd_filestat_set_times(fd, 5 * second + 7, 6 * second + 8,
                                             __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.atim == 5 * second + 7 && st.mtim == 6 * second + 8);
    IS(SUCCESS, __wasi_fd_filestat_set_times(fd, 1, 9 * second, __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.atim == 5 * second + 7 && st.mtim == 9 * second);
    IS(SUCCESS, __wasi_fd_filestat_set_times(fd, 1, 1, 0));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.atim == 5 * second + 7 && st.mtim == 9 * second);
    IS(SUCCESS, __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM_NOW));
    IS(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.atim > 1000000 * second && st.mtim == 9 * second);
    IS(INVAL,
       __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    IS(INVAL,
       __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    IS(INVAL, __wasi_fd_filestat_set_times(fd, 1, 1, 1 << 4));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_advice_and_sync(void)
{
    __wasi_fd_t fd = open_file(DATA, "file", 0);

    for (__wasi_advice_t a = __WASI_ADVICE_NORMAL; a <= __WASI_ADVICE_NOREUSE; a++)
        IS(SUCCESS, __wasi_fd_advise(fd, 0, 100, a));
    IS(SUCCESS, __wasi_fd_advise(fd, 10, 0, __WASI_ADVICE_WILLNEED));
    IS(INVAL, __wasi_fd_advise(fd, 0, 100, 6));
    IS(INVAL, __wasi_fd_advise(fd, UINT64_MAX, 100, 0));
    IS(SUCCESS, __wasi_fd_sync(fd));
    IS(SUCCESS, __wasi_fd_datasync(fd));
    IS(SUCCESS, __wasi_fd_close(fd));
}

/* On a directory none of a file's operations makes sense. */
static void test_directory_is_no_file(void)
{
    char byte;
    __wasi_iovec_t into = {(uint8_t *)&byte, 1};
    __wasi_ciovec_t from = {(const uint8_t *)"x", 1};
    __wasi_filesize_t at;
    __wasi_filestat_t st;
    __wasi_size_t n;

    IS(SUCCESS, __wasi_fd_filestat_get(DATA, &st));
    CHECK(st.filetype == __WASI_FILETYPE_DIRECTORY);
    IS(BADF, __wasi_fd_read(DATA, &into, 1, &n));
    IS(BADF, __wasi_fd_pread(DATA, &into, 1, 0, &n));
    IS(BADF, __wasi_fd_write(DATA, &from, 1, &n));
    IS(BADF, __wasi_fd_pwrite(DATA, &from, 1, 0, &n));
    IS(BADF, __wasi_fd_seek(DATA, 0, __WASI_WHENCE_CUR, &at));
    IS(BADF, __wasi_fd_tell(DATA, &at));
    IS(BADF, __wasi_fd_advise(DATA, 0, 0, 0));
    IS(BADF, __wasi_fd_allocate(DATA, 0, 1));
    IS(BADF, __wasi_fd_sync(DATA));
    IS(BADF, __wasi_fd_datasync(DATA));
    IS(BADF, __wasi_fd_fdstat_set_flags(DATA, __WASI_FDFLAGS_NONBLOCK));
    IS(BADF, __wasi_fd_filestat_set_size(DATA, 0));
}

static void test_unknown_descriptors(void)
{
    static const __wasi_fd_t unknown[] = {99, 1023, 1024, 1 << 20, -1};
    __wasi_fdstat_t fdstat;
    __wasi_filestat_t st;
    __wasi_prestat_t pre;
    __wasi_filesize_t at;
    __wasi_size_t n;
    __wasi_fd_t fd;
    char byte;

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        fd = unknown[i];
        IS(BADF, read_some(fd, &byte, 1, &n));
        IS(BADF, write_text(fd, "x", &n));
        IS(BADF, __wasi_fd_close(fd));
        IS(BADF, __wasi_fd_fdstat_get(fd, &fdstat));
        IS(BADF, __wasi_fd_filestat_get(fd, &st));
        IS(BADF, __wasi_fd_prestat_get(fd, &pre));
        IS(BADF, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
        IS(BADF, __wasi_fd_sync(fd));
        IS(BADF, __wasi_fd_renumber(fd, DATA));
        IS(BADF, __wasi_fd_renumber(DATA, fd));
        IS(BADF, __wasi_path_create_directory(fd, "x"));
        IS(BADF, __wasi_fd_readdir(fd, (uint8_t *)&byte, 1, 0, &n));
    }
}

/* More vectors than the kernel takes at once: a short read or write, not an error. */
static void test_many_vectors(void)
{
    static uint8_t bytes[2000];
    static __wasi_ciovec_t from[2000];
    static __wasi_iovec_t into[2000];
    __wasi_fd_t fd = open_file(DATA, "many", __WASI_OFLAGS_CREAT);
    __wasi_filesize_t at;
    __wasi_size_t n;

    for (size_t i = 0; i < 2000; i++) {
        from[i] = (__wasi_ciovec_t){(const uint8_t *)"abcdefghij" + i % 10, 1};
        into[i] = (__wasi_iovec_t){&bytes[i], 1};
    }
    IS(SUCCESS, __wasi_fd_write(fd, from, 2000, &n));
    CHECK(n > 0 && n <= 2000);
    IS(SUCCESS, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    IS(SUCCESS, __wasi_fd_read(fd, into, 2000, &n));
    CHECK(n > 10 && memcmp(bytes, "abcdefghijabc", 13) == 0);
    IS(SUCCESS, __wasi_fd_close(fd));
}

int main(void)
{
    test_write_and_read();
    test_positions();
    test_sizes();
    test_times();
    test_advice_and_sync();
    test_directory_is_no_file();
    test_unknown_descriptors();
    test_many_vectors();
    return done();
}
