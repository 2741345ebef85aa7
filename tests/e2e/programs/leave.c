/*
 * leave CODE - makes made/result and a link "to" that leads to made, and exits with CODE.
 * leave trap | fill | copy | count N
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
    FILE *f;

    if (mkdir("made", 0777) != 0 || symlink("/made", "to") != 0)
        exit(90);
    f = fopen("to/result", "w");
    if (!f || fputs("the result\n", f) < 0 || fclose(f) != 0)
        exit(91);
}

/* How much fits. */
static void fill(void)
{
    static char page[4096];
    FILE *f = fopen("full", "w");
    long done = 0;

    if (!f)
        exit(92);
    setvbuf(f, NULL, _IONBF, 0);
    while (fwrite(page, 1, sizeof page, f) == sizeof page)
        done += (long)sizeof page;
    printf("%ld bytes, %s\n", done, strerror(errno));
}

static void copy(void)
{
    FILE *from = fopen("/lent/input", "r"), *to = fopen("copied", "w");
    int c;

    if (!from || !to)
        exit(93);
    while ((c = getc(from)) != EOF)
        putc(c, to);
    fclose(to);
    if (rename("copied", "/lent/copied") == 0 || errno != EXDEV)
        exit(94);
}

/* A line to the log for each that it prints. */
static void count(long lines)
{
    FILE *f = fopen("/log", "a");

    if (!f)
        exit(95);
    for (long i = 0; i < lines; i++) {
        printf("%ld\n", i);
        fflush(stdout);
        fprintf(f, "%ld\n", i);
        if (i % 7 == 0)
            fflush(f);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "0";

    if (strcmp(what, "fill") == 0)
        fill();
    else if (strcmp(what, "copy") == 0)
        copy();
    else if (strcmp(what, "count") == 0)
        count(argc > 2 ? strtol(argv[2], NULL, 10) : 10);
    else
        make();
    if (strcmp(what, "trap") == 0)
        abort();
    return (int)strtol(what, NULL, 10);
}
