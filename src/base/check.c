#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "tern: internal error at %s:%d: %s does not hold; please report this\n", file,
            line, what);
    abort();
}
