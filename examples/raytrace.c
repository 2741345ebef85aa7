/*
 * raytrace - four balls over a chequered floor, in the terminal and as a picture file.
 *
 * usage: raytrace [COLUMNS [PICTURE.ppm [WIDTH]]]
 *
 * The terminal shows two rows of pixels per line of text; with COLOR=1 in the environment in
 * colours, else as shades. An ordinary C program: nothing in it knows where it runs.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFLECTIONS_MAX = 4, SAMPLES = 3 }; /* SAMPLES squared rays a pixel */

struct vec {
    double x, y, z;
};

struct ball {
    struct vec centre;
    double radius;
    struct vec color;
    double mirror; /* share of light that is reflected */
};

struct hit {
    double distance;
    struct vec at, normal, color;
    double mirror;
};

static const struct ball balls[] = {
    {{0.0, 1.0, 0.0}, 1.0, {0.95, 0.30, 0.25}, 0.25},
    {{-1.9, 0.7, 0.9}, 0.7, {0.30, 0.55, 0.95}, 0.35},
    {{1.7, 0.6, 1.1}, 0.6, {0.98, 0.80, 0.25}, 0.20},
    {{0.6, 0.35, 2.0}, 0.35, {0.90, 0.90, 0.95}, 0.70},
};

static struct vec add(struct vec a, struct vec b)
{
    return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static struct vec scale(struct vec a, double by)
{
    return (struct vec){a.x * by, a.y * by, a.z * by};
}

static struct vec subtract(struct vec a, struct vec b)
{
    return add(a, scale(b, -1));
}

static double dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct vec unit(struct vec a)
{
    return scale(a, 1 / sqrt(dot(a, a)));
}

static void meet_ball(const struct ball *b, struct vec from, struct vec way, struct hit *nearest)
{
    struct vec to = subtract(b->centre, from);
    double along = dot(to, way);
    double square = b->radius * b->radius - dot(to, to) + along * along;
    double distance = square > 0 ? along - sqrt(square) : -1;

    if (distance < 1e-4 || distance >= nearest->distance)
        return;
    nearest->distance = distance;
    nearest->at = add(from, scale(way, distance));
    nearest->normal = scale(subtract(nearest->at, b->centre), 1 / b->radius);
    nearest->color = b->color;
    nearest->mirror = b->mirror;
}

static void meet_floor(struct vec from, struct vec way, struct hit *nearest)
{
    double distance = way.y < 0 ? -from.y / way.y : -1;
    bool dark;

    if (distance < 1e-4 || distance >= nearest->distance || distance > 40)
        return;
    nearest->distance = distance;
    nearest->at = add(from, scale(way, distance));
    nearest->normal = (struct vec){0, 1, 0};
    dark = ((long)floor(nearest->at.x) + (long)floor(nearest->at.z)) & 1;
    nearest->color = dark ? (struct vec){0.15, 0.25, 0.22} : (struct vec){0.85, 0.88, 0.82};
    nearest->mirror = 0.08;
}

static bool meet(struct vec from, struct vec way, struct hit *nearest)
{
    nearest->distance = INFINITY;
    for (size_t i = 0; i < sizeof balls / sizeof *balls; i++)
        meet_ball(&balls[i], from, way, nearest);
    meet_floor(from, way, nearest);
    return nearest->distance < INFINITY;
}

static struct vec sky(struct vec way)
{
    double t = way.y > 0 ? sqrt(way.y) : 0;

    return add(scale((struct vec){0.85, 0.90, 0.98}, 1 - t), scale((struct vec){0.2, 0.4, 0.8}, t));
}

/* The light that comes to `from` out of direction `way`. */
static struct vec trace(struct vec from, struct vec way, int depth)
{
    const struct vec sun = unit((struct vec){-0.6, 0.9, 0.5});
    struct hit hit, shade;
    double light;
    struct vec color, mirrored;

