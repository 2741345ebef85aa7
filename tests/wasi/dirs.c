/* Reading directories: entries, cookies, entries that do not fit; the directories lent. */
#include "check.h"

struct listed {
    __wasi_dirent_t head;
    char name[256];
};

static size_t used; /* bytes that the last listing filled */

/* What fits of the listing into `size` bytes, at most `max` whole entries. */
static size_t list(__wasi_fd_t fd, __wasi_dircookie_t cookie, size_t size, struct listed *out,
                   size_t max)
{
    static uint8_t buffer[65536];
    size_t count = 0, at = 0;
    __wasi_size_t n;

    CHECK(size <= sizeof buffer);
    IS(SUCCESS, __wasi_fd_readdir(fd, buffer, size, cookie, &n));
    CHECK(n <= size);
    used = n;
    while (count < max && n - at >= sizeof out->head) {
        struct listed *e = &out[count];

        memcpy(&e->head, buffer + at, sizeof e->head);
        CHECK(e->head.d_namlen < sizeof e->name);
        if (n - at - sizeof e->head < e->head.d_namlen)
            break;
        memcpy(e->name, buffer + at + sizeof e->head, e->head.d_namlen);
        e->name[e->head.d_namlen] = 0;
        at += sizeof e->head + e->head.d_namlen;
        count++;
    }
    return count;
}

static const struct listed *find(const struct listed *e, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(e[i].name, name) == 0)
            return &e[i];
    return NULL;
}

static void test_entries(__wasi_fd_t dir)
{
    struct listed e[10];
    size_t count = list(dir, 0, 4096, e, 10);
    __wasi_filestat_t st;

    IS(SUCCESS, __wasi_fd_filestat_get(dir, &st));
    CHECK(count == 2 && used < 4096 && find(e, count, ".") && find(e, count, ".."));
    CHECK(find(e, count, ".")->head.d_ino == st.ino);
    CHECK(find(e, count, ".")->head.d_type == __WASI_FILETYPE_DIRECTORY);
    CHECK(find(e, count, "..")->head.d_ino == st.ino); /* nothing is told of what lies above */

    create(dir, "file");
    IS(SUCCESS, __wasi_path_create_directory(dir, "sub"));
    IS(SUCCESS, __wasi_path_symlink("file", dir, "link"));
    count = list(dir, 0, 4096, e, 10);
    CHECK(count == 5);
    CHECK(find(e, count, "file")->head.d_type == __WASI_FILETYPE_REGULAR_FILE);
    CHECK(find(e, count, "sub")->head.d_type == __WASI_FILETYPE_DIRECTORY);
    CHECK(find(e, count, "link")->head.d_type == __WASI_FILETYPE_SYMBOLIC_LINK);
    IS(SUCCESS, __wasi_path_filestat_get(dir, 0, "file", &st));
    CHECK(find(e, count, "file")->head.d_ino == st.ino);
}

static void test_cookies(__wasi_fd_t dir)
{
    struct listed all[10], rest[10];
    size_t count = list(dir, 0, 4096, all, 10);

    for (size_t i = 0; i < count; i++) {
        size_t left = list(dir, all[i].head.d_next, 4096, rest, 10);

        CHECK(left == count - i - 1);
        for (size_t k = 0; k < left; k++)
            CHECK(strcmp(rest[k].name, all[i + 1 + k].name) == 0);
    }
}

/* A full buffer is how one learns of more, also when the last entry is cut in the middle. */
static void test_cut_off(__wasi_fd_t dir)
{
    struct listed e[10];

    for (size_t size = 0; size < 4096; size += 7) {
        size_t count = list(dir, 0, size, e, 10);

        CHECK(count == 5 || used == size);
        CHECK(count <= 5);
    }
}

static void test_many(__wasi_fd_t dir)
{
    static struct listed e[100];
    __wasi_dircookie_t cookie = 0;
    size_t total = 0, count;
    char name[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "entry.%d", i);
        create(dir, name);
    }
    do {
        count = list(dir, cookie, 512, e, 100);
        CHECK(count > 0 || used < 512);
        for (size_t i = 0; i < count; i++) {
            cookie = e[i].head.d_next;
            if (strncmp(e[i].name, "entry.", 6) == 0)
                IS(SUCCESS, __wasi_path_unlink_file(dir, e[i].name)); /* disturbs nothing */
        }
        total += count;
    } while (used == 512);
    CHECK(total == 1005);
    CHECK(list(dir, 0, 4096, e, 100) == 5);
}

static void test_what_is_lent(void)
{
    static const char *const names[] = {[DATA] = "/data", [LENT] = "/lent"};
    __wasi_prestat_t pre;
    char name[32];

    for (__wasi_fd_t fd = DATA; fd <= LENT; fd++) {
        IS(SUCCESS, __wasi_fd_prestat_get(fd, &pre));
        CHECK(pre.tag == __WASI_PREOPENTYPE_DIR && pre.u.dir.pr_name_len == strlen(names[fd]));
        IS(NAMETOOLONG, __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, pre.u.dir.pr_name_len - 1));
        memset(name, '#', sizeof name);
        IS(SUCCESS, __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, sizeof name));
        CHECK(memcmp(name, names[fd], strlen(names[fd])) == 0 && name[strlen(names[fd])] == '#');
    }
    IS(BADF, __wasi_fd_prestat_get(LENT + 1, &pre));
    IS(BADF, __wasi_fd_prestat_get(0, &pre));
    IS(BADF, __wasi_fd_prestat_dir_name(1, (uint8_t *)name, sizeof name));
}

static void test_no_directory(void)
{
    __wasi_fd_t fd = open_file(DATA, "plain", __WASI_OFLAGS_CREAT);
    uint8_t buffer[64];
    __wasi_prestat_t pre;
    __wasi_size_t n;

    IS(NOTDIR, __wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &n));
    IS(BADF, __wasi_fd_prestat_get(fd, &pre));
    IS(SUCCESS, __wasi_fd_close(fd));
}

int main(void)
{
    __wasi_fd_t dir;

    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    dir = open_dir(DATA, "dir");
    test_entries(dir);
    test_cookies(dir);
    test_cut_off(dir);
    test_many(dir);
    test_what_is_lent();
    test_no_directory();
    return done();
}
