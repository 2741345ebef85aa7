/* fannkuch - flips of all permutations of n: small arrays and unpredictable short loops. */
#include <stdio.h>
#include <stdlib.h>

enum { LENGTH_MAX = 16 };

static int flips(const int *permutation, int n)
{
    int p[LENGTH_MAX];
    int count = 0;

    for (int i = 0; i < n; i++)
        p[i] = permutation[i];
    while (p[0] != 0) {
        for (int low = 0, high = p[0]; low < high; low++, high--) {
            int t = p[low];

            p[low] = p[high];
            p[high] = t;
        }
        count++;
    }
    return count;
}

static void rotate(int *p, int length)
{
    int first = p[0];

    for (int i = 0; i < length; i++)
        p[i] = p[i + 1];
    p[length] = first;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 7;
    int p[LENGTH_MAX], turns[LENGTH_MAX];
    int most = 0, sum = 0, sign = 1, i;

    if (n < 2 || n > LENGTH_MAX)
        return 1;
    for (i = 0; i < n; i++) {
        p[i] = i;
        turns[i] = 0;
    }
    for (;;) {
        int f = flips(p, n);

        if (f > most)
            most = f;
        sum += sign * f;
        sign = -sign;
        for (i = 1; i < n; i++) {
            rotate(p, i);
            if (++turns[i] <= i)
                break;
            turns[i] = 0;
        }
        if (i == n)
            break;
    }
    printf("fannkuch %d: sum %d, most %d\n", n, sum, most);
    return 0;
}
