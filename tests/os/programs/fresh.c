/*
 * What one program can leave behind, and whether another one finds anything of it. Its first
 * argument: soil, or look.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 65536

static int initialised = 42;
static char zero[4096];
static int (*function)(void);

static int one(void)
{
    return 1;
}

static long memory_pages(void)
{
    return (long)__builtin_wasm_memory_size(0);
}

/* Leaves from deep inside, with the stack full of marks. */
static void soil_deep(int depth)
{
    volatile char marks[1024];

    memset((char *)marks, 0xa5, sizeof marks);
    if (depth > 0)
        soil_deep(depth - 1);
    if (depth == 0)
        _Exit(0);
    marks[0] = marks[1];
}

static void soil(void)
{
    uint8_t bytes[100];
    char *last;

    initialised = 7;
    function = one;
    memset(zero, 0xa5, sizeof zero);
    setenv("COLOUR", "soiled", 1);
    getentropy(bytes, sizeof bytes);
    for (volatile int i = 0; i < 20000000; i++)
        ;
    printf("%lld\n", (long long)clock());
    fflush(stdout);
    last = malloc(8 << 20);
    memset(last, 0xa5, 8 << 20);
    __builtin_wasm_memory_grow(0, 100);
    memset((char *)0 + (memory_pages() - 1) * PAGE, 0xa5, PAGE);
    fcntl(0, F_SETFL, O_NONBLOCK);
    fcntl(1, F_SETFL, O_NONBLOCK);
    fcntl(2, F_SETFL, O_NONBLOCK);
    close(1);
    close(2);
    close(0);
    errno = 5;
    soil_deep(100);
}

/* Marks in all of memory, four in a row: one alone may be part of a time. */
static long marks(void)
{
    const unsigned char *at = 0, *end = at + memory_pages() * PAGE;
    long found = 0, row = 0;

    for (const volatile unsigned char *p = at + 1; p < end; p++) {
        row = *p == 0xa5 ? row + 1 : 0;
        found += row == 4;
    }
    return found;
}

static void look(int argc, char **argv)
{
    uint8_t bytes[8];
    char line[64] = "";
    char here;
    int flags[3];

    for (int i = 0; i < 3; i++)
        flags[i] = fcntl(i, F_GETFL);
    printf("%lld\n", (long long)clock());
    printf("%d %d %d %d\n", initialised, zero[0], zero[4095], function ? 1 : 0);
    printf("pages %ld, stack %p, errno %d\n", memory_pages(), (void *)&here, errno);
    printf("flags %d %d %d\n", flags[0], flags[1], flags[2]);
    printf("colour %s\n", getenv("COLOUR") ? getenv("COLOUR") : "none");
    for (int i = 0; i < argc; i++)
        printf("word %s\n", argv[i]);
    getentropy(bytes, sizeof bytes);
    for (int i = 0; i < 8; i++)
        printf("%02x", bytes[i]);
    printf("\ninput '%s'\n", fgets(line, sizeof line, stdin) ? line : "");
    printf("marks %ld\n", marks());
    fflush(stdout);
    fprintf(stderr, "error is here\n");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "soil"))
        soil();
    else
        look(argc, argv);
    return 0;
}
