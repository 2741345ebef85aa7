#include "runner/wasi_errno.h"

#include <errno.h>

/* clang-format off */
#define SAME_NAMES(X)                                                                              \
    X(ACCES) X(ADDRINUSE) X(ADDRNOTAVAIL) X(AFNOSUPPORT) X(AGAIN) X(ALREADY) X(BADF) X(BADMSG)     \
    X(BUSY) X(CHILD) X(CONNABORTED) X(CONNREFUSED) X(CONNRESET) X(DEADLK) X(DESTADDRREQ) X(DOM)    \
    X(DQUOT) X(EXIST) X(FAULT) X(FBIG) X(HOSTUNREACH) X(IDRM) X(ILSEQ) X(INPROGRESS) X(INTR)       \
    X(INVAL) X(IO) X(ISCONN) X(ISDIR) X(LOOP) X(MFILE) X(MLINK) X(MSGSIZE) X(MULTIHOP)             \
    X(NAMETOOLONG) X(NETDOWN) X(NETRESET) X(NETUNREACH) X(NFILE) X(NOBUFS) X(NODEV) X(NOENT)       \
    X(NOEXEC) X(NOLCK) X(NOLINK) X(NOMEM) X(NOMSG) X(NOPROTOOPT) X(NOSPC) X(NOSYS) X(NOTCONN)      \
    X(NOTDIR) X(NOTEMPTY) X(NOTRECOVERABLE) X(NOTSOCK) X(NOTTY) X(NXIO) X(OVERFLOW) X(OWNERDEAD)   \
    X(PERM) X(PIPE) X(PROTO) X(PROTONOSUPPORT) X(PROTOTYPE) X(RANGE) X(ROFS) X(SPIPE) X(SRCH)      \
    X(STALE) X(TIMEDOUT) X(TXTBSY) X(XDEV)
/* clang-format on */

enum wasi_errno wasi_errno_from(int host_errno)
{
    switch (host_errno) {
    case 0: return WASI_E_SUCCESS;
    case E2BIG: return WASI_E_2BIG;
    case ECANCELED: return WASI_E_CANCELED;
    case EOPNOTSUPP: return WASI_E_NOTSUP;
#define SAME_NAME(name)                                                                            \
    case E##name: return WASI_E_##name;
        SAME_NAMES(SAME_NAME)
#undef SAME_NAME
    default: return WASI_E_IO;
    }
}
