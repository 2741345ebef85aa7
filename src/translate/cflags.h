/*
 * cflags - what every compiler of generated code is told, in one table.
 *
 * X(compilers, flag): GCC, CLANG or ANY. The level, the processor and the output are the caller's.
 * For the cache of objects and the conformance driver, which must test what runs.
 */
#ifndef TERN_TRANSLATE_CFLAGS_H
#define TERN_TRANSLATE_CFLAGS_H

/* clang-format off */
#define TRANSLATE_CFLAGS(X)                                                                        \
    X(ANY, "-std=gnu17")                                                                           \
    X(ANY, "-fPIC")                                                                                \
    X(ANY, "-fvisibility=hidden")                                                                  \
    X(ANY, "-fno-strict-aliasing")  /* memory is bytes, read and written as any type */            \
    X(ANY, "-fwrapv")                                                                              \
    X(ANY, "-ffp-contract=off")     /* no fused multiply-add: results are exact */                 \
    X(ANY, "-fno-math-errno")                                                                      \
    X(ANY, "-w")                                                                                   \
    X(ANY, "-pipe")                                                                                \
    X(GCC, "-fnon-call-exceptions") /* a load traps even where its result is not used: these */    \
    X(GCC, "-fno-delete-dead-exceptions")       /* keep it, and keep it from moving behind a */    \
    X(GCC, "-fno-tree-sink")                    /* branch; clang has TERN_KEEP instead */          \
    X(GCC, "-DTERN_LOADS_TRAP")
/* clang-format on */

#endif
