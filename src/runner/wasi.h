/*
 * wasi - the numbers of WASI preview 1 (wasi_snapshot_preview1).
 *
 * Source   WebAssembly/WASI, phases/snapshot/witx: typenames.witx. Layouts of structures are
 *          given as offsets, since the guest's are little-endian and packed as on wasm32.
 */
#ifndef TERN_RUNNER_WASI_H
#define TERN_RUNNER_WASI_H

#include <stdint.h>

#define WASI_ERRNOS(X)                                                                             \
    X(SUCCESS, 0)                                                                                  \
    X(2BIG, 1)                                                                                     \
    X(ACCES, 2)                                                                                    \
    X(ADDRINUSE, 3) X(ADDRNOTAVAIL, 4) X(AFNOSUPPORT, 5) X(AGAIN, 6) X(ALREADY, 7) X(BADF, 8) X(   \
        BADMSG, 9) X(BUSY, 10) X(CANCELED, 11) X(CHILD, 12) X(CONNABORTED, 13) X(CONNREFUSED, 14)  \
        X(CONNRESET, 15) X(DEADLK, 16) X(DESTADDRREQ, 17) X(DOM, 18) X(DQUOT, 19) X(EXIST, 20)     \
            X(FAULT, 21) X(FBIG, 22) X(HOSTUNREACH, 23) X(IDRM, 24) X(ILSEQ, 25) X(INPROGRESS, 26) \
                X(INTR, 27) X(INVAL, 28) X(IO, 29) X(ISCONN, 30) X(ISDIR, 31) X(LOOP, 32)          \
                    X(MFILE, 33) X(MLINK, 34) X(MSGSIZE, 35) X(MULTIHOP, 36) X(NAMETOOLONG, 37)    \
                        X(NETDOWN, 38) X(NETRESET, 39) X(NETUNREACH, 40) X(NFILE, 41)              \
                            X(NOBUFS, 42) X(NODEV, 43) X(NOENT, 44) X(NOEXEC, 45) X(NOLCK, 46)     \
                                X(NOLINK, 47) X(NOMEM, 48) X(NOMSG, 49) X(NOPROTOOPT, 50)          \
                                    X(NOSPC, 51) X(NOSYS, 52) X(NOTCONN, 53) X(NOTDIR, 54)         \
                                        X(NOTEMPTY, 55) X(NOTRECOVERABLE, 56) X(NOTSOCK, 57)       \
                                            X(NOTSUP, 58) X(NOTTY, 59) X(NXIO, 60) X(OVERFLOW, 61) \
                                                X(OWNERDEAD, 62) X(PERM, 63) X(PIPE, 64)           \
                                                    X(PROTO, 65) X(PROTONOSUPPORT, 66)             \
                                                        X(PROTOTYPE, 67) X(RANGE, 68) X(ROFS, 69)  \
                                                            X(SPIPE, 70) X(SRCH, 71) X(STALE, 72)  \
                                                                X(TIMEDOUT, 73) X(TXTBSY, 74)      \
                                                                    X(XDEV, 75) X(NOTCAPABLE, 76)

enum wasi_errno {
#define WASI_ERRNO_ENUM(name, number) WASI_E_##name = number,
    WASI_ERRNOS(WASI_ERRNO_ENUM)
#undef WASI_ERRNO_ENUM
};

#define WASI_RIGHT(bit) ((uint64_t)1 << (bit))

#define RIGHT_FD_DATASYNC             WASI_RIGHT(0)
#define RIGHT_FD_READ                 WASI_RIGHT(1)
#define RIGHT_FD_SEEK                 WASI_RIGHT(2)
#define RIGHT_FD_FDSTAT_SET_FLAGS     WASI_RIGHT(3)
#define RIGHT_FD_SYNC                 WASI_RIGHT(4)
#define RIGHT_FD_TELL                 WASI_RIGHT(5)
#define RIGHT_FD_WRITE                WASI_RIGHT(6)
#define RIGHT_FD_ADVISE               WASI_RIGHT(7)
#define RIGHT_FD_ALLOCATE             WASI_RIGHT(8)
#define RIGHT_PATH_CREATE_DIRECTORY   WASI_RIGHT(9)
#define RIGHT_PATH_CREATE_FILE        WASI_RIGHT(10)
#define RIGHT_PATH_LINK_SOURCE        WASI_RIGHT(11)
#define RIGHT_PATH_LINK_TARGET        WASI_RIGHT(12)
#define RIGHT_PATH_OPEN               WASI_RIGHT(13)
#define RIGHT_FD_READDIR              WASI_RIGHT(14)
#define RIGHT_PATH_READLINK           WASI_RIGHT(15)
#define RIGHT_PATH_RENAME_SOURCE      WASI_RIGHT(16)
#define RIGHT_PATH_RENAME_TARGET      WASI_RIGHT(17)
#define RIGHT_PATH_FILESTAT_GET       WASI_RIGHT(18)
#define RIGHT_PATH_FILESTAT_SET_SIZE  WASI_RIGHT(19)
#define RIGHT_PATH_FILESTAT_SET_TIMES WASI_RIGHT(20)
#define RIGHT_FD_FILESTAT_GET         WASI_RIGHT(21)
#define RIGHT_FD_FILESTAT_SET_SIZE    WASI_RIGHT(22)
#define RIGHT_FD_FILESTAT_SET_TIMES   WASI_RIGHT(23)
#define RIGHT_PATH_SYMLINK            WASI_RIGHT(24)
#define RIGHT_PATH_REMOVE_DIRECTORY   WASI_RIGHT(25)
#define RIGHT_PATH_UNLINK_FILE        WASI_RIGHT(26)
#define RIGHT_POLL_FD_READWRITE       WASI_RIGHT(27)
#define RIGHT_SOCK_SHUTDOWN           WASI_RIGHT(28)
#define RIGHT_SOCK_ACCEPT             WASI_RIGHT(29)

