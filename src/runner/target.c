#include "runner/target.h"

#include <string.h>

/* Not on the stack: the program's own may be nearly used up. */
static char paths[2][PATH_MAX];

enum wasi_errno target_copy_path(struct host *h, uint32_t from, uint32_t size, int which,
                                 const char **out)
{
    const uint8_t *path = guest_at(h->memory, from, size);
    char *to = paths[which];

    if (!path)
        return WASI_E_FAULT;
    if (size >= PATH_MAX)
        return WASI_E_NAMETOOLONG;
    memcpy(to, path, size);
    to[size] = 0;
    *out = to;
    return memchr(to, 0, size) ? WASI_E_INVAL : WASI_E_SUCCESS;
}

enum wasi_errno target_get(struct host *h, uint32_t fd, uint64_t rights, const union tern_cell *a,
                           int which, struct target *out)
{
    enum wasi_errno error = fds_get_dir(&h->fds, fd, rights, &out->dir);

    if (!error)
        error = target_copy_path(h, a[0].i32, a[1].i32, which, &out->path);
    if (!error)
        out->root = (struct path_root){.dir = out->dir->host, .walk = h->walk_paths};
    return error;
}
