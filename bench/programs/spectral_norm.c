/* spectral_norm - the largest singular value of an endless matrix: divisions in a double loop. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double entry(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static void multiply(int n, const double *v, double *out)
{
    for (int i = 0; i < n; i++) {
        double sum = 0;

        for (int j = 0; j < n; j++)
            sum += entry(i, j) * v[j];
        out[i] = sum;
    }
}

static void multiply_transposed(int n, const double *v, double *out)
{
    for (int i = 0; i < n; i++) {
        double sum = 0;

        for (int j = 0; j < n; j++)
            sum += entry(j, i) * v[j];
        out[i] = sum;
    }
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 100;
    double *u = malloc((size_t)n * sizeof *u);
    double *v = malloc((size_t)n * sizeof *v);
    double *t = malloc((size_t)n * sizeof *t);
    double uv = 0, vv = 0;

    if (!u || !v || !t)
        return 1;
    for (int i = 0; i < n; i++)
        u[i] = 1;
    for (int i = 0; i < 10; i++) {
        multiply(n, u, t);
        multiply_transposed(n, t, v);
        multiply(n, v, t);
        multiply_transposed(n, t, u);
    }
    for (int i = 0; i < n; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("spectral_norm %d: %.9f\n", n, sqrt(uv / vv));
    free(u);
    free(v);
    free(t);
    return 0;
}