/* What can be done at all with each kind of descriptor. */
#define RIGHTS_FILE                                                                                \
    (RIGHT_FD_DATASYNC | RIGHT_FD_READ | RIGHT_FD_SEEK | RIGHT_FD_FDSTAT_SET_FLAGS |               \
     RIGHT_FD_SYNC | RIGHT_FD_TELL | RIGHT_FD_WRITE | RIGHT_FD_ADVISE | RIGHT_FD_ALLOCATE |        \
     RIGHT_FD_FILESTAT_GET | RIGHT_FD_FILESTAT_SET_SIZE | RIGHT_FD_FILESTAT_SET_TIMES |            \
     RIGHT_POLL_FD_READWRITE)
#define RIGHTS_STREAM                                                                              \
    (RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_FILESTAT_GET |          \
     RIGHT_POLL_FD_READWRITE)
#define RIGHTS_SOCKET (RIGHTS_STREAM | RIGHT_SOCK_SHUTDOWN | RIGHT_SOCK_ACCEPT)
#define RIGHTS_DIR                                                                                 \
    (RIGHT_PATH_CREATE_DIRECTORY | RIGHT_PATH_CREATE_FILE | RIGHT_PATH_LINK_SOURCE |               \
     RIGHT_PATH_LINK_TARGET | RIGHT_PATH_OPEN | RIGHT_FD_READDIR | RIGHT_PATH_READLINK |           \
     RIGHT_PATH_RENAME_SOURCE | RIGHT_PATH_RENAME_TARGET | RIGHT_PATH_FILESTAT_GET |               \
     RIGHT_PATH_FILESTAT_SET_SIZE | RIGHT_PATH_FILESTAT_SET_TIMES | RIGHT_FD_FILESTAT_GET |        \
     RIGHT_FD_FILESTAT_SET_TIMES | RIGHT_PATH_SYMLINK | RIGHT_PATH_REMOVE_DIRECTORY |              \
     RIGHT_PATH_UNLINK_FILE)

enum wasi_filetype {
    FILETYPE_UNKNOWN,
    FILETYPE_BLOCK_DEVICE,
    FILETYPE_CHARACTER_DEVICE,
    FILETYPE_DIRECTORY,
    FILETYPE_REGULAR_FILE,
    FILETYPE_SOCKET_DGRAM,
    FILETYPE_SOCKET_STREAM,
    FILETYPE_SYMBOLIC_LINK,
};

enum wasi_fdflags {
    FDFLAG_APPEND = 1 << 0,
    FDFLAG_DSYNC = 1 << 1,
    FDFLAG_NONBLOCK = 1 << 2,
    FDFLAG_RSYNC = 1 << 3,
    FDFLAG_SYNC = 1 << 4,
    FDFLAGS_ALL = (1 << 5) - 1,
};

enum wasi_oflags {
    OFLAG_CREAT = 1 << 0,
    OFLAG_DIRECTORY = 1 << 1,
    OFLAG_EXCL = 1 << 2,
    OFLAG_TRUNC = 1 << 3,
    OFLAGS_ALL = (1 << 4) - 1,
};

enum wasi_fstflags {
    FSTFLAG_ATIM = 1 << 0,
    FSTFLAG_ATIM_NOW = 1 << 1,
    FSTFLAG_MTIM = 1 << 2,
    FSTFLAG_MTIM_NOW = 1 << 3,
    FSTFLAGS_ALL = (1 << 4) - 1,
};

enum { LOOKUP_SYMLINK_FOLLOW = 1 };
enum { WHENCE_SET, WHENCE_CUR, WHENCE_END };
enum { CLOCKID_REALTIME, CLOCKID_MONOTONIC, CLOCKID_PROCESS_CPU, CLOCKID_THREAD_CPU };
enum { EVENTTYPE_CLOCK, EVENTTYPE_FD_READ, EVENTTYPE_FD_WRITE };
enum { SUBCLOCK_ABSTIME = 1, EVENT_HANGUP = 1 };
enum { RIFLAG_PEEK = 1, RIFLAG_WAITALL = 2, ROFLAG_TRUNCATED = 1 };
enum { SDFLAG_RD = 1, SDFLAG_WR = 2 };

/* Sizes of the guest's structures. */
enum {
    IOVEC_BYTES = 8,
    FDSTAT_BYTES = 24,
    FILESTAT_BYTES = 64,
    PRESTAT_BYTES = 8,
    DIRENT_BYTES = 24,
    SUBSCRIPTION_BYTES = 48,
    EVENT_BYTES = 32,
};

#endif
