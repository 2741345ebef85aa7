/*
 * confine - runs a compiler in a box: its work directory to write in, the system to read, limits
 * on memory, time and files, no network, no other processes.
 *
 * The C that a compiler sees was written by our translator for a module that somebody else wrote;
 * compilers are not made to withstand that. So `tern confine` (hidden; this executable again)
 * gives up rights and then becomes the compiler.
 *
 * Errors   A kernel that lacks one of the means: the others are used. One that has it and
 *          refuses: the compiler is not started.
 */
#ifndef TERN_OS_CONFINE_H
#define TERN_OS_CONFINE_H

#include <stddef.h>
#include <stdint.h>

struct confine_limits {
    uint64_t memory_bytes; /* address space of each process */
    uint64_t cpu_seconds;  /* of each process */
    uint64_t file_bytes;   /* of each file */
};

extern const struct confine_limits confine_default;

enum { CONFINE_WORDS = 7 };

/* Room for the words of a confined command in front of its own. */
struct confine_words {
    char number[3][24];
    char *word[CONFINE_WORDS];
};

/* `self` is the tern executable; both strings must outlive *out. */
void confine_prefix(const struct confine_limits *limits, const char *self, const char *work,
                    struct confine_words *out);

/* What `tern confine` does: argv is what confine_prefix and a command made. Returns on failure. */
int confine_main(int argc, char **argv);

#endif
