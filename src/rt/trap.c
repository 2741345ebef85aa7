/*
 * Traps: a program runs on a stack of its own; whatever stops it jumps back to the frame of
 * trap_run's call on that stack. The signal handlers have a third stack, since a program's may be
 * what ran out.
 */
#include "rt/trap.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum {
    SIGNAL_STACK_BYTES = 256 << 10,
    GUARD_BYTES = 64 << 20, /* larger than any one frame that does not touch itself in order */
};

struct range {
    uintptr_t from;
    uintptr_t to;
    struct range *next;
};

struct run { /* one call of trap_run that has not returned */
    sigjmp_buf back;
    struct run *outer;
};

/* Signals belong to the process, and so does this. */
static struct range *memories;
static struct range guard;
static uint8_t *stack;
static size_t stack_size;
static struct run *current;
static struct trap_info last; /* of the trap that is jumping back */

static uintptr_t fault_pc(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#elif defined(__s390x__)
    return (uintptr_t)context->uc_mcontext.psw.addr;
#else
    (void)context;
    return 0;
#endif
}

static bool within(const struct range *r, uintptr_t address)
{
    return address >= r->from && address < r->to;
}

static enum tern_trap_kind fault_kind(uintptr_t address)
{
    if (within(&guard, address))
        return TERN_TRAP_STACK;
    for (const struct range *r = memories; r; r = r->next) {
        if (within(r, address))
            return TERN_TRAP_MEMORY;
    }
    return TERN_TRAP_NONE;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const enum tern_trap_kind kind = fault_kind((uintptr_t)info->si_addr);

    if (info->si_code <= 0 || !current || kind == TERN_TRAP_NONE) {
        signal(number, SIG_DFL); /* our bug: the instruction faults again, and that ends us */
        if (info->si_code <= 0)
            raise(number); /* sent, not a fault */
        return;
    }
    last = (struct trap_info){.kind = kind, .by_fault = true, .pc = fault_pc(context)};
    siglongjmp(current->back, 1);
}

static int install_handlers(void)
{
    struct sigaction action = {.sa_sigaction = on_fault};
    stack_t on = {.ss_size = SIGNAL_STACK_BYTES};

    on.ss_sp = mmap(NULL, on.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (on.ss_sp == MAP_FAILED || sigaltstack(&on, NULL) != 0)
        return errno;
    /* The handler is left by a jump that does not restore the mask: so nothing may be masked. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, NULL) != 0 || sigaction(SIGBUS, &action, NULL) != 0)
        return errno;
    return 0;
}

int trap_init(size_t stack_bytes)
{
    const size_t all = stack_bytes + GUARD_BYTES;
    uint8_t *low = mmap(NULL, all, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (low == MAP_FAILED || mprotect(low, GUARD_BYTES, PROT_NONE) != 0)
        return errno;
    guard = (struct range){(uintptr_t)low, (uintptr_t)low + GUARD_BYTES, NULL};
    stack = low + GUARD_BYTES;
    stack_size = stack_bytes;
    return install_handlers();
}

void trap_add_memory(const struct tern_memory *memory)
{
    struct range *r = malloc(sizeof *r);

    if (!r)
        abort(); /* without it a trap would look like our bug */
    r->from = (uintptr_t)memory->base;
    r->to = r->from + TERN_MEMORY_RESERVE + TERN_MEMORY_GUARD;
    r->next = memories;
    memories = r;
}

/* On the program's stack: every trap until run returns comes back here. */
static bool run_here(void (*run)(void *context), void *context, struct trap_info *info)
{
    struct run here = {.outer = current};
    bool trapped;

    current = &here;
    trapped = sigsetjmp(here.back, 0) != 0;
    if (!trapped)
        run(context);
    else
        *info = last;
    current = here.outer;
    return !trapped;
}

struct start { /* what the first call hands over to the program's stack */
    void (*run)(void *context);
    void *context;
    struct trap_info *info;
    bool returned;
};

static struct start *starting; /* makecontext passes only ints */

static void start_here(void)
{
    struct start *s = starting;

    s->returned = run_here(s->run, s->context, s->info);
}

bool trap_run(void (*run)(void *context), void *context, struct trap_info *info)
{
    struct start s = {run, context, info, false};
    ucontext_t here, there;

    if (current)
        return run_here(run, context, info);
    if (getcontext(&there) != 0)
        abort(); /* never fails: the mask of signals is all that it asks the system for */
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = stack_size;
    there.uc_link = &here;
    starting = &s;
    makecontext(&there, start_here, 0);
    if (swapcontext(&here, &there) != 0)
        abort();
    return s.returned;
}

void tern_trap(struct tern_instance *in, uint32_t kind, uint32_t func, uint32_t offset)
{
    (void)in;
    if (!current)
        abort(); /* generated code that was called outside trap_run */
    last = (struct trap_info){.kind = (enum tern_trap_kind)kind, .func = func, .offset = offset};
    siglongjmp(current->back, 1);
}

const char *trap_text(enum tern_trap_kind kind)
{
    switch (kind) {
    case TERN_TRAP_NONE: break;
    case TERN_TRAP_UNREACHABLE: return "unreachable";
    case TERN_TRAP_MEMORY: return "out of bounds memory access";
    case TERN_TRAP_TABLE: return "out of bounds table access";
    case TERN_TRAP_DIVIDE: return "integer divide by zero";
    case TERN_TRAP_OVERFLOW: return "integer overflow";
    case TERN_TRAP_CONVERSION: return "invalid conversion to integer";
    case TERN_TRAP_UNDEFINED: return "undefined element";
    case TERN_TRAP_UNINITIALIZED: return "uninitialized element";
    case TERN_TRAP_SIGNATURE: return "indirect call type mismatch";
    case TERN_TRAP_STACK: return "call stack exhausted";
    }
    return "no trap";
}
