#include "world.h"

#include "runner/end.h"
#include "runner/landlock.h"
#include "runner/stop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { GUEST_BYTES = 65536, TEXT = 1024, TEXT_BYTES = 4096, VECTOR = 64, RESULT = 128 };
enum { LOOKED = 7 }; /* exit code of a child that got to the end */

struct host world;
struct state world_state;
struct ticket world_ticket;
int world_streams[3];
bool world_walks;

static uint8_t guest[GUEST_BYTES];
static struct tern_memory memory = {.base = guest, .pages = 1};
static char base[32];
static struct arena arena;
static struct bytes encoded;

/* Nobody is there to take one. */
void stop_wish(void)
{
}

/* ---- A host ---- */

static void begin(struct host *h)
{
    static const char *const names[] = {"data", "lent"};

    *h = (struct host){.ticket = &world_ticket, .memory = &memory, .walk_paths = world_walks};
    fds_init(&h->fds);
    h->fds.plug = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (uint32_t i = 0; i < world_ticket.dir_count; i++) {
        int fd = open(names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd > STDERR_FILENO);
        fds_add_preopened(&h->fds, fd, world_ticket.dirs[i].guest_path,
                          world_ticket.dirs[i].read_only);
    }
}

void world_stream(int i, int fd)
{
    int kept = fcntl(i, F_DUPFD_CLOEXEC, 3);

    fflush(stdout);
    dup2(fd, i);
    fds_add_standard(&world.fds, i, false);
    world.fds.entry[i].host = fcntl(i, F_DUPFD_CLOEXEC, 3); /* so that closing it is harmless */
    if (kept >= 0)
        dup2(kept, i);
    else
        close(i);
    close(kept);
}

