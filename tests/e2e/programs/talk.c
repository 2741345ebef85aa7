/* One program for many tests: the first argument says what to do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int show(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("[%s]\n", argv[i]);
    for (char **e = environ; e && *e; e++)
        printf("%s\n", *e);
    return 0;
}

static int copy(void)
{
    int c;

    while ((c = getchar()) != EOF)
        putchar(c);
    return ferror(stdin) || fflush(stdout) != 0;
}

static int cat(const char *path)
{
    FILE *f = fopen(path, "r");
    int c;

    if (!f) {
        printf("cannot open %s: %s\n", path, strerror(errno));
        return 1;
    }
    while ((c = getc(f)) != EOF)
        putchar(c);
    return 0;
}

static int save(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        printf("cannot write %s: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

static int flood(void)
{
    for (;;)
        if (puts("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789") < 0)
            return 3;
}

static int spin(void)
{
    volatile unsigned n = 0;

    puts("ready");
    fflush(stdout);
    for (;;)
        n++;
}

static int wait_for_input(void)
{
    puts("ready");
    fflush(stdout);
    printf("got %d\n", getchar());
    return 0;
}

static __attribute__((noinline)) unsigned deep(unsigned n)
{
    volatile char frame[64] = {(char)n};

    return n == 0 ? 0 : deep(n - 1) + frame[0] + 1;
}

static int take(size_t megabytes)
{
    size_t got = 0;

    for (volatile char *p; got < megabytes && (p = malloc(1 << 20)); got++)
        p[got] = 1;
    printf("%s\n", got == megabytes ? "all" : "less");
    return 0;
}

static __attribute__((noinline)) int load(uintptr_t at)
{
    return *(volatile int *)at;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "show") == 0)
        return show(argc, argv);
    if (strcmp(what, "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(what, "copy") == 0)
        return copy();
    if (strcmp(what, "cat") == 0)
        return cat(argv[2]);
    if (strcmp(what, "save") == 0)
        return save(argv[2], argv[3]);
    if (strcmp(what, "flood") == 0)
        return flood();
    if (strcmp(what, "spin") == 0)
        return spin();
    if (strcmp(what, "wait") == 0)
        return wait_for_input();
    if (strcmp(what, "deep") == 0)
        return printf("%u\n", deep((unsigned)atoi(argv[2]))) < 0;
    if (strcmp(what, "take") == 0)
        return take((size_t)atoi(argv[2]));
    if (strcmp(what, "load") == 0)
        return load((uintptr_t)strtoul(argv[2], NULL, 0));
    if (strcmp(what, "abort") == 0)
        abort();
    fprintf(stderr, "hello from the other stream\n");
    printf("hello\n");
    return 0;
}
