#include "cli/image_look.h"

#include "cli/say.h"
#include "cli/say_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool image_store_open(const struct invocation *in, struct store **out)
{
    struct problem p = {.text = ""};

    if (store_open_read(in->args[0], out, &p) == TERN_OK)
        return true;
    say("%s: %s", in->command->name, p.text);
    return false;
}

enum tern_err image_list(struct store *s, uint64_t *out, size_t *count, struct problem *p)
{
    size_t n = 0;
    enum tern_err err = TERN_OK;

    while (n < IMAGE_NUMBERS_MAX && !err) {
        struct store_root root;

        err = store_root(s, (unsigned)n, &root);
        if (!err)
            out[n++] = root.number;
    }
    if (err && err != TERN_ENOENT)
        return problem_set(p, err, "its checkpoints cannot be listed: %s", tern_err_text(err));
    if (n == 0)
        return problem_set(p, TERN_ENOENT, "there is no checkpoint in it");
    *count = n;
    return TERN_OK;
}

bool image_number_option(const struct invocation *in, const char *option, uint64_t *out)
{
    const char *value = invocation_value(in, option);
    char *end = NULL;

    *out = 0;
    if (!value)
        return true;
    errno = 0;
    *out = strtoull(value, &end, 10);
    if (*value >= '0' && *value <= '9' && !*end && !errno && *out)
        return true;
    say("%s: --%s '%s' is not the number of a checkpoint; 'tern image show' lists them",
        in->command->name, option, value);
    return false;
}

int image_print(const struct invocation *in, struct bytes *text, json_t *json)
{
    const bool fine = json || (text->size && bytes_ok(text));

    if (json)
        say_json_take(json);
    else if (fine)
        fwrite(text->data, 1, text->size, stdout);
    else
        say("%s: out of memory", in->command->name);
    bytes_release(text);
    return fine ? say_end_of_output(0) : CLI_FAILED;
}

int image_failed(const struct invocation *in, const struct problem *p)
{
    say("%s: %s: %s", in->command->name, in->args[0], p->text);
    return CLI_FAILED;
}

/* ---- One checkpoint ---- */

static enum tern_err load_module(struct image_look *l, struct problem *p)
{
    const struct view bytes = bytes_view(&l->c.module);
    const char *name;
    enum tern_err err;

    bytes_append_shown(&l->name, view_of_string(l->settings.path));
    name = bytes_text(&l->name);
    if (!name)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    l->digest = hash_of(bytes);
    err = object_load_module(bytes, name, &l->module, p);
    return err ? err : image_check(&l->c.image, &l->module, l->digest.byte, p);
}

static enum tern_err load_all(struct image_look *l, struct problem *p)
{
    const struct image *image = &l->c.image;
    const struct program_limits *limits = &l->settings.limits;
    enum tern_err err = run_read_settings(&l->settings, bytes_view(&l->c.settings), p);

    if (!err)
        err = load_module(l, p);
    if (!err &&
        (image->limits_memory_pages != limits->memory_pages_max ||
         image->limits_stack_cells != limits->stack_bytes / 8 ||
         image->limits_files_bytes != (l->settings.files ? l->settings.files_bytes_max : 0)))
        err = problem_set(p, TERN_EINVALID, "its image and its settings give different limits");
    if (!err)
        err = checkpoint_pages(l->store, &l->c, &l->pages, p);
    return err;
}

enum tern_err image_look_take(const struct invocation *in, struct store *s,
                              struct checkpoint *opened, struct image_look *out, struct problem *p)
{
    struct image_look l = {.store = s, .c = *opened};
    enum tern_err err;

    *opened = (struct checkpoint){.settings = {0}};
    run_init(&l.settings, in, in->command->name);
    err = load_all(&l, p);
    if (err)
        image_look_release(&l);
    else
        *out = l;
    return err;
}

enum tern_err image_look_load(const struct invocation *in, struct store *s, uint64_t number,
                              struct image_look *out, struct problem *p)
{
    struct checkpoint c;
    enum tern_err err = checkpoint_open_number(s, number, &c, p);

    return err ? err : image_look_take(in, s, &c, out, p);
}

void image_look_release(struct image_look *l)
{
    if (!l->store)
        return;
    checkpoint_release(&l->c);
    run_release(&l->settings);
    bytes_release(&l->name);
    module_release(&l->module);
    bytes_release(&l->pages);
}
