#include "cli/pool_text.h"

#include "cli/units.h"

#include <stdio.h>
#include <string.h>

/* A stranger's text, cut, without what could steer a terminal. */
static const char *shown(const char *text, struct bytes *room)
{
    const char *out;

    bytes_clear(room);
    bytes_append_shown(room, view_of_string(text ? text : ""));
    out = bytes_text(room);
    return out ? out : "";
}

static const char *about(const struct tern_result *r, struct bytes *room)
{
    struct bytes end = {0};

    if (r->state >= TERN_DONE)
        shown(pool_end_text(r, &end), room);
    else
        shown(r->why, room);
    bytes_release(&end);
    return bytes_text(room);
}

void pool_text_task(const struct tern_result *r, bool head)
{
    char task[POOL_ID_BYTES], job[POOL_ID_BYTES], cpu[POOL_TIME_BYTES], checkpoint[24] = "-";
    struct bytes room = {0};

    if (head)
        printf("%-9s %-7s %-9s %-16s %5s %10s %s\n", "TASK", "JOB", "STATE", "NODE", "CKPT", "CPU",
               "");
    if (r->checkpoint)
        snprintf(checkpoint, sizeof checkpoint, "%llu", (unsigned long long)r->checkpoint);
    printf("%-9s %-7s %-9s %-16s %5s %10s %s\n", pool_task_text(r->task, task),
           pool_job_text(r->job, job), tern_state_text(r->state), *r->node ? r->node : "-",
           checkpoint, pool_duration((int64_t)r->cpu_ns, cpu), about(r, &room));
    bytes_release(&room);
}

void pool_text_node(const struct tern_node *n, bool head)
{
    char memory[UNITS_TEXT_BYTES], free_memory[UNITS_TEXT_BYTES];
    struct bytes room = {0};

    if (head)
        printf("%-16s %-8s %-8s %5s %7s %5s %10s %10s %6s %s\n", "NODE", "STATE", "MACHINE",
               "SLOTS", "RUNNING", "SPEED", "MEMORY", "FREE", "LOSSES", "LABELS");
    printf("%-16s %-8s %-8s %5u %7u %5u %10s %10s %6llu", n->name, n->state, n->machine, n->slots,
           n->running, n->speed, units_show_size(n->memory_bytes, memory),
           units_show_size(n->memory_free, free_memory), (unsigned long long)n->losses);
    for (size_t i = 0; i < n->label_count; i++)
        printf("%s%s", i ? "," : " ", shown(n->labels[i], &room));
    putchar('\n');
    bytes_release(&room);
}

void pool_text_depot(const struct tern_depot *d, bool head)
{
    char space[UNITS_TEXT_BYTES], room[UNITS_TEXT_BYTES];

    if (head)
        printf("\n%-16s %-8s %10s %10s %8s %s\n", "DEPOT", "STATE", "SPACE", "FREE", "ROOTS", "IN");
    printf("%-16s %-8s %10s %10s %8llu %s\n", d->name, d->state,
           d->space_bytes ? units_show_size(d->space_bytes, space) : "-",
           d->free_bytes ? units_show_size(d->free_bytes, room) : "-", (unsigned long long)d->roots,
           d->memory ? "memory" : "disk");
}

void pool_text_name(const struct tern_name *n, bool head, int64_t wall_of_zero_ns)
{
    char size[UNITS_TEXT_BYTES], when[POOL_TIME_BYTES];
    struct bytes room = {0};

    (void)head;
    printf("%10s  %u %s  %s  %s\n", units_show_size(n->blob.size, size), n->depots,
           n->depots == 1 ? "copy  " : "copies", pool_when(wall_of_zero_ns + n->time_ns, when),
           shown(n->name, &room));
    bytes_release(&room);
}

/* ---- everything of a task ---- */

static void line(const char *name, const char *value)
{
    struct bytes room = {0};

    if (value && *value)
        printf("%-12s %s\n", name, shown(value, &room));
    bytes_release(&room);
}

