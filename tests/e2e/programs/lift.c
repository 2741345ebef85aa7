/*
 * A program to be stopped and gone on with: the first argument says what it does meanwhile, the
 * second how many steps. It prints a line at each step, and what it prints depends on all that it
 * holds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasm_simd128.h>

static unsigned steps;

static void say(unsigned step, uint64_t value)
{
    printf("step %u %016llx\n", step, (unsigned long long)value);
    fflush(stdout);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    return x ^ (x >> 29);
}

static uint64_t bits(double d)
{
    uint64_t u;

    memcpy(&u, &d, sizeof u);
    return u;
}

/* ---- The call stack ---- */

static __attribute__((noinline)) double down(unsigned depth, unsigned *step, double x, float y)
{
    if (depth == 0) {
        say(*step, bits(x) ^ (uint64_t)bits(y));
        ++*step;
        return x / 3;
    }
    x = down(depth - 1, step, x * 1.0625 + depth, y - 0.5f) + x;
    return depth % 64 ? x : down(depth / 64, step, x / 7, y) - y;
}

static void recurse(void)
{
    unsigned step = 0;
    double x = 1;

    while (step < steps)
        x = down(200, &step, x / 1e9, (float)step);
    say(step, bits(x));
}

typedef uint64_t turn(unsigned step, uint64_t value);

static uint64_t turn_a(unsigned step, uint64_t value)
{
    say(step, value);
    return mix(value + step);
}

static uint64_t turn_b(unsigned step, uint64_t value)
{
    uint64_t kept = value * 3;

    for (int i = 0; i < 3; i++)
        kept ^= turn_a(step, kept + (unsigned)i);
    return kept;
}

static turn *volatile turns[] = {turn_a, turn_b, turn_a, turn_b};

static void pointers(void)
{
    uint64_t value = 1;

    for (unsigned i = 0; i < steps; i++)
        value = turns[value % 4](i, value);
}

static void vectors(void)
{
    v128_t a = wasm_f32x4_make(1, 2, 3, 4), b = wasm_i64x2_make(5, -6);
    v128_t c = wasm_i8x16_splat(7);

    for (unsigned i = 0; i < steps; i++) {
        say(i, (uint64_t)wasm_i64x2_extract_lane(wasm_v128_xor(wasm_v128_xor(a, b), c), 0) ^
                   (uint64_t)wasm_i64x2_extract_lane(a, 1));
        a = wasm_f32x4_add(wasm_f32x4_mul(a, wasm_f32x4_splat(0.75f)), wasm_f32x4_splat((float)i));
        b = wasm_i64x2_mul(b, wasm_i64x2_splat(0x9e3779b97f4a7c15));
        c = wasm_i8x16_add(wasm_i8x16_swizzle(c, wasm_v128_and(b, wasm_i8x16_splat(15))),
                           wasm_i8x16_splat((signed char)i));
    }
}

/* ---- Memory ---- */

static void grow(void)
{
    uint64_t sum = 0;
    unsigned char *block[64];

    for (unsigned i = 0; i < steps; i++) {
        const unsigned k = i % 64;

        if (i >= 64)
            sum = mix(sum + block[k][i * 7 % 50000]);
        block[k] = malloc(100000);
        memset(block[k], (int)i, 100000);
        say(i, sum);
    }
}

enum { BIG_BYTES = 64 << 20 };

static void big(void)
{
    unsigned char *all = calloc(BIG_BYTES, 1);
    uint64_t at = 1, sum = 0;

    for (unsigned i = 0; i < steps; i++) {
        at = mix(at + i);
        sum = mix(sum + all[at % BIG_BYTES]);
        all[at % 8191 * 8192] += (unsigned char)i;
        sum += all[mix(i / 2) % 8191 * 8192];
        say(i, sum);
    }
}

static void fill(void)
{
    unsigned char *all = malloc(BIG_BYTES);

    say(0, 0);
    for (unsigned i = 0; i < steps; i++)
        memset(all, (int)i, BIG_BYTES);
    say(1, all[steps]);
}

/* ---- Waiting ---- */

