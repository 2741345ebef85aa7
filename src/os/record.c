#include "os/record.h"

#include "base/little.h"
#include "base/xxh64.h"
#include "os/file.h"
#include "os/sys.h"
#include "wasm/module.h"
#include "wire/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

enum { STATUS_BYTES = 4, MODULE_LEVEL = 3 };

static enum tern_err write_block(int fd, enum record_kind kind, struct view a, struct view b)
{
    uint8_t head[RECORD_HEAD_BYTES];
    struct xxh64 hash;
    enum tern_err err;

    xxh64_begin(&hash, (uint64_t)kind);
    xxh64_add(&hash, a.data, a.size);
    xxh64_add(&hash, b.data, b.size);
    record_encode_head(kind, a.size + b.size, xxh64_end(&hash), head);
    err = file_write_fd(fd, view_of(head, sizeof head));
    if (!err)
        err = file_write_fd(fd, a);
    return err ? err : file_write_fd(fd, b);
}

/* ---- Before the run ---- */

/* False: it holds something else than a record. */
static bool may_replace(int fd, off_t size)
{
    uint8_t header[RECORD_HEADER_BYTES];
    struct record_reader reader;

    return size == 0 || (sys_pread(fd, header, sizeof header, 0) == sizeof header &&
                         record_begin(&reader, view_of(header, sizeof header)) == TERN_OK);
}

static enum tern_err take_file(const char *path, int fd, struct problem *p)
{
    struct stat st;
    int result = sys_fstat(fd, &st);

    if (result < 0)
        return problem_set(p, file_error(result), "cannot look at %s: %s", path, strerror(-result));
    if (!S_ISREG(st.st_mode))
        return problem_set(p, TERN_EUNSAFE, "%s is no regular file: a record has to be one", path);
    if (sys_flock(fd, LOCK_EX | LOCK_NB) < 0)
        return problem_set(p, TERN_EBUSY, "%s is being written or replayed by another tern", path);
    if (!may_replace(fd, st.st_size))
        return problem_set(p, TERN_EUNSAFE,
                           "%s is there already and is no record: it is left alone; choose another "
                           "name, or remove it",
                           path);
    result = sys_ftruncate(fd, 0);
    return result < 0
               ? problem_set(p, file_error(result), "cannot empty %s: %s", path, strerror(-result))
               : TERN_OK;
}

static enum tern_err write_module(int fd, struct view module)
{
    uint8_t head[RECORD_MODULE_HEAD_BYTES];
    const struct digest digest = hash_of(module);
    const size_t most = ZSTD_compressBound(module.size);
    uint8_t *packed = malloc(most);
    size_t size = packed ? ZSTD_compress(packed, most, module.data, module.size, MODULE_LEVEL) : 0;
    enum tern_err err = packed && !ZSTD_isError(size) ? TERN_OK : TERN_ENOMEM;

    little_put(head, module.size, 8);
    memcpy(head + 8, digest.byte, DIGEST_BYTES);
    if (!err)
        err = write_block(fd, RECORD_MODULE, view_of(head, sizeof head), view_of(packed, size));
    free(packed);
    return err;
}

static enum tern_err write_start(int fd, struct view settings, struct view module)
{
    uint8_t header[RECORD_HEADER_BYTES];
    enum tern_err err = settings.size <= RECORD_SETTINGS_BYTES_MAX ? TERN_OK : TERN_ETOOBIG;

    record_encode_header(header);
    if (!err)
        err = file_write_fd(fd, view_of(header, sizeof header));
    if (!err)
        err = write_block(fd, RECORD_START, settings, view_of(NULL, 0));
    return err ? err : write_module(fd, module);
}

enum tern_err record_create(const char *path, struct view settings, struct view module, int *out,
                            struct problem *p)
{
    int fd = sys_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    enum tern_err err;

