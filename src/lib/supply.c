#include "lib/lib.h"

#include "drive/blob.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EQUAL_LOOKED_AT = 16, COPY_BYTES = 1 << 16 };

/* ---- the bytes of a source, by offset ---- */

static enum tern_err read_memory(const struct supply *s, uint64_t offset, void *to, size_t size)
{
    memcpy(to, (const uint8_t *)s->source->bytes + offset, size);
    return TERN_OK;
}

static enum tern_err read_file(const struct supply *s, uint64_t offset, void *to, size_t size)
{
    uint8_t *at = to;

    while (size) {
        ssize_t n = sys_pread(s->fd, at, size, (off_t)offset);

        if (n <= 0)
            return n ? file_error(n) : TERN_EBUSY; /* it has become shorter */
        at += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return TERN_OK;
}

static enum tern_err read_source(void *context, uint64_t offset, void *to, size_t size)
{
    const struct supply *s = context;

    return s->fd < 0 ? read_memory(s, offset, to, size) : read_file(s, offset, to, size);
}

/* ---- opening ---- */

static const char *shown(const struct supply *s)
{
    switch (s->source->kind) {
    case TERN_FILE:
    case TERN_NAMED: return s->source->text;
    case TERN_FD: return "the input";
    case TERN_EMPTY:
    case TERN_BYTES:
    case TERN_BLOB:
    case TERN_OUTPUT: break;
    }
    return "data";
}

static void fail(struct supply *s, enum tern_err err, const char *why)
{
    op_end(s->op, err, "%s: %s", shown(s), why);
}

/* Of a pipe: a copy without a name, which can be read by offset. */
static bool copy_stream(struct supply *s, int from)
{
    const char *dir = getenv("TMPDIR");
    uint8_t buffer[COPY_BYTES];
    enum tern_err err = file_unnamed(dir && *dir ? dir : "/tmp", &s->fd);
    ssize_t n = 0;

    while (!err && (n = sys_read(from, buffer, sizeof buffer)) > 0)
        err = file_write_fd(s->fd, view_of(buffer, (size_t)n));
    if (n < 0)
        err = file_error(n);
    if (err)
        fail(s, err,
             err == TERN_ENOSPACE ? "no room in TMPDIR for a copy of it"
                                  : "it could not be read to its end");
    return !err;
}

static bool open_stream(struct supply *s, int from)
{
    struct stat st;

    if (sys_fstat(from, &st) < 0) {
        fail(s, TERN_EIO, "its descriptor is not open");
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        fail(s, TERN_EUSAGE, "it is a directory; name a file");
        return false;
    }
    if (!S_ISREG(st.st_mode) || sys_lseek(from, 0, SEEK_CUR) != 0) {
        if (!copy_stream(s, from) || sys_fstat(s->fd, &st) < 0)
            return false;
    } else {
        s->fd = sys_dup_above(from, 3);
        if (s->fd < 0) {
            fail(s, TERN_ESYSTEM, strerror(-s->fd));
            return false;
        }
    }
    s->size = (uint64_t)st.st_size;
    return true;
}

static bool open_file(struct supply *s)
{
    int fd = sys_open(s->source->text, O_RDONLY, 0);
    bool fine;

    if (fd < 0) {
        fail(s, file_error(fd), strerror(-fd));
        return false;
    }
    fine = open_stream(s, fd);
    sys_close(fd);
    return fine;
}

static bool open_source(struct supply *s)
{
    if (s->source->kind == TERN_FILE)
        return open_file(s);
    if (s->source->kind == TERN_FD)
        return open_stream(s, s->source->fd);
    s->size = s->source->size;
    return true;
}

/* ---- into the pool ---- */

static void check_all(struct tern_op *op);

static void over(struct supply *s)
{
    s->over = true;
    check_all(s->op);
}

static Tern__Content *new_content(struct supply *s)
{
    s->content = op_memory(s->op, 1, sizeof *s->content);
    if (s->content)
        tern__content__init(s->content);
    return s->content;
}

static void give_here(struct supply *s)
{
    uint8_t *bytes = op_memory(s->op, s->size + 1, 1);

    if (!bytes || !new_content(s))
        return;
    if (s->size && read_source(s, 0, bytes, (size_t)s->size)) {
        fail(s, TERN_EIO, "it could not be read");
        return;
    }
    s->content->here = (ProtobufCBinaryData){.len = (size_t)s->size, .data = bytes};
    over(s);
}

/* A blob in the op's memory. */
static bool set_blob(struct supply *s, const Tern__Blob *blob)
{
    Tern__Blob *copy = message_copy(&blob->base, &s->op->arena);

    if (!copy)
        op_end(s->op, TERN_ENOMEM, "out of memory");
    else if (new_content(s))
        s->content->blob = copy;
    return copy && s->content;
}

static bool set_depots(struct supply *s, size_t count)
{
    s->depots = op_memory(s->op, count, sizeof *s->depots);
    s->depot_count = 0;
    return s->depots;
}

static void on_put(void *context, enum tern_err err, const char *why)
{
    struct supply *s = context;
    const char *name;
    size_t count = 0;

    if (err) {
        fail(s, err, why);
        return;
    }
    if (!set_depots(s, LIMIT_COPIES))
        return;
    while (s->carry && (name = errand_at(s->carry, count))) {
        s->depots[count] = op_text(s->op, name);
        if (!s->depots[count++])
            return;
    }
    s->depot_count = count;
    over(s);
}

static void take_depots(void *context, const Tern__Envelope *answer, enum tern_err err,
                        const char *why)
{
    struct supply *s = context;
    struct errand_order order = {.copies = 2, .context = s, .done = on_put, .size = s->size};

    s->ask = 0;
    if (!answer) {
        fail(s, err, why);
        return;
    }
    if (answer->body_case != TERN__ENVELOPE__BODY_DEPOTS) {
        op_confused(s->op, answer);
        return;
    }
    order.depots = answer->depots->depots;
    order.depot_count = answer->depots->n_depots;
    order.root = blob_root(s->blob);
    order.source = blob_source(s->blob);
    s->carry = courier_put(client_courier(s->op->pool->client), &order);
    s->op->pool->unpolled = true;
    if (!s->carry)
        fail(s, TERN_ENOMEM, "out of memory");
}

static void ask(struct supply *s, const Tern__AskDepots *ask_depots, client_answered *answered)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    e.body_case = TERN__ENVELOPE__BODY_ASK_DEPOTS;
    e.ask_depots = (Tern__AskDepots *)ask_depots; /* is copied */
    s->ask = client_ask(s->op->pool->client, &e, answered, s);
    s->op->pool->unpolled = true;
    if (!s->ask)
        fail(s, TERN_ENOMEM, "out of memory");
}

