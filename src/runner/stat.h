/* stat - a file's attributes and times, between the kernel's form and the program's. */
#ifndef TERN_RUNNER_STAT_H
#define TERN_RUNNER_STAT_H

#include "runner/wasi.h"

#include <sys/stat.h>
#include <time.h>

/* FILESTAT_BYTES at to. */
void stat_store(uint8_t *to, const struct stat *st);

/* For utimensat, out of enum wasi_fstflags; INVAL if they contradict each other. */
enum wasi_errno stat_times(uint32_t flags, uint64_t atim_ns, uint64_t mtim_ns,
                           struct timespec out[2]);

#endif
