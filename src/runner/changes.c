#include "runner/changes.h"

enum call {
#define NUMBER_OF(number, name, signature) CALL_##name = (number),
    HOST_CALLS(NUMBER_OF)
#undef NUMBER_OF
};

/* Standard streams are nobody's to sync. */
static bool is_file(const struct host *h, uint32_t fd)
{
    return fd < FDS_MAX && h->fds.entry[fd].kind == STATE_FD_FILE;
}

bool changes_files(const struct host *h, uint32_t number, const union tern_cell *args)
{
    switch (number) {
    case CALL_fd_write:
    case CALL_fd_pwrite:
    case CALL_fd_allocate:
    case CALL_fd_filestat_set_size:
    case CALL_fd_filestat_set_times: return is_file(h, args[0].i32);
    case CALL_path_open: return args[4].i32 & (OFLAG_CREAT | OFLAG_TRUNC);
    case CALL_path_create_directory:
    case CALL_path_filestat_set_times:
    case CALL_path_link:
    case CALL_path_remove_directory:
    case CALL_path_rename:
    case CALL_path_symlink:
    case CALL_path_unlink_file: return true;
    default: return false;
    }
}
