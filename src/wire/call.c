#include "wire/call.h"

#include <stddef.h>
#include <string.h>

/* ---- The parameters of each call; names are those of WASI's own description ---- */

#define FD(name)                                                                                   \
    {                                                                                              \
        name, CALL_FD, 0                                                                           \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
        name, CALL_NUMBER, 0                                                                       \
    }
#define SIGNED(name)                                                                               \
    {                                                                                              \
        name, CALL_SIGNED, 0                                                                       \
    }
#define NS(name)                                                                                   \
    {                                                                                              \
        name, CALL_NS, 0                                                                           \
    }
#define CODE(name, names)                                                                          \
    {                                                                                              \
        name, CALL_CODE, names                                                                     \
    }
#define FLAGS(name, names)                                                                         \
    {                                                                                              \
        name, CALL_FLAGS, names                                                                    \
    }
#define PATH(name)                                                                                 \
    {                                                                                              \
        name, CALL_PATH, 0                                                                         \
    }
#define SEND(name)                                                                                 \
    {                                                                                              \
        name, CALL_SEND, 0                                                                         \
    }
#define RECEIVE(name)                                                                              \
    {                                                                                              \
        name, CALL_RECEIVE, 0                                                                      \
    }
#define BUFFER(name)                                                                               \
    {                                                                                              \
        name, CALL_BUFFER, 0                                                                       \
    }
#define BUFFER_IN_VAIN(name)                                                                       \
    {                                                                                              \
        name, CALL_BUFFER, 1                                                                       \
    }
#define STRINGS(name, of)                                                                          \
    {                                                                                              \
        name, CALL_STRINGS, of                                                                     \
    }
#define TEXT(name, of)                                                                             \
    {                                                                                              \
        name, CALL_TEXT, of                                                                        \
    }
#define MOVED(name)                                                                                \
    {                                                                                              \
        name, CALL_MOVED, 0                                                                        \
    }
#define GIVES(name, what)                                                                          \
    {                                                                                              \
        name, CALL_GIVES, CALL_GIVES_##what                                                        \
    }

#define PARAMS_args_get            STRINGS("argv", 0), TEXT("argv_buf", 0)
#define PARAMS_args_sizes_get      GIVES("argc", U32), GIVES("argv_buf_size", U32)
#define PARAMS_environ_get         STRINGS("environ", 1), TEXT("environ_buf", 1)
#define PARAMS_environ_sizes_get   GIVES("environc", U32), GIVES("environ_buf_size", U32)
#define PARAMS_clock_res_get       CODE("id", CALL_CLOCKS), GIVES("resolution", TIME)
#define PARAMS_clock_time_get      CODE("id", CALL_CLOCKS), NS("precision"), GIVES("time", TIME)
#define PARAMS_fd_advise           FD("fd"), NUMBER("offset"), NUMBER("len"), CODE("advice", CALL_ADVICES)
#define PARAMS_fd_allocate         FD("fd"), NUMBER("offset"), NUMBER("len")
#define PARAMS_fd_close            FD("fd")
#define PARAMS_fd_datasync         FD("fd")
#define PARAMS_fd_fdstat_get       FD("fd"), GIVES("stat", FDSTAT)
#define PARAMS_fd_fdstat_set_flags FD("fd"), FLAGS("flags", CALL_FDFLAGS)
#define PARAMS_fd_fdstat_set_rights                                                                \
    FD("fd"), FLAGS("fs_rights_base", CALL_RIGHTS), FLAGS("fs_rights_inheriting", CALL_RIGHTS)
#define PARAMS_fd_filestat_get      FD("fd"), GIVES("stat", FILESTAT)
#define PARAMS_fd_filestat_set_size FD("fd"), NUMBER("size")
#define PARAMS_fd_filestat_set_times                                                               \
    FD("fd"), NS("atim"), NS("mtim"), FLAGS("fst_flags", CALL_FSTFLAGS)
#define PARAMS_fd_pread            FD("fd"), RECEIVE("iovs"), NUMBER("offset"), MOVED("nread")
#define PARAMS_fd_prestat_get      FD("fd"), GIVES("prestat", PRESTAT)
#define PARAMS_fd_prestat_dir_name FD("fd"), BUFFER("path")
#define PARAMS_fd_pwrite           FD("fd"), SEND("iovs"), NUMBER("offset"), MOVED("nwritten")
#define PARAMS_fd_read             FD("fd"), RECEIVE("iovs"), MOVED("nread")
#define PARAMS_fd_readdir          FD("fd"), BUFFER_IN_VAIN("buf"), NUMBER("cookie"), MOVED("bufused")
#define PARAMS_fd_renumber         FD("fd"), FD("to")
#define PARAMS_fd_seek                                                                             \
    FD("fd"), SIGNED("offset"), CODE("whence", CALL_WHENCES), GIVES("newoffset", U64)
