/* mandelbrot - iterations over a square of the plane: floating point in registers. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int iterations(double re, double im, int most)
{
    double x = 0, y = 0, xx = 0, yy = 0;
    int i = 0;

    while (i < most && xx + yy <= 4) {
        y = 2 * x * y + im;
        x = xx - yy + re;
        xx = x * x;
        yy = y * y;
        i++;
    }
    return i;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 200;
    uint64_t sum = 0;
    long inside = 0;

    for (int row = 0; row < n; row++) {
        for (int column = 0; column < n; column++) {
            int i = iterations(2.0 * column / n - 1.5, 2.0 * row / n - 1, 200);

            sum = sum * 31 + (uint64_t)i;
            inside += i == 200;
        }
    }
    printf("mandelbrot %d: inside %ld, sum %016llx\n", n, inside, (unsigned long long)sum);
    return 0;
}
