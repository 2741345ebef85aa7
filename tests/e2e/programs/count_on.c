/* Takes numbers from standard input, one a line; each changes what it remembers, which it prints. */
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 1 << 16 };

static unsigned remembered[WORDS];

int main(void)
{
    char line[64];
    unsigned x = 1, lines = 0;

    while (fgets(line, sizeof line, stdin)) {
        unsigned n = (unsigned)atoi(line);

        for (unsigned i = 0; i < 1000 * n; i++) {
            x = x * 1664525u + 1013904223u;
            remembered[x >> 16] += x ^ n;
        }
        printf("%u %u %u\n", ++lines, x, remembered[x >> 16]);
        fflush(stdout);
    }
    fprintf(stderr, "%u lines\n", lines);
    return 7;
}
