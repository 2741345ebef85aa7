#include "runner/sandbox.h"

#include "runner/end.h"
#include "runner/landlock.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capset, &header, none) < 0 && errno != ENOSYS)
        end_refused("the runner cannot give up its capabilities: %s", strerror(errno));
}

static void enclose(const struct ticket *t, const int *dirs)
{
    struct landlock_dir list[TICKET_DIRS_MAX];

    for (uint32_t i = 0; i < t->dir_count; i++)
        list[i] = (struct landlock_dir){.fd = dirs[i], .read_only = t->dirs[i].read_only};
    if (!landlock_enter(list, t->dir_count))
        end_refused("the runner cannot confine itself to its directories: %s", strerror(errno));
}

static bool kernel_filters(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static void filter_calls(struct view filter)
{
    /* The kernel wants its entries aligned, and copies them. */
    static struct sock_filter entries[TICKET_FILTER_BYTES_MAX / sizeof(struct sock_filter)];
    const struct sock_fprog program = {
        .len = (unsigned short)(filter.size / sizeof(struct sock_filter)),
        .filter = entries,
    };

    if (filter.size == 0 || !kernel_filters())
        return;
    memcpy(entries, filter.data, filter.size);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        end_refused("the kernel refuses the system call filter: %s", strerror(errno));
}

void sandbox_enter(const struct ticket *t, const int *dirs)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        end_refused("the runner cannot give up privileges: %s", strerror(errno));
    drop_capabilities();
    enclose(t, dirs);
    filter_calls(t->filter); /* last: it forbids all of the above */
}
