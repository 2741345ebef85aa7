/* One checkpoint of a program that stays stopped. */
#ifndef TERN_TEST_TAKE_ONCE_H
#define TERN_TEST_TAKE_ONCE_H

#include "os/checkpoint_take.h"

enum tern_err take_once(const struct take_order *o, struct take_done *out, struct problem *p);

#endif
