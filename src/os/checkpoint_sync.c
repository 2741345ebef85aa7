#include "os/checkpoint_sync.h"

#include "os/sys.h"

#include <string.h>

void checkpoint_sync_note(struct checkpoint_sync *s, const struct state *state)
{
    s->due |= state->files_changed;
}

/* Whether one before lies on the same file system. */
static bool is_synced(const struct checkpoint_sync *s, size_t i)
{
    struct stat own, other;

    if (sys_fstat(s->dirs[i], &own) < 0)
        return false;
    for (size_t k = 0; k < i; k++) {
        if (s->dirs[k] >= 0 && sys_fstat(s->dirs[k], &other) >= 0 && other.st_dev == own.st_dev)
            return true;
    }
    return false;
}

enum tern_err checkpoint_sync(struct checkpoint_sync *s, struct problem *p)
{
    int error = s->input ? kept_input_sync(s->input) : 0;

    if (error < 0)
        return problem_set(p, TERN_EIO,
                           "standard input that is kept cannot be brought to the disk: %s",
                           strerror(-error));
    for (size_t i = 0; s->due && i < s->dir_count; i++) {
        if (s->dirs[i] < 0 || is_synced(s, i))
            continue;
        error = s->sync(s->dirs[i]);
        if (error < 0)
            return problem_set(p, TERN_EIO,
                               "the files it has written cannot be brought to the disk: %s",
                               strerror(-error));
    }
    s->due = false;
    return TERN_OK;
}
