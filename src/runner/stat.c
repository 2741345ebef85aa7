#include "runner/stat.h"

#include "runner/fds.h"
#include "runner/guest.h"

#include <string.h>

/* WASI's times are unsigned: before 1970 is 1970. */
static uint64_t nanoseconds(const struct timespec *t)
{
    return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

void stat_store(uint8_t *to, const struct stat *st)
{
    memset(to, 0, FILESTAT_BYTES);
    guest_store64(to, (uint64_t)st->st_dev);
    guest_store64(to + 8, (uint64_t)st->st_ino);
    to[16] = (uint8_t)fds_filetype(st->st_mode);
    guest_store64(to + 24, (uint64_t)st->st_nlink);
    guest_store64(to + 32, (uint64_t)st->st_size);
    guest_store64(to + 40, nanoseconds(&st->st_atim));
    guest_store64(to + 48, nanoseconds(&st->st_mtim));
    guest_store64(to + 56, nanoseconds(&st->st_ctim));
}

static struct timespec time_of(bool set, bool now, uint64_t ns)
{
    if (now)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!set)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

enum wasi_errno stat_times(uint32_t flags, uint64_t atim_ns, uint64_t mtim_ns,
                           struct timespec out[2])
{
    bool atim = flags & FSTFLAG_ATIM, atim_now = flags & FSTFLAG_ATIM_NOW;
    bool mtim = flags & FSTFLAG_MTIM, mtim_now = flags & FSTFLAG_MTIM_NOW;

    if ((atim && atim_now) || (mtim && mtim_now) || flags & ~(uint32_t)FSTFLAGS_ALL)
        return WASI_E_INVAL;
    out[0] = time_of(atim, atim_now, atim_ns);
    out[1] = time_of(mtim, mtim_now, mtim_ns);
    return WASI_E_SUCCESS;
}
