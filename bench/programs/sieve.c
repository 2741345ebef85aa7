/* sieve - the primes below 16 million, again and again: bytes, far apart in memory. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 16000000 };

static void strike(uint8_t *composite)
{
    memset(composite, 0, LIMIT);
    for (int i = 2; i * i < LIMIT; i++)
        if (!composite[i])
            for (int k = i * i; k < LIMIT; k += i)
                composite[k] = 1;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint8_t *composite = malloc(LIMIT);
    long count = 0;
    int last = 0;

    if (!composite)
        return 1;
    for (int r = 0; r < rounds; r++) {
        strike(composite);
        for (int i = 2; i < LIMIT; i++) {
            if (!composite[i]) {
                count++;
                last = i;
            }
        }
    }
    printf("sieve %d: %ld primes, the last %d\n", rounds, count, last);
    free(composite);
    return 0;
}
