/* format - snprintf of numbers and words: this compares C libraries as well as code. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    static const char *const bird[] = {"tern", "skua", "gannet", "puffin", "guillemot"};
    int lines = argc > 1 ? atoi(argv[1]) : 10000;
    uint32_t sum = 0;
    long bytes = 0;
    char line[160];

    for (int i = 0; i < lines; i++) {
        int n =
            snprintf(line, sizeof line, "%8d %-12s %08x %.3f %+e %c|%5.1f%%\n", i, bird[i % 5],
                     (unsigned)i * 2654435761u, i / 7.0, i * 1e-3, 'a' + i % 26, i % 1000 / 10.0);

        bytes += n;
        for (int k = 0; k < n; k++)
            sum = sum * 31 + (uint8_t)line[k];
    }
    printf("format %d: %ld bytes, sum %08x\n", lines, bytes, sum);
    return 0;
}
