#include "cli/record_names.h"

#include <inttypes.h>

enum { FLAGS_SHOWN_MAX = 4 };

/* By number. */
static const char *const errno_names[] = {
    "0",
    "E2BIG",
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EALREADY",
    "EBADF",
    "EBADMSG",
    "EBUSY",
    "ECANCELED",
    "ECHILD",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDEADLK",
    "EDESTADDRREQ",
    "EDOM",
    "EDQUOT",
    "EEXIST",
    "EFAULT",
    "EFBIG",
    "EHOSTUNREACH",
    "EIDRM",
    "EILSEQ",
    "EINPROGRESS",
    "EINTR",
    "EINVAL",
    "EIO",
    "EISCONN",
    "EISDIR",
    "ELOOP",
    "EMFILE",
    "EMLINK",
    "EMSGSIZE",
    "EMULTIHOP",
    "ENAMETOOLONG",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENODEV",
    "ENOENT",
    "ENOEXEC",
    "ENOLCK",
    "ENOLINK",
    "ENOMEM",
    "ENOMSG",
    "ENOPROTOOPT",
    "ENOSPC",
    "ENOSYS",
    "ENOTCONN",
    "ENOTDIR",
    "ENOTEMPTY",
    "ENOTRECOVERABLE",
    "ENOTSOCK",
    "ENOTSUP",
    "ENOTTY",
    "ENXIO",
    "EOVERFLOW",
    "EOWNERDEAD",
    "EPERM",
    "EPIPE",
    "EPROTO",
    "EPROTONOSUPPORT",
    "EPROTOTYPE",
    "ERANGE",
    "EROFS",
    "ESPIPE",
    "ESRCH",
    "ESTALE",
    "ETIMEDOUT",
    "ETXTBSY",
    "EXDEV",
    "ENOTCAPABLE",
};

static const char *const filetype_names[] = {
    "unknown",      "block_device", "character_device", "directory",
    "regular_file", "socket_dgram", "socket_stream",    "symbolic_link",
};

static const char *const event_names[] = {"clock", "fd_read", "fd_write"};

static const char *const clock_names[] = {"realtime", "monotonic", "process_cputime",
                                          "thread_cputime"};
static const char *const advice_names[] = {"normal",   "sequential", "random",
                                           "willneed", "dontneed",   "noreuse"};
static const char *const whence_names[] = {"set", "cur", "end"};
static const char *const lookup_names[] = {"symlink_follow"};
static const char *const oflag_names[] = {"creat", "directory", "excl", "trunc"};
static const char *const fdflag_names[] = {"append", "dsync", "nonblock", "rsync", "sync"};
static const char *const fstflag_names[] = {"atim", "atim_now", "mtim", "mtim_now"};
static const char *const riflag_names[] = {"recv_peek", "recv_waitall"};
static const char *const sdflag_names[] = {"rd", "wr"};
static const char *const right_names[] = {
    "fd_datasync",
    "fd_read",
    "fd_seek",
    "fd_fdstat_set_flags",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "fd_advise",
    "fd_allocate",
    "path_create_directory",
    "path_create_file",
    "path_link_source",
    "path_link_target",
    "path_open",
    "fd_readdir",
    "path_readlink",
    "path_rename_source",
    "path_rename_target",
    "path_filestat_get",
    "path_filestat_set_size",
    "path_filestat_set_times",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "path_symlink",
    "path_remove_directory",
    "path_unlink_file",
    "poll_fd_readwrite",
    "sock_shutdown",
    "sock_accept",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct {
    const char *const *name;
    size_t count;
} lists[] = {
    [CALL_CLOCKS] = {clock_names, COUNT(clock_names)},
    [CALL_ADVICES] = {advice_names, COUNT(advice_names)},
    [CALL_WHENCES] = {whence_names, COUNT(whence_names)},
    [CALL_LOOKUPS] = {lookup_names, COUNT(lookup_names)},
    [CALL_OFLAGS] = {oflag_names, COUNT(oflag_names)},
    [CALL_FDFLAGS] = {fdflag_names, COUNT(fdflag_names)},
    [CALL_FSTFLAGS] = {fstflag_names, COUNT(fstflag_names)},
    [CALL_RIGHTS] = {right_names, COUNT(right_names)},
    [CALL_RIFLAGS] = {riflag_names, COUNT(riflag_names)},
    [CALL_SIFLAGS] = {NULL, 0},
    [CALL_SDFLAGS] = {sdflag_names, COUNT(sdflag_names)},
};

const char *record_errno_name(uint32_t number)
{
    return number < COUNT(errno_names) ? errno_names[number] : "?";
}

const char *record_filetype_name(uint32_t type)
{
    return type < COUNT(filetype_names) ? filetype_names[type] : "?";
}

const char *record_event_name(uint32_t type)
{
    return type < COUNT(event_names) ? event_names[type] : "?";
}

void record_code_name(struct bytes *out, enum call_names list, uint64_t value)
{
    if (value < lists[list].count)
        bytes_append_text(out, lists[list].name[value]);
    else
        bytes_appendf(out, "%" PRIu64, value);
}

void record_flag_names(struct bytes *out, enum call_names list, uint64_t value)
{
    const char *between = "";

    if (value == 0)
        bytes_append_text(out, "0");
    else if (value >> lists[list].count || __builtin_popcountll(value) > FLAGS_SHOWN_MAX)
        bytes_appendf(out, "0x%" PRIx64, value);
    else
        for (size_t i = 0; i < lists[list].count; i++) {
            if (!(value >> i & 1))
                continue;
            bytes_appendf(out, "%s%s", between, lists[list].name[i]);
            between = "|";
        }
}
