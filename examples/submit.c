/*
 * submit.c - one program, many inputs, by libtern: hands the pool a module and a task for each
 * further argument, and prints what they write as they end.
 *
 *     cc submit.c $(pkg-config --cflags --libs libtern) -o submit
 *     ./submit prog.wasm 1 2 3
 */
#include <stdio.h>
#include <stdlib.h>
#include <tern/tern.h>

static int complain(struct tern *pool)
{
    fprintf(stderr, "submit: %s\n", tern_why(pool));
    tern_close(pool);
    return 1;
}

static enum tern_err print(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, context) == size ? TERN_OK : TERN_EIO;
}

static enum tern_err submit(struct tern *pool, const char *module, char **items, size_t count,
                            struct tern_submitted *out)
{
    const char *args[] = {"{}"};
    struct tern_task_of *tasks = calloc(count, sizeof *tasks);
    struct tern_job job = {.module = {.kind = TERN_FILE, .text = module},
                           .args = args,
                           .arg_count = 1,
                           .tasks = tasks,
                           .task_count = count};
    enum tern_err err;

    if (!tasks)
        return TERN_ENOMEM;
    for (size_t i = 0; i < count; i++)
        tasks[i].item = items[i];
    err = tern_submit(pool, &job, out);
    free(tasks);
    return err;
}

int main(int argc, char **argv)
{
    const struct tern_sink sink = {.take = print, .context = stdout};
    struct tern_submitted done;
    struct tern_watch *watch;
    struct tern *pool;

    if (argc < 3) {
        fprintf(stderr, "usage: submit PROG.wasm ITEM...\n");
        return 2;
    }
    if (tern_connect(NULL, &pool) || submit(pool, argv[1], argv + 2, (size_t)argc - 2, &done))
        return complain(pool);
    watch = tern_watch_new(pool, false);
    if (!watch || tern_watch_add(watch, (struct tern_which){.job = done.job}))
        return complain(pool);
    for (uint64_t left = done.count; left; left--) {
        struct tern_result *r;

        if (tern_watch_next(watch, -1, &r))
            return complain(pool);
        printf("%s (%s):\n", argv[2 + r->index], tern_state_text(r->state));
        if (tern_result_get(pool, r, NULL, &sink))
            return complain(pool);
        tern_result_free(r);
    }
    tern_watch_free(watch);
    tern_close(pool);
    return 0;
}
