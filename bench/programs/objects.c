/* objects - a list of shapes with methods by function pointer: indirect calls, pointer chasing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct shape;

struct methods {
    double (*area)(const struct shape *s);
    void (*grow)(struct shape *s, double by);
    int (*corners)(const struct shape *s);
};

struct shape {
    const struct methods *methods;
    struct shape *next;
    double a;
    double b;
};

static double circle_area(const struct shape *s)
{
    return 3.141592653589793 * s->a * s->a;
}

static double box_area(const struct shape *s)
{
    return s->a * s->b;
}

static double triangle_area(const struct shape *s)
{
    return s->a * s->b / 2;
}

static void grow_radius(struct shape *s, double by)
{
    s->a = s->a > 10 ? 1 : s->a + by;
}

static void grow_sides(struct shape *s, double by)
{
    s->a = s->a > 10 ? 1 : s->a + by;
    s->b = s->b > 10 ? 1 : s->b + by / 2;
}

static int no_corners(const struct shape *s)
{
    (void)s;
    return 0;
}

static int box_corners(const struct shape *s)
{
    return s->a > 0 && s->b > 0 ? 4 : 2;
}

static int triangle_corners(const struct shape *s)
{
    return s->b > 0 ? 3 : 2;
}

static const struct methods circle = {circle_area, grow_radius, no_corners};
static const struct methods box = {box_area, grow_sides, box_corners};
static const struct methods triangle = {triangle_area, grow_sides, triangle_corners};

/* Shapes of the three kinds, linked in an order that is not that of memory. */
static struct shape *make_shapes(struct shape *s, size_t count)
{
    static const struct methods *const kinds[] = {&circle, &box, &triangle};
    uint32_t dice = 99;
    struct shape *first = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t at = i * 7919 % count;

        dice = dice * 1664525 + 1013904223;
        s[at] = (struct shape){kinds[(dice >> 16) % 3], first, 1 + (int)(i % 7), 1 + (int)(i % 5)};
        first = &s[at];
    }
    return first;
}

int main(int argc, char **argv)
{
    enum { COUNT = 10000 };
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    struct shape *memory = malloc(COUNT * sizeof *memory);
    double area = 0;
    long corners = 0;
    struct shape *first;

    if (!memory)
        return 1;
    first = make_shapes(memory, COUNT);
    for (int r = 0; r < rounds; r++) {
        for (struct shape *s = first; s; s = s->next) {
            s->methods->grow(s, 0.125);
            area += s->methods->area(s);
            corners += s->methods->corners(s);
        }
    }
    printf("objects %d: area %.3f, %ld corners\n", rounds, area, corners);
    free(memory);
    return 0;
}
