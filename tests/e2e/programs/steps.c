/* A step for each line of its input: something changes in memory, in a file, on the call stack. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20, STEP = 1 << 16 };

static char *room;

/* The steps are waited for at the bottom of a recursion. */
__attribute__((noinline)) static int descend(int left, double half, int64_t sum)
{
    char line[64];
    int below;

    if (left == 0)
        return fgets(line, sizeof line, stdin) ? atoi(line) : -1;
    below = descend(left - 1, half / 2, sum + left);
    if (below >= 0)
        fprintf(stderr, "%d %g %lld\n", left, half, (long long)sum);
    return below;
}

int main(int argc, char **argv)
{
    FILE *log = argc > 1 ? fopen(argv[1], "w") : NULL;
    int depth = 3;

    room = calloc(1, ROOM);
    if (!room || (argc > 1 && !log))
        return 1;
    for (int i = 0; depth >= 0 && i < ROOM / STEP; i++) {
        memset(room + i * STEP, 'a' + i, STEP);
        if (log)
            fprintf(log, "step %d\n", i);
        if (log)
            fflush(log);
        printf("step %d\n", i);
        fflush(stdout);
        depth = descend(depth, 1.5, 1000000000000);
    }
    return depth < 0 ? 0 : 2;
}