static void on_hashed(struct supply *s)
{
    const struct chunks_root root = blob_root(s->blob);
    Tern__AskDepots ask_depots = TERN__ASK_DEPOTS__INIT;
    Tern__Blob blob = TERN__BLOB__INIT;

    blob.sha256 =
        (ProtobufCBinaryData){.len = STORE_NAME_BYTES, .data = (uint8_t *)root.name.bytes};
    blob.size = s->size;
    blob.kind = root.kind;
    ask_depots.size = s->size;
    ask_depots.blob = &blob;
    if (set_blob(s, &blob))
        ask(s, &ask_depots, take_depots);
}

static void hash(struct supply *s)
{
    const struct blob_input input = {
        .context = s, .read = read_source, .size = s->size, .compress = true};

    s->blob = blob_new(&input);
    if (!s->blob)
        fail(s, TERN_ENOMEM, "out of memory");
    else
        lib_idle(s->op->pool);
}

/* Names the next MiB; true: there is more to do. */
static bool hash_more(struct supply *s)
{
    struct problem p = {.err = TERN_OK};
    bool hashed = false;
    enum tern_err err;

    if (s->over || !s->blob || s->content)
        return false;
    err = blob_step(s->blob, &hashed, &p);
    if (err)
        fail(s, err, p.text);
    else if (hashed)
        on_hashed(s);
    return !err && !hashed;
}

