/* A program for records: what it does stands in its first argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So many clock readings, one a line. */
static int tick(int count)
{
    struct timespec now;

    for (int i = 0; i < count; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        printf("%d %lld.%09ld\n", i, (long long)now.tv_sec, now.tv_nsec);
        fflush(stdout);
    }
    return 0;
}

/* For ever; a line for each piece of input. */
static int echo(void)
{
    char piece[64];
    ssize_t size;

    while ((size = read(0, piece, sizeof piece)) > 0) {
        printf("%.*s!\n", (int)size, piece);
        fflush(stdout);
    }
    return 0;
}

/* Input in large pieces. */
static int slurp(void)
{
    static unsigned char piece[300000];
    unsigned long sum = 0;
    ssize_t size;

    while ((size = read(0, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < size; i++)
            sum = sum * 31 + piece[i];
        printf("%zd %lu\n", size, sum);
    }
    return 0;
}

static int spin(void)
{
    volatile unsigned n = 0;

    for (;;)
        n++;
}

static int flood(void)
{
    while (puts("0123456789 0123456789 0123456789 0123456789") >= 0)
        ;
    return 3;
}

static __attribute__((noinline)) int load(const volatile int *at)
{
    return *at;
}

/* Goes its own way by the clock: replayed with another one it does something else. */
static int fickle(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    puts(now.tv_nsec & 1 ? "odd" : "even");
    return now.tv_nsec & 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? atoi(argv[2]) : 0;

    setvbuf(stderr, NULL, _IONBF, 0);
    fprintf(stderr, "begins\n");
    if (strcmp(what, "tick") == 0)
        return tick(number);
    if (strcmp(what, "echo") == 0)
        return echo();
    if (strcmp(what, "slurp") == 0)
        return slurp();
    if (strcmp(what, "spin") == 0)
        return spin();
    if (strcmp(what, "flood") == 0)
        return flood();
    if (strcmp(what, "load") == 0)
        return load((const int *)(size_t)(unsigned)number);
    if (strcmp(what, "abort") == 0)
        abort();
    if (strcmp(what, "fickle") == 0)
        return fickle();
    return number;
}
