#include "image/check.h"
#include "image/image.h"
#include "image/types.h"

#include <inttypes.h>
#include <string.h>

static enum tern_err check_module(const struct image *image, const struct wasm_module *m,
                                  const uint8_t *module_sha256, struct problem *p)
{
    if (image->module_bytes != m->bytes.size ||
        memcmp(image->module_sha256, module_sha256, IMAGE_HASH_BYTES) != 0)
        return problem_set(p, TERN_EINVALID, "the image is of another module");
    if (m->imported_globals || m->imported_tables || m->imported_memories)
        return problem_set(p, TERN_EINVALID,
                           "the module imports other things than functions: no program does");
    return TERN_OK;
}

/* What no run can have been allowed, whoever says so. */
static enum tern_err check_limits(const struct image *image, struct problem *p)
{
    if (image->limits_memory_pages > WASM_MEMORY_PAGES_MAX)
        return problem_set(p, TERN_EINVALID,
                           "the image says that the run was allowed %" PRIu64
                           " pages of memory, more than %d",
                           image->limits_memory_pages, WASM_MEMORY_PAGES_MAX);
    if (image->limits_stack_cells > UINT32_MAX)
        return problem_set(p, TERN_EINVALID,
                           "the image says that the run was allowed %" PRIu64
                           " cells of call stack, more than %" PRIu32,
                           image->limits_stack_cells, UINT32_MAX);
    return TERN_OK;
}

static enum tern_err check_counts(const struct image *image, struct problem *p)
{
    const struct state *s = &image->state;
    uint32_t lists;

    if (!state_fits(s))
        return problem_set(p, TERN_EINVALID, "the image has more of something than any may have");
    if (s->instance_count != 1)
        return problem_set(p, TERN_EINVALID, "the image has %" PRIu32 " instances, not one",
                           s->instance_count);
    lists = image_list_count(s->instances[0].memory_pages);
    if (image->list_count != lists)
        return problem_set(p, TERN_EINVALID,
                           "memory: it has %" PRIu32 " lists of pages, not %" PRIu32,
                           image->list_count, lists);
    return TERN_OK;
}

static enum tern_err check_all(const struct image *image, const struct wasm_module *m,
                               const uint8_t *module_sha256, const uint32_t *entry,
                               struct problem *p)
{
    const struct checker c = {
        .image = image,
        .state = &image->state,
        .m = m,
        .limit_pages = image->limits_memory_pages,
        .limit_cells = image->limits_stack_cells,
        .entry = entry,
        .p = p,
    };
    enum tern_err err = check_module(image, m, module_sha256, p);

    if (!err)
        err = check_limits(image, p);
    if (!err)
        err = check_counts(image, p);
    if (!err)
        err = check_instance(&c);
    if (!err)
        err = check_frames(&c);
    if (!err)
        err = check_host(&c);
    if (!err)
        err = check_tree(&c);
    return err;
}

enum tern_err image_check(const struct image *image, const struct wasm_module *m,
                          const uint8_t module_sha256[IMAGE_HASH_BYTES], struct problem *p)
{
    return check_all(image, m, module_sha256, NULL, p);
}

enum tern_err image_check_call(const struct image *image, const struct wasm_module *m,
                               const uint8_t module_sha256[IMAGE_HASH_BYTES], uint32_t entry,
                               struct problem *p)
{
    return check_all(image, m, module_sha256, &entry, p);
}
