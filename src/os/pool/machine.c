#include "os/pool/machine.h"

#include "base/bytes.h"
#include "os/file.h"
#include "os/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { PROC_BYTES_MAX = 64 << 10, KERNEL_STEPS = 2000000, KERNEL_RUNS = 5, TREE_DEPTH_MAX = 8 };
#define KERNEL_NS_2020 5000000 /* that these steps take on a machine of speed 1000 */

/* The text of a small file; NULL: it cannot be read. *room holds it. */
static const char *read_text(const char *path, struct bytes *room)
{
    bytes_clear(room);
    return file_read(path, PROC_BYTES_MAX, room) == TERN_OK ? bytes_text(room) : NULL;
}

static uint64_t memory_line(const char *name)
{
    struct bytes room = {0};
    const char *text = read_text("/proc/meminfo", &room);
    const char *at = text ? strstr(text, name) : NULL;
    uint64_t bytes = at ? 1024 * strtoull(at + strlen(name), NULL, 10) : 0;

    bytes_release(&room);
    return bytes;
}

void machine_look(struct machine *out)
{
    struct utsname u;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct machine){.processors = processors > 0 ? (uint32_t)processors : 1,
                            .memory_bytes = memory_line("MemTotal:")};
    if (uname(&u) < 0)
        return;
    snprintf(out->architecture, sizeof out->architecture, "%.64s", u.machine);
    snprintf(out->system, sizeof out->system, "%.31s %.32s", u.sysname, u.release);
}

uint64_t machine_memory_free(void)
{
    return memory_line("MemAvailable:");
}

/* ---------------------------------------------------------------- speed */

static int64_t kernel_ns(void)
{
    struct timespec from, to;
    uint64_t x = 88172645463325252u;
    volatile uint64_t keep;
    double y = 1.0;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < KERNEL_STEPS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x *= 0x9E3779B97F4A7C15u;
        y = y * 0.999999 + (double)(x >> 40) * 1e-9;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    keep = x + (uint64_t)y;
    (void)keep;
    return (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
}

static uint32_t measure(void)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < KERNEL_RUNS; i++) {
        const int64_t took = kernel_ns();

        if (took > 0 && took < best)
            best = took;
    }
    return (uint32_t)(INT64_C(1000) * KERNEL_NS_2020 / best);
}

uint32_t machine_speed(const char *state_dir)
{
    struct bytes room = {0};
    char path[4200], text[32];
    const char *kept;
    uint32_t speed = 0;
    int dir;

    if (!state_dir)
        return measure();
    snprintf(path, sizeof path, "%s/speed", state_dir);
    kept = read_text(path, &room);
    if (kept)
        speed = (uint32_t)strtoul(kept, NULL, 10);
    bytes_release(&room);
    if (speed)
        return speed;
    speed = measure();
    dir = sys_open(state_dir, O_RDONLY | O_DIRECTORY, 0);
    if (dir >= 0) {
        const struct view view =
            view_of(text, (size_t)snprintf(text, sizeof text, "%" PRIu32 "\n", speed));

        file_replace(dir, "speed", &view, 1); /* if not, it is measured again */
    }
    sys_close(dir);
    return speed;
}

/* ---------------------------------------------------------------- load */

static void read_all(struct machine_load *now)
{
    struct bytes room = {0};
    const char *text = read_text("/proc/stat", &room);
    unsigned long long t[8] = {0};

    if (text && sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
                       &t[3], &t[4], &t[5], &t[6], &t[7]) == 8) {
        now->busy = t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
        now->all = now->busy + t[3] + t[4];
    }
    bytes_release(&room);
}

/* Of a process and of those children of it that have ended: utime, stime, cutime, cstime. */
static uint64_t ticks_of(pid_t pid, struct bytes *room)
{
    char path[64];
    const char *text, *behind;
    unsigned long long t[4] = {0};

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    text = read_text(path, room);
    behind = text ? strrchr(text, ')') : NULL; /* its name may have anything in it */
    if (!behind || sscanf(behind + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu "
                          "%llu",
                          &t[0], &t[1], &t[2], &t[3]) != 4)
        return 0;
    return t[0] + t[1] + t[2] + t[3];
}

static uint64_t ticks_of_tree(pid_t pid, int depth)
{
    struct bytes room = {0};
    char path[64];
    uint64_t ticks = ticks_of(pid, &room);
    const char *text;
    char *end;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    text = depth < TREE_DEPTH_MAX ? read_text(path, &room) : NULL;
    while (text && *text) {
        const long child = strtol(text, &end, 10);

        if (end == text)
            break;
        ticks += ticks_of_tree((pid_t)child, depth + 1);
        text = end;
    }
    bytes_release(&room);
    return ticks;
}

uint32_t machine_foreign(struct machine_load *before, const pid_t *own, size_t count)
{
    struct machine_load now = {0};
    uint64_t all, busy, ours;

    read_all(&now);
    for (size_t i = 0; i < count; i++)
        now.own += ticks_of_tree(own[i], 0);
    all = now.all - before->all;
    busy = now.busy - before->busy;
    ours = now.own > before->own ? now.own - before->own : 0;
    *before = now;
    if (!all || busy <= ours)
        return 0;
    return (uint32_t)(1000 * (busy - ours) / all);
}
