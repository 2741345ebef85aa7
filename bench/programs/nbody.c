/* nbody - five planets and their gravity: floating-point arithmetic on a few structs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 5 };

struct body {
    double x[3];
    double v[3];
    double mass;
};

static const double solar_mass = 4 * 3.141592653589793 * 3.141592653589793;
static const double year = 365.24;

static void planet(struct body *b, const double x[3], const double v[3], double mass)
{
    for (int k = 0; k < 3; k++) {
        b->x[k] = x[k];
        b->v[k] = v[k] * year;
    }
    b->mass = mass * solar_mass;
}

static void sun_and_giants(struct body *b)
{
    static const double x[4][3] = {
        {4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01},
        {8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01},
        {1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01},
        {1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01}};
    static const double v[4][3] = {
        {1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05},
        {-2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05},
        {2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05},
        {2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05}};
    static const double mass[4] = {9.54791938424326609e-04, 2.85885980666130812e-04,
                                   4.36624404335156298e-05, 5.15138902046611451e-05};
    double momentum[3] = {0};

    for (int i = 1; i < BODIES; i++) {
        planet(&b[i], x[i - 1], v[i - 1], mass[i - 1]);
        for (int k = 0; k < 3; k++)
            momentum[k] += b[i].v[k] * b[i].mass;
    }
    b[0] = (struct body){.mass = solar_mass};
    for (int k = 0; k < 3; k++)
        b[0].v[k] = -momentum[k] / solar_mass;
}

static void advance(struct body *b, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0, pull;

            for (int k = 0; k < 3; k++) {
                d[k] = b[i].x[k] - b[j].x[k];
                square += d[k] * d[k];
            }
            pull = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                b[i].v[k] -= d[k] * b[j].mass * pull;
                b[j].v[k] += d[k] * b[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            b[i].x[k] += dt * b[i].v[k];
}

static double energy(const struct body *b)
{
    double e = 0;

    for (int i = 0; i < BODIES; i++) {
        const double *v = b[i].v;

        e += 0.5 * b[i].mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
        for (int j = i + 1; j < BODIES; j++) {
            double dx = b[i].x[0] - b[j].x[0];
            double dy = b[i].x[1] - b[j].x[1];
            double dz = b[i].x[2] - b[j].x[2];

            e -= b[i].mass * b[j].mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

int main(int argc, char **argv)
{
    long steps = argc > 1 ? atol(argv[1]) : 1000;
    struct body b[BODIES];

    sun_and_giants(b);
    for (long i = 0; i < steps; i++)
        advance(b, 0.01);
    printf("nbody %ld: energy %.9f\n", steps, energy(b));
    return 0;
}
