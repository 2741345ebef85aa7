#include "wire/ticket.h"

#include "base/check.h"
#include "base/little.h"

#include <string.h>

/*
 * The format in numbers. A scalar stands in a ticket exactly once; arguments, variables and
 * directories as often as there are, each kind in its order.
 */
enum tag {
    TAG_ARG = 1,
    TAG_ENV = 2,
    TAG_DIR = 3, /* a byte: 1 if read-only; then the guest's path */
    TAG_MEMORY_PAGES = 4,
    TAG_STACK_CELLS = 5,
    TAG_NATIVE_STACK = 6,
    TAG_CPU_NS = 7,
    TAG_OUTPUT_BYTES = 8,
    TAG_TABLE_ELEMENTS = 9,
    TAG_FILTER = 10,
    TAG_STOPPABLE = 11, /* 0 or 1, as the next */
    TAG_RESUMES = 12,
    TAG_RECORD = 13, /* enum ticket_record */
    TAG_SEED = 14,   /* of the random numbers: none, or 8 bytes */
    TAG_TREE = 15,   /* as state_tree.h says */
    TAG_TREE_PAGES = 16,
    TAG_TELLS_TREE = 17,
    TAG_COUNTS_INPUT = 18,
    TAG_MAY_STAY = 19,
    TAG_LAST = TAG_MAY_STAY,
};

enum {
    MAGIC_BYTES = 8,
    HEAD_BYTES = 8, /* tag and size */
    MEMORY_PAGES_MAX = 65536,
    GUEST_PATH_BYTES_MAX = 4095,
    FILTER_ENTRY_BYTES = 8, /* struct sock_filter */
};

static const uint8_t ticket_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'T', 'K', 'T', '1'};
static const uint8_t report_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'R', 'P', 'T', '1'};

/* ---- What a sound ticket is, for both directions ---- */

static bool has_zero(struct view text)
{
    return text.size > 0 && memchr(text.data, 0, text.size);
}

static bool arg_sound(struct view arg)
{
    return !has_zero(arg);
}

static bool env_sound(struct view variable)
{
    return variable.size > 1 && !has_zero(variable) && variable.data[0] != '=' &&
           memchr(variable.data, '=', variable.size);
}

static bool dir_sound(const struct ticket_dir *dir)
{
    return dir->guest_path.size > 0 && dir->guest_path.size <= GUEST_PATH_BYTES_MAX &&
           !has_zero(dir->guest_path);
}

static bool filter_sound(struct view filter)
{
    return filter.size <= TICKET_FILTER_BYTES_MAX && filter.size % FILTER_ENTRY_BYTES == 0;
}

/* What is in it is looked at by who uses it. */
static bool tree_sound(const struct ticket *t)
{
    if (t->tree_pages_max == 0)
        return t->tree.size == 0 && !t->tells_tree;
    return t->tree_pages_max <= TREE_PAGES_MAX && t->resumes == (t->tree.size == 0);
}

static uint64_t text_bytes(const struct ticket *t)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < t->arg_count; i++)
        sum += t->args[i].size;
    for (uint32_t i = 0; i < t->env_count; i++)
        sum += t->env[i].size;
    return sum;
}

static bool fits(const struct ticket *t)
{
    return t->arg_count <= TICKET_ARGS_MAX && t->env_count <= TICKET_ENV_MAX &&
           t->dir_count <= TICKET_DIRS_MAX && text_bytes(t) <= TICKET_TEXT_BYTES_MAX;
}

static bool sound(const struct ticket *t)
{
    for (uint32_t i = 0; i < t->arg_count; i++) {
        if (!arg_sound(t->args[i]))
            return false;
    }
    for (uint32_t i = 0; i < t->env_count; i++) {
        if (!env_sound(t->env[i]))
            return false;
    }
    for (uint32_t i = 0; i < t->dir_count; i++) {
        if (!dir_sound(&t->dirs[i]))
            return false;
    }
    return t->memory_pages_max <= MEMORY_PAGES_MAX && filter_sound(t->filter) && tree_sound(t);
}

/* ---- Encoding ---- */

static void put_head(struct bytes *out, enum tag tag, size_t size)
{
    uint8_t head[HEAD_BYTES];

    little_put(head, (uint32_t)tag, 4);
    little_put(head + 4, (uint32_t)size, 4);
    bytes_append(out, head, sizeof head);
}

static void put_text(struct bytes *out, enum tag tag, struct view text)
{
    put_head(out, tag, text.size);
    bytes_append(out, text.data, text.size);
}

static void put_number(struct bytes *out, enum tag tag, uint64_t value, size_t size)
{
    uint8_t number[8];

    little_put(number, value, 8);
    put_head(out, tag, size);
    bytes_append(out, number, size);
}

static void put_dir(struct bytes *out, const struct ticket_dir *dir)
{
    put_head(out, TAG_DIR, 1 + dir->guest_path.size);
    bytes_append_byte(out, dir->read_only);
    bytes_append(out, dir->guest_path.data, dir->guest_path.size);
}