    if (fd < 0)
        return problem_set(p, file_error(fd), "cannot make the record %s: %s", path, strerror(-fd));
    err = take_file(path, fd, p);
    if (err)
        goto out;
    err = write_start(fd, settings, module);
    if (err) {
        problem_set(p, err, "cannot write the record %s: %s", path, tern_err_text(err));
        goto out;
    }
    *out = fd;
    return TERN_OK;
out:
    sys_close(fd);
    return err;
}

/* ---- Reading ---- */

static enum tern_err damaged(struct problem *p, const struct record_reader *r, uint64_t calls)
{
    return problem_set(p, TERN_ECORRUPT, "it is damaged, at byte %ju, behind call %ju",
                       (uintmax_t)r->at, (uintmax_t)calls);
}

static enum tern_err map_record(int fd, struct record_file *r, struct record_reader *reader,
                                struct problem *p)
{
    struct stat st;
    int result = sys_fstat(fd, &st);

    if (result < 0)
        return problem_set(p, file_error(result), "it cannot be read: %s", strerror(-result));
    if (!S_ISREG(st.st_mode))
        return problem_set(p, TERN_EINVALID, "it is no regular file");
    if (st.st_size < RECORD_HEADER_BYTES)
        return problem_set(p, TERN_EINVALID, "it is no record of tern exec --record");
    r->map = sys_map(fd, (size_t)st.st_size, PROT_READ);
    if (!r->map)
        return problem_set(p, TERN_ENOMEM, "it cannot be mapped");
    r->all = view_of(r->map, (size_t)st.st_size);
    if (record_begin(reader, r->all) != TERN_OK)
        return problem_set(p, TERN_EINVALID,
                           "it is no record of tern exec --record, or of another version");
    return TERN_OK;
}

static enum tern_err unpack(struct record_file *r, struct view contents, struct problem *p)
{
    const uint64_t size =
        contents.size >= RECORD_MODULE_HEAD_BYTES ? little_get(contents.data, 8) : UINT64_MAX;
    struct digest digest;
    uint8_t *to;
    size_t got;

    if (size == 0 || size > WASM_MODULE_BYTES_MAX ||
        ZSTD_getFrameContentSize(contents.data + RECORD_MODULE_HEAD_BYTES,
                                 contents.size - RECORD_MODULE_HEAD_BYTES) != size)
        return problem_set(p, TERN_ECORRUPT, "its module is damaged");
    to = bytes_reserve(&r->module, size);
    if (!to)
        return problem_set(p, TERN_ENOMEM, "there is no memory for its module");
    got = ZSTD_decompress(to, size, contents.data + RECORD_MODULE_HEAD_BYTES,
                          contents.size - RECORD_MODULE_HEAD_BYTES);
    if (ZSTD_isError(got) || got != size)
        return problem_set(p, TERN_ECORRUPT, "its module is damaged");
    r->module.size = size;
    digest = hash_of(bytes_view(&r->module));
    if (memcmp(digest.byte, contents.data + 8, DIGEST_BYTES) != 0)
        return problem_set(p, TERN_ECORRUPT, "its module is damaged");
    return TERN_OK;
}

static enum tern_err read_start(struct record_file *r, struct record_reader *reader,
                                struct problem *p)
{
    struct record_block block;
    enum record_read got = record_next(reader, &block);

    if (got == RECORD_READ_BLOCK && block.kind == RECORD_START &&
        block.contents.size <= RECORD_SETTINGS_BYTES_MAX) {
        r->settings = block.contents;
        got = record_next(reader, &block);
        if (got == RECORD_READ_BLOCK && block.kind == RECORD_MODULE)
            return unpack(r, block.contents, p);
    }
    if (got == RECORD_READ_OVER || got == RECORD_READ_CUT)
        return problem_set(p, TERN_ECORRUPT, "it ends before the program had begun");
    return damaged(p, reader, 0);
}

/* As of waitpid, for a process that has ended. */
static bool status_sound(int status)
{
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    return WIFEXITED(status) || (signal > 0 && signal < NSIG && signal != SIGSTOP &&
                                 signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU);
}

