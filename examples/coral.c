/*
 * coral - patterns that grow like coral: the reaction-diffusion system of Gray and Scott.
 *
 * usage: coral RECIPE PICTURE.png
 *
 * RECIPE is a text file: "size N", "steps N", "feed F", "kill K", "report N", and any number of
 * "seed X Y RADIUS", each on a line of its own; '#' begins a comment. Two substances U and V are
 * spread over a torus of size x size cells; V eats U, and both diffuse:
 *
 *     dU/dt = Du lap U - U V^2 + F (1 - U)
 *     dV/dt = Dv lap V + U V^2 - (F + k) V
 *
 * (J. E. Pearson, Complex Patterns in a Simple System, Science 261, 1993), by steps of 1 with the
 * nine-point Laplacian. Every `report` steps it prints how much there is of V. The result is a
 * PNG (ISO/IEC 15948), its data stored without compression.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_CELLS = 4096, SEEDS_MAX = 256 };

struct seed {
    int x, y, radius;
};

struct recipe {
    int size;
    long steps, report;
    float feed, kill;
    struct seed seeds[SEEDS_MAX];
    int seed_count;
};

/* A plane has a margin of one cell all round, which repeats the other side. */
struct field {
    int size;
    float *u, *v, *next_u, *next_v;
};

static const float diffusion_u = 0.8f, diffusion_v = 0.4f;

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "coral: %s: %s\n", which, what);
    exit(1);
}

static void add_seed(struct recipe *r, const char *line, const char *path)
{
    struct seed s;

    if (r->seed_count == SEEDS_MAX)
        fail("more than 256 seeds", path);
    if (sscanf(line, "seed %d %d %d", &s.x, &s.y, &s.radius) != 3 || s.radius < 1)
        fail("a seed is \"seed X Y RADIUS\"", path);
    r->seeds[r->seed_count++] = s;
}

static void read_line(struct recipe *r, const char *line, const char *path)
{
    char word[16] = "";

    if (sscanf(line, "%15s", word) < 1 || word[0] == '#')
        return;
    if (strcmp(word, "seed") == 0)
        add_seed(r, line, path);
    else if (sscanf(line, "size %d", &r->size) != 1 && sscanf(line, "steps %ld", &r->steps) != 1 &&
             sscanf(line, "report %ld", &r->report) != 1 &&
             sscanf(line, "feed %f", &r->feed) != 1 && sscanf(line, "kill %f", &r->kill) != 1)
        fail("a line that is none of size, steps, report, feed, kill, seed", path);
}

static struct recipe read_recipe(const char *path)
{
    struct recipe r = {.size = 512, .steps = 20000, .report = 1000, .feed = 0.0545f,
                       .kill = 0.062f};
    FILE *f = fopen(path, "r");
    char line[256];

    if (!f)
        fail("cannot be read", path);
    while (fgets(line, sizeof line, f))
        read_line(&r, line, path);
    fclose(f);
    if (r.size < 8 || r.size > SIZE_MAX_CELLS)
        fail("size has to be between 8 and 4096", path);
    if (r.seed_count == 0)
        fail("without a seed nothing grows", path);
    return r;
}

static float *new_plane(int size)
{
    float *p = calloc((size_t)(size + 2) * (size_t)(size + 2), sizeof *p);

    if (!p)
        fail("out of memory", "planes");
    return p;
}

static float *cell(float *plane, int size, int x, int y)
{
    return plane + (size_t)(y + 1) * (size_t)(size + 2) + (size_t)(x + 1);
}

static void sow(struct field *f, const struct seed *s)
{
    for (int dy = -s->radius; dy <= s->radius; dy++)
        for (int dx = -s->radius; dx <= s->radius; dx++) {
            int x = ((s->x + dx) % f->size + f->size) % f->size;
            int y = ((s->y + dy) % f->size + f->size) % f->size;

            if (dx * dx + dy * dy > s->radius * s->radius)
                continue;
            *cell(f->u, f->size, x, y) = 0.5f;
            *cell(f->v, f->size, x, y) = 0.25f;
        }
}

static struct field plant(const struct recipe *r)
{
    struct field f = {.size = r->size,
                      .u = new_plane(r->size),
                      .v = new_plane(r->size),
                      .next_u = new_plane(r->size),
                      .next_v = new_plane(r->size)};

    for (int y = 0; y < f.size; y++)
        for (int x = 0; x < f.size; x++)
            *cell(f.u, f.size, x, y) = 1;
    for (int i = 0; i < r->seed_count; i++)
        sow(&f, &r->seeds[i]);
    return f;
}

static void wrap(float *plane, int size)
{
    const size_t row = (size_t)(size + 2);

    for (int y = 0; y < size; y++) {
        *cell(plane, size, -1, y) = *cell(plane, size, size - 1, y);
        *cell(plane, size, size, y) = *cell(plane, size, 0, y);
    }
    memcpy(plane, plane + row * (size_t)size, row * sizeof *plane);
    memcpy(plane + row * (size_t)(size + 1), plane + row, row * sizeof *plane);
}

