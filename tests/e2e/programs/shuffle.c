/*
 * shuffle SEED STEPS - draws operations on the files of its first directory, and tells each answer:
 * so that two file systems can be compared. At the end everything that is left is told.
 *
 * What file systems may answer differently is not told: sizes and links of directories, inodes,
 * times that are not set, the order of names in a directory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

enum { ROOT = 3, SLOTS = 8, BUFFER = 20000, TEXT = 256, NAMES_MAX = 64, DEPTH_MAX = 12 };

static uint64_t seed;
static int slot[SLOTS]; /* descriptors; -1: none */
static uint8_t buffer[BUFFER];

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* ---- Paths ---- */

static const char *draw_name(int links)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", ".", ".."};

    return names[draw(links ? 6 : draw(4) ? 5 : 7)];
}

/* links: what a symbolic link may say: nothing that could lead out of the directory. */
static const char *draw_path(int which, int links)
{
    static char paths[2][TEXT];
    char *path = paths[which];
    uint32_t parts = 1 + draw(3);

    path[0] = 0;
    for (uint32_t i = 0; i < parts; i++) {
        strcat(path, draw_name(links));
        strcat(path, i + 1 < parts || draw(20) == 0 ? "/" : "");
    }
    return path;
}

static uint32_t hash_of(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static size_t draw_bytes(void)
{
    static const uint32_t sizes[] = {1, 10, 100, 4095, 4096, 4097, 8192, 12289, BUFFER};
    size_t size = draw(2) ? sizes[draw(9)] : 1 + draw(BUFFER);
    uint8_t first = (uint8_t)draw(256);

    for (size_t i = 0; i < size; i++)
        buffer[i] = draw(50) ? (uint8_t)(first + i / 7) : 0;
    return size;
}

static uint64_t draw_offset(void)
{
    switch (draw(10)) {
    case 0: return (uint64_t)1 << 33;
    case 1: return 4096 * draw(16);
    case 2: return (uint64_t)3 * 1024 * 4096 + draw(4096);
    default: return draw(70000);
    }
}

/* ---- Files ---- */

static void do_open(int at)
{
    const char *path = draw_path(0, 0);
    const __wasi_rights_t all = ((__wasi_rights_t)1 << 30) - 1;
    const __wasi_rights_t rights[] = {all & ~(__wasi_rights_t)__WASI_RIGHTS_FD_WRITE &
                                          ~(__wasi_rights_t)__WASI_RIGHTS_FD_ALLOCATE &
                                          ~(__wasi_rights_t)__WASI_RIGHTS_FD_FILESTAT_SET_SIZE,
                                      all, all & ~(__wasi_rights_t)__WASI_RIGHTS_FD_READ};
    __wasi_oflags_t oflags = (__wasi_oflags_t)draw(16);
    const __wasi_lookupflags_t follow = draw(3) != 0;
    const uint32_t which = draw(3);
    const __wasi_fdflags_t flags = draw(4) ? 0 : __WASI_FDFLAGS_APPEND;
    __wasi_fd_t fd = 0;
    int error;

    if (draw(2))
        oflags = __WASI_OFLAGS_CREAT;
    if (slot[at] >= 0)
        (void)!__wasi_fd_close((__wasi_fd_t)slot[at]);
    error = __wasi_path_open(ROOT, follow, path, oflags, rights[which], all, flags, &fd);
    slot[at] = error ? -1 : (int)fd;
    printf("open %s %x %u %u: %d\n", path, oflags, which, follow, error);
}

static void do_write(__wasi_fd_t fd)
{
    const __wasi_ciovec_t parts[2] = {{buffer, draw(50)}, {buffer, draw_bytes()}};
    const uint32_t from = draw(2);
    const uint64_t at = draw_offset();
    const int here = draw(2) != 0;
    __wasi_size_t done = 0;
    int error = here ? __wasi_fd_write(fd, parts + from, 2 - from, &done)
                     : __wasi_fd_pwrite(fd, parts + from, 2 - from, at, &done);

    printf("write %d %llu: %d %u\n", here, (unsigned long long)at, error, (unsigned)done);
}

static void do_read(__wasi_fd_t fd)
{
    const uint32_t half = 1 + draw(BUFFER - 2);
    const __wasi_iovec_t parts[2] = {{buffer, half}, {buffer + half, BUFFER - half}};
    const uint64_t at = draw_offset();
    const int here = draw(2) != 0;
    __wasi_size_t done = 0;
    int error =
        here ? __wasi_fd_read(fd, parts, 2, &done) : __wasi_fd_pread(fd, parts, 2, at, &done);

    printf("read %d %llu: %d %u %x\n", here, (unsigned long long)at, error, (unsigned)done,
           (unsigned)hash_of(buffer, done));
}

static void do_seek(__wasi_fd_t fd)
{
    const int64_t by = (int64_t)draw_offset() - (int64_t)draw(20000);
    __wasi_filesize_t at = 0;
    const uint8_t whence = (uint8_t)draw(3);
    const int error = __wasi_fd_seek(fd, by, whence, &at);

    printf("seek %lld %u: %d %llu\n", (long long)by, whence, error, (unsigned long long)at);
}

static void tell_stat(int error, const __wasi_filestat_t *st)
{
    printf("%d", error);
    if (!error)
        printf(" %u", st->filetype);
    if (!error && st->filetype != __WASI_FILETYPE_DIRECTORY)
        printf(" %llu %llu", (unsigned long long)st->size, (unsigned long long)st->nlink);
    puts("");
}

static void do_size(__wasi_fd_t fd)
{
    const uint64_t size = draw_offset();

    printf("size %llu: ", (unsigned long long)size);
    printf("%d\n", __wasi_fd_filestat_set_size(fd, size));
}

static void do_allocate(__wasi_fd_t fd)
{
    const uint64_t at = draw(100000), size = draw(50000);

    printf("allocate %llu %llu: ", (unsigned long long)at, (unsigned long long)size);
    printf("%d\n", __wasi_fd_allocate(fd, at, size));
}

static void do_fd(void)
{
    const int at = (int)draw(SLOTS);
    const __wasi_fd_t fd = (__wasi_fd_t)slot[at];
    __wasi_filestat_t st;

    if (slot[at] < 0 || draw(12) == 0) {
        do_open(at);
        return;
    }
    switch (draw(12)) {
    case 0:
        printf("close: %d\n", __wasi_fd_close(fd));
        slot[at] = -1;
        break;
    case 1: tell_stat(__wasi_fd_filestat_get(fd, &st), &st); break;
    case 2: do_size(fd); break;
    case 3: do_allocate(fd); break;
    case 4: printf("flags: %d\n", __wasi_fd_fdstat_set_flags(fd, draw(2))); break;
    case 5: do_seek(fd); break;
    case 6: printf("sync: %d\n", __wasi_fd_sync(fd)); break;
    case 7:
    case 8: do_read(fd); break;
    default: do_write(fd); break;
    }
}

/* ---- Names ---- */

static void do_times(const char *path)
{
    const uint64_t a = draw(1000000) * (uint64_t)1000, m = draw(1000000) * (uint64_t)1000;
    const __wasi_lookupflags_t follow = draw(2) != 0;
    __wasi_filestat_t st = {0};
    const int error = __wasi_path_filestat_set_times(ROOT, follow, path, a, m,
                                                     __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM);

    (void)!__wasi_path_filestat_get(ROOT, follow, path, &st);
    printf("times %s %u: %d", path, follow, error);
    if (!error)
        printf(" %llu", (unsigned long long)st.mtim);
    puts("");
}

static void do_readlink(const char *path)
{
    __wasi_size_t size = 0;
    const int error = __wasi_path_readlink(ROOT, path, buffer, TEXT, &size);

    printf("readlink %s: %d %.*s\n", path, error, error ? 0 : (int)size, (char *)buffer);
}

static void do_stat(const char *path)
{
    const __wasi_lookupflags_t follow = draw(2) != 0;
    __wasi_filestat_t st;

    printf("stat %s %u: ", path, follow);
    tell_stat(__wasi_path_filestat_get(ROOT, follow, path, &st), &st);
}

static void do_link(const char *path, const char *other)
{
    const __wasi_lookupflags_t follow = draw(2) != 0;
    __wasi_filestat_t st;

    if (!__wasi_path_filestat_get(ROOT, follow, path, &st) &&
        st.filetype == __WASI_FILETYPE_DIRECTORY)
        return; /* of a directory, two errors may apply */
    printf("link %s %s %u: ", path, other, follow);
    printf("%d\n", __wasi_path_link(ROOT, follow, path, ROOT, other));
}

static void do_name(void)
{
    const char *path = draw_path(0, 0), *other = draw_path(1, 0);

    switch (draw(12)) {
    case 0:
    case 1:
    case 2: printf("mkdir %s: %d\n", path, __wasi_path_create_directory(ROOT, path)); break;
    case 3: printf("rmdir %s: %d\n", path, __wasi_path_remove_directory(ROOT, path)); break;
    case 4: printf("unlink %s: %d\n", path, __wasi_path_unlink_file(ROOT, path)); break;
    case 5:
    case 6:
        printf("rename %s %s: %d\n", path, other, __wasi_path_rename(ROOT, path, ROOT, other));
        break;
    case 7: do_link(path, other); break;
    case 8:
        other = draw_path(1, 1);
        printf("symlink %s %s: %d\n", other, path, __wasi_path_symlink(other, ROOT, path));
        break;
    case 9: do_readlink(path); break;
    case 10: do_stat(path); break;
    default: do_times(path); break;
    }
}

/* ---- What is left ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Through a small buffer, so that it is read in pieces. */
static int list(__wasi_fd_t fd, char names[NAMES_MAX][TEXT])
{
    uint8_t piece[100];
    __wasi_dircookie_t cookie = 0;
    __wasi_size_t used = sizeof piece;
    int count = 0;

    while (used == sizeof piece) {
        size_t at = 0;

        if (__wasi_fd_readdir(fd, piece, sizeof piece, cookie, &used))
            return -1;
        while (at + sizeof(__wasi_dirent_t) <= used) {
            __wasi_dirent_t e;

            memcpy(&e, piece + at, sizeof e);
            if (at + sizeof e + e.d_namlen > used)
                break;
            memcpy(names[count], piece + at + sizeof e, e.d_namlen);
            snprintf(names[count] + e.d_namlen, 8, " %u", e.d_type);
            count++;
            cookie = e.d_next;
            at += sizeof e + e.d_namlen;
        }
    }
    qsort(names, (size_t)count, TEXT, compare_names);
    return count;
}

static void tell_contents(const char *path)
{
    const __wasi_rights_t rights = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK;
    __wasi_iovec_t part = {buffer, BUFFER};
    uint64_t at = 0;
    __wasi_size_t done = 1;
    __wasi_fd_t fd;

    if (__wasi_path_open(ROOT, 0, path, 0, rights, 0, 0, &fd))
        return;
    while (done > 0 && at < 200000 && !__wasi_fd_pread(fd, &part, 1, at, &done)) {
        printf("%s at %llu: %u %x\n", path, (unsigned long long)at, (unsigned)done,
               (unsigned)hash_of(buffer, done));
        at += done;
    }
    (void)!__wasi_fd_close(fd);
}

static void tell(const char *path, int depth)
{
    static char names[DEPTH_MAX][NAMES_MAX][TEXT];
    const __wasi_rights_t rights = __WASI_RIGHTS_FD_READDIR;
    __wasi_filestat_t st;
    __wasi_fd_t fd;
    int count = 0;

    printf("%s: ", path);
    tell_stat(__wasi_path_filestat_get(ROOT, 0, path, &st), &st);
    if (st.filetype == __WASI_FILETYPE_SYMBOLIC_LINK)
        do_readlink(path);
    if (st.filetype == __WASI_FILETYPE_REGULAR_FILE)
        tell_contents(path);
    if (st.filetype != __WASI_FILETYPE_DIRECTORY || depth == DEPTH_MAX)
        return;
    if (!__wasi_path_open(ROOT, 0, path, __WASI_OFLAGS_DIRECTORY, rights, 0, 0, &fd)) {
        count = list(fd, names[depth]);
        (void)!__wasi_fd_close(fd);
    }
    for (int i = 0; i < count; i++) {
        char *name = names[depth][i], below[TEXT * 2];

        printf("  %s\n", name);
        name[strlen(name) - 2] = 0;
        snprintf(below, sizeof below, "%s/%s", path, name);
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            tell(below, depth + 1);
    }
}

int main(int argc, char **argv)
{
    const long steps = argc > 2 ? strtol(argv[2], NULL, 10) : 100;

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (int i = 0; i < SLOTS; i++)
        slot[i] = -1;
    for (long i = 0; i < steps; i++) {
        if (draw(2))
            do_fd();
        else
            do_name();
    }
    tell(".", 0);
    return 0;
}
