/* hold: what has changed before a program goes on, and what it may do then. */
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { READING = RIGHT_FD_READ | RIGHT_FD_SEEK | RIGHT_FD_TELL, WRITING = RIGHT_FD_WRITE };
enum { FILE_FD = 5, OTHER_FD };

/* One more nanosecond: what has changed shows, whatever the clock does. */
static void touch(const char *path)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    times[1] = st.st_mtim;
    times[1].tv_nsec = (times[1].tv_nsec + 1) % 1000000000;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct timespec time_of_change(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mtim;
}

/* "text" in data/file, open as descriptor 5, and saved. */
static void save_file(uint64_t rights)
{
    put_file("data/file", "text");
    assert_int_equal(open_in(&world, DATA, "file", 0, rights, 0), FILE_FD);
    assert_null(world_save());
}

static struct state_fd *forged(uint32_t number)
{
    return (struct state_fd *)(uintptr_t)saved(number);
}

/* ---- Files that have changed ---- */

static void test_read_and_changed(void **state)
{
    static const char *const sentence =
        "/data/file, which it had open, has been changed since, and it was reading it";

    (void)state;
    save_file(READING);
    assert_null(world_again(NULL));
    touch("data/file");
    assert_string_equal(world_again(NULL), sentence);
    assert_null(world_save());
    append_to_file("data/file", "!");
    assert_string_equal(world_again(NULL), sentence);
    assert_string_equal(text_of("data/file"), "text!");
    assert_null(world_save());
    assert_int_equal(truncate("data/file", 0), 0);
    assert_string_equal(world_again(NULL), sentence);
}

static void write_on(struct host *h)
{
    assert_int_equal(place_of(h, FILE_FD), 4);
    write_to(h, FILE_FD, ", after");
}

/* Any number of times from one state: what was written after it is cut off each time. */
static void test_written_and_grown(void **state)
{
    struct timespec before;

    (void)state;
    put_file("data/file", "");
    open_in(&world, DATA, "file", 0, READING | WRITING, 0);
    open_in(&world, DATA, "file", 0, READING, 0);
    write_to(&world, FILE_FD, "text");
    assert_null(world_save());
    before = time_of_change("data/file");
    for (int i = 0; i < 3; i++) {
        append_to_file("data/file", " and what is to be forgotten");
        assert_null(world_again(NULL));
        assert_string_equal(text_of("data/file"), "text");
        assert_memory_equal(&before, &(struct timespec[]){time_of_change("data/file")}[0],
                            sizeof before);
        assert_null(world_again(write_on));
        assert_string_equal(text_of("data/file"), "text, after");
    }
}

static void test_written_and_changed(void **state)
{
    (void)state;
    save_file(WRITING);
    touch("data/file");
    assert_string_equal(world_again(NULL), "/data/file, which it had open, has been changed since");
    assert_null(world_save());
    assert_int_equal(truncate("data/file", 3), 0);
    assert_string_equal(world_again(NULL),
                        "/data/file, which it had open, has become shorter since");
}

/* As `size` bytes of pseudo-random text, but for one. */
static void put_large(const char *path, size_t size, size_t changed)
{
    char text[20001] = "";

    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i * 7 % 26);
    if (changed < size)
        text[changed] = '!';
    put_file(path, text);
}

/* One that has become longer begins with what it was, as far as its two ends tell. */
static void test_written_and_made_anew(void **state)
{
    static const char *const sentence =
        "/data/file, which it had open, has been changed since, and not only by appending to it";
    static const size_t sizes[] = {4, 4096, 4097, 8192, 8193, 20000};
    struct stat st;

    (void)state;
    put_file("data/file", "text");
    assert_int_equal(open_in(&world, DATA, "file", 0, WRITING, 0), FILE_FD);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t size = sizes[i];

        put_large("data/file", size, size);
        assert_null(world_save());
        append_to_file("data/file", " and more");
        assert_null(world_again(NULL));
        put_large("data/file", size, 0);
        append_to_file("data/file", " and more");
        assert_string_equal(world_again(NULL), sentence);
        put_large("data/file", size, size - 1);
        append_to_file("data/file", " and more");
        assert_string_equal(world_again(NULL), sentence);
        assert_int_equal(stat("data/file", &st), 0);
        assert_int_equal(st.st_size, size + 9);
    }
}

