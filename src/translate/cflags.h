/*
 * cflags - what every compiler of generated code is told, in one table.
 *
 * X(family, flag), family one of ANY, GCC, CLANG. Level, processor, line numbers and output are
 * the caller's. Used for the cache's objects and, read as text, by tests/conformance/run.py: what
 * is tested is what runs.
 */
#ifndef TERN_TRANSLATE_CFLAGS_H
#define TERN_TRANSLATE_CFLAGS_H

/* clang-format off */
/* What the meaning of the generated C rests on. */
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
    X(GCC, "-fnon-call-exceptions") /* a load traps even where its result is not used: the next */ \
    X(GCC, "-fno-delete-dead-exceptions")    /* two keep it, and keep it from moving behind a */   \
    X(GCC, "-fno-tree-sink")                 /* branch; clang has TERN_KEEP for that instead */    \
    X(GCC, "-DTERN_LOADS_TRAP")

/* Left out where a compiler does not know them. */
#define TRANSLATE_OPTIONAL_CFLAGS(X)                                                               \
    X(ANY, "-fno-finite-loops")        /* an endless loop without effects stays one */             \
    X(ANY, "-fstack-clash-protection") /* large frames touch the guard page, not beyond */         \
    X(ANY, "-fno-stack-protector")                                                                 \
    X(ANY, "-fcf-protection=none")                                                                 \
    X(ANY, "-fno-asynchronous-unwind-tables")                                                      \
    X(GCC, "--param=max-inline-insns-auto=30") /* as at -O3: what saves frames counts as */        \
    X(GCC, "--param=inline-min-speedup=15")    /* size and as time, though it never runs */
/* clang-format on */

#endif
