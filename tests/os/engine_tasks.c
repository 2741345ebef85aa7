/*
 * engine_tasks MODULE [COUNT]: how many tasks a second one engine runs, one after another, from
 * prepare to ended. The module is one that does nothing. TERN_RUNNER, TERN_EXE as for the tests.
 */
#include "engine_rig.h"

#include "base/check.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MODULE_BYTES_MAX = 64 << 20, COUNT = 20000, FIRST = 100 };

static struct rig_task task;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(struct rig *r, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rig_run(r, &task);
        check(r->kind == TERN__END_KIND__END_EXIT && r->code == 0);
    }
}

int main(int argc, char **argv)
{
    const unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : COUNT;
    struct bytes module = {0};
    struct rig_store store;
    struct rig r;
    double began;

    if (argc < 2 || file_read(argv[1], MODULE_BYTES_MAX, &module)) {
        fprintf(stderr, "usage: engine_tasks MODULE [COUNT]\n");
        return 2;
    }
    rig_store_open(&store);
    rig_open(&r, &store);
    rig_task(&task, &store, bytes_view(&module), NULL, 0);
    run(&r, FIRST);
    began = seconds();
    run(&r, count);
    printf("%.0f tasks/s\n", count / (seconds() - began));
    rig_close(&r);
    rig_store_close(&store);
    return 0;
}
