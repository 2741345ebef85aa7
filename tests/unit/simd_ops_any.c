#define TERN_SIMD_ANY
#include "simd_ops.c"
