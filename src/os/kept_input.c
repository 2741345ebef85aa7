#include "os/kept_input.h"

#include "os/sys.h"
#include "wire/input_head.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

enum { NAME_BYTES = 32, SUM_BYTES = 64 << 10 };

struct folder {
    const char *path;
    int dir;
    struct problem *p;
};

static void file_name(uint64_t number, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "input-%" PRIu64, number);
}

static enum tern_err failed(const struct folder *f, int error, const char *doing, const char *name)
{
    return problem_set(f->p, error == -ENOMEM ? TERN_ENOMEM : TERN_EIO, "cannot %s %s/%s: %s",
                       doing, f->path, name,
                       error == -EMLINK ? "it is no file of its own" : strerror(-error));
}

/* ---- Which files there are ---- */

/* 0: not one of these. Only names that file_name gives. */
static uint64_t number_of(const char *name)
{
    char again[NAME_BYTES];
    uint64_t number = strncmp(name, "input-", 6) == 0 ? strtoull(name + 6, NULL, 10) : 0;

    file_name(number, again);
    return strcmp(name, again) == 0 ? number : 0;
}

/* The one that `checkpoint` belongs to; 0: there is none. Removes those that belong to nothing:
 * older ones, and those of programs that never took a checkpoint. */
static enum tern_err look(const struct folder *f, uint64_t checkpoint, uint64_t *out)
{
    int again = sys_openat(f->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    uint64_t *numbers = NULL, found = 0;
    size_t count = 0;
    struct dirent *e;

    if (!d) {
        sys_close(again);
        return failed(f, again < 0 ? again : -ENOMEM, "list", "");
    }
    while ((e = readdir(d)) != NULL) {
        const uint64_t number = number_of(e->d_name);
        uint64_t *grown = number ? realloc(numbers, (count + 1) * sizeof *grown) : NULL;

        if (!grown)
            continue;
        numbers = grown;
        numbers[count++] = number;
        if (number <= checkpoint && number > found)
            found = number;
    }
    closedir(d);
    for (size_t i = 0; i < count; i++) {
        char name[NAME_BYTES];

        file_name(numbers[i], name);
        if (numbers[i] != found)
            (void)sys_unlinkat(f->dir, name, 0); /* some room, no more */
    }
    free(numbers);
    *out = found;
    return TERN_OK;
}

/* ---- One file ---- */

static int write_head(int fd, const struct input_head *h)
{
    uint8_t head[INPUT_HEAD_BYTES] = {0};
    ssize_t written;

    input_head_encode(h, head);
    written = sys_pwrite(fd, head, sizeof head, 0);
    return written < 0 ? (int)written : written < (ssize_t)sizeof head ? -EIO : 0;
}

/* No link, pipe or device, and no other name of a file that is somebody's own. */
static int open_locked(const struct folder *f, const char *name, int flags)
{
    const int fd =
        sys_openat(f->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
    struct stat st;
    int error = fd < 0 ? fd : sys_fstat(fd, &st);

    if (error >= 0 && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
        error = -EMLINK;
    if (error >= 0)
        error = sys_flock(fd, LOCK_EX);
    if (error < 0) {
        sys_close(fd);
        return error;
    }
    return fd;
}

/* The head, and then nothing; its name and size are on the disk. */
static enum tern_err make(const struct folder *f, uint64_t number, int *out)
{
    char name[NAME_BYTES];
    int fd, error;

    file_name(number, name);
    fd = open_locked(f, name, O_CREAT);
    error = fd < 0 ? fd : sys_ftruncate(fd, 0);
    if (error >= 0)
        error = write_head(fd, &(struct input_head){.ended = false});
    if (error >= 0)
        error = sys_fsync(fd);
    if (error >= 0)
        error = sys_fsync(f->dir);
    if (error < 0) {
        sys_close(fd);
        return failed(f, error, "make", name);
    }
    *out = fd;
    return TERN_OK;
}

/* What the program has been given behind `at`, and what the head says it was. TERN_ECORRUPT. */
static enum tern_err check_sum(int fd, const struct input_head *h, uint64_t at, uint64_t sum)
{
    uint8_t *some = malloc(SUM_BYTES);
    enum tern_err err = some ? TERN_OK : TERN_ENOMEM;

    while (!err && at < h->summed) {
        const uint64_t rest = h->summed - at;
        const ssize_t got = sys_pread(fd, some, rest < SUM_BYTES ? (size_t)rest : SUM_BYTES,
                                      (off_t)(INPUT_HEAD_BYTES + at));

        err = got > 0 ? TERN_OK : TERN_EIO;
        sum = err ? 0 : input_sum(sum, view_of(some, (size_t)got));
        at += err ? 0 : (uint64_t)got;
    }
    free(some);
    return !err && sum != h->sum ? TERN_ECORRUPT : err;
}

/* As far as that is known: not of older files and checkpoints, nor when a part was lost. A head
 * that is no head is the runner's to refuse. */
static enum tern_err check_given(const struct folder *f, const char *name, int fd,
                                 const struct state *s, uint64_t have)
{
    const uint64_t sum = s->input_bytes ? s->input_sum : INPUT_SUM_NONE;
    uint8_t bytes[INPUT_MARK_BYTES];
    struct input_head head;
    enum tern_err err = TERN_OK;

    if (sys_pread(fd, bytes, sizeof bytes, 0) == sizeof bytes && input_head_decode(bytes, &head) &&
        sum && head.summed >= s->input_bytes && head.summed <= have && head.summed > 0)
        err = check_sum(fd, &head, s->input_bytes, sum);
    if (err == TERN_ECORRUPT)
        return problem_set(f->p, err,
                           "%s/%s is damaged: it does not hold what the program has read since "
                           "the checkpoint; copy it along again (cut to %ju bytes it is gone on "
                           "with from what comes next)",
                           f->path, name,
                           (uintmax_t)(INPUT_HEAD_BYTES + s->input_bytes + s->input_kept));
    return err ? problem_set(f->p, err, "cannot read %s/%s: %s", f->path, name, tern_err_text(err))
               : TERN_OK;
}

/* What the state needs is in the file, or was passed; after a power cut that may be less than the
 * file once had. */
static enum tern_err fit(const struct folder *f, const char *name, int fd, const struct state *s)
{
    const uint64_t needed = s->input_bytes + s->input_kept;
    struct stat st;
    uint64_t have;
    int error = sys_fstat(fd, &st);
    enum tern_err err;

    have = error < 0 || st.st_size < INPUT_HEAD_BYTES ? 0 : (uint64_t)st.st_size - INPUT_HEAD_BYTES;
    if (error >= 0 && have < needed && s->input_kept > 0)
        return problem_set(f->p, TERN_ECORRUPT,
                           "%s/%s lacks standard input that the program had taken in and not read",
                           f->path, name);
    err = error < 0 ? TERN_OK : check_given(f, name, fd, s, have);
    if (err)
        return err;
    if (error >= 0 && have < needed)
        error = sys_ftruncate(fd, (off_t)(INPUT_HEAD_BYTES + needed));
    if (error >= 0 && (st.st_size < INPUT_HEAD_BYTES || (s->input_ended && have <= needed)))
        error = write_head(fd, &(struct input_head){.ended = s->input_ended, .length = needed});
    return error < 0 ? failed(f, error, "use", name) : TERN_OK;
}

static enum tern_err find(const struct folder *f, uint64_t number, const struct state *s, int *out)
{
    char name[NAME_BYTES];
    enum tern_err err;
    int fd;

    file_name(number, name);
    fd = open_locked(f, name, 0);
    if (fd < 0)
        return failed(f, fd, "use", name);
    err = fit(f, name, fd, s);
    if (err)
        sys_close(fd);
    else
        *out = fd;
    return err;
}

static enum tern_err missing(const struct folder *f, uint64_t checkpoint)
{
    return problem_set(
        f->p, TERN_ENOENT,
        "%s/input-*, which keeps what the program has read from its standard input "
        "since the checkpoint, is missing: copy it along (an empty file input-%" PRIu64
        " says that nothing was read)",
        f->path, checkpoint);
}

/* ---- From outside ---- */

enum tern_err kept_input_begin(const char *dir, uint64_t newest, struct kept_input *out,
                               struct problem *p)
{
    struct folder f = {.path = dir, .dir = sys_open(dir, O_RDONLY | O_DIRECTORY, 0), .p = p};
    struct kept_input k = {.fd = -1};
    uint64_t old;
    enum tern_err err = f.dir < 0 ? failed(&f, f.dir, "open", "") : look(&f, newest, &old);

    if (!err)
        err = make(&f, newest + 1, &k.fd);
    sys_close(f.dir);
    if (!err)
        *out = k;
    return err;
}

enum tern_err kept_input_find(const char *dir, uint64_t checkpoint, const struct state *s,
                              struct kept_input *out, struct problem *p)
{
    struct folder f = {.path = dir, .dir = sys_open(dir, O_RDONLY | O_DIRECTORY, 0), .p = p};
    struct kept_input k = {.fd = -1, .passed = s->input_bytes};
    uint64_t number = 0;
    enum tern_err err = f.dir < 0 ? failed(&f, f.dir, "open", "") : look(&f, checkpoint, &number);

    if (!err && number > 0)
        err = find(&f, number, s, &k.fd);
    else if (!err && (s->input_bytes > 0 || s->input_kept > 0))
        err = missing(&f, checkpoint);
    else if (!err)
        err = make(&f, checkpoint, &k.fd);
    sys_close(f.dir);
    if (!err)
        *out = k;
    return err;
}

void kept_input_release(struct kept_input *k)
{
    sys_close(k->fd);
    k->fd = -1;
}

int kept_input_sync(const struct kept_input *k)
{
    return k->fd < 0 ? 0 : sys_fsync(k->fd);
}

void kept_input_pass(struct kept_input *k, uint64_t input_bytes)
{
    if (k->fd >= 0 && k->passed > 0)
        (void)sys_punch(k->fd, INPUT_HEAD_BYTES, (off_t)k->passed);
    k->passed = input_bytes;
}
