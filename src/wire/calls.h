/*
 * calls - the table of host calls: number, name, signature. One row per function that a program
 * can import from wasi_snapshot_preview1.
 *
 * Numbers stand in recordings and images: they never change, and none is used again.
 * Signatures are in tern_rt.h's letters, parameters '>' results.
 */
#ifndef TERN_WIRE_CALLS_H
#define TERN_WIRE_CALLS_H

#define HOST_CALLS(CALL)                                                                           \
    CALL(1, args_get, "ii>i")                                                                      \
    CALL(2, args_sizes_get, "ii>i")                                                                \
    CALL(3, environ_get, "ii>i")                                                                   \
    CALL(4, environ_sizes_get, "ii>i")                                                             \
    CALL(5, clock_res_get, "ii>i")                                                                 \
    CALL(6, clock_time_get, "iIi>i")                                                               \
    CALL(7, fd_advise, "iIIi>i")                                                                   \
    CALL(8, fd_allocate, "iII>i")                                                                  \
    CALL(9, fd_close, "i>i")                                                                       \
    CALL(10, fd_datasync, "i>i")                                                                   \
    CALL(11, fd_fdstat_get, "ii>i")                                                                \
    CALL(12, fd_fdstat_set_flags, "ii>i")                                                          \
    CALL(13, fd_fdstat_set_rights, "iII>i")                                                        \
    CALL(14, fd_filestat_get, "ii>i")                                                              \
    CALL(15, fd_filestat_set_size, "iI>i")                                                         \
    CALL(16, fd_filestat_set_times, "iIIi>i")                                                      \
    CALL(17, fd_pread, "iiiIi>i")                                                                  \
    CALL(18, fd_prestat_get, "ii>i")                                                               \
    CALL(19, fd_prestat_dir_name, "iii>i")                                                         \
    CALL(20, fd_pwrite, "iiiIi>i")                                                                 \
    CALL(21, fd_read, "iiii>i")                                                                    \
    CALL(22, fd_readdir, "iiiIi>i")                                                                \
    CALL(23, fd_renumber, "ii>i")                                                                  \
    CALL(24, fd_seek, "iIii>i")                                                                    \
    CALL(25, fd_sync, "i>i")                                                                       \
    CALL(26, fd_tell, "ii>i")                                                                      \
    CALL(27, fd_write, "iiii>i")                                                                   \
    CALL(28, path_create_directory, "iii>i")                                                       \
    CALL(29, path_filestat_get, "iiiii>i")                                                         \
    CALL(30, path_filestat_set_times, "iiiiIIi>i")                                                 \
    CALL(31, path_link, "iiiiiii>i")                                                               \
    CALL(32, path_open, "iiiiiIIii>i")                                                             \
    CALL(33, path_readlink, "iiiiii>i")                                                            \
    CALL(34, path_remove_directory, "iii>i")                                                       \
    CALL(35, path_rename, "iiiiii>i")                                                              \
    CALL(36, path_symlink, "iiiii>i")                                                              \
    CALL(37, path_unlink_file, "iii>i")                                                            \
    CALL(38, poll_oneoff, "iiii>i")                                                                \
    CALL(39, proc_exit, "i>")                                                                      \
    CALL(40, proc_raise, "i>i")                                                                    \
    CALL(41, sched_yield, ">i")                                                                    \
    CALL(42, random_get, "ii>i")                                                                   \
    CALL(43, sock_accept, "iii>i")                                                                 \
    CALL(44, sock_recv, "iiiiii>i")                                                                \
    CALL(45, sock_send, "iiiii>i")                                                                 \
    CALL(46, sock_shutdown, "ii>i")

enum host_number {
#define HOST_NUMBER(number, name, signature) HOST_##name = number,
    HOST_CALLS(HOST_NUMBER)
#undef HOST_NUMBER
        HOST_CALLS_END = 47
};

#endif
