/*
 * rt_modules - modules as the translator would have written them, by hand, for tests of src/rt.
 */
#ifndef TERN_TEST_RT_MODULES_H
#define TERN_TEST_RT_MODULES_H

#include "rt/instance.h"

/*
 * provider: exports table "t" (funcref, 4 to 8, [1] is add), memory "m" (1 to 3 pages), globals
 * "g" (i32 const 7) and "v" (i64 var), functions "add" (i32 i32 -> i32), "peek" (i32 -> i32),
 * "recurse" (-> ) and "stop" (-> ) which traps.
 */
extern const struct tern_module rt_provider;

/*
 * consumer: imports all but "stop" from module "p", host function "h" "log" (i32 ->), has table
 * "own" (externref, from 2), passive element and data segments and two active ones of each.
 */
extern const struct tern_module rt_consumer;

/* The module's bytes that rt_consumer's data segments name. */
extern const uint8_t rt_source[16];

#endif
