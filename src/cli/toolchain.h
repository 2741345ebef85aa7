/*
 * toolchain - Debian's clang, lld and wasi-libc: what is there, and which package to install.
 */
#ifndef TERN_CLI_TOOLCHAIN_H
#define TERN_CLI_TOOLCHAIN_H

#include <stdbool.h>

#define WASI_INCLUDE_DIR     "/usr/include/wasm32-wasi"
#define WASI_CXX_INCLUDE_DIR "/usr/include/wasm32-wasi/c++/v1"
#define WASI_LIBRARY_DIR     "/usr/lib/wasm32-wasi"

/* The name under which clang (or clang++) is in PATH; NULL if it is not. */
const char *toolchain_clang(const char *path, bool cxx);

/* False, after one line on standard error that names the packages, if a piece is missing. */
bool toolchain_complete(const char *path, bool cxx);

#endif
