/* wasi_errno - the kernel's error numbers in WASI's words. */
#ifndef TERN_RUNNER_WASI_ERRNO_H
#define TERN_RUNNER_WASI_ERRNO_H

#include "runner/wasi.h"

/* 0 is success; what WASI has no word for is IO. */
enum wasi_errno wasi_errno_from(int host_errno);

#endif
