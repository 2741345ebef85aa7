/*
 * syscalls - every system call that a runner makes once its program is loaded, by name.
 *
 * The side that builds the filter turns this list into one; anything that is not in it ends the
 * process by SIGSYS. A processor that lacks a name leaves it out; one that lacks renameat2 has
 * renameat, and so on: libc picks, hence the pairs.
 *
 * s390x passes mmap's arguments in memory, where no filter sees them: there RUNNER_NO_EXEC can
 * hold for mprotect only.
 *
 * Not here  execve, fork, clone, socket, connect, bind, ptrace, kill, prctl, mount ...
 */
#ifndef TERN_RUNNER_SYSCALLS_H
#define TERN_RUNNER_SYSCALLS_H

enum runner_rule {
    RUNNER_ANY,      /* whatever the arguments */
    RUNNER_NO_EXEC,  /* argument 2 (from 0) is a protection without PROT_EXEC */
    RUNNER_FCNTL,    /* argument 1 is F_GETFL or F_SETFL */
    RUNNER_FIONREAD, /* argument 1 is FIONREAD: bytes that wait in a pipe */
    RUNNER_EPERM,    /* fails with EPERM: libc tries them while it ends the process */
};

#define RUNNER_SYSCALLS(SYSCALL)                                                                   \
    /* standard streams and open files */                                                          \
    SYSCALL(read, RUNNER_ANY)                                                                      \
    SYSCALL(readv, RUNNER_ANY)                                                                     \
    SYSCALL(preadv, RUNNER_ANY)                                                                    \
    SYSCALL(write, RUNNER_ANY)                                                                     \
    SYSCALL(writev, RUNNER_ANY)                                                                    \
    SYSCALL(pwritev, RUNNER_ANY)                                                                   \
    SYSCALL(splice, RUNNER_ANY)                                                                    \
    SYSCALL(close, RUNNER_ANY)                                                                     \
    SYSCALL(dup3, RUNNER_ANY)                                                                      \
    SYSCALL(lseek, RUNNER_ANY)                                                                     \
    SYSCALL(fcntl, RUNNER_FCNTL)                                                                   \
    SYSCALL(ioctl, RUNNER_FIONREAD)                                                                \
    SYSCALL(fstat, RUNNER_ANY)                                                                     \
    SYSCALL(newfstatat, RUNNER_ANY)                                                                \
    SYSCALL(fsync, RUNNER_ANY)                                                                     \
    SYSCALL(fdatasync, RUNNER_ANY)                                                                 \
    SYSCALL(ftruncate, RUNNER_ANY)                                                                 \
    SYSCALL(fallocate, RUNNER_ANY)                                                                 \
    SYSCALL(fadvise64, RUNNER_ANY)                                                                 \
    SYSCALL(getdents64, RUNNER_ANY)                                                                \
    SYSCALL(ppoll, RUNNER_ANY)                                                                     \
    /* names beneath a preopened directory */                                                      \
    SYSCALL(openat, RUNNER_ANY)                                                                    \
    SYSCALL(openat2, RUNNER_ANY)                                                                   \
    SYSCALL(readlinkat, RUNNER_ANY)                                                                \
    SYSCALL(mkdirat, RUNNER_ANY)                                                                   \
    SYSCALL(unlinkat, RUNNER_ANY)                                                                  \
    SYSCALL(renameat, RUNNER_ANY)                                                                  \
    SYSCALL(renameat2, RUNNER_ANY)                                                                 \
    SYSCALL(linkat, RUNNER_ANY)                                                                    \
    SYSCALL(symlinkat, RUNNER_ANY)                                                                 \
    SYSCALL(utimensat, RUNNER_ANY)                                                                 \
    /* sockets that were there from the start */                                                   \
    SYSCALL(accept4, RUNNER_ANY)                                                                   \
    SYSCALL(recvmsg, RUNNER_ANY)                                                                   \
    SYSCALL(sendmsg, RUNNER_ANY)                                                                   \
    SYSCALL(shutdown, RUNNER_ANY)                                                                  \
    /* clocks, randomness */                                                                       \
    SYSCALL(clock_gettime, RUNNER_ANY)                                                             \
    SYSCALL(clock_getres, RUNNER_ANY)                                                              \
    SYSCALL(gettimeofday, RUNNER_ANY)                                                              \
    SYSCALL(getrandom, RUNNER_ANY)                                                                 \
    SYSCALL(sched_yield, RUNNER_ANY)                                                               \
    /* memory: growing, tables, libc's heap */                                                     \
    SYSCALL(mmap, RUNNER_NO_EXEC)                                                                  \
    SYSCALL(mprotect, RUNNER_NO_EXEC)                                                              \
    SYSCALL(munmap, RUNNER_ANY)                                                                    \
    SYSCALL(mremap, RUNNER_ANY)                                                                    \
    SYSCALL(madvise, RUNNER_ANY)                                                                   \
    SYSCALL(brk, RUNNER_ANY)                                                                       \
    /* traps, the processor-time limit, the end */                                                 \
    SYSCALL(rt_sigaction, RUNNER_ANY)                                                              \
    SYSCALL(rt_sigprocmask, RUNNER_ANY)                                                            \
    SYSCALL(rt_sigreturn, RUNNER_ANY)                                                              \
    SYSCALL(sigaltstack, RUNNER_ANY)                                                               \
    SYSCALL(restart_syscall, RUNNER_ANY)                                                           \
    SYSCALL(exit, RUNNER_ANY)                                                                      \
    SYSCALL(exit_group, RUNNER_ANY)                                                                \
    SYSCALL(getpid, RUNNER_EPERM)                                                                  \
    SYSCALL(gettid, RUNNER_EPERM)                                                                  \
    SYSCALL(tgkill, RUNNER_EPERM)

#endif
