/*
 * suite_spectest - the module "spectest" that the test suite imports from.
 */
#ifndef TERN_SUITE_SPECTEST_H
#define TERN_SUITE_SPECTEST_H

#include "rt/instance.h"

/* memory: one page that may become two. */
bool spectest_init(struct tern_memory *memory);
bool spectest_resolve(const char *field, struct rt_extern *out);

#endif
