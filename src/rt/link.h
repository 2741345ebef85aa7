/*
 * link - whether something may stand for an import, and how instances offer what they export.
 *
 * Source   WebAssembly Core Specification 2.0, section 4.5.1 (External Typing) and 3.4 (Import
 *          Matching).
 */
#ifndef TERN_RT_LINK_H
#define TERN_RT_LINK_H

#include "rt/instance.h"

/* types and keys are those of the importing module. */
bool link_matches(const struct tern_import *import, const struct tern_type *types,
                  const uint64_t *keys, const struct rt_extern *met);

#endif
