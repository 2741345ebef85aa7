/* fft - fast Fourier transform, forth and back: complex numbers at growing strides. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct complex {
    double re;
    double im;
};

static void reorder(struct complex *x, int n)
{
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;

        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex t = x[i];

            x[i] = x[j];
            x[j] = t;
        }
    }
}

static void transform(struct complex *x, int n, const struct complex *root, int sign)
{
    reorder(x, n);
    for (int length = 2; length <= n; length *= 2) {
        int half = length / 2, stride = n / length;

        for (int start = 0; start < n; start += length) {
            for (int k = 0; k < half; k++) {
                struct complex w = root[k * stride];
                struct complex *a = &x[start + k], *b = &x[start + k + half];
                double im = sign * w.im;
                double re_part = b->re * w.re - b->im * im;
                double im_part = b->re * im + b->im * w.re;

                b->re = a->re - re_part;
                b->im = a->im - im_part;
                a->re += re_part;
                a->im += im_part;
            }
        }
    }
}

int main(int argc, char **argv)
{
    enum { COUNT = 1 << 16 };
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    struct complex *x = malloc(COUNT * sizeof *x);
    struct complex *root = malloc(COUNT / 2 * sizeof *root);
    double peak = 0, error = 0;

    if (!x || !root)
        return 1;
    for (int k = 0; k < COUNT / 2; k++) {
        root[k].re = cos(2 * 3.141592653589793 * k / COUNT);
        root[k].im = sin(2 * 3.141592653589793 * k / COUNT);
    }
    for (int i = 0; i < COUNT; i++)
        x[i] = (struct complex){.re = i * 37 % 101, .im = 0};
    for (int r = 0; r < rounds; r++) {
        transform(x, COUNT, root, -1);
        peak = x[COUNT / 4].re;
        transform(x, COUNT, root, 1);
        for (int i = 0; i < COUNT; i++) {
            x[i].re /= COUNT;
            x[i].im /= COUNT;
        }
    }
    for (int i = 0; i < COUNT; i++)
        error += fabs(x[i].re - i * 37 % 101);
    printf("fft %d: peak %.3f, error %.3f\n", rounds, peak, error);
    free(x);
    free(root);
    return 0;
}