enum tern_err ticket_encode(const struct ticket *t, struct bytes *out)
{
    if (!fits(t))
        return TERN_ETOOBIG;
    if (!sound(t))
        return TERN_EPROTO;
    bytes_append(out, ticket_magic, sizeof ticket_magic);
    put_number(out, TAG_MEMORY_PAGES, t->memory_pages_max, 4);
    put_number(out, TAG_STACK_CELLS, t->stack_cells, 4);
    put_number(out, TAG_NATIVE_STACK, t->native_stack_bytes, 8);
    put_number(out, TAG_CPU_NS, t->cpu_ns_max, 8);
    put_number(out, TAG_OUTPUT_BYTES, t->output_bytes_max, 8);
    put_number(out, TAG_TABLE_ELEMENTS, t->table_elements_max, 4);
    put_number(out, TAG_STOPPABLE, t->stoppable, 1);
    put_number(out, TAG_RESUMES, t->resumes, 1);
    put_number(out, TAG_RECORD, (uint64_t)t->record, 1);
    put_number(out, TAG_SEED, t->random_seed, t->seeded ? 8 : 0);
    put_text(out, TAG_FILTER, t->filter);
    put_text(out, TAG_TREE, t->tree);
    put_number(out, TAG_TREE_PAGES, t->tree_pages_max, 4);
    put_number(out, TAG_TELLS_TREE, t->tells_tree, 1);
    put_number(out, TAG_COUNTS_INPUT, t->counts_input, 1);
    put_number(out, TAG_MAY_STAY, t->may_stay, 1);
    for (uint32_t i = 0; i < t->arg_count; i++)
        put_text(out, TAG_ARG, t->args[i]);
    for (uint32_t i = 0; i < t->env_count; i++)
        put_text(out, TAG_ENV, t->env[i]);
    for (uint32_t i = 0; i < t->dir_count; i++)
        put_dir(out, &t->dirs[i]);
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

/* ---- Decoding ---- */

static bool take_text(struct view *list, uint32_t *count, uint32_t max, struct view value)
{
    if (*count == max)
        return false;
    list[(*count)++] = value;
    return true;
}

static bool take_dir(struct ticket *t, struct view value)
{
    if (t->dir_count == TICKET_DIRS_MAX || value.size < 1 || value.data[0] > 1)
        return false;
    t->dirs[t->dir_count++] = (struct ticket_dir){
        .guest_path = view_of(value.data + 1, value.size - 1),
        .read_only = value.data[0] == 1,
    };
    return true;
}

static bool take_u32(uint32_t *to, struct view value)
{
    if (value.size != 4)
        return false;
    *to = (uint32_t)little_get(value.data, 4);
    return true;
}

static bool take_u64(uint64_t *to, struct view value)
{
    if (value.size != 8)
        return false;
    *to = little_get(value.data, 8);
    return true;
}

static bool take_bool(bool *to, struct view value)
{
    if (value.size != 1 || value.data[0] > 1)
        return false;
    *to = value.data[0];
    return true;
}

static bool take_record(enum ticket_record *to, struct view value)
{
    if (value.size != 1 || value.data[0] > TICKET_RECORD_REPLAY)
        return false;
    *to = (enum ticket_record)value.data[0];
    return true;
}

static bool take_seed(struct ticket *t, struct view value)
{
    t->seeded = value.size > 0;
    t->random_seed = 0;
    return value.size == 0 || take_u64(&t->random_seed, value);
}

static bool take_entry(struct ticket *t, uint32_t tag, struct view value)
{
    switch (tag) {
    case TAG_ARG: return take_text(t->args, &t->arg_count, TICKET_ARGS_MAX, value);
    case TAG_ENV: return take_text(t->env, &t->env_count, TICKET_ENV_MAX, value);
    case TAG_DIR: return take_dir(t, value);
    case TAG_MEMORY_PAGES: return take_u32(&t->memory_pages_max, value);
    case TAG_STACK_CELLS: return take_u32(&t->stack_cells, value);
    case TAG_NATIVE_STACK: return take_u64(&t->native_stack_bytes, value);
    case TAG_CPU_NS: return take_u64(&t->cpu_ns_max, value);
    case TAG_OUTPUT_BYTES: return take_u64(&t->output_bytes_max, value);
    case TAG_TABLE_ELEMENTS: return take_u32(&t->table_elements_max, value);
    case TAG_FILTER: t->filter = value; return true;
    case TAG_STOPPABLE: return take_bool(&t->stoppable, value);
    case TAG_RESUMES: return take_bool(&t->resumes, value);
    case TAG_TREE: t->tree = value; return true;
    case TAG_TREE_PAGES: return take_u32(&t->tree_pages_max, value);
    case TAG_TELLS_TREE: return take_bool(&t->tells_tree, value);
    case TAG_COUNTS_INPUT: return take_bool(&t->counts_input, value);
    case TAG_MAY_STAY: return take_bool(&t->may_stay, value);
    case TAG_RECORD: return take_record(&t->record, value);
    case TAG_SEED: return take_seed(t, value);
    default: return false;
    }
}

/* Scalars stand in a ticket once each: a bit per tag that was seen. */
static bool take_all(struct ticket *t, struct view rest)
{
    const uint32_t all = (1u << (TAG_LAST + 1)) - (1u << TAG_MEMORY_PAGES);
    uint32_t seen = 0;

    while (rest.size > 0) {
        uint32_t tag, size;

        if (rest.size < HEAD_BYTES)
            return false;
        tag = (uint32_t)little_get(rest.data, 4);
        size = (uint32_t)little_get(rest.data + 4, 4);
        rest = view_of(rest.data + HEAD_BYTES, rest.size - HEAD_BYTES);
        if (size > rest.size || tag > TAG_LAST)
            return false;
        if (tag >= TAG_MEMORY_PAGES && (seen & 1u << tag))
            return false;
        seen |= 1u << tag;
        if (!take_entry(t, tag, view_of(rest.data, size)))
            return false;
        rest = view_of(rest.data + size, rest.size - size);
    }
    return (seen & all) == all;
}

enum tern_err ticket_decode(struct ticket *t, struct view bytes)
{
    /* Counts and scalars only: the arrays are large, and what lies behind a count is not read. */
    t->arg_count = t->env_count = t->dir_count = 0;
    if (bytes.size < MAGIC_BYTES || memcmp(bytes.data, ticket_magic, MAGIC_BYTES) != 0)
        return TERN_EPROTO;
    if (!take_all(t, view_of(bytes.data + MAGIC_BYTES, bytes.size - MAGIC_BYTES)))
        return TERN_EPROTO;
    return fits(t) && sound(t) ? TERN_OK : TERN_EPROTO;
}

/* ---- The report ---- */

/*
 * At 0 the magic, 8 the kind, 9 by_fault, 10 continued, 11 stays, 12 code, 16 func, 20 offset, 24
 * pc, 32 memory_pages, 40 cpu_ns, 48 output_bytes, 56 text, zeros behind it up to the end.
 */
enum { REPORT_TEXT_AT = 56 };

_Static_assert(REPORT_BYTES == REPORT_TEXT_AT + sizeof((struct report *)0)->text, "layout");

/* Text is shown on terminals, and whoever broke into a runner writes its report. */
static bool printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return true;
}