static bool read_end(struct record_file *r, struct view contents)
{
    struct report report;

    if (contents.size < STATUS_BYTES)
        return false;
    r->ended = true;
    r->status = (int)little_get(contents.data, STATUS_BYTES);
    r->report = view_of(contents.data + STATUS_BYTES, contents.size - STATUS_BYTES);
    return status_sound(r->status) &&
           (r->report.size == 0 || report_decode(&report, r->report) == TERN_OK);
}

static bool read_call(struct record_file *r, struct view contents)
{
    struct record_call call;

    return record_decode_call(&call, contents) == TERN_OK && call.sequence == ++r->calls;
}

static enum tern_err read_calls(struct record_file *r, struct record_reader *reader,
                                struct problem *p)
{
    struct record_block block;
    enum record_read got = record_next(reader, &block);

    for (; got == RECORD_READ_BLOCK && !r->ended; got = record_next(reader, &block)) {
        if (block.kind == RECORD_CALL ? !read_call(r, block.contents)
                                      : block.kind != RECORD_END || !read_end(r, block.contents))
            return damaged(p, reader, r->calls);
    }
    if (got == RECORD_READ_DAMAGED || (r->ended && got != RECORD_READ_OVER))
        return damaged(p, reader, r->calls);
    if (!r->ended)
        r->cut = reader->broken ? strerror((int)reader->broken)
                                : "whoever recorded it was ended, or the file was cut off";
    return TERN_OK;
}

enum tern_err record_open(const char *path, bool live, struct record_file *out, struct problem *p)
{
    struct record_reader reader;
    enum tern_err err = TERN_OK;

    *out = (struct record_file){.fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)};
    if (out->fd < 0)
        return problem_set(p, file_error(out->fd), "it cannot be opened: %s", strerror(-out->fd));
    out->live = sys_flock(out->fd, LOCK_SH | LOCK_NB) < 0;
    if (out->live && !live)
        err = problem_set(p, TERN_EBUSY, "it is being written by another tern");
    if (!err)
        err = map_record(out->fd, out, &reader, p);
    if (!err)
        err = read_start(out, &reader, p);
    if (!err)
        err = read_calls(out, &reader, p);
    if (err)
        record_close(out);
    return err;
}

void record_close(struct record_file *r)
{
    sys_unmap(r->map, r->all.size);
    sys_close(r->fd < 0 ? -1 : r->fd);
    bytes_release(&r->module);
    *r = (struct record_file){.fd = -1};
}

/* ---- Behind the run ---- */

/* Where the last whole block ends, and how many calls there are. */
static enum tern_err measure(int fd, uint64_t *end, uint64_t *calls, uint32_t *broken)
{
    struct record_file r = {.fd = -1};
    struct record_reader reader;
    struct record_block block;
    enum tern_err err = map_record(fd, &r, &reader, NULL);

    *calls = 0;
    while (!err && record_skip(&reader, &block) == RECORD_READ_BLOCK)
        *calls += block.kind == RECORD_CALL;
    *end = reader.at;
    *broken = reader.broken;
    sys_unmap(r.map, r.all.size);
    return err;
}

enum tern_err record_finish(int fd, int status, struct view report, struct problem *p)
{
    uint8_t bytes[STATUS_BYTES];
    uint64_t end, calls;
    uint32_t broken;
    enum tern_err err = measure(fd, &end, &calls, &broken);

    little_put(bytes, (uint64_t)(uint32_t)status, STATUS_BYTES);
    if (!err && broken)
        return problem_set(p, TERN_EIO, "the record ends behind call %ju: %s", (uintmax_t)calls,
                           strerror((int)broken));
    if (!err && (sys_ftruncate(fd, (off_t)end) < 0 || lseek(fd, (off_t)end, SEEK_SET) < 0))
        err = TERN_EIO;
    if (!err)
        err = write_block(fd, RECORD_END, view_of(bytes, sizeof bytes), report);
    return err ? problem_set(p, TERN_EIO, "the record does not say how the run ended: %s",
                             tern_err_text(err))
               : TERN_OK;
}
