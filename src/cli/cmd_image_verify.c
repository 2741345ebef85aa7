#include "cli/commands.h"
#include "cli/image_json.h"
#include "cli/image_look.h"
#include "cli/image_shown.h"
#include "cli/json_text.h"
#include "cli/say.h"

#include <inttypes.h>

struct verified {
    uint64_t number;
    struct checkpoint_survey survey;
    struct problem why; /* why.err: TERN_OK if all is well */
    bool gone;          /* let go by the program that runs, meanwhile */
};

static void verify_one(const struct invocation *in, struct store *s, const struct store_root *root,
                       struct verified *v)
{
    struct checkpoint c;
    struct image_look look;
    enum tern_err err = checkpoint_survey(s, root, &v->survey, &c, &v->why);

    v->number = root->number;
    if (!err) {
        err = image_look_take(in, s, &c, &look, &v->why);
        if (!err)
            image_look_release(&look);
    }
    v->why.err = err;
    v->gone = err && !checkpoint_is_kept(s, root->number);
}

static void tell_text(struct bytes *out, const struct verified *v)
{
    bytes_appendf(out, "checkpoint %" PRIu64 ": ", v->number);
    if (v->gone) {
        bytes_append_text(out, "let go meanwhile\n");
    } else if (v->why.err) {
        bytes_append_text(out, "not fine\n");
    } else {
        bytes_append_text(out, "fine, ");
        shown_count_of(out, v->survey.chunks, "chunk");
        bytes_append_text(out, ", ");
        shown_size(out, v->survey.plain_bytes);
        bytes_append_text(out, "\n");
    }
}

static json_t *tell_json(const struct verified *v)
{
    if (v->why.err)
        return json_pack("{s:I, s:b, s:o}", "number", (json_int_t)v->number, "fine", 0, "problem",
                         json_text_escaped(view_of_string(v->why.text)));
    return json_pack("{s:I, s:b, s:I, s:I}", "number", (json_int_t)v->number, "fine", 1, "chunks",
                     (json_int_t)v->survey.chunks, "plain_bytes",
                     (json_int_t)v->survey.plain_bytes);
}

struct verifying {
    const struct invocation *in;
    struct store *store;
    json_t *list;
    struct bytes text;
    bool bad;
    uint64_t first_bad;
    struct problem why; /* of the first */
};

static enum tern_err verify_number(struct verifying *all, uint64_t number, struct problem *p)
{
    struct store_root root = {.number = 0};
    struct verified v = {.number = number};
    enum tern_err err = TERN_OK;

    for (unsigned n = 0; !err && root.number != number; n++)
        err = store_root(all->store, n, &root);
    if (err == TERN_ENOENT) { /* let go before its turn came */
        v.gone = true;
        v.why.err = err;
    } else if (err) {
        return problem_set(p, err, "its checkpoints cannot be listed: %s", tern_err_text(err));
    } else {
        verify_one(all->in, all->store, &root, &v);
    }
    tell_text(&all->text, &v);
    if (!v.gone)
        json_array_append_new(all->list, tell_json(&v));
    if (v.why.err && !v.gone && !all->bad) {
        all->bad = true;
        all->first_bad = number;
        all->why = v.why;
    }
    return TERN_OK;
}

static int tell_verified(struct verifying *all)
{
    const struct invocation *in = all->in;
    const bool as_json = invocation_value(in, "json");
    json_t *json = NULL;
    int code;

    if (as_json)
        json = json_pack("{s:o, s:b, s:O}", "directory",
                         json_text_escaped(view_of_string(in->args[0])), "fine", !all->bad,
                         "checkpoints", all->list);
    if (as_json && !json)
        bytes_clear(&all->text);
    code = image_print(in, &all->text, json);
    if (!all->bad)
        return code;
    say("%s: %s: checkpoint %" PRIu64 ": %s", in->command->name, in->args[0], all->first_bad,
        all->why.text);
    return CLI_FAILED;
}

int cmd_image_verify(const struct invocation *in)
{
    struct verifying all = {.in = in, .list = json_array()};
    uint64_t numbers[IMAGE_NUMBERS_MAX];
    struct problem p = {.text = ""};
    size_t count = 0;
    enum tern_err err;
    int code = CLI_FAILED;

    if (image_store_open(in, &all.store)) {
        err = image_list(all.store, numbers, &count, &p);
        for (size_t i = 0; i < count && !err; i++)
            err = verify_number(&all, numbers[i], &p);
        code = err ? image_failed(in, &p) : tell_verified(&all);
    }
    store_close(all.store);
    bytes_release(&all.text);
    json_decref(all.list);
    return code;
}
