/*
 * torture_run - runs a program as tern-runner does, and takes a whole image of it again and again.
 *
 *   torture_run PROG.wasm OBJECT HOW STORE [ARGUMENT...]
 *
 * HOW      "3": at every third safepoint, "~3": at random, one in three; "~3@7": with that seed;
 *          "0": at none, for counting.
 * OBJECT   The program and continuations for all its safepoints (torture_prepare), compiled.
 * STORE    A directory for images.
 * Does     The runner's own code in a child process: it stops, writes its state, is told to go on.
 *          Instead of going on in place, everything is brought from the image: through.h;
 *          instance and descriptors are wiped and had again, frames rebuilt by continuations.
 * Output   The program's own; on standard error at the end "N safepoints, N images".
 *          Exit code: the program's; 125 and a line if it did not come so far.
 */
#include "dice.h"
#include "through.h"
#include "wipe.h"

#include "base/check.h"
#include "os/file.h"
#include "os/sys.h"
#include "rt/suspend.h"
#include "runner/capture.h"
#include "runner/end.h"
#include "runner/hold.h"
#include "runner/path.h"
#include "runner/quota.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FAILED = 125,
    MEMORY_PAGES = 65536,
    STACK_CELLS = 2 << 20,
    NATIVE_STACK_BYTES = 1 << 29, /* room for them without optimisation */
    TABLE_ELEMENTS_MAX = 10000000,
    MODULE_BYTES_MAX = 64 << 20,
    ABOVE = 64, /* descriptors that are none of the runner's */
};

struct counts {
    uint64_t safepoints, images;
};

static struct ticket ticket;
static struct host host = {.ticket = &ticket};
static struct program program;

static struct {
    uint64_t every, dice;
    bool at_random;
    struct counts *counts; /* shared with the parent */
    struct through_module module;
    struct through through;
    struct bytes state_bytes;
    int control; /* the parent's end of what the runner hears by */
    int plug;
    jmp_buf again;
} torture = {.dice = DICE_START};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "torture_run: %s: %s\n", what, why);
    _exit(FAILED);
}

/* ---- Where ---- */

static bool stop_now(void *context)
{
    const uint64_t n = ++torture.counts->safepoints;

    (void)context;
    if (torture.every == 0)
        return false;
    return (torture.at_random ? dice_roll(&torture.dice) : n) % torture.every == 0;
}

static void read_how(const char *how)
{
    const char *seed = strchr(how, '@');

    torture.at_random = *how == '~';
    torture.every = strtoull(how + torture.at_random, NULL, 10);
    if (seed)
        torture.dice ^= strtoull(seed + 1, NULL, 10) << 1; /* never 0: it is odd */
    for (int i = 0; i < 16; i++)
        dice_roll(&torture.dice);
}

/* ---- The world that a runner finds ---- */

static void put_at(int fd, int number)
{
    if (fd < 0 || dup2(fd, number) != number)
        fail("a descriptor", "cannot be made");
}

static int above(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
}

static void make_world(const char *module, const char *object)
{
    int ends[2];
    const int memory = sys_memfd("torture-program");

    if (sys_socketpair(ends) < 0 || through_empty(memory, (uint64_t)MEMORY_PAGES << 16) != TERN_OK)
        fail("its memory", "cannot be made");
    torture.control = above(ends[0]);
    const int moved[] = {above(ends[1]), above(memory), above(sys_memfd("torture-told")),
                         above(sys_open(module, O_RDONLY, 0)),
                         above(sys_open(object, O_RDONLY, 0))};

    put_at(moved[0], TICKET_FD_CONTROL);
    put_at(moved[1], TICKET_FD_MEMORY);
    put_at(moved[2], TICKET_FD_STATE);
    put_at(moved[3], TICKET_FD_MODULE);
    put_at(moved[4], TICKET_FD_OBJECT);
}

static void fill_ticket(char **args, int count)
{
    for (int i = 0; i < count; i++)
        ticket.args[ticket.arg_count++] = view_of_string(args[i]);
    ticket.memory_pages_max = MEMORY_PAGES;
    ticket.stack_cells = STACK_CELLS;
    ticket.native_stack_bytes = NATIVE_STACK_BYTES;
    ticket.table_elements_max = TABLE_ELEMENTS_MAX;
    ticket.stoppable = true;
}

static void lend_descriptors(void)
{
    fds_init(&host.fds);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        fds_add_standard(&host.fds, fd, true);
    host.fds.plug = torture.plug;
}

/* Also the answer to the next stop: that it may go on. */
static void answer(void)
{
    const char what = CONTROL_GO_ON;

    if (sys_write(torture.control, &what, 1) != 1)
        fail("the runner", "cannot be told to go on");
}

static void hear(void)
{
    char words[1 + sizeof(uint64_t)]; /* and since when */

    if (sys_read(torture.control, words, sizeof words) != sizeof words ||
        words[0] != CONTROL_STOPPED)
        fail("the runner", "does not stop");
}

/* ---- Through the image ---- */

