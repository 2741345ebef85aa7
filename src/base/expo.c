#include "base/expo.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts: the first has zeros at its end, so that its multiples are exact. */
static const double ln2_high = 0x1.62e42fefap-1, ln2_low = 0x1.cf79abc9e3b39p-40;

static double power_of_two(int k) /* -1022 to 1023 */
{
    const uint64_t bits = (uint64_t)(k + 1023) << 52;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

double expo_exp(double x)
{
    double r, sum = 1, whole;
    int k;

    if (isnan(x))
        return x;
    if (x > 709.78)
        return INFINITY;
    if (x < -745)
        return 0;
    k = (int)(x / 0.6931471805599453 + (x < 0 ? -0.5 : 0.5));
    whole = k;
    r = (x - whole * ln2_high) - whole * ln2_low; /* at most 0.35 */
    for (int i = 17; i > 0; i--)                  /* Taylor, from its small end */
        sum = 1 + r / i * sum;
    if (k < -1000) /* what is left may be too small for a full mantissa */
        return sum * power_of_two(k + 200) * power_of_two(-200);
    return k > 1000 ? sum * power_of_two(k - 200) * power_of_two(200) : sum * power_of_two(k);
}

double expo_log(double x)
{
    uint64_t bits;
    double f, s, square, sum = 0;
    int k = 0;

    if (isnan(x) || x < 0)
        return NAN;
    if (x == 0)
        return -INFINITY;
    if (isinf(x))
        return x;
    if (x < 0x1p-1000) { /* subnormal ones have no exponent */
        x *= 0x1p200;
        k = -200;
    }
    memcpy(&bits, &x, sizeof bits);
    k += (int)(bits >> 52) - 1023;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    memcpy(&f, &bits, sizeof f);
    if (f > 1.4142135623730951) {
        f /= 2;
        k++;
    }
    /* log f = 2 artanh s, with s = (f - 1) / (f + 1), at most 0.172 */
    s = (f - 1) / (f + 1);
    square = s * s;
    for (int i = 25; i > 1; i -= 2)
        sum = square * (1.0 / i + sum);
    return k * ln2_high + (2 * s + (2 * s * sum + k * ln2_low));
}