static void show_program(const struct tern_detail *d)
{
    struct bytes room = {0};

    printf("%-12s %s", "program", shown(d->program, &room));
    for (size_t i = 0; i < d->arg_count; i++)
        printf(" %s", shown(d->args[i], &room));
    putchar('\n');
    bytes_release(&room);
}

static void show_now(const struct tern_result *r)
{
    char size[UNITS_TEXT_BYTES], cpu[POOL_TIME_BYTES];
    struct bytes room = {0};

    printf("%-12s %s%s%s\n", "state", tern_state_text(r->state), *r->node ? " on " : "", r->node);
    line(r->state >= TERN_DONE ? "end" : "why", about(r, &room));
    printf("%-12s %s\n", "cpu", pool_duration((int64_t)r->cpu_ns, cpu));
    printf("%-12s %s\n", "output", units_show_size(r->output_bytes, size));
    if (r->error_bytes)
        printf("%-12s %s\n", "error", units_show_size(r->error_bytes, size));
    for (size_t i = 0; i < r->file_count; i++)
        printf("%-12s %s, %s\n", "file", shown(r->files[i].path, &room),
               units_show_size(r->files[i].size, size));
    printf("%-12s moved %u time%s, lost %u time%s\n", "moves", r->moves, r->moves == 1 ? "" : "s",
           r->losses, r->losses == 1 ? "" : "s");
    bytes_release(&room);
}

static void show_attempts(const struct tern_detail *d, int64_t zero_ns)
{
    char when[POOL_TIME_BYTES], cpu[POOL_TIME_BYTES];
    struct bytes room = {0};

    printf("\n%-8s %-16s %-9s %-20s %10s %5s %s\n", "ATTEMPT", "NODE", "STATE", "SINCE", "CPU",
           "FROM", "");
    for (size_t i = 0; i < d->attempt_count; i++) {
        const struct tern_attempt *a = &d->attempts[i];

        printf("%-8llu %-16s %-9s %-20s %10s %5llu %s\n", (unsigned long long)a->n, a->node,
               a->state, pool_when(zero_ns + (a->begun_ns ? a->begun_ns : a->placed_ns), when),
               pool_duration((int64_t)a->cpu_ns, cpu), (unsigned long long)a->from,
               shown(a->why, &room));
    }
    bytes_release(&room);
}

static void show_checkpoints(const struct tern_detail *d, int64_t zero_ns)
{
    char when[POOL_TIME_BYTES], pause[POOL_TIME_BYTES], image[UNITS_TEXT_BYTES],
        sent[UNITS_TEXT_BYTES];

    if (d->checkpoint_count)
        printf("\n%-10s %-8s %-20s %10s %10s %10s %s\n", "CHECKPOINT", "ATTEMPT", "AT", "PAUSE",
               "IMAGE", "SENT", "IN");
    for (size_t i = 0; i < d->checkpoint_count; i++) {
        const struct tern_checkpoint *c = &d->checkpoints[i];

        snprintf(pause, sizeof pause, "%.1f ms", (double)c->pause_ns / 1e6);
        printf("%-10llu %-8llu %-20s %10s %10s %10s", (unsigned long long)c->n,
               (unsigned long long)c->attempt, pool_when(zero_ns + c->time_ns, when), pause,
               units_show_size(c->image_bytes, image), units_show_size(c->sent_bytes, sent));
        for (size_t k = 0; k < c->depot_count; k++)
            printf("%s%s", k ? "," : " ", c->depots[k]);
        putchar('\n');
    }
}

void pool_text_detail(const struct tern_detail *d, int64_t wall_of_zero_ns)
{
    char id[POOL_ID_BYTES], when[POOL_TIME_BYTES];

    line("task", pool_task_text(d->now.task, id));
    line("job", pool_job_text(d->now.job, id));
    line("label", d->label);
    line("owner", d->owner);
    show_program(d);
    line("item", d->item);
    line("submitted", pool_when(d->submitted_ns, when));
    show_now(&d->now);
    show_attempts(d, wall_of_zero_ns);
    show_checkpoints(d, wall_of_zero_ns);
}
