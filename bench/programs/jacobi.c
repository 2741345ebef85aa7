/* jacobi - heat spreads over a plate: a five-point stencil over two arrays. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 1000 };

static void sweep(const double *from, double *to)
{
    for (int y = 1; y < SIDE - 1; y++) {
        for (int x = 1; x < SIDE - 1; x++) {
            const double *p = from + y * SIDE + x;

            to[y * SIDE + x] = 0.25 * (p[-1] + p[1] + p[-SIDE] + p[SIDE]);
        }
    }
}

static double difference(const double *a, const double *b)
{
    double most = 0;

    for (int i = 0; i < SIDE * SIDE; i++) {
        double d = fabs(a[i] - b[i]);

        if (d > most)
            most = d;
    }
    return most;
}

int main(int argc, char **argv)
{
    int sweeps = argc > 1 ? atoi(argv[1]) : 10;
    double *now = calloc(SIDE * SIDE, sizeof *now);
    double *next = calloc(SIDE * SIDE, sizeof *next);
    double sum = 0;

    if (!now || !next)
        return 1;
    for (int x = 0; x < SIDE; x++)
        now[x] = next[x] = 100;
    for (int i = 0; i < sweeps; i++) {
        double *t = now;

        sweep(now, next);
        now = next;
        next = t;
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        sum += now[i];
    printf("jacobi %d: sum %.6f, change %.9f\n", sweeps, sum, difference(now, next));
    free(now);
    free(next);
    return 0;
}
