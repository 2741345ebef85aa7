/*
 * module_json - a module's description as JSON, on standard output.
 */
#ifndef TERN_CLI_MODULE_JSON_H
#define TERN_CLI_MODULE_JSON_H

#include "wasm/module.h"

/* False if memory ran out. */
bool module_json_print(const char *path, const struct wasm_module *m);

#endif