/* A state of before there was such a number. */
static void test_written_and_not_known(void **state)
{
    (void)state;
    save_file(WRITING);
    assert_true(saved(FILE_FD)->ends != 0);
    forged(FILE_FD)->ends = 0;
    put_file("data/file", "made anew");
    assert_null(world_again(NULL));
    assert_string_equal(text_of("data/file"), "made");
}

/* Nothing is cut back if the program cannot go on anyway. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    put_file("data/other", "other");
    save_file(WRITING);
    open_in(&world, DATA, "other", 0, READING, 0);
    assert_null(world_save());
    append_to_file("data/file", " more");
    assert_int_equal(unlink("data/other"), 0);
    assert_string_equal(world_again(NULL), "/data/other, which it had open, cannot be opened "
                                           "again: No such file or directory");
    assert_string_equal(text_of("data/file"), "text more");
}

static void test_another_kind(void **state)
{
    static const char *const sentence =
        "/data/file, which it had open, is another kind of file now";

    (void)state;
    save_file(READING);
    assert_int_equal(unlink("data/file") | mkdir("data/file", 0755), 0);
    assert_string_equal(world_again(NULL), sentence);
    assert_int_equal(rmdir("data/file") | mkfifo("data/file", 0644), 0);
    assert_string_equal(world_again(NULL), sentence);
    assert_int_equal(unlink("data/file") | symlink("/etc/passwd", "data/file"), 0);
    assert_string_equal(world_again(NULL), "/data/file, which it had open, cannot be opened again: "
                                           "Operation not permitted");
}

/* ---- Rights ---- */

