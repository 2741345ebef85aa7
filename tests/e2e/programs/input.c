/*
 * Reads its standard input in blocks of 7 bytes, however it comes, and prints a line for each (or
 * for every n-th, if there is a second argument) that depends on all that was read so far. The
 * first argument: blocks  that, up to the end; stay    the same, then says again and again what one
 * more read gives; poll    says when there is something to read, then reads it, once each.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 7 };

static unsigned every = 1;

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static size_t read_block(unsigned char block[BLOCK_BYTES])
{
    size_t have = 0;
    ssize_t got;

    while (have < BLOCK_BYTES && (got = read(0, block + have, BLOCK_BYTES - have)) > 0)
        have += (size_t)got;
    return have;
}

static void blocks(void)
{
    unsigned char block[BLOCK_BYTES];
    uint64_t value = 1;
    size_t got;

    for (unsigned i = 0; (got = read_block(block)) > 0; i++) {
        for (size_t k = 0; k < got; k++)
            value = mix(value + block[k]);
        if ((i + 1) % every == 0)
            printf("block %u %zu %016llx\n", i, got, (unsigned long long)value);
        fflush(stdout);
    }
    printf("end %016llx\n", (unsigned long long)value);
}

static void stay(void)
{
    char more;

    blocks();
    for (;;) {
        printf("after the end: %d\n", (int)read(0, &more, 1));
        fflush(stdout);
        poll(NULL, 0, 20);
    }
}

static void polls(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char text[BLOCK_BYTES + 1];
    ssize_t got;

    do {
        poll(&input, 1, -1);
        printf("ready\n");
        fflush(stdout);
        got = read(0, text, BLOCK_BYTES);
        printf("%.*s\n", got > 0 ? (int)got : 0, text);
        fflush(stdout);
    } while (got > 0);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (argc > 2)
        every = (unsigned)atoi(argv[2]);
    if (strcmp(what, "stay") == 0)
        stay();
    else if (strcmp(what, "poll") == 0)
        polls();
    else
        blocks();
    return 0;
}
