#include "os/filter.h"

#include "os/file.h"
#include "os/sys.h"
#include "runner/syscalls.h"
#include "wire/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __s390__
enum { CLONE_FLAGS_ARG = 1 }; /* the one processor with stack and flags the other way round */
#else
enum { CLONE_FLAGS_ARG = 0 };
#endif

/* What compilers, assemblers and linkers never do. Names that this processor lacks are left out. */
static const char *const compiler_denied[] = {
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "pidfd_send_signal",
    "kcmp",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "quotactl_fd",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "iopl",
    "ioperm",
    "syslog",
    "mknod",
    "mknodat",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "lookup_dcookie",
    "personality",
    "vhangup",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "shmget",
    "msgget",
    "semget",
    "mq_open",
    "nfsservctl",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
};

static int deny(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
}

/* New namespaces by clone; clone3 hides its flags from filters, and libc does without it. */
static int deny_namespaces(scmp_filter_ctx filter)
{
    static const uint64_t flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                     CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; i < sizeof flags / sizeof *flags && !result; i++)
        result =
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_CMP(CLONE_FLAGS_ARG, SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    return result;
}

enum tern_err filter_compiler_apply(bool *applied)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = filter ? 0 : -ENOMEM;

    *applied = false;
    for (size_t i = 0; i < sizeof compiler_denied / sizeof *compiler_denied && !result; i++)
        result = deny(filter, compiler_denied[i]);
    if (!result)
        result = deny_namespaces(filter);
    if (!result) {
        result = seccomp_load(filter);
        *applied = result == 0;
        if (result == -EINVAL || result == -ENOSYS || result == -ECANCELED)
            result = 0; /* a kernel without filters */
    }
    if (filter)
        seccomp_release(filter);
    return result ? TERN_ESYSTEM : TERN_OK;
}

struct runner_call {
    const char *name;
    enum runner_rule rule;
};

static const struct runner_call runner_calls[] = {
#define RUNNER_CALL(name, rule) {#name, rule},
    RUNNER_SYSCALLS(RUNNER_CALL)
#undef RUNNER_CALL
};

/* Allowed if argument `index` is `value`, looking at the bits of `mask` only. */
static int allow_if(scmp_filter_ctx filter, int number, unsigned index, uint64_t mask,
                    uint64_t value)
{
    const struct scmp_arg_cmp test = {
        .arg = index, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &test);
}

static int allow(scmp_filter_ctx filter, const struct runner_call *call)
{
    int number = seccomp_syscall_resolve_name(call->name);
    int result;

    if (number == __NR_SCMP_ERROR)
        return 0;
    switch (call->rule) {
    case RUNNER_ANY: return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    case RUNNER_NO_EXEC: return allow_if(filter, number, 2, PROT_EXEC, 0);
    case RUNNER_FCNTL:
        result = allow_if(filter, number, 1, UINT32_MAX, F_GETFL);
        return result ? result : allow_if(filter, number, 1, UINT32_MAX, F_SETFL);
    case RUNNER_FIONREAD: return allow_if(filter, number, 1, UINT32_MAX, FIONREAD);
    case RUNNER_EPERM: return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    return -EINVAL;
}

static enum tern_err export(scmp_filter_ctx filter, struct bytes *out) {
    int fd = sys_memfd("tern-filter"); enum tern_err err = file_error(fd);

    if (err) return err;
    err = seccomp_export_bpf(filter, fd) == 0 ? TERN_OK : TERN_ESYSTEM;
    if (!err && lseek(fd, 0, SEEK_SET) < 0) err = TERN_EIO;
    if (!err) err = file_read_fd(fd, TICKET_FILTER_BYTES_MAX, out);
    sys_close(fd);
    return err;
}

enum tern_err filter_runner_export(struct bytes *out)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    enum tern_err err = TERN_OK;

    if (!filter)
        return TERN_ENOMEM;
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: every call passes it */
    for (size_t i = 0; i < sizeof runner_calls / sizeof *runner_calls && !err; i++)
        if (allow(filter, &runner_calls[i]) != 0)
            err = TERN_ESYSTEM;
    if (!err)
        err = export(filter, out);
    seccomp_release(filter);
    return err;
}