static inline float laplacian(const float *c, size_t row)
{
    float near = c[-1] + c[1] + *(c - row) + c[row];
    float far = *(c - row - 1) + *(c - row + 1) + c[row - 1] + c[row + 1];

    return 0.2f * near + 0.05f * far - *c;
}

static void step_row(const struct field *f, int y, float feed, float kill)
{
    const size_t row = (size_t)(f->size + 2), start = (size_t)(y + 1) * row + 1;
    const float *restrict u = f->u + start, *restrict v = f->v + start;
    float *restrict to_u = f->next_u + start, *restrict to_v = f->next_v + start;

    for (int x = 0; x < f->size; x++) {
        float eaten = u[x] * v[x] * v[x];

        to_u[x] = u[x] + diffusion_u * laplacian(u + x, row) - eaten + feed * (1 - u[x]);
        to_v[x] = v[x] + diffusion_v * laplacian(v + x, row) + eaten - (feed + kill) * v[x];
    }
}

static void step(struct field *f, float feed, float kill)
{
    float *u = f->u, *v = f->v;

    wrap(u, f->size);
    wrap(v, f->size);
    for (int y = 0; y < f->size; y++)
        step_row(f, y, feed, kill);
    f->u = f->next_u;
    f->v = f->next_v;
    f->next_u = u;
    f->next_v = v;
}

static double amount(const struct field *f)
{
    double sum = 0;

    for (int y = 0; y < f->size; y++)
        for (int x = 0; x < f->size; x++)
            sum += (double)*cell(f->v, f->size, x, y);
    return sum;
}

/* PNG: chunks with a CRC-32; image data as zlib has it, in stored blocks, with an Adler-32. */
struct png {
    FILE *f;
    uint32_t crc, adler_a, adler_b;
};

static void put(struct png *p, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        p->crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            p->crc = p->crc >> 1 ^ (p->crc & 1 ? 0xedb88320u : 0);
    }
    if (fwrite(bytes, 1, size, p->f) != size)
        fail("cannot be written", "picture");
}

static void put_u32(struct png *p, uint32_t n)
{
    put(p, (uint8_t[]){(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4);
}

static void chunk_begin(struct png *p, const char *name, uint32_t size)
{
    put_u32(p, size);
    p->crc = 0xffffffffu;
    put(p, (const uint8_t *)name, 4);
}

static void chunk_end(struct png *p)
{
    put_u32(p, ~p->crc);
}

static void put_stored(struct png *p, const uint8_t *row, size_t size, int last)
{
    const uint8_t head[] = {(uint8_t)last, (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)~size,
                            (uint8_t)(~size >> 8)};

    put(p, head, sizeof head);
    put(p, row, size);
    for (size_t i = 0; i < size; i++) {
        p->adler_a = (p->adler_a + row[i]) % 65521;
        p->adler_b = (p->adler_b + p->adler_a) % 65521;
    }
}

static void color(float v, uint8_t *rgb)
{
    float t = v * 2.6f;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    rgb[0] = (uint8_t)(12 + 243 * t);
    rgb[1] = (uint8_t)(24 + 180 * t * t);
    rgb[2] = (uint8_t)(66 + 80 * t - 40 * t * t);
}

static void put_data(struct png *p, const struct field *f)
{
    const size_t row_bytes = 1 + 3 * (size_t)f->size;
    uint8_t *row = calloc(row_bytes, 1);

    if (!row)
        fail("out of memory", "picture");
    chunk_begin(p, "IDAT", (uint32_t)(2 + (size_t)f->size * (row_bytes + 5) + 4));
    put(p, (const uint8_t[]){0x78, 0x01}, 2);
    for (int y = 0; y < f->size; y++) {
        for (int x = 0; x < f->size; x++)
            color(*cell(f->v, f->size, x, y), row + 1 + 3 * x);
        put_stored(p, row, row_bytes, y == f->size - 1);
    }
    put_u32(p, p->adler_b << 16 | p->adler_a);
    chunk_end(p);
    free(row);
}

static void write_picture(const struct field *f, const char *path)
{
    static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    struct png p = {.f = fopen(path, "wb"), .adler_a = 1};

    if (!p.f)
        fail("cannot be written", path);
    put(&p, magic, sizeof magic);
    chunk_begin(&p, "IHDR", 13);
    put_u32(&p, (uint32_t)f->size);
    put_u32(&p, (uint32_t)f->size);
    put(&p, (const uint8_t[]){8, 2, 0, 0, 0}, 5);
    chunk_end(&p);
    put_data(&p, f);
    chunk_begin(&p, "IEND", 0);
    chunk_end(&p);
    if (fclose(p.f))
        fail("cannot be written", path);
}

int main(int argc, char **argv)
{
    struct recipe r;
    struct field f;

    if (argc != 3)
        fail("usage: coral RECIPE PICTURE.png", "arguments");
    r = read_recipe(argv[1]);
    f = plant(&r);
    for (long n = 1; n <= r.steps; n++) {
        step(&f, r.feed, r.kill);
        if (r.report > 0 && n % r.report == 0) {
            printf("step %8ld of %ld: %12.6f of V\n", n, r.steps, amount(&f));
            fflush(stdout);
        }
    }
    write_picture(&f, argv[2]);
    return 0;
}