    if (!meet(from, way, &hit))
        return sky(way);
    light = dot(hit.normal, sun);
    if (light < 0 || meet(hit.at, sun, &shade))
        light = 0;
    color = scale(hit.color, 0.25 + 0.75 * light);
    if (hit.mirror <= 0 || depth == REFLECTIONS_MAX)
        return color;
    way = subtract(way, scale(hit.normal, 2 * dot(way, hit.normal)));
    mirrored = trace(hit.at, way, depth + 1);
    return add(scale(color, 1 - hit.mirror), scale(mirrored, hit.mirror));
}

static struct vec pixel(double x, double y, double step, double aspect)
{
    const struct vec eye = {0, 1.6, 6.0};
    struct vec sum = {0, 0, 0};

    for (int i = 0; i < SAMPLES * SAMPLES; i++) {
        double u = x + step * (i % SAMPLES) / SAMPLES;
        double v = y + step * (i / SAMPLES) / SAMPLES;

        sum = add(sum, trace(eye, unit((struct vec){u * aspect, -v - 0.12, -2.2}), 0));
    }
    return scale(sum, 1.0 / (SAMPLES * SAMPLES));
}

/* Rows of width pixels, red, green, blue. NULL: no memory. */
static unsigned char *render(int width, int height)
{
    unsigned char *picture = malloc((size_t)width * (size_t)height * 3), *p = picture;
    double step = 2.0 / height;

    if (!picture)
        return NULL;
    for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
            struct vec c = pixel((column - width / 2.0) * step, row * step - 1, step, 1.0);

            *p++ = (unsigned char)(255 * sqrt(fmin(c.x, 1)));
            *p++ = (unsigned char)(255 * sqrt(fmin(c.y, 1)));
            *p++ = (unsigned char)(255 * sqrt(fmin(c.z, 1)));
        }
    }
    return picture;
}

static void show_in_color(const unsigned char *picture, int width, int height)
{
    for (int row = 0; row + 1 < height; row += 2) {
        for (int column = 0; column < width; column++) {
            const unsigned char *up = picture + 3 * (row * width + column);
            const unsigned char *low = up + 3 * width;

            printf("\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm\u2580", up[0], up[1], up[2], low[0],
                   low[1], low[2]);
        }
        printf("\033[0m\n");
    }
}

static void show_in_shades(const unsigned char *picture, int width, int height)
{
    static const char *const shade[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
    static const int limit[] = {400, 660, 900, 1270}; /* of two pixels, three colours each */

    for (int row = 0; row + 1 < height; row += 2) {
        for (int column = 0; column < width; column++) {
            const unsigned char *up = picture + 3 * (row * width + column);
            const unsigned char *low = up + 3 * width;
            int light = 0, step = 0;

            for (int k = 0; k < 3; k++)
                light += up[k] + low[k];
            while (step < 4 && light > limit[step])
                step++;
            printf("%s", shade[step]);
        }
        printf("\n");
    }
}

static bool save(const char *path, int width, int height)
{
    unsigned char *picture = render(width, height);
    FILE *file = picture ? fopen(path, "wb") : NULL;
    size_t count = (size_t)width * (size_t)height;
    bool good = false;

    if (file) {
        fprintf(file, "P6\n%d %d\n255\n", width, height);
        good = fwrite(picture, 3, count, file) == count;
        good = fclose(file) == 0 && good;
    }
    if (good)
        printf("%s: %d x %d pixels\n", path, width, height);
    else
        perror(path);
    free(picture);
    return good;
}

int main(int argc, char **argv)
{
    int columns = argc > 1 ? atoi(argv[1]) : 72;
    int width = argc > 3 ? atoi(argv[3]) : 640;
    const char *color = getenv("COLOR");
    int height = columns / 2 / 2 * 2;
    unsigned char *picture;

    if (columns < 8 || columns > 1000 || width < 8 || width > 10000) {
        fprintf(stderr, "usage: raytrace [COLUMNS [PICTURE.ppm [WIDTH]]]\n");
        return 2;
    }
    picture = render(columns, height);
    if (!picture)
        return 1;
    if (color && *color == '1')
        show_in_color(picture, columns, height);
    else
        show_in_shades(picture, columns, height);
    free(picture);
    return argc > 2 && !save(argv[2], width, width * 3 / 4);
}
