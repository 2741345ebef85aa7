#include "cli/commands.h"
#include "cli/image_diff.h"
#include "cli/image_look.h"
#include "cli/image_pages.h"
#include "cli/image_show.h"

#include "store/names.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TRIES_MAX = 16 };

/* ---- show ---- */

/* Pages that are equal to each other are stored once. */
static uint64_t shared_stored(struct store *store, struct view before, struct view after)
{
    struct names seen = {.value_bytes = 0};
    uint64_t bytes = 0;
    bool fresh = true;

    for (size_t i = 0; i < after.size / STORE_NAME_BYTES; i++) {
        const struct store_name *name = (const void *)(after.data + i * STORE_NAME_BYTES);

        if (page_is_same(before, after, i) && names_add(&seen, name, &fresh) && fresh)
            (void)store_add_stored(store, name, &bytes);
    }
    names_release(&seen);
    return bytes;
}

static void count_pages_shared(struct image_show *s, const struct checkpoint *before)
{
    struct page_changes changes = {.count = {0}};
    struct problem p = {.text = ""};
    struct bytes names = {0};

    if (checkpoint_pages(s->look.store, before, &names, &p) == TERN_OK) {
        pages_compare(bytes_view(&names), bytes_view(&s->look.pages), &changes);
        s->pages_shared = changes.count[PAGE_SAME];
        s->shared_stored_bytes =
            shared_stored(s->look.store, bytes_view(&names), bytes_view(&s->look.pages));
        s->before_read = true;
    }
    page_changes_release(&changes);
    bytes_release(&names);
}

static enum tern_err find_shared(struct image_show *s, struct problem *p)
{
    struct problem why = {.text = ""};
    struct image_look before = {.store = s->look.store};
    enum tern_err err;

    for (size_t i = 0; i < s->number_count && !s->before; i++)
        if (s->numbers[i] < s->look.c.root.number)
            s->before = s->numbers[i];
    if (!s->before || checkpoint_open_number(s->look.store, s->before, &before.c, &why))
        return image_files_load(&s->look, NULL, &s->files, p);
    count_pages_shared(s, &before.c);
    err = image_files_load(&s->look, s->before_read ? &before : NULL, &s->files, p);
    checkpoint_release(&before.c);
    return err;
}

/* The newest may be let go between listing and opening it: then there are newer ones. */
static enum tern_err open_show(const struct invocation *in, struct store *store, uint64_t number,
                               struct image_show *s, struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (int tries = 0; tries < TRIES_MAX; tries++) {
        const uint64_t *newest = s->numbers;

        err = image_list(store, s->numbers, &s->number_count, p);
        if (!err)
            err = image_look_load(in, store, number ? number : *newest, &s->look, p);
        if (!err || !s->number_count || number || checkpoint_is_kept(store, *newest))
            break;
    }
    return err;
}

static enum tern_err load_show(const struct invocation *in, struct store *store, uint64_t number,
                               struct image_show *s, struct problem *p)
{
    struct bytes ranges = {0};
    enum tern_err err = open_show(in, store, number, s, p);

    if (err)
        return err;
    err = store_usage(store, &s->usage);
    if (err)
        problem_set(p, err, "its sizes cannot be found out: %s", tern_err_text(err));
    if (!err)
        err = find_shared(s, p);
    s->pages_used = pages_used(bytes_view(&s->look.pages), &ranges);
    bytes_release(&ranges);
    return err;
}

int cmd_image_show(const struct invocation *in)
{
    struct image_show *s = calloc(1, sizeof *s);
    struct problem p = {.text = "out of memory"};
    struct store *store = NULL;
    struct bytes text = {0};
    uint64_t number;
    int code = CLI_FAILED;

    if (!image_number_option(in, "number", &number)) {
        code = CLI_USAGE;
    } else if (s && image_store_open(in, &store)) {
        s->dir = in->args[0];
        s->values = invocation_value(in, "values");
        if (load_show(in, store, number, s, &p)) {
            code = image_failed(in, &p);
        } else if (invocation_value(in, "json")) {
            code = image_print(in, &text, image_show_json(s));
        } else {
            image_show_text(&text, s);
            code = image_print(in, &text, NULL);
        }
        if (s->look.store)
            image_look_release(&s->look);
        image_files_release(&s->files);
    }
    store_close(store);
    free(s);
    return code;
}

