/* A task for the tests of the engine: what it does is its first argument. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines with a number each that depends on all before it; every hundredth goes to standard error.
 */
static int count(int lines)
{
    uint64_t x = 1;

    for (int i = 0; i < lines; i++) {
        for (int k = 0; k < 200; k++)
            x = x * 6364136223846793005u + 1442695040888963407u;
        fprintf(i % 100 ? stdout : stderr, "%d %016llx\n", i, (unsigned long long)x);
        fflush(stdout);
    }
    return 0;
}

static int echo(void)
{
    char room[4096];
    ssize_t got;

    while ((got = read(0, room, sizeof room)) > 0)
        for (ssize_t at = 0; at < got;)
            at += write(1, room + at, (size_t)(got - at));
    return got < 0;
}

/* The sum so far, after each line. */
static int sum(void)
{
    char line[64];
    long total = 0;

    setvbuf(stdin, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        total += atol(line);
        printf("%ld\n", total);
        fflush(stdout);
    }
    return 0;
}

static int copy(const char *from, const char *to)
{
    static char room[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t got;

    if (!in || !out)
        return 1;
    while ((got = fread(room, 1, sizeof room, in)) > 0)
        fwrite(room, 1, got, out);
    return fclose(in) | fclose(out);
}

/* A file with a hole. */
static int sparse(const char *to)
{
    int fd = open(to, O_CREAT | O_WRONLY, 0666);

    return fd < 0 || ftruncate(fd, 5 << 20) || pwrite(fd, "end", 3, (5 << 20) - 3) != 3;
}

/* Steps through a file of its own, which has to be there after it went on. */
static int notes(int lines)
{
    FILE *f = fopen("/notes", "w+");

    for (int i = 0; f && i < lines; i++) {
        fprintf(f, "note %d\n", i);
        fflush(f);
        for (volatile int k = 0; k < 20000; k++)
            ;
        printf("%d\n", i);
        fflush(stdout);
    }
    return !f || fclose(f);
}

static int words(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        puts(argv[i]);
    puts(getenv("COLOUR") ? getenv("COLOUR") : "none");
    return 0;
}

static int fill(size_t mebibytes)
{
    char *p = malloc(mebibytes << 20);

    if (!p)
        return 3;
    memset(p, 1, mebibytes << 20);
    printf("%d\n", p[(mebibytes << 20) - 1]);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *a = argc > 2 ? argv[2] : "", *b = argc > 3 ? argv[3] : "";

    if (!strcmp(what, "exit"))
        return atoi(a);
    if (!strcmp(what, "count"))
        return count(atoi(a));
    if (!strcmp(what, "echo"))
        return echo();
    if (!strcmp(what, "sum"))
        return sum();
    if (!strcmp(what, "copy"))
        return copy(a, b);
    if (!strcmp(what, "sparse"))
        return sparse(a);
    if (!strcmp(what, "notes"))
        return notes(atoi(a));
    if (!strcmp(what, "words"))
        return words(argc, argv);
    if (!strcmp(what, "fill"))
        return fill((size_t)atoi(a));
    if (!strcmp(what, "mkdir"))
        return mkdir(a, 0777);
    if (!strcmp(what, "spin"))
        for (volatile int forever = 1; forever;)
            ;
    if (!strcmp(what, "trap"))
        __builtin_trap();
    return 99;
}
