#include "os/go_on.h"

#include "os/object.h"
#include "wasm/module.h"

#include <stdlib.h>

enum tern_err go_on_check(const struct go_on_order *o, struct problem *p)
{
    const struct image *image = o->image;
    struct wasm_module m;
    enum tern_err err = object_load_module(o->module, o->name, &m, p);

    if (err)
        return err;
    err = image_check(image, &m, o->module_sha256, p);
    module_release(&m);
    if (!err && (image->limits_memory_pages != o->limits->memory_pages_max ||
                 image->limits_stack_cells != o->limits->stack_bytes / 8 ||
                 image->limits_files_bytes != o->files_bytes))
        err = problem_set(p, TERN_EINVALID,
                          "the image was made under other limits than those "
                          "that the settings beside it give");
    return err;
}

struct translate_points go_on_points(const struct state *s)
{
    struct translate_point *list = calloc(s->frame_count + 1, sizeof *list);
    size_t kept = 0;

    if (!list)
        return (struct translate_points){.list = NULL};
    for (uint32_t i = 0; i < s->frame_count; i++)
        list[i] =
            (struct translate_point){s->frames[i].func, s->frames[i].offset, s->frames[i].inside};
    qsort(list, s->frame_count, sizeof *list, translate_compare_points);
    for (uint32_t i = 0; i < s->frame_count; i++) {
        if (kept == 0 || translate_compare_points(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    }
    return (struct translate_points){list, kept};
}