/* ---- diff ---- */

/* Which two: those that were asked for, else the newest and the one before it. */
static enum tern_err choose(struct store *s, uint64_t *from, uint64_t *to, struct problem *p)
{
    uint64_t numbers[IMAGE_NUMBERS_MAX];
    size_t count = 0;
    enum tern_err err = image_list(s, numbers, &count, p);

    if (err)
        return err;
    if (!*to)
        *to = numbers[0];
    for (size_t i = 0; i < count && !*from; i++)
        if (numbers[i] < *to)
            *from = numbers[i];
    if (*from >= *to)
        return problem_set(p, TERN_EUSAGE, "checkpoint %" PRIu64 " is not before %" PRIu64, *from,
                           *to);
    if (!*from)
        return problem_set(p, TERN_ENOENT,
                           "no checkpoint before %" PRIu64 " is kept: there is nothing to compare "
                           "it with",
                           *to);
    return TERN_OK;
}

/* What the checkpoints behind `from`, up to `to`, added. */
static void add_cost(struct store *s, struct image_diff *d)
{
    const uint64_t from = d->from.c.root.number, to = d->to.c.root.number;
    struct store_root root;
    uint64_t found = 0;

    for (unsigned n = 0; store_root(s, n, &root) == TERN_OK && root.number > from; n++) {
        if (root.number > to)
            continue;
        d->new_chunks += root.new_chunks;
        d->new_bytes += root.new_bytes;
        found++;
    }
    d->all_kept = found == to - from;
}

static enum tern_err load_both(const struct invocation *in, struct store *s, uint64_t from,
                               uint64_t to, struct image_diff *d, struct problem *p)
{
    enum tern_err err = image_look_load(in, s, from, &d->from, p);

    if (!err)
        err = image_look_load(in, s, to, &d->to, p);
    if (!err && !digest_equal(&d->from.digest, &d->to.digest))
        err = problem_set(p, TERN_EINVALID,
                          "checkpoints %" PRIu64 " and %" PRIu64 " are of different programs", from,
                          to);
    return err;
}

/* from, to: 0 if they were not asked for. They may be let go while they are read: choose again. */
static enum tern_err load_diff(const struct invocation *in, struct store *s, uint64_t from,
                               uint64_t to, struct image_diff *d, struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (int tries = 0; tries < TRIES_MAX; tries++) {
        uint64_t first = from, last = to;

        err = choose(s, &first, &last, p);
        if (err)
            return err;
        err = load_both(in, s, first, last, d, p);
        if (!err || (checkpoint_is_kept(s, first) && checkpoint_is_kept(s, last)))
            break;
        image_diff_release(d);
        *d = (struct image_diff){.dir = d->dir};
    }
    if (err)
        return err;
    image_diff_compare(d);
    add_cost(s, d);
    return image_files_compare(&d->from, &d->to, &d->files, p);
}

int cmd_image_diff(const struct invocation *in)
{
    struct image_diff d = {.dir = in->args[0]};
    struct problem p = {.text = ""};
    struct store *store = NULL;
    struct bytes text = {0};
    uint64_t from, to;
    int code = CLI_FAILED;

    if (!image_number_option(in, "from", &from) || !image_number_option(in, "to", &to))
        return CLI_USAGE;
    if (!image_store_open(in, &store))
        return CLI_FAILED;
    if (load_diff(in, store, from, to, &d, &p)) {
        code = image_failed(in, &p);
    } else if (invocation_value(in, "json")) {
        code = image_print(in, &text, image_diff_json(&d));
    } else {
        image_diff_text(&text, &d);
        code = image_print(in, &text, NULL);
    }
    image_diff_release(&d);
    store_close(store);
    return code;
}
