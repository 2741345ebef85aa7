/*
 * program_sim - what the programs of the simulator do: they count, and say how far they are.
 *
 * Meaning  By its arguments, NAME=NUMBER: seed; steps; each (ns that a step takes); line (a line of
 *          output every so many steps); pages (of memory: step s writes page s % pages); input (it
 *          reads so many bytes in each step, until there are no more: 0 reads none); trap (at that
 *          step); code (its exit code). What it is given as files and reads goes into its sum,
 *          which each line says: a lost or doubled byte, a wrong checkpoint cannot stay hidden.
 * Pure     No time: engine_sim.h gives steps when these are due.
 */
#ifndef TERN_SIM_PROGRAM_SIM_H
#define TERN_SIM_PROGRAM_SIM_H

#include "base/bytes.h"

enum { PROGRAM_PAGE_BYTES = 512, PROGRAM_STATE_BYTES = 6 * 8, PROGRAM_LINE_MAX = 96 };

struct program_args {
    uint64_t seed, steps, line, pages, input, trap;
    int64_t each_ns;
    int32_t code;
};

struct program {
    struct program_args args;
    uint64_t step, sum;
    uint64_t output_bytes, error_bytes, input_bytes;
    bool input_over; /* it saw the end of its input */
};

/* False: that is no such program; every argument has its number, or a default. */
bool program_parse(char *const *args, size_t count, struct program_args *out);
/* `sum` of what it was given as files: program_files. */
void program_begin(struct program *p, const struct program_args *args, uint64_t files_sum);
uint64_t program_files(uint64_t sum, const char *path, struct view content);

bool program_over(const struct program *p);
bool program_traps(const struct program *p);
/* So many bytes are needed for the next step, unless input ends. */
uint64_t program_needs(const struct program *p);
/* One step, with that much input (fewer than needed: that was all). Appends what it writes. */
void program_step(struct program *p, struct view input, struct bytes *output, struct bytes *error);

void program_save(const struct program *p, uint8_t out[PROGRAM_STATE_BYTES]);
void program_restore(struct program *p, const struct program_args *args,
                     const uint8_t in[PROGRAM_STATE_BYTES]);
/* Page n as it is now. */
void program_page(const struct program *p, uint64_t n, uint8_t out[PROGRAM_PAGE_BYTES]);
/* What it leaves in a file that it was to make. */
void program_file(const struct program *p, const char *path, struct bytes *out);

/* The whole of it: all input there from the beginning. */
void program_run(struct program *p, struct view input, struct bytes *output, struct bytes *error);

#endif
