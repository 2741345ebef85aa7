/*
 * lines - works line by line, so that a test can hold it where it wants it.
 *
 *     lines echo           each line of standard input, numbered, at once
 *     lines work N         N lines, with some work before each; a line on standard error at the end
 *     lines cp FROM TO     copies a file
 *     lines fail ITEM      exits with 3 if ITEM is "bad", after a line on standard error
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int echo(void)
{
    char line[4096];

    for (int n = 1; fgets(line, sizeof line, stdin); n++) {
        printf("%d %s", n, line);
        fflush(stdout);
    }
    return 0;
}

static int work(long count)
{
    volatile double sum = 0;

    for (long i = 1; i <= count; i++) {
        for (long k = 0; k < 3000000; k++)
            sum += 1.0 / (double)(k + i);
        printf("line %ld %.9f\n", i, sum);
        fflush(stdout);
    }
    fprintf(stderr, "worked\n");
    return 0;
}

static int copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int c;

    if (!in || !out) {
        perror(in ? to : from);
        return 4;
    }
    while ((c = getc(in)) != EOF)
        putc(c, out);
    fclose(in);
    return fclose(out) ? 5 : 0;
}

static int fail(const char *item)
{
    if (strcmp(item, "bad") == 0) {
        fprintf(stderr, "%s is bad\n", item);
        return 3;
    }
    printf("%s is good\n", item);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "echo") == 0)
        return echo();
    if (argc > 2 && strcmp(argv[1], "work") == 0)
        return work(atol(argv[2]));
    if (argc > 3 && strcmp(argv[1], "cp") == 0)
        return copy(argv[2], argv[3]);
    if (argc > 2 && strcmp(argv[1], "fail") == 0)
        return fail(argv[2]);
    return 2;
}
