#include "base/error.h"

#include <tern/tern.h>

/* What tern.h says of errors is what base/error.h says. */
#define SAME(name, number, text) _Static_assert(name == number, #name " has another number here");
TERN_PUBLIC_ERRORS(SAME)
#undef SAME
