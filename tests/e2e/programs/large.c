/*
 * Much memory, stopped before a line is read; then the kernel is the first to touch pages of it,
 * for reading and for writing, and all of it is compared. Prints what it read, a page, and a sum.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 8192, SHOWN = 5000, HOLE = 3000 }; /* HOLE: a page that stays zero */

static uint32_t mixed(uint32_t i)
{
    i = (i ^ i >> 15) * 2246822519u;
    return i ^ i >> 13;
}

static void insist(int fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "wrong: %s\n", what);
        exit(1);
    }
}

int main(void)
{
    uint32_t *memory = aligned_alloc(PAGE, (size_t)PAGES * PAGE);
    char *far = (char *)memory + (size_t)4000 * PAGE + 100;
    uint64_t sum = 0;
    ssize_t size;
    char byte;

    insist(memory != NULL, "memory");
    for (uint32_t i = 0; i < PAGES * PAGE / 4; i++)
        if (i / (PAGE / 4) % HOLE)
            memory[i] = mixed(i);
    puts("filled");
    fflush(stdout);
    insist(read(0, &byte, 1) == 1, "the first byte");
    size = read(0, far, 3 * PAGE); /* into pages that nobody has touched */
    insist(size > 0, "the line");
    insist(write(1, far, (size_t)size) == size, "what was read");
    insist(write(1, (char *)memory + (size_t)6001 * PAGE + 7, SHOWN) == SHOWN, "a page");
    for (uint32_t i = 0; i < PAGES * PAGE / 4; i++)
        sum = sum * 31 + memory[i];
    printf("\n%016llx\n", (unsigned long long)sum);
    return 0;
}
