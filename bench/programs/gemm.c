/* gemm - product of dense matrices, plainly in three loops: vectors of doubles. */
#include <stdio.h>
#include <stdlib.h>

static void multiply(int n, const double *a, const double *b, double *c)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            double factor = a[i * n + k];

            for (int j = 0; j < n; j++)
                c[i * n + j] += factor * b[k * n + j];
        }
    }
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 100;
    size_t count = (size_t)n * (size_t)n;
    double *a = malloc(count * sizeof *a);
    double *b = malloc(count * sizeof *b);
    double *c = calloc(count, sizeof *c);
    double trace = 0, sum = 0;

    if (!a || !b || !c)
        return 1;
    for (size_t i = 0; i < count; i++) {
        a[i] = (double)(i % 17) / 16;
        b[i] = (double)(i % 23) / 32 - 0.25;
    }
    multiply(n, a, b, c);
    for (int i = 0; i < n; i++)
        trace += c[i * n + i];
    for (size_t i = 0; i < count; i++)
        sum += c[i];
    printf("gemm %d: trace %.6f, sum %.6f\n", n, trace, sum);
    free(a);
    free(b);
    free(c);
    return 0;
}
