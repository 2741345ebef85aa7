/*
 * fuzz_record - any bytes: as a record, and as a call in one, whose checksum few would find out.
 *
 * A call that is taken is written again as it was; it can be shown; and whoever replays it in a
 * memory that is as large as it should be writes nothing beside it, whatever lies there.
 */
#include "cli/record_show.h"
#include "runner/plan.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_blocks(struct view all)
{
    struct record_reader r;
    struct record_block block;
    struct record_call call;
    enum record_read got;

    if (record_begin(&r, all) != TERN_OK)
        return;
    do {
        got = record_next(&r, &block);
        if (r.at > all.size)
            abort();
        if (got == RECORD_READ_BLOCK && block.kind == RECORD_CALL)
            (void)record_decode_call(&call, block.contents);
    } while (got == RECORD_READ_BLOCK);
}

static void assert_written_as_it_was(const struct record_call *c, struct view contents)
{
    static uint8_t again[RECORD_CALL_BYTES_MAX];
    static struct record_range ranges[RECORD_RANGES_MAX];
    size_t size;

    for (uint32_t i = 0; i < c->range_count; i++)
        ranges[i] = record_range_get(c, i);
    size = record_encode_call(c, ranges, again);
    if (size + c->filled.size != contents.size || memcmp(again, contents.data, size) != 0)
        abort();
}

static void show(const struct record_call *c)
{
    struct bytes text = {0};

    record_call_text(&text, c, &(struct record_style){.shown = 32, .times = true});
    if (!bytes_ok(&text) || text.data[text.size - 1] != '\n' ||
        memchr(text.data, '\n', text.size) != text.data + text.size - 1)
        abort();
    bytes_release(&text);
}

/* Memory is no larger than what the sanitizer watches; its contents are those of the input. */
static void replay(const struct record_call *c, struct view input)
{
    static struct ticket ticket = {.arg_count = 1, .env_count = 1};
    static struct plan plan;
    struct tern_memory memory = {.base = malloc(PAGE_BYTES), .pages = 1};
    struct host h = {.ticket = &ticket, .memory = &memory};
    struct record_kept kept[RECORD_KEPT_MAX];
    union tern_cell args[RECORD_ARGS_MAX];

    ticket.args[0] = ticket.env[0] = view_of_string("some=text");
    for (size_t i = 0; i < PAGE_BYTES; i++)
        memory.base[i] = input.data[i % input.size];
    for (uint32_t i = 0; i < c->arg_count; i++)
        args[i].i64 = c->args[i];
    h.call = (struct host_call){.number = c->number, .args = args};
    plan_make(&plan, &h, &h.call);
    (void)plan_hash(&plan, &h);
    (void)plan_keep(&plan, &h, &h.call, kept);
    (void)plan_moved(&plan, &h);
    if (plan_settle(&plan, (enum wasi_errno)c->answer, c->moved))
        (void)plan_fill(&plan, &h, c);
    free(memory.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view input = view_of(data, size);
    struct record_call c;

    read_blocks(input);
    if (record_decode_call(&c, input) == TERN_OK) {
        assert_written_as_it_was(&c, input);
        show(&c);
        replay(&c, input);
    }
    return 0;
}