static void echo(void)
{
    unsigned char text[64];
    uint64_t value = 1;
    ssize_t got;

    for (unsigned i = 0; (got = read(0, text, 7)) > 0; i++) {
        for (ssize_t k = 0; k < got; k++)
            value = mix(value + text[k]);
        if (steps == 0 || i % steps == 0)
            say(i, value);
    }
    printf("end %016llx\n", (unsigned long long)value);
}

static void sleeper(void)
{
    say(0, 0);
    printf("slept %d\n", poll(NULL, 0, 700));
}

/* ---- Files ---- */

static void fail(const char *what)
{
    perror(what);
    exit(9);
}

static void append(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    FILE *other = fopen("/data/written", "w+");
    uint64_t value = 1;
    char line[40];

    if (fd < 0 || !other)
        fail(path);
    for (unsigned i = 0; i < steps; i++) {
        for (int k = 0; k < 3000; k++)
            value = mix(value + i);
        snprintf(line, sizeof line, "%u %016llx\n", i, (unsigned long long)value);
        if (write(fd, line, strlen(line)) < 0)
            fail(path);
        fprintf(other, "%s", line);
        say(i, value);
    }
    if (fclose(other) != 0)
        fail("closing");
}

static void reading(const char *path)
{
    int fd = open(path, O_RDONLY);
    uint64_t value = 1;
    char part[11];

    if (fd < 0)
        fail(path);
    for (unsigned i = 0; read(fd, part, sizeof part) > 0; i++) {
        value = mix(value + (unsigned char)part[i % sizeof part]);
        say(i, value);
    }
}

/* Into a directory that it makes itself; then a list of it, which it reads while it prints. */
static void listing(void)
{
    char path[64];
    struct dirent *e;
    DIR *d;

    mkdir("/data/sub", 0755);
    for (unsigned i = 0; i < steps; i++) {
        snprintf(path, sizeof path, "/data/sub/%u", i);
        close(open(path, O_WRONLY | O_CREAT, 0644));
        say(i, i);
    }
    d = opendir("/data/sub");
    if (!d)
        fail("/data/sub");
    while ((e = readdir(d)))
        printf("entry %s\n", e->d_name), fflush(stdout);
    closedir(d);
}

static void unlinked(void)
{
    int fd = open("/data/gone", O_RDWR | O_CREAT, 0644);
    char c = 0;

    if (fd < 0 || unlink("/data/gone") != 0)
        fail("/data/gone");
    say(0, 0);
    while (read(0, &c, 1) == 1 && c != 'x')
        say(1, (unsigned char)c);
    close(fd);
    say(2, 0);
    while (read(0, &c, 1) == 1)
        say(3, (unsigned char)c);
}

/* ---- Ends ---- */

static __attribute__((noinline)) int load(uintptr_t at)
{
    return *(volatile int *)at;
}

static void end(const char *how)
{
    uint64_t value = 1;
    uintptr_t at = 16;

    for (unsigned i = 0; i < steps; i++)
        say(i, value = mix(value + (unsigned)load(at + (i > steps)) % 2));
    if (strcmp(how, "exit") == 0)
        exit(42);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "load") == 0)
        load(0xfffffff0);
    /* In the function that was stopped itself, so that it happens in its continuation. */
    if (strcmp(how, "here") == 0)
        *(volatile int *)(value | 0xf0000000) = 1;
}

static void spin(void)
{
    volatile unsigned n = 0;

    for (;;) {
        if (n++ % 8000000 == 0)
            say(0, 0);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *more = argc > 3 ? argv[3] : "";
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"recurse", recurse},   {"pointers", pointers}, {"vectors", vectors},
                 {"grow", grow},         {"big", big},           {"fill", fill},
                 {"echo", echo},         {"sleep", sleeper},     {"list", listing},
                 {"unlinked", unlinked}, {"spin", spin}};

    steps = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(what, modes[i].name) == 0)
            modes[i].run();
    }
    if (strcmp(what, "append") == 0)
        append(more);
    if (strcmp(what, "read") == 0)
        reading(more);
    if (strcmp(what, "end") == 0)
        end(more);
    puts("done");
    return 0;
}
