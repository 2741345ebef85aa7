/*
 * open_module - reads, decodes and validates a module for the commands that look at one.
 */
#ifndef TERN_CLI_OPEN_MODULE_H
#define TERN_CLI_OPEN_MODULE_H

#include "base/bytes.h"
#include "cli/command.h"
#include "wasm/module.h"

struct open_module {
    struct bytes bytes;
    struct wasm_module module;
};

/* False, after a line on standard error, if that is not possible. */
bool open_module(const struct invocation *in, struct open_module *out);
void close_module(struct open_module *m);

#endif