void report_encode(const struct report *r, uint8_t out[REPORT_BYTES])
{
    size_t size = strnlen(r->text, sizeof r->text);

    check(size < sizeof r->text);
    memset(out, 0, REPORT_BYTES);
    memcpy(out, report_magic, sizeof report_magic);
    out[8] = (uint8_t)r->kind;
    out[9] = r->by_fault;
    out[10] = r->continued;
    out[11] = r->stays;
    little_put(out + 12, r->code, 4);
    little_put(out + 16, r->func, 4);
    little_put(out + 20, r->offset, 4);
    little_put(out + 24, r->pc, 8);
    little_put(out + 32, r->memory_pages, 8);
    little_put(out + 40, r->cpu_ns, 8);
    little_put(out + 48, r->output_bytes, 8);
    for (size_t i = 0; i < size; i++)
        out[REPORT_TEXT_AT + i] = printable(&r->text[i], 1) ? (uint8_t)r->text[i] : '?';
}

static bool report_sound(struct view bytes)
{
    const uint8_t *text = bytes.data + REPORT_TEXT_AT;
    size_t size = strnlen((const char *)text, REPORT_BYTES - REPORT_TEXT_AT);

    if (memcmp(bytes.data, report_magic, sizeof report_magic) != 0)
        return false;
    if (bytes.data[8] < REPORT_EXIT || bytes.data[8] > REPORT_REPLAYED || bytes.data[9] > 1 ||
        bytes.data[10] > 1 || bytes.data[11] > (bytes.data[8] == REPORT_EXIT))
        return false;
    return size < REPORT_BYTES - REPORT_TEXT_AT && printable((const char *)text, size);
}

enum tern_err report_decode(struct report *r, struct view bytes)
{
    if (bytes.size != REPORT_BYTES || !report_sound(bytes))
        return TERN_EPROTO;
    *r = (struct report){
        .kind = (enum report_kind)bytes.data[8],
        .by_fault = bytes.data[9],
        .continued = bytes.data[10],
        .stays = bytes.data[11],
        .code = (uint32_t)little_get(bytes.data + 12, 4),
        .func = (uint32_t)little_get(bytes.data + 16, 4),
        .offset = (uint32_t)little_get(bytes.data + 20, 4),
        .pc = little_get(bytes.data + 24, 8),
        .memory_pages = little_get(bytes.data + 32, 8),
        .cpu_ns = little_get(bytes.data + 40, 8),
        .output_bytes = little_get(bytes.data + 48, 8),
    };
    memcpy(r->text, bytes.data + REPORT_TEXT_AT, sizeof r->text - 1);
    return TERN_OK;
}