static void look_for_rights(struct host *h)
{
    const union tern_cell more[] = {{.i32 = FILE_FD}, {.i64 = READING | WRITING}, {.i64 = 0}};

    assert_int_equal(h->fds.entry[FILE_FD].rights, READING);
    assert_int_equal(wasi_fd_fdstat_set_rights(h, more), WASI_E_NOTCAPABLE);
    assert_int_equal(fcntl(h->fds.entry[FILE_FD].host, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(h->fds.entry[FILE_FD].inheriting, 0);
}

/* What the state claims beyond what opening the file gives is not believed. */
static void test_forged_rights(void **state)
{
    (void)state;
    put_file("lent/file", "text");
    assert_int_equal(open_in(&world, LENT, "file", 0, READING, 0), FILE_FD);
    assert_null(world_save());
    assert_null(world_again(look_for_rights));
    forged(FILE_FD)->rights |=
        ~RIGHTS_FILE | WRITING | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE;
    forged(FILE_FD)->inheriting = UINT64_MAX;
    forged(FILE_FD)->read_only = false;
    assert_null(world_again(look_for_rights));
    forged(FILE_FD)->written = true;
    assert_string_equal(world_again(NULL), "/lent/file, which it had open, was being written, and "
                                           "its directory is lent for reading only here");
}

static void look_at_directories(struct host *h)
{
    assert_int_equal(h->fds.entry[DATA].rights, RIGHT_PATH_OPEN);
    assert_int_equal(h->fds.entry[DATA].inheriting, READING);
    assert_int_equal(h->fds.entry[LENT].rights, RIGHTS_DIR);
    assert_int_equal(h->fds.entry[LENT].inheriting, RIGHTS_DIR | RIGHTS_FILE);
    assert_true(h->fds.entry[LENT].read_only);
    assert_true(view_equal(h->fds.entry[LENT].guest_path, view_of_string("/lent")));
}

static void test_directories(void **state)
{
    (void)state;
    world.fds.entry[DATA].rights = RIGHT_PATH_OPEN; /* as fd_fdstat_set_rights leaves it */
    world.fds.entry[DATA].inheriting = READING;
    assert_null(world_save());
    forged(LENT)->rights = forged(LENT)->inheriting = UINT64_MAX;
    forged(LENT)->read_only = false;
    assert_null(world_again(look_at_directories));
}

/* The same directories, lent otherwise. */
static void test_another_ticket(void **state)
{
    (void)state;
    save_file(WRITING);
    world_ticket.dirs[0].read_only = true;
    assert_string_equal(world_again(NULL), "/data/file, which it had open, was being written, and "
                                           "its directory is lent for reading only here");
    close_of(&world, FILE_FD);
    assert_null(world_save());
    assert_null(world_again(NULL));
    world_ticket.dirs[0].read_only = false;
    world_ticket.dir_count = 1;
    assert_string_equal(world_again(NULL), "it had 2 directories lent to it, and here it has 1");
}

static void test_nonsense(void **state)
{
    static const char *const sentence =
        "its descriptor 5 is described in a way that makes no sense";
    struct state_fd good, *f;

    (void)state;
    save_file(READING);
    f = forged(FILE_FD);
    good = *f;
    f->offset = UINT64_MAX;
    assert_string_equal(world_again(NULL), sentence);
    *f = good;
    f->kind = STATE_FD_DIRECTORY;
    assert_string_equal(world_again(NULL), sentence);
    *f = good;
    f->kind = STATE_FD_STANDARD;
    f->source = 2;
    assert_string_equal(world_again(NULL), sentence); /* twice */
    f->source = 3;
    assert_string_equal(world_again(NULL), sentence);
    *f = good;
    f->path.size = 0;
    assert_string_equal(world_again(NULL), sentence);
    *f = good;
    f->path = view_of_string("pipe");
    f->filetype = FILETYPE_UNKNOWN;
    assert_int_equal(mkfifo("data/pipe", 0644), 0);
    assert_string_equal(world_again(NULL),
                        "/data/pipe, which it had open, is another kind of file now");
    *f = good;
    f->path = view_of_string("../data/file");
    assert_non_null(strstr(world_again(NULL), "Operation not permitted"));
    *f = good;
    assert_null(world_again(NULL));
}

static uint64_t some(uint64_t *seed)
{
    static const uint64_t extremes[] = {0, 1, 2, 3, 4, 5, 1024, UINT64_MAX, INT64_MAX, 1 << 20};

    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return extremes[(*seed >> 33) % (sizeof extremes / sizeof *extremes)];
}

static void forge(struct state_fd *f, uint64_t *seed)
{
    static const char *const paths[] = {"", "file", "..", "/etc/passwd", "sub", "pipe", "out", "."};

    switch (some(seed) % 11) {
    case 0: f->number = (uint32_t)some(seed); break;
    case 1: f->kind = (uint8_t)some(seed); break;
    case 2: f->filetype = (uint8_t)some(seed); break;
    case 3: f->flags = (uint16_t)some(seed); break;
    case 4: f->rights ^= some(seed); break;
    case 5: f->source = (uint32_t)some(seed); break;
    case 6: f->read_only = !f->read_only; break;
    case 7: f->written = !f->written; break;
    case 8: f->path = view_of_string(paths[some(seed) % 8]); break;
    case 9: f->offset = some(seed); break;
    default: f->size = some(seed); break;
    }
}

/* Whatever a state says: refused, or had again within the walls and the ticket. */
static void test_forged_states(void **state)
{
    const struct state_fd *good;
    struct state_fd fds[8];
    uint64_t seed = 20;
    unsigned refused = 0;

    (void)state;
    put_file("secret", "secret");
    put_file("lent/file", "lent");
    assert_int_equal(mkdir("data/sub", 0755) | mkfifo("data/pipe", 0644), 0);
    assert_int_equal(symlink("../secret", "data/out"), 0);
    save_file(READING | WRITING);
    open_in(&world, LENT, "file", 0, READING, 0);
    open_in(&world, DATA, "sub", OFLAG_DIRECTORY, WORLD_RIGHTS, 0);
    assert_null(world_save());
    assert_int_equal(world_state.fd_count, 8);
    good = memcpy(fds, world_state.fds, sizeof fds);
    for (int i = 0; i < 500; i++) {
        memcpy(world_state.fds, good, sizeof fds);
        for (uint64_t n = 1 + some(&seed) % 3; n > 0; n--)
            forge(&world_state.fds[some(&seed) % 8], &seed);
        refused += world_again(NULL) != NULL;
    }
    assert_true(refused > 100 && refused < 490);
    assert_string_equal(text_of("secret"), "secret");
    assert_string_equal(text_of("lent/file"), "lent");
}

/* ---- Standard streams ---- */

static void look_at_input(struct host *h)
{
    assert_string_equal(read_from(h, 0), "efgh");
    assert_int_equal(h->fds.entry[0].filetype, FILETYPE_REGULAR_FILE);
}

static void test_input_goes_on(void **state)
{
    (void)state;
    put_file("input", "abcdefgh");
    close(world_streams[0]);
    world_streams[0] = open("input", O_RDONLY | O_CLOEXEC);
    world_stream(0, world_streams[0]);
    seek_to(&world, 0, 4);
    assert_null(world_save());
    assert_int_equal(lseek(world_streams[0], 0, SEEK_SET), 0);
    assert_null(world_again(look_at_input));
    assert_int_equal(truncate("input", 3), 0);
    assert_string_equal(world_again(NULL),
                        "the standard input that it is given has 3 bytes, and it "
                        "has read 4 of it");
}

/* A pipe instead of a file, a file instead of a pipe: the program is told of neither. */
static void look_at_pipes(struct host *h)
{
    const union tern_cell seek[] = {{.i32 = 1}, {.i64 = 0}, {.i32 = WHENCE_SET}, {.i32 = 0}};

    assert_int_equal(h->fds.entry[0].filetype, FILETYPE_REGULAR_FILE);
    assert_string_equal(read_from(h, 0), "piped");
    assert_int_equal(h->fds.entry[1].filetype, FILETYPE_UNKNOWN);
    assert_int_equal(wasi_fd_seek(h, seek), WASI_E_SPIPE);
    assert_true(fcntl(1, F_GETFL) & O_NONBLOCK);
    write_to(h, 1, "output");
}

static void test_other_streams(void **state)
{
    int ends[2];

    (void)state;
    put_file("input", "abc");
    assert_int_equal(pipe(ends), 0);
    world_stream(0, open("input", O_RDONLY | O_CLOEXEC));
    seek_to(&world, 0, 2);
    world_stream(1, ends[1]);
    assert_int_equal(fcntl(world.fds.entry[1].host, F_SETFL, O_NONBLOCK), 0);
    assert_null(world_save());
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    dup2(ends[0], world_streams[0]);
    dup2(open("output", O_RDWR | O_CREAT | O_CLOEXEC, 0644), world_streams[1]);
    assert_null(world_again(look_at_pipes));
    assert_string_equal(text_of("output"), "output");
}

static void look_at_closed(struct host *h)
{
    char byte;

    assert_int_equal(h->fds.entry[0].host, -1);
    assert_int_equal(read(0, &byte, 1), 0); /* /dev/null, and not what was given */
    assert_int_equal(h->fds.entry[FILE_FD].host, 1);
    assert_int_equal(h->fds.entry[FILE_FD].kind, STATE_FD_STANDARD);
    assert_int_equal(h->fds.entry[1].host, -1);
}

static void test_closed_streams(void **state)
{
    uint32_t fd;

    (void)state;
    put_file("input", "abc");
    fd = open_in(&world, DATA, ".", OFLAG_DIRECTORY, WORLD_RIGHTS, 0);
    assert_int_equal(fds_renumber(&world.fds, 1, fd), WASI_E_SUCCESS);
    close_of(&world, 0);
    assert_null(world_save());
    close(world_streams[0]);
    world_streams[0] = open("input", O_RDONLY | O_CLOEXEC);
    assert_null(world_again(look_at_closed));
    close(world_streams[1]);
    world_streams[1] = -1;
    assert_string_equal(world_again(NULL),
                        "its standard output was open when it stopped and is closed here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_and_changed, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_written_and_grown, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_written_and_changed, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_written_and_made_anew, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_written_and_not_known, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_all_or_nothing, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_another_kind, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_forged_rights, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_directories, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_another_ticket, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_nonsense, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_forged_states, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_input_goes_on, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_other_streams, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_closed_streams, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests_name("hold_changed", tests, NULL, NULL);
}
