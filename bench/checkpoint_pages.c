/* Waits for a line, fills MIB mebibytes with noise; for each further line with a number writes a
 * word into that share of its pages (per cent), scattered, and answers. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_WORDS = 512 };

static uint64_t noise(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

int main(int argc, char **argv)
{
    const size_t pages = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * 256;
    uint64_t state = 88172645463325252u;
    volatile uint64_t *memory = aligned_alloc(PAGE_WORDS * 8, pages * PAGE_WORDS * 8);
    unsigned percent;

    if (!memory || scanf("%u", &percent) != 1)
        return 1;
    for (size_t i = 0; i < pages * PAGE_WORDS; i++)
        memory[i] = noise(&state);
    puts("ready");
    fflush(stdout);
    while (scanf("%u", &percent) == 1) {
        const uint64_t count = (uint64_t)pages * percent / 100;

        for (uint64_t i = 0; i < count; i++)
            memory[(i * pages / count) * PAGE_WORDS + noise(&state) % PAGE_WORDS] = noise(&state);
        printf("%llu\n", (unsigned long long)count);
        fflush(stdout);
    }
    return 0;
}
