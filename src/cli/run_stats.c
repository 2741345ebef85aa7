#include "cli/run.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool run_open_stats(struct run *r, const char *path)
{
    r->stats = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (r->stats < 0)
        say("%s: cannot write to %s: %s", r->verb, path, strerror(errno));
    return r->stats >= 0;
}

/* One write for a line: several that append to one file do not mix. */
void run_tell_stats(const struct run *r, const struct stopper_done *done)
{
    const struct take_done *take = &done->take;
    json_t *line =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "checkpoint",
                  (json_int_t)take->root.number, "frames", (json_int_t)take->frames, "memory_pages",
                  (json_int_t)take->pages.used, "changed_pages", (json_int_t)take->pages.changed,
                  "copied_pages", (json_int_t)take->pages.copied, "new_chunks",
                  (json_int_t)take->root.new_chunks, "new_bytes", (json_int_t)take->root.new_bytes,
                  "pause_ns", (json_int_t)done->pause_ns, "total_ns", (json_int_t)done->total_ns,
                  "tracked", (int)done->tracked, "last", (int)done->last);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    char *whole = NULL;
    int size = text ? asprintf(&whole, "%s\n", text) : -1;

    if (size < 0 || write(r->stats, whole, (size_t)size) != size)
        say("a line about checkpoint %ju could not be written", (uintmax_t)take->root.number);
    if (size >= 0)
        free(whole);
    free(text);
    json_decref(line);
}
