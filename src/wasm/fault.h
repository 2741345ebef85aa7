/*
 * fault - says where and why a module was refused.
 *
 * Reasons begin with the words of the specification's test suite; what helps a person further
 * stands in brackets behind them.
 */
#ifndef TERN_WASM_FAULT_H
#define TERN_WASM_FAULT_H

#include "wasm/module.h"

/* Fills *fault and returns false. Long reasons are cut. */
bool fault_set(struct wasm_fault *fault, uint32_t offset, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));

#endif
