#include "sim/program_sim.h"

#include "base/little.h"
#include "base/prng.h"
#include "base/xxh64.h"

#include <stdlib.h>
#include <string.h>

static bool set(struct program_args *a, const char *name, size_t size, uint64_t value)
{
    struct {
        const char *name;
        uint64_t *to;
    } const known[] = {{"seed", &a->seed},   {"steps", &a->steps}, {"line", &a->line},
                       {"pages", &a->pages}, {"input", &a->input}, {"trap", &a->trap}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size && memcmp(known[i].name, name, size) == 0) {
            *known[i].to = value;
            return true;
        }
    if (size == 4 && memcmp(name, "each", size) == 0)
        a->each_ns = (int64_t)value;
    else if (size == 4 && memcmp(name, "code", size) == 0)
        a->code = (int32_t)value;
    else
        return false;
    return true;
}

bool program_parse(char *const *args, size_t count, struct program_args *out)
{
    *out = (struct program_args){.steps = 1, .line = 1, .pages = 1, .each_ns = 1000000};
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(args[i], '=');
        char *end = NULL;
        const uint64_t value = equals ? strtoull(equals + 1, &end, 10) : 0;

        if (!equals || *end || !set(out, args[i], (size_t)(equals - args[i]), value))
            return false;
    }
    return out->line > 0 && out->pages > 0 && out->each_ns > 0;
}

void program_begin(struct program *p, const struct program_args *args, uint64_t files_sum)
{
    *p = (struct program){.args = *args, .sum = args->seed ^ files_sum};
}

uint64_t program_files(uint64_t sum, const char *path, struct view content)
{
    return xxh64_of(content.data, content.size, xxh64_of(path, strlen(path), sum));
}

bool program_over(const struct program *p)
{
    return p->step >= p->args.steps && (!p->args.input || p->input_over);
}

bool program_traps(const struct program *p)
{
    return p->args.trap && p->step >= p->args.trap;
}

uint64_t program_needs(const struct program *p)
{
    return p->input_over ? 0 : p->args.input;
}

void program_step(struct program *p, struct view input, struct bytes *output, struct bytes *error)
{
    const size_t before = output->size, error_before = error->size;

    p->sum = xxh64_of(input.data, input.size, p->sum + p->step);
    p->input_bytes += input.size;
    p->input_over |= input.size < program_needs(p);
    p->step++;
    if (p->step % p->args.line == 0 || program_over(p))
        bytes_appendf(output, "step %llu sum %016llx\n", (unsigned long long)p->step,
                      (unsigned long long)p->sum);
    if (p->step % (16 * p->args.line) == 0)
        bytes_appendf(error, "at step %llu\n", (unsigned long long)p->step);
    p->output_bytes += output->size - before;
    p->error_bytes += error->size - error_before;
}

void program_save(const struct program *p, uint8_t out[PROGRAM_STATE_BYTES])
{
    const uint64_t state[] = {p->step,        p->sum,         p->output_bytes,
                              p->error_bytes, p->input_bytes, p->input_over};

    for (size_t i = 0; i < sizeof state / sizeof *state; i++)
        little_put(out + 8 * i, state[i], 8);
}

void program_restore(struct program *p, const struct program_args *args,
                     const uint8_t in[PROGRAM_STATE_BYTES])
{
    *p = (struct program){.args = *args,
                          .step = little_get(in, 8),
                          .sum = little_get(in + 8, 8),
                          .output_bytes = little_get(in + 16, 8),
                          .error_bytes = little_get(in + 24, 8),
                          .input_bytes = little_get(in + 32, 8),
                          .input_over = little_get(in + 40, 8) != 0};
}

void program_page(const struct program *p, uint64_t n, uint8_t out[PROGRAM_PAGE_BYTES])
{
    const uint64_t pages = p->args.pages, round = p->step / pages;
    const uint64_t written = n < p->step % pages ? round + 1 : round; /* times */
    struct prng bytes;

    prng_seed(&bytes, p->args.seed ^ (n << 32) ^ written, "page");
    prng_fill(&bytes, out, PROGRAM_PAGE_BYTES);
}

void program_file(const struct program *p, const char *path, struct bytes *out)
{
    bytes_appendf(out, "%s: %llu steps, sum %016llx\n", path, (unsigned long long)p->step,
                  (unsigned long long)p->sum);
}

void program_run(struct program *p, struct view input, struct bytes *output, struct bytes *error)
{
    while (!program_over(p) && !program_traps(p)) {
        const size_t needs = (size_t)program_needs(p);
        const struct view part = view_of(input.data, needs < input.size ? needs : input.size);

        program_step(p, part, output, error);
        input = view_of(input.data + part.size, input.size - part.size);
    }
}