/* ---- what is in the pool already ---- */

static void take_named(void *context, const Tern__Envelope *answer, enum tern_err err,
                       const char *why)
{
    struct supply *s = context;

    s->ask = 0;
    if (!answer)
        fail(s, err, why);
    else if (answer->body_case != TERN__ENVELOPE__BODY_DEPOTS)
        op_confused(s->op, answer);
    else if (!answer->depots->blob)
        fail(s, TERN_ENOENT, "there is no such name in the pool; tern ls lists them");
    else if (set_blob(s, answer->depots->blob))
        over(s);
}

static void find_named(struct supply *s)
{
    Tern__AskDepots ask_depots = TERN__ASK_DEPOTS__INIT;

    ask_depots.name = (char *)s->source->text; /* is copied */
    ask(s, &ask_depots, take_named);
}

static void give_blob(struct supply *s)
{
    const Tern__Blob blob = blob_to_wire(&s->source->blob);

    if (set_blob(s, &blob))
        over(s);
}

static void give_promise(struct supply *s)
{
    s->promise = op_memory(s->op, 1, sizeof *s->promise);
    if (!s->promise)
        return;
    tern__promise__init(s->promise);
    s->promise->task = s->source->task.n;
    s->promise->output = op_text(s->op, s->source->text);
    if (s->promise->output)
        over(s);
}

static void begin_bytes(struct supply *s)
{
    if (!open_source(s))
        return;
    if (s->here && s->size <= LIMIT_HERE)
        give_here(s);
    else
        hash(s);
}

static void begin(struct supply *s)
{
    switch (s->source->kind) {
    case TERN_EMPTY: over(s); break;
    case TERN_BYTES:
    case TERN_FILE:
    case TERN_FD: begin_bytes(s); break;
    case TERN_NAMED: find_named(s); break;
    case TERN_BLOB: give_blob(s); break;
    case TERN_OUTPUT: give_promise(s); break;
    }
}

/* ---- all of an op ---- */

static bool equal(const struct tern_source *a, const struct tern_source *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == TERN_FILE || a->kind == TERN_NAMED)
        return strcmp(a->text, b->text) == 0;
    return a == b || a->kind == TERN_EMPTY;
}

struct supply *supply_add(struct tern_op *op, const struct tern_source *source, bool here,
                          bool keep)
{
    struct supply *s = op->supplies;

    for (int i = 0; s && i < EQUAL_LOOKED_AT; i++, s = s->next)
        if (equal(s->source, source) && s->here == here)
            return s;
    s = op_memory(op, 1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct supply){.op = op, .source = source, .here = here, .keep = keep, .fd = -1};
    s->next = op->supplies;
    op->supplies = s;
    return s;
}

static void check_all(struct tern_op *op)
{
    if (op->over || !op->supplied)
        return;
    for (struct supply *s = op->supplies; s; s = s->next)
        if (!s->over)
            return;
    op->supplied(op);
}

void supplies_begin(struct tern_op *op)
{
    void (*supplied)(struct tern_op * op) = op->supplied;

    op->supplied = NULL; /* not before all have begun */
    for (struct supply *s = op->supplies; s && !op->over; s = s->next) {
        begin(s);
        op->all_bytes += s->blob ? s->size : 0;
    }
    op->supplied = supplied;
    check_all(op);
}

bool supplies_work(struct tern_op *op)
{
    bool more = false;

    for (struct supply *s = op->supplies; s && !op->over; s = s->next)
        more |= hash_more(s);
    return more;
}

uint64_t supplies_done_bytes(const struct tern_op *op)
{
    uint64_t bytes = 0;

    for (struct supply *s = op->supplies; s; s = s->next)
        bytes += s->carry ? errand_bytes(s->carry) : 0;
    return bytes;
}

void supplies_release(struct tern_op *op)
{
    for (struct supply *s = op->supplies; s; s = s->next) {
        if (s->ask)
            client_unask(op->pool->client, s->ask);
        errand_free(s->carry);
        blob_free(s->blob);
        sys_close(s->fd);
    }
    op->supplies = NULL;
}