#define PARAMS_fd_sync               FD("fd")
#define PARAMS_fd_tell               FD("fd"), GIVES("offset", U64)
#define PARAMS_fd_write              FD("fd"), SEND("iovs"), MOVED("nwritten")
#define PARAMS_path_create_directory FD("fd"), PATH("path")
#define PARAMS_path_filestat_get                                                                   \
    FD("fd"), FLAGS("flags", CALL_LOOKUPS), PATH("path"), GIVES("stat", FILESTAT)
#define PARAMS_path_filestat_set_times                                                             \
    FD("fd"), FLAGS("flags", CALL_LOOKUPS), PATH("path"), NS("atim"), NS("mtim"),                  \
        FLAGS("fst_flags", CALL_FSTFLAGS)
#define PARAMS_path_link                                                                           \
    FD("old_fd"), FLAGS("old_flags", CALL_LOOKUPS), PATH("old_path"), FD("new_fd"), PATH("new_path")
#define PARAMS_path_open                                                                           \
    FD("fd"), FLAGS("dirflags", CALL_LOOKUPS), PATH("path"), FLAGS("oflags", CALL_OFLAGS),         \
        FLAGS("fs_rights_base", CALL_RIGHTS), FLAGS("fs_rights_inheriting", CALL_RIGHTS),          \
        FLAGS("fdflags", CALL_FDFLAGS), GIVES("opened_fd", FD)
#define PARAMS_path_readlink         FD("fd"), PATH("path"), BUFFER("buf"), MOVED("bufused")
#define PARAMS_path_remove_directory FD("fd"), PATH("path")
#define PARAMS_path_rename           FD("fd"), PATH("old_path"), FD("new_fd"), PATH("new_path")
#define PARAMS_path_symlink          PATH("old_path"), FD("fd"), PATH("new_path")
#define PARAMS_path_unlink_file      FD("fd"), PATH("path")
#define PARAMS_poll_oneoff                                                                         \
    {"in", CALL_SUBSCRIPTIONS, 0}, {"out", CALL_EVENTS, 0}, NUMBER("nsubscriptions"),              \
        MOVED("nevents")
#define PARAMS_proc_exit  NUMBER("rval")
#define PARAMS_proc_raise NUMBER("sig")
#define PARAMS_sched_yield                                                                         \
    {                                                                                              \
        NULL, CALL_NONE, 0                                                                         \
    }
#define PARAMS_random_get  BUFFER_IN_VAIN("buf")
#define PARAMS_sock_accept FD("fd"), FLAGS("flags", CALL_FDFLAGS), GIVES("fd", FD)
#define PARAMS_sock_recv                                                                           \
    FD("fd"), RECEIVE("ri_data"), FLAGS("ri_flags", CALL_RIFLAGS), MOVED("ro_datalen"),            \
        GIVES("ro_flags", U16)
#define PARAMS_sock_send                                                                           \
    FD("fd"), SEND("si_data"), FLAGS("si_flags", CALL_SIFLAGS), MOVED("so_datalen")
#define PARAMS_sock_shutdown FD("fd"), FLAGS("how", CALL_SDFLAGS)

static const struct call calls[HOST_CALLS_END] = {
#define ROW(number, name, signature) [number] = {#name, signature, {PARAMS_##name}},
    HOST_CALLS(ROW)
#undef ROW
};

const struct call *call_find(uint32_t number)
{
    return number < HOST_CALLS_END && calls[number].name ? &calls[number] : NULL;
}

uint32_t call_arg_count(const struct call *c)
{
    return (uint32_t)(strchr(c->signature, '>') - c->signature);
}

uint32_t call_param_args(enum call_kind kind)
{
    return kind == CALL_PATH || kind == CALL_SEND || kind == CALL_RECEIVE || kind == CALL_BUFFER
               ? 2
               : 1;
}

bool call_param_kept(enum call_kind kind)
{
    return kind == CALL_PATH || kind == CALL_SEND || kind == CALL_SUBSCRIPTIONS;
}

uint32_t call_gives_bytes(enum call_gives what)
{
    switch (what) {
    case CALL_GIVES_U16: return 2;
    case CALL_GIVES_FD:
    case CALL_GIVES_U32: return 4;
    case CALL_GIVES_U64:
    case CALL_GIVES_TIME:
    case CALL_GIVES_PRESTAT: return 8;
    case CALL_GIVES_FDSTAT: return 24;
    case CALL_GIVES_FILESTAT: return 64;
    }
    return 0;
}
