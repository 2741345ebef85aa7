/*
 * Traps: a program runs on a stack of its own; whatever stops it jumps back to the frame of
 * trap_run's call on that stack. The signal handlers have a third stack, since a program's may be
 * what ran out.
 */
#include "rt/trap.h"

#include "rt/suspend.h"

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

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.sp;
#elif defined(__s390x__)
    return (uintptr_t)context->uc_mcontext.gregs[15];
#else
#error "which register is the stack pointer?"
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

/* The signal was sent, and a confined runner may send itself none. */
static void end_by_fault(void)
{
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)guard.from = 0;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const enum tern_trap_kind kind = fault_kind((uintptr_t)info->si_addr);

    if (info->si_code <= 0 || !current || kind == TERN_TRAP_NONE) {
        signal(number, SIG_DFL); /* our bug: the instruction faults again, and that ends us */
        if (info->si_code <= 0)
            end_by_fault();
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
static enum trap_end run_here(void (*run)(void *context), void *context, struct trap_info *info)
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
    if (trapped)
        return TRAP_TRAPPED;
    return suspend_stopped() ? TRAP_STOPPED : TRAP_RETURNED;
}

/* What stands between the process's own stack and the program's. */
static struct {
    ucontext_t home; /* where the program's stack was left for, or left to */
    void (*run)(void *context);
    void *context;
    struct trap_info info;
    enum trap_end end;
} bridge;

static void start_here(void)
{
    bridge.end = run_here(bridge.run, bridge.context, &bridge.info);
}

static enum trap_end cross(const ucontext_t *there, struct trap_info *info)
{
    if (swapcontext(&bridge.home, there) != 0)
        abort();
    if (bridge.end == TRAP_TRAPPED)
        *info = bridge.info;
    return bridge.end;
}

enum trap_end trap_run(void (*run)(void *context), void *context, struct trap_info *info)
{
    ucontext_t there;

    if (current)
        return run_here(run, context, info);
    if (getcontext(&there) != 0)
        abort(); /* never fails: the mask of signals is all that it asks the system for */
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = stack_size;
    there.uc_link = &bridge.home;
    bridge.run = run;
    bridge.context = context;
    makecontext(&there, start_here, 0);
    return cross(&there, info);
}

/* ---- Stopping and going on ---- */

static struct {
    ucontext_t at;
    struct run *current;
    uint8_t *copy; /* of the stack from `low` on */
    size_t copy_size;
    uint8_t *low;
    bool put_back;
} mark;

/* By hand: no sanitizer may look at frames that are not its own. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), noinline)) static void
copy_words(uintptr_t *to, const uintptr_t *from, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *to; i++) {
        to[i] = from[i];
        __asm__ volatile("" : : : "memory"); /* not a call of memcpy, which is looked at */
    }
}

static void keep_stack(uint8_t *low)
{
    const size_t size = (size_t)(stack + stack_size - low);

    if (size > mark.copy_size) {
        free(mark.copy);
        mark.copy = malloc(size);
        mark.copy_size = size;
        if (!mark.copy)
            abort();
    }
    mark.low = low;
    copy_words((uintptr_t *)(void *)mark.copy, (const uintptr_t *)(const void *)low, size);
}

void trap_forget(void)
{
    current = NULL;
    (void)madvise(stack, stack_size, MADV_DONTNEED);
}

bool trap_may_stop(void)
{
    return current && !current->outer;
}

bool trap_mark(void)
{
    mark.put_back = false;
    if (getcontext(&mark.at) != 0)
        abort();
    if (mark.put_back)
        return false;
    mark.current = current;
    keep_stack((uint8_t *)(stack_pointer(&mark.at) & ~(uintptr_t)15));
    return true;
}

enum trap_end trap_go_on(struct trap_info *info)
{
    copy_words((uintptr_t *)(void *)mark.low, (const uintptr_t *)(const void *)mark.copy,
               (size_t)(stack + stack_size - mark.low));
    mark.put_back = true;
    current = mark.current;
    suspend_over();
    return cross(&mark.at, info);
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