static void forget_descriptors(void)
{
    for (uint32_t i = STDERR_FILENO + 1; i < FDS_MAX; i++) {
        if (host.fds.entry[i].host >= 0)
            fds_close(&host.fds, i);
    }
    lend_descriptors();
    host.output_bytes = host.clock_base_ns = host.waited_ns = UINT64_MAX;
    host.call = (struct host_call){.sequence = UINT64_MAX};
}

static void take_back(void)
{
    const enum tern_err err =
        through_state(&torture.through, &program.state, &torture.state_bytes, &program.arena);
    const struct state_instance *in = program.state.instances;

    if (err || !in)
        fail("the state that came back", tern_err_text(err));
    if (!wipe_put_back_memory(program.in, torture.through.memory, in->memory_pages))
        fail("memory", "cannot be put back");
    capture_restore(&program);
    hold_restore(&host, &program.state);
}

static void wipe(void *context)
{
    (void)context;
    wipe_instance(program.in);
}

static void through_image(void)
{
    const struct through_order order = {
        .module = &torture.module,
        .memory = TICKET_FD_MEMORY,
        .state = TICKET_FD_STATE,
        .limits_memory_pages = MEMORY_PAGES,
        .limits_stack_cells = STACK_CELLS,
        .check = true,
        .meanwhile = wipe,
    };
    struct problem p;

    if (through_go(&torture.through, &order, &p) != TERN_OK)
        fail("an image", p.text);
    forget_descriptors();
    arena_release(&program.arena);
    program.state = (struct state){0};
    program.phase = 0;
    take_back();
}

/* Where the runner would go on in its old code, which is gone: it resumes instead. */
enum trap_end __wrap_trap_go_on(struct trap_info *info);
enum trap_end __wrap_trap_go_on(struct trap_info *info)
{
    (void)info;
    hear();
    answer();
    through_image();
    torture.counts->images++;
    suspend_over();
    ticket.resumes = true;
    longjmp(torture.again, 1);
}

/* ---- Both processes ---- */

static void load(const char *module, const char *object, const char *store)
{
    static struct bytes bytes;
    struct problem p;
    void *handle;

    if (file_read(module, MODULE_BYTES_MAX, &bytes) != TERN_OK ||
        !through_module_init(&torture.module, bytes_view(&bytes)))
        fail(module, "no module");
    if (through_open(&torture.through, store, &p) != TERN_OK)
        fail(store, p.text);
    program_load(&program, &host);
    handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    program.continuations = handle ? dlsym(handle, "tern_continuations") : NULL;
    if (!program.continuations)
        fail(object, "no continuations in it");
}

static _Noreturn void run_child(char **argv, int argc, int report)
{
    put_at(report, TICKET_FD_REPORT);
    end_init(TICKET_FD_REPORT);
    signal(SIGPIPE, SIG_IGN);
    torture.plug = above(sys_open("/dev/null", O_RDWR, 0));
    make_world(argv[1], argv[2]);
    fill_ticket(argv + 4, argc - 4); /* the store's name stands for the program's */
    lend_descriptors();
    host.walk_paths = !path_kernel_resolves();
    load(argv[1], argv[2], argv[4]);
    host.cpu_start_ns = end_cpu_ns();
    end_watch(&host, (uintptr_t)program.module, (uintptr_t)program.continuations);
    suspend_keep_stack(false);
    suspend_decide(stop_now, NULL);
    answer();
    setjmp(torture.again);
    program_run(&program, &host);
}

static int tell(int report)
{
    struct bytes bytes = {0};
    struct report r = {0};

    check(torture.counts);
    if (file_read_fd(report, REPORT_BYTES, &bytes) != TERN_OK ||
        report_decode(&r, bytes_view(&bytes)) != TERN_OK) {
        fputs("torture_run: the program left no report\n", stderr);
        return FAILED;
    }
    bytes_release(&bytes);
    if (r.kind == REPORT_EXIT) {
        fprintf(stderr, "%" PRIu64 " safepoints, %" PRIu64 " images\n", torture.counts->safepoints,
                torture.counts->images);
        return (int)r.code;
    }
    fprintf(stderr, "torture_run: the program ended by %d, %" PRIu32 " %s\n", (int)r.kind, r.code,
            r.text);
    return FAILED;
}

int main(int argc, char **argv)
{
    int ends[2], status;
    pid_t child;

    if (argc < 5) {
        fputs("usage: torture_run PROG.wasm OBJECT HOW STORE [ARGUMENT...]\n", stderr);
        return 2;
    }
    read_how(argv[3]);
    torture.counts = mmap(NULL, sizeof *torture.counts, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (torture.counts == MAP_FAILED || sys_pipe(ends) < 0)
        fail("start", "no memory");
    child = fork();
    if (child == 0) {
        sys_close(ends[0]);
        run_child(argv, argc, above(ends[1]));
    }
    sys_close(ends[1]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        fail("start", "no process");
    if (WIFEXITED(status) && WEXITSTATUS(status) == FAILED)
        return FAILED; /* it has said why */
    return tell(ends[0]);
}
