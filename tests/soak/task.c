/*
 * task - what tests/soak/pool.py gives to a pool: each kind has an answer that follows from ITEM.
 *
 *     task noop ITEM         one line
 *     task compute ITEM      lines while it computes, how long follows from the number ITEM
 *     task files ITEM        reads in.txt, writes out.txt: as long, changed by what it computed
 *
 * A plain C program: built for the machine itself it says what is right.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CLASSES
#define CLASSES 16 /* of tasks, by how long they take */
#endif

enum { LINES = 8, MEMORY = 1 << 16, LEAST = 40000000, MORE = 8000000 };

static uint32_t memory[MEMORY];

/* Of one line. All lines of the first class take about 0.05 s, of the last one 2 s. */
static uint32_t rounds_of(uint32_t class)
{
    return (LEAST + MORE * class * class) / LINES;
}

static uint32_t churn(uint32_t seed, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        seed = seed * 1664525u + 1013904223u;
        memory[seed >> 16] += seed ^ memory[(seed >> 8) & (MEMORY - 1)];
    }
    return memory[seed >> 16];
}

static int compute(const char *item, uint32_t class)
{
    uint32_t sum = class + 1;

    for (int line = 1; line <= LINES; line++) {
        sum = churn(sum, rounds_of(class));
        printf("%s: line %d of %d: %08x\n", item, line, LINES, sum);
        fflush(stdout);
    }
    fprintf(stderr, "%s: computed\n", item);
    return 0;
}

/* Output is input, each byte changed by what was computed. */
static int files(const char *item, uint32_t class)
{
    FILE *in = fopen("in.txt", "rb"), *out = fopen("out.txt", "wb");
    uint32_t sum = churn(class + 1, rounds_of(class));
    unsigned long bytes = 0;
    int c;

    if (!in || !out) {
        perror(in ? "out.txt" : "in.txt");
        return 4;
    }
    for (; (c = getc(in)) != EOF; bytes++) {
        sum = sum * 1664525u + 1013904223u;
        putc(c ^ (int)(sum >> 24), out);
    }
    printf("%s: %lu bytes, %08x\n", item, bytes, sum);
    return fclose(in) | fclose(out) ? 5 : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 3 ? argv[1] : "", *item = argc == 3 ? argv[2] : "";
    const uint32_t class = (uint32_t)atoi(item) % CLASSES;

    if (strcmp(what, "noop") == 0)
        return printf("%s: nothing to do\n", item) < 0;
    if (strcmp(what, "compute") == 0)
        return compute(item, class);
    if (strcmp(what, "files") == 0)
        return files(item, class);
    return 2;
}