int world_set_up(void **state)
{
    (void)state;
    strcpy(base, "/tmp/tern-world-XXXXXX");
    if (!mkdtemp(base) || chdir(base) < 0 || mkdir("data", 0755) < 0 || mkdir("lent", 0755) < 0)
        return -1;
    world_ticket.dir_count = 2;
    world_ticket.dirs[0] = (struct ticket_dir){.guest_path = view_of_string("/data")};
    world_ticket.dirs[1] =
        (struct ticket_dir){.guest_path = view_of_string("/lent"), .read_only = true};
    for (int i = 0; i < 3; i++)
        world_streams[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    begin(&world);
    for (int i = 0; i < 3; i++)
        world_stream(i, world_streams[i]);
    return 0;
}

int world_tear_down(void **state)
{
    char command[64];

    (void)state;
    for (uint32_t i = 0; i < FDS_MAX; i++)
        fds_close(&world.fds, i);
    for (uint32_t i = 0; i < world.fds.root_count; i++)
        close(world.fds.root[i]);
    close(world.fds.plug);
    for (int i = 0; i < 3; i++)
        close(world_streams[i]);
    arena_release(&arena);
    bytes_release(&encoded);
    world_state = (struct state){0};
    snprintf(command, sizeof command, "rm -r %s", base);
    return chdir("/") < 0 ? -1 : system(command);
}

/* ---- Host calls ---- */

static union tern_cell cell(uint64_t value)
{
    return (union tern_cell){.i64 = value};
}

static void put_text(const char *text)
{
    assert_true(strlen(text) < TEXT_BYTES);
    strcpy((char *)guest + TEXT, text);
}

uint32_t open_in(struct host *h, uint32_t dir, const char *path, uint32_t oflags, uint64_t rights,
                 uint32_t fdflags)
{
    const union tern_cell a[] = {
        cell(dir),    cell(LOOKUP_SYMLINK_FOLLOW), cell(TEXT),    cell(strlen(path)), cell(oflags),
        cell(rights), cell(WORLD_RIGHTS),          cell(fdflags), cell(RESULT)};

    put_text(path);
    assert_int_equal(wasi_path_open(h, a), WASI_E_SUCCESS);
    return guest_load32(guest + RESULT);
}

static void put_vector(size_t size)
{
    guest_store32(guest + VECTOR, TEXT);
    guest_store32(guest + VECTOR + 4, (uint32_t)size);
}

void write_to(struct host *h, uint32_t fd, const char *text)
{
    const union tern_cell a[] = {cell(fd), cell(VECTOR), cell(1), cell(RESULT)};

    put_text(text);
    put_vector(strlen(text));
    assert_int_equal(wasi_fd_write(h, a), WASI_E_SUCCESS);
    assert_int_equal(guest_load32(guest + RESULT), strlen(text));
}

const char *read_from(struct host *h, uint32_t fd)
{
    const union tern_cell a[] = {cell(fd), cell(VECTOR), cell(1), cell(RESULT)};

    put_vector(TEXT_BYTES - 1);
    assert_int_equal(wasi_fd_read(h, a), WASI_E_SUCCESS);
    guest[TEXT + guest_load32(guest + RESULT)] = 0;
    return (const char *)guest + TEXT;
}

uint64_t place_of(struct host *h, uint32_t fd)
{
    const union tern_cell a[] = {cell(fd), cell(RESULT)};

    assert_int_equal(wasi_fd_tell(h, a), WASI_E_SUCCESS);
    return guest_load64(guest + RESULT);
}

void seek_to(struct host *h, uint32_t fd, uint64_t offset)
{
    const union tern_cell a[] = {cell(fd), cell(offset), cell(WHENCE_SET), cell(RESULT)};

    assert_int_equal(wasi_fd_seek(h, a), WASI_E_SUCCESS);
}

void close_of(struct host *h, uint32_t fd)
{
    assert_int_equal(fds_close(&h->fds, fd), WASI_E_SUCCESS);
}

uint64_t time_of(struct host *h, uint32_t clock)
{
    const union tern_cell a[] = {cell(clock), cell(0), cell(RESULT)};

    assert_int_equal(wasi_clock_time_get(h, a), WASI_E_SUCCESS);
    return guest_load64(guest + RESULT);
}

/* ---- Files ---- */

static void put_into(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void put_file(const char *path, const char *text)
{
    put_into(path, text, O_TRUNC);
}

void append_to_file(const char *path, const char *text)
{
    put_into(path, text, O_APPEND);
}

const char *text_of(const char *path)
{
    static char text[TEXT_BYTES];
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);

    assert_true(fd >= 0 && size >= 0);
    text[size] = 0;
    close(fd);
    return text;
}

/* ---- Saving ---- */

const char *world_save(void)
{
    static struct problem p;
    enum tern_err err;

    arena_release(&arena);
    bytes_clear(&encoded);
    world_state = (struct state){.phase = STATE_IN_MAIN};
    err = hold_save(&world, &world_state, &arena, &p);
    if (err)
        return p.text;
    assert_int_equal(state_encode(&world_state, &encoded), TERN_OK);
    assert_int_equal(state_decode(&world_state, bytes_view(&encoded), &arena), TERN_OK);
    return NULL;
}

const struct state_fd *saved(uint32_t number)
{
    for (uint32_t i = 0; i < world_state.fd_count; i++) {
        if (world_state.fds[i].number == number)
            return &world_state.fds[i];
    }
    return NULL;
}

/* ---- Having it again ---- */

static void take_streams(void)
{
    for (int i = 0; i < 3; i++) {
        if (world_streams[i] >= 0)
            dup2(world_streams[i], i);
        else
            close(i);
    }
}

/* As the runner does it: what is closed is plugged. */
static void begin_child(struct host *h)
{
    static struct fds standard;

    fds_init(&standard);
    for (int i = 0; i < 3; i++)
        fds_add_standard(&standard, i, true);
    while (open("/dev/null", O_RDWR | O_CLOEXEC) <= STDERR_FILENO)
        ;
    begin(h);
    for (int i = 0; i < 3; i++)
        h->fds.entry[i] = standard.entry[i];
}

void world_wall_in(const struct host *h)
{
    struct landlock_dir dirs[TICKET_DIRS_MAX];

    for (uint32_t i = 0; i < h->fds.root_count; i++)
        dirs[i] = (struct landlock_dir){.fd = h->fds.root[i],
                                        .read_only = world_ticket.dirs[i].read_only};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_true(landlock_enter(dirs, h->fds.root_count));
}

static _Noreturn void run_child(int report, void (*look)(struct host *h))
{
    static struct host again;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* what fails here is no test's end */
    take_streams();
    end_init(report);
    begin_child(&again);
    world_wall_in(&again);
    hold_restore(&again, &world_state);
    if (look)
        look(&again);
    _exit(LOOKED);
}

const char *world_again(void (*look)(struct host *h))
{
    static struct report r;
    uint8_t bytes[REPORT_BYTES];
    int ends[2], status;
    ssize_t size;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_child(ends[1], look);
    close(ends[1]);
    size = read(ends[0], bytes, sizeof bytes);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (size == 0) {
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == LOOKED);
        return NULL;
    }
    assert_int_equal(report_decode(&r, view_of(bytes, (size_t)size)), TERN_OK);
    assert_int_equal(r.kind, REPORT_REFUSED);
    return r.text;
}
