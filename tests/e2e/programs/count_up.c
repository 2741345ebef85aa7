/* So many lines, each after some work, with what it has come to. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const int lines = argc > 1 ? atoi(argv[1]) : 10;
    uint64_t x = 1;

    for (int i = 0; i < lines; i++) {
        for (long k = 0; k < 50000000; k++)
            x = x * 6364136223846793005u + 1442695040888963407u;
        printf("%d %llx\n", i, (unsigned long long)x);
        fflush(stdout);
    }
    return 0;
}
