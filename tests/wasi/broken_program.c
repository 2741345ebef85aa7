/*
 * broken_program - what a program could do at worst: compiled code of the attacker's choice, in
 * the place of a module's. MISDEED says what to try, ROOM a directory that it may write to.
 *
 * Returns if it was refused, traps if it succeeded.
 */
#include "rt/tern_rt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static bool open_in_room(const char *name, int flags)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", getenv("ROOM"), name);
    return open(path, flags, 0600) >= 0;
}

static bool change_memory(int protection)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED && mprotect(page, 4096, protection) == 0;
}

static bool map_executable(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool try_it(const char *what)
{
    if (strcmp(what, "write inside") == 0)
        return open_in_room("data/new", O_WRONLY | O_CREAT);
    if (strcmp(what, "read what is lent") == 0)
        return open_in_room("lent/text", O_RDONLY);
    if (strcmp(what, "write what is lent") == 0)
        return open_in_room("lent/text", O_WRONLY);
    if (strcmp(what, "read outside") == 0)
        return open_in_room("outside/text", O_RDONLY);
    if (strcmp(what, "create outside") == 0)
        return open_in_room("outside/new", O_WRONLY | O_CREAT);
    if (strcmp(what, "read the system") == 0)
        return open("/etc/passwd", O_RDONLY) >= 0;
    if (strcmp(what, "socket") == 0)
        return socket(AF_INET, SOCK_STREAM, 0) >= 0;
    if (strcmp(what, "fork") == 0)
        return fork() >= 0;
    if (strcmp(what, "execute") == 0)
        return execl("/bin/true", "true", NULL) == 0;
    if (strcmp(what, "signal") == 0)
        return kill(getppid(), 0) == 0;
    if (strcmp(what, "trace") == 0)
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
    if (strcmp(what, "make code") == 0)
        return change_memory(PROT_READ | PROT_EXEC);
    if (strcmp(what, "map code") == 0)
        return map_executable();
    if (strcmp(what, "change memory") == 0)
        return change_memory(PROT_READ);
    if (strcmp(what, "control itself") == 0)
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
    return false;
}

static void start(struct tern_instance *in, uint32_t room)
{
    (void)room;
    if (try_it(getenv("MISDEED")))
        tern_trap(in, TERN_TRAP_UNREACHABLE, 0, 0);
}

typedef void start_code(struct tern_instance *in, uint32_t room);

static void invoke(const struct tern_func *f, uint32_t room, union tern_cell *cells)
{
    (void)cells;
    ((start_code *)f->code)(f->instance, room);
}

static const struct tern_type types[] = {{.params = "", .results = "", .invoke = invoke}};
static const struct tern_function functions[] = {{.code = (tern_code)start}};
static const struct tern_export exports[] = {{.name = {"_start", 6}, .kind = TERN_FUNC}};

extern const struct tern_module tern_module;
__attribute__((visibility("default"))) const struct tern_module tern_module = {
    .abi = TERN_RT_ABI,
    .type_count = 1,
    .function_count = 1,
    .export_count = 1,
    .start = UINT32_MAX,
    .types = types,
    .functions = functions,
    .exports = exports,
};
