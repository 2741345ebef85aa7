/*
 * names - the function names of the custom section "name".
 *
 * Does     Fills wasm_func.name. A broken section leaves all of them empty.
 * Source   WebAssembly Core Specification 2.0, appendix, Custom Sections.
 */
#ifndef TERN_WASM_NAMES_H
#define TERN_WASM_NAMES_H

#include "wasm/module.h"

void names_decode(struct wasm_module *m);

#endif
