/*
 * sanitized - lets sanitizers work in the runner; only in builds with -fsanitize=address or thread.
 *
 * Their run-time libraries stand between the runner and some functions of libc, and there do what
 * the sandbox forbids (AddressSanitizer reads /proc when a stack is left by a jump, and traces its
 * own process to find leaks at the end), what tests would see (it warns on standard error about
 * second stacks), or what takes too long (ThreadSanitizer keeps signals back until the next call
 * that it knows; a compiled program may loop without any). Here these functions are libc's own
 * again.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

static void *libc_function(const char *name)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *function = libc ? dlsym(libc, name) : NULL;

    if (!function)
        abort();
    return function;
}

#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);
void __asan_handle_no_return(void);

static int (*real_swapcontext)(ucontext_t *from, const ucontext_t *to);
static void (*real_siglongjmp)(sigjmp_buf to, int value) __attribute__((noreturn));

__attribute__((constructor)) static void find_functions(void)
{
    *(void **)&real_swapcontext = libc_function("swapcontext");
    *(void **)&real_siglongjmp = libc_function("siglongjmp");
}

const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:use_sigaltstack=0:detect_leaks=0";
}

/* The program's stack is left once, and not used again. */
void __asan_handle_no_return(void)
{
}

int swapcontext(ucontext_t *restrict from, const ucontext_t *restrict to)
{
    return real_swapcontext(from, to);
}

void siglongjmp(sigjmp_buf to, int value)
{
    real_siglongjmp(to, value);
}
#else
int sigaction(int number, const struct sigaction *restrict new, struct sigaction *restrict old)
{
    static int (*real)(int, const struct sigaction *, struct sigaction *);

    if (!real)
        *(void **)&real = libc_function("sigaction");
    return real(number, new, old);
}
#endif
