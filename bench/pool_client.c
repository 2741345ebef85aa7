/*
 * pool_client - what a pool answers, timed by a program that uses libtern.
 *
 *     pool_client rate PROG.wasm COUNT     tasks of a job, submitted and waited for: seconds
 *     pool_client latency PROG.wasm COUNT  one after the other: microseconds, each on a line
 *     pool_client submit PROG.wasm COUNT   handed over, not waited for
 *     pool_client put SIZE                 so many bytes into the pool and back: two times, seconds
 *
 * The pool is where TERN_POOL says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tern/tern.h>
#include <time.h>

enum { PIECE = 1 << 20 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(struct tern *pool, enum tern_err err)
{
    if (!err)
        return;
    fprintf(stderr, "pool_client: %s\n", tern_why(pool));
    exit(1);
}

/* A job of so many tasks, at most TERN_TASKS_MAX at a time. */
static struct tern_job_id submit(struct tern *pool, const char *module, uint64_t count)
{
    struct tern_task_of *tasks = calloc(TERN_TASKS_MAX, sizeof *tasks);
    struct tern_job job = {.module = {.kind = TERN_FILE, .text = module}, .tasks = tasks};
    struct tern_submitted s = {0};

    if (!tasks)
        exit(1);
    for (uint64_t done = 0; done < count; done += job.task_count) {
        job.task_count = count - done < TERN_TASKS_MAX ? count - done : TERN_TASKS_MAX;
        job.first_index = done;
        must(pool, done ? tern_submit_more(pool, s.job, &job, &s) : tern_submit(pool, &job, &s));
    }
    free(tasks);
    return s.job;
}

static void wait_for(struct tern *pool, struct tern_job_id job, uint64_t count)
{
    struct tern_watch *watch = tern_watch_new(pool, false);
    struct tern_result *r;

    if (!watch)
        exit(1);
    must(pool, tern_watch_add(watch, (struct tern_which){.job = job}));
    for (uint64_t i = 0; i < count; i++) {
        must(pool, tern_watch_next(watch, -1, &r));
        if (r->state != TERN_DONE || r->code != 0) {
            fprintf(stderr, "pool_client: a task ended otherwise: %s\n", r->text);
            exit(1);
        }
        tern_result_free(r);
    }
    tern_watch_free(watch);
}

static void rate(struct tern *pool, const char *module, uint64_t count)
{
    const double from = now();

    wait_for(pool, submit(pool, module, count), count);
    printf("%.6f\n", now() - from);
}

static void latency(struct tern *pool, const char *module, uint64_t count)
{
    struct tern_job job = {.module = {.kind = TERN_FILE, .text = module}};
    struct tern_submitted s;
    struct tern_result *r;

    for (uint64_t i = 0; i < count; i++) {
        const double from = now();

        must(pool, tern_submit(pool, &job, &s));
        must(pool, tern_wait(pool, s.first, -1, &r));
        tern_result_free(r);
        printf("%.1f\n", (now() - from) * 1e6);
    }
}

static enum tern_err count_bytes(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(uint64_t *)context += size;
    return TERN_OK;
}

/* Bytes that no compressor makes less of. */
static FILE *noise(uint64_t size)
{
    FILE *f = tmpfile();
    uint64_t *piece = malloc(PIECE), x = 88172645463325252u;

    if (!f || !piece)
        exit(1);
    for (uint64_t at = 0; at < size; at += PIECE) {
        for (size_t i = 0; i < PIECE / sizeof *piece; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            piece[i] = x;
        }
        if (fwrite(piece, 1, PIECE, f) != PIECE)
            exit(1);
    }
    free(piece);
    rewind(f);
    return f;
}

static void put_and_get(struct tern *pool, uint64_t size)
{
    FILE *f = noise(size);
    const struct tern_source from = {.kind = TERN_FD, .fd = fileno(f)};
    struct tern_source back = {.kind = TERN_BLOB};
    uint64_t got = 0;
    const struct tern_sink sink = {.take = count_bytes, .context = &got};
    double begun = now();

    must(pool, tern_put(pool, NULL, &from, &back.blob));
    printf("%.6f\n", now() - begun);
    begun = now();
    must(pool, tern_get(pool, &back, &sink));
    printf("%.6f\n", now() - begun);
    if (got != size)
        exit(1);
    fclose(f);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    const uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct tern *pool;

    if (argc < 3)
        return 2;
    if (tern_connect(NULL, &pool)) {
        fprintf(stderr, "pool_client: %s\n", pool ? tern_why(pool) : "out of memory");
        return 1;
    }
    if (strcmp(what, "rate") == 0)
        rate(pool, argv[2], count);
    else if (strcmp(what, "latency") == 0)
        latency(pool, argv[2], count);
    else if (strcmp(what, "submit") == 0)
        submit(pool, argv[2], count);
    else if (strcmp(what, "put") == 0)
        put_and_get(pool, strtoull(argv[2], NULL, 10));
    else
        return 2;
    tern_close(pool);
    return 0;
}
