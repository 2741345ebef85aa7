/*
 * round - what an image has to carry: deep recursion, calls through pointers, floats, vectors, wide
 * integers, memory that grows, all alive while it prints. Stopped at any line it must not notice.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

struct node {
    struct node *left, *right;
    double weight;
};

typedef double fold(double sum, double x);

static double add(double sum, double x)
{
    return sum + x;
}

static double mix(double sum, double x)
{
    return sum * 0.75 + x;
}

static fold *const folds[] = {add, mix};
static int lines;
static uint64_t dice = 88172645463325252u;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static void say(const char *what, double value)
{
    printf("%d %s %a\n", ++lines, what, value);
    fflush(stdout);
}

static struct node *grow(int depth)
{
    struct node *n = calloc(1, sizeof *n);

    if (!n)
        exit(9);
    n->weight = (double)(roll() % 1000) / 7;
    if (depth > 0) {
        n->left = grow(depth - 1);
        n->right = grow(depth - 1 - (int)(roll() % 2));
    }
    return n;
}

/* Says something in the middle of its recursion, with frames above and below. */
static double walk(const struct node *n, fold *f, int depth)
{
    double here;

    if (!n)
        return 1.0 / 3;
    here = f(walk(n->left, f, depth + 1), n->weight);
    if (depth == 9 && roll() % 16 == 0)
        say("walking", here);
    return f(here, walk(n->right, f, depth + 1));
}

static double vectors(int rounds)
{
    v128_t sum = wasm_f64x2_make(0.5, -0.25), step = wasm_i32x4_make(1, -2, 3, -4);
    uint32_t bits = 0;

    for (int i = 0; i < rounds; i++) {
        sum = wasm_f64x2_add(sum, wasm_f64x2_sqrt(wasm_f64x2_splat((double)i)));
        step = wasm_i32x4_add(wasm_i32x4_shl(step, 1), wasm_i32x4_splat(i));
        if (i % 4000 == 1999)
            say("vector", wasm_f64x2_extract_lane(sum, 0) + wasm_i32x4_extract_lane(step, 2));
    }
    bits = (uint32_t)wasm_i32x4_extract_lane(step, 3);
    return wasm_f64x2_extract_lane(sum, 1) + bits;
}

static float singles(int rounds)
{
    float x = 0.1f;

    for (int i = 0; i < rounds; i++) {
        x = 3.9f * x * (1 - x);
        if (i % 100000 == 50000)
            say("single", (double)x);
    }
    return x;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 20;
    double total = 0;

    for (int round = 0; round < rounds; round++) {
        struct node *tree = grow(12 + round % 3);
        char *block = malloc((size_t)(round + 1) << 20);

        if (!block)
            return 9;
        memset(block, round, (size_t)(round + 1) << 20);
        total += walk(tree, folds[round % 2], 0);
        total += vectors(20000) + (double)singles(400000) + block[round << 10];
        say("round", total);
    }
    return total > 0 ? 7 : 8;
}
