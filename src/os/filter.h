/*
 * filter - system call filters (seccomp), made with libseccomp.
 *
 * Errors   TERN_ESYSTEM if libseccomp or the kernel refuses. A kernel without seccomp:
 *          TERN_OK, and *applied false.
 */
#ifndef TERN_OS_FILTER_H
#define TERN_OS_FILTER_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * For this process and its children, for ever: what a compiler has no use for (sockets, ptrace,
 * mounts, keys, other processes' memory, kernel modules ...) fails with EPERM.
 */
enum tern_err filter_compiler_apply(bool *applied);

/*
 * The filter that a runner installs once its program is loaded: what runner/syscalls.h lists,
 * anything else ends the process by SIGSYS. As an array of struct sock_filter, for this
 * processor.
 */
enum tern_err filter_runner_export(struct bytes *out);

#endif
