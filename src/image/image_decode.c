#include "image/image.h"
#include "image/image.pb-c.h"
#include "image/types.h"

#include <inttypes.h>
#include <stdalign.h>
#include <string.h>

/*
 * protobuf-c takes its memory from the image's arena, whose limit follows from the size of the
 * bytes: a frame without values takes six bytes or more, and in memory some 170. What asks for more
 * was made to: an empty message takes two bytes, and as much memory.
 */
enum {
    MEMORY_BYTES_LEAST = 1 << 20,
    MEMORY_TIMES = 48,
    VERSION_TAG = 0x08, /* field 1, a varint */
};

#define MEMORY_BYTES_MOST (UINT64_C(4) << 30)

struct decoder {
    struct image *image;
    struct problem *p;
    enum tern_err exhausted; /* the limit (TERN_ETOOBIG) or the machine (TERN_ENOMEM) */
};

static void *take(void *decoder, size_t size)
{
    struct decoder *d = decoder;
    struct arena *arena = &d->image->arena;
    const size_t left = arena->limit_bytes - arena->used_bytes;
    void *out = arena_new(arena, size, 1);

    if (!out)
        d->exhausted = size + alignof(max_align_t) > left ? TERN_ETOOBIG : TERN_ENOMEM;
    return out;
}

static void give_back(void *decoder, void *memory)
{
    (void)decoder; /* all at once, with the arena */
    (void)memory;
}

static void *new_list(struct decoder *d, size_t count, size_t size)
{
    return take(d, (count ? count : 1) * size);
}

static enum tern_err too_much(struct decoder *d)
{
    return problem_set(d->p, d->exhausted,
                       d->exhausted == TERN_ETOOBIG
                           ? "the image asks for more memory than one of its size may"
                           : "there is no memory for the image");
}

/* Numbers that the state has fewer bits for become the largest, which is none that means something.
 */
static uint8_t narrow_u8(uint64_t value)
{
    return value > UINT8_MAX ? UINT8_MAX : (uint8_t)value;
}

static uint16_t narrow_u16(uint64_t value)
{
    return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static struct view view_of_binary(struct ProtobufCBinaryData from)
{
    return view_of(from.data, from.len);
}

/* ---- Instances and memories ---- */

static enum tern_err take_globals(struct decoder *d, const Tern__Image__Instance *from,
                                  struct state_instance *in)
{
    in->globals = new_list(d, from->n_globals, sizeof *in->globals);
    if (!in->globals)
        return too_much(d);
    for (size_t i = 0; i < from->n_globals; i++) {
        const Tern__Image__Global *g = from->globals[i];

        if (g->value.len != STATE_VALUE_BYTES)
            return problem_set(d->p, TERN_EPROTO, "global %zu has a value of %zu bytes, not 16", i,
                               g->value.len);
        in->globals[i].letter = image_letter_of((uint64_t)g->type);
        memcpy(in->globals[i].value, g->value.data, STATE_VALUE_BYTES);
    }
    in->global_count = (uint32_t)from->n_globals;
    return TERN_OK;
}

static enum tern_err take_tables(struct decoder *d, const Tern__Image__Instance *from,
                                 struct state_instance *in)
{
    in->tables = new_list(d, from->n_tables, sizeof *in->tables);
    if (!in->tables)
        return too_much(d);
    for (size_t i = 0; i < from->n_tables; i++) {
        const Tern__Image__Table *t = from->tables[i];

        if (t->refs.len % IMAGE_REF_BYTES != 0 || t->refs.len / IMAGE_REF_BYTES > UINT32_MAX)
            return problem_set(d->p, TERN_EPROTO,
                               "table %zu has %zu bytes of references, which take 8 each", i,
                               t->refs.len);
        in->tables[i].letter = image_letter_of((uint64_t)t->type);
        in->tables[i].size = (uint32_t)(t->refs.len / IMAGE_REF_BYTES);
        in->tables[i].refs = t->refs.data;
    }
    in->table_count = (uint32_t)from->n_tables;
    return TERN_OK;
}

static enum tern_err take_instance(struct decoder *d, const Tern__Image__Instance *from,
                                   struct state_instance *in)
{
    enum tern_err err;

    if (from->n_globals > STATE_GLOBALS_MAX || from->n_tables > STATE_TABLES_MAX ||
        from->data_dropped.len > STATE_SEGMENTS_MAX || from->elem_dropped.len > STATE_SEGMENTS_MAX)
        return problem_set(d->p, TERN_ETOOBIG,
                           "an instance has more globals, tables or segments than a module may");
    err = take_globals(d, from, in);
    if (!err)
        err = take_tables(d, from, in);
    in->data_dropped = from->data_dropped.data;
    in->data_count = (uint32_t)from->data_dropped.len;
    in->elem_dropped = from->elem_dropped.data;
    in->elem_count = (uint32_t)from->elem_dropped.len;
    return err;
}

static enum tern_err take_memory(struct decoder *d, const Tern__Image__Memory *from,
                                 struct state_instance *in)
{
    struct image *image = d->image;

    if (from->pages > WASM_MEMORY_PAGES_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "the memory has %" PRIu32 " pages, more than %d",
                           from->pages, WASM_MEMORY_PAGES_MAX);
    if (from->lists.len != (size_t)image_list_count(from->pages) * IMAGE_HASH_BYTES)
        return problem_set(d->p, TERN_EPROTO,
                           "the memory has %" PRIu32 " pages and %zu bytes of names, not %" PRIu32
                           " names of 32 bytes",
                           from->pages, from->lists.len, image_list_count(from->pages));
    in->memory_pages = from->pages;
    image->lists = from->lists.data;
    image->list_count = image_list_count(from->pages);
    return TERN_OK;
}

static enum tern_err take_instances(struct decoder *d, const Tern__Image__Image *root)
{
    struct state *s = &d->image->state;
    enum tern_err err;

    s->instances = new_list(d, 1, sizeof *s->instances);
    if (!s->instances)
        return too_much(d);
    err = take_instance(d, root->instances[0], &s->instances[0]);
    if (!err)
        err = take_memory(d, root->memories[0], &s->instances[0]);
    s->instance_count = 1;
    return err;
}

/* ---- Frames ---- */

static enum tern_err take_stack(struct decoder *d, const Tern__Image__Stack *from)
{
    struct state *s = &d->image->state;

    s->phase = narrow_u8((uint64_t)from->entry);
    if (from->n_frames > STATE_FRAMES_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "the stack has %zu frames, more than %d",
                           from->n_frames, STATE_FRAMES_MAX);
    s->frames = new_list(d, from->n_frames, sizeof *s->frames);
    if (!s->frames)
        return too_much(d);
    for (size_t i = 0; i < from->n_frames; i++) {
        const Tern__Image__Frame *f = from->frames[i];

        if (f->values.len % STATE_VALUE_BYTES != 0)
            return problem_set(d->p, TERN_EPROTO,
                               "frame %zu has %zu bytes of values, which take 16 each", i,
                               f->values.len);
        s->frames[i] = (struct state_frame){
            .instance = f->instance,
            .func = f->func,
            .offset = f->offset,
            .inside = f->inside,
            .value_count = (uint32_t)(f->values.len / STATE_VALUE_BYTES), /* the root has 1 GiB */
            .values = f->values.data,
        };
    }
    s->frame_count = (uint32_t)from->n_frames;
    return TERN_OK;
}

/* ---- The host's side ---- */

static void take_descriptor(struct state_fd *fd, const Tern__Image__Descriptor *from)
{
    *fd = (struct state_fd){
        .number = from->number,
        .kind = narrow_u8((uint64_t)from->kind),
        .filetype = narrow_u8(from->filetype),
        .flags = narrow_u16(from->flags),
        .rights = from->rights,
        .inheriting = from->inheriting,
        .source = from->source,
        .read_only = from->read_only,
        .written = from->written,
        .path = view_of_binary(from->path),
        .offset = from->offset,
        .size = from->size,
        .mtime_ns = from->mtime_ns,
        .inode = from->inode,
        .ends = from->ends,
    };
}

static enum tern_err take_entries(struct decoder *d, const Tern__Image__Inode *from,
                                  struct state_node *n)
{
    if (from->n_entries > TREE_ENTRIES_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "a directory has more entries than it may");
    n->entries = new_list(d, from->n_entries, sizeof *n->entries);
    if (!n->entries)
        return too_much(d);
    for (size_t i = 0; i < from->n_entries; i++) {
        const Tern__Image__Entry *e = from->entries[i];

        n->entries[i] = (struct state_entry){
            .cookie = e->cookie, .inode = e->inode, .name = view_of_binary(e->name)};
    }
    n->entry_count = (uint32_t)from->n_entries;
    return TERN_OK;
}

static enum tern_err take_file(struct decoder *d, const Tern__Image__Inode *from,
                               struct image_file *f)
{
    struct image_list *lists = new_list(d, from->n_lists, sizeof *lists);

    if (!lists)
        return too_much(d);
    if (from->pages.len % IMAGE_HASH_BYTES || from->n_lists > UINT32_MAX)
        return problem_set(d->p, TERN_EPROTO,
                           "inode %" PRIu64 " has %zu bytes of names of pages, which take 32 each",
                           from->number, from->pages.len);
    for (size_t i = 0; i < from->n_lists; i++) {
        if (from->lists[i]->name.len != IMAGE_HASH_BYTES)
            return problem_set(d->p, TERN_EPROTO,
                               "inode %" PRIu64 " has a list with a name of %zu bytes, not 32",
                               from->number, from->lists[i]->name.len);
        lists[i] = (struct image_list){from->lists[i]->index, from->lists[i]->name.data};
    }
    *f = (struct image_file){
        .pages = from->pages.data,
        .page_count = (uint32_t)(from->pages.len / IMAGE_HASH_BYTES),
        .lists = lists,
        .list_count = (uint32_t)from->n_lists,
    };
    return TERN_OK;
}

static enum tern_err take_inode(struct decoder *d, const Tern__Image__Inode *from,
                                struct state_node *n, struct image_file *f)
{
    enum tern_err err = take_file(d, from, f);

    *n = (struct state_node){
        .number = from->number,
        .kind = narrow_u8((uint64_t)from->kind),
        .links = from->links,
        .atime_ns = from->atime_ns,
        .mtime_ns = from->mtime_ns,
        .ctime_ns = from->ctime_ns,
        .size = from->size,
        .next_cookie = from->next_cookie,
        .target = view_of_binary(from->target),
    };
    return err ? err : take_entries(d, from, n);
}

static enum tern_err take_tree(struct decoder *d, const Tern__Image__Tree *from)
{
    struct state_tree *t = new_list(d, 1, sizeof *t);
    struct image_file *files = new_list(d, from->n_inodes, sizeof *files);
    enum tern_err err = TERN_OK;

    if (from->n_inodes > TREE_NODES_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "the image has %zu inodes, more than %d",
                           from->n_inodes, TREE_NODES_MAX);
    if (!t || !files)
        return too_much(d);
    t->nodes = new_list(d, from->n_inodes, sizeof *t->nodes);
    if (!t->nodes)
        return too_much(d);
    for (size_t i = 0; i < from->n_inodes && !err; i++)
        err = take_inode(d, from->inodes[i], &t->nodes[i], &files[i]);
    t->next_number = from->next_inode;
    t->node_count = (uint32_t)from->n_inodes;
    d->image->state.tree = t;
    d->image->files = files;
    return err;
}

static enum tern_err take_host(struct decoder *d, const Tern__Image__Host *from)
{
    struct state *s = &d->image->state;

    if (from->n_descriptors > STATE_FDS_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "the image has %zu descriptors, more than %d",
                           from->n_descriptors, STATE_FDS_MAX);
    s->fds = new_list(d, from->n_descriptors, sizeof *s->fds);
    if (!s->fds)
        return too_much(d);
    for (size_t i = 0; i < from->n_descriptors; i++)
        take_descriptor(&s->fds[i], from->descriptors[i]);
    s->fd_count = (uint32_t)from->n_descriptors;
    s->sequence = from->sequence;
    s->waited_ns = from->waited_ns;
    s->output_bytes = from->output_bytes;
    s->cpu_ns = from->cpu_ns;
    s->monotonic_ns = from->monotonic_ns;
    s->input_bytes = from->input_bytes;
    s->input_kept = from->input_kept;
    s->input_sum = from->input_sum;
    s->input_ended = from->input_ended;
    s->seeded = from->random_numbers != NULL;
    s->random_seed = from->random_numbers ? from->random_numbers->seed : 0;
    s->random_position = from->random_numbers ? from->random_numbers->position : 0;
    return from->tree ? take_tree(d, from->tree) : TERN_OK;
}

/* ---- The root ---- */

static enum tern_err wrong_version(struct problem *p, uint64_t version)
{
    return problem_set(p, TERN_EPROTO,
                       "the image is of format version %" PRIu64 ", and this build of tern knows "
                       "version %d only",
                       version, IMAGE_VERSION);
}

/*
 * A later version may have other fields, which make no sense as those of this one: so its number is
 * looked for first, where every writer puts it. 0: not there.
 */
static uint64_t version_in_front(struct view bytes)
{
    uint64_t version = 0;

    if (bytes.size < 2 || bytes.data[0] != VERSION_TAG)
        return 0;
    for (size_t i = 0; i < 9 && i + 1 < bytes.size; i++) {
        version |= (uint64_t)(bytes.data[i + 1] & 0x7f) << (7 * i);
        if (!(bytes.data[i + 1] & 0x80))
            return version;
    }
    return 0;
}

static enum tern_err take_head(struct decoder *d, const Tern__Image__Image *root)
{
    struct image *image = d->image;

    if (root->module->sha256.len != IMAGE_HASH_BYTES)
        return problem_set(d->p, TERN_EPROTO, "the module's SHA-256 has %zu bytes, not 32",
                           root->module->sha256.len);
    memcpy(image->module_sha256, root->module->sha256.data, IMAGE_HASH_BYTES);
    image->module_bytes = root->module->size;
    image->limits_memory_pages = root->limits->memory_pages;
    image->limits_stack_cells = root->limits->stack_cells;
    image->deterministic = root->limits->deterministic;
    image->limits_files_bytes = root->limits->files_bytes;
    return TERN_OK;
}

static enum tern_err take_root(struct decoder *d, const Tern__Image__Image *root)
{
    enum tern_err err;

    if (root->version != IMAGE_VERSION)
        return wrong_version(d->p, root->version);
    if (!root->module || !root->limits || !root->host)
        return problem_set(d->p, TERN_EPROTO, "the image lacks %s",
                           !root->module   ? "its module"
                           : !root->limits ? "its limits"
                                           : "the host's side");
    if (root->n_instances != 1 || root->n_memories != 1 || root->n_stacks != 1)
        return problem_set(d->p, TERN_EPROTO,
                           "the image has %zu instances, %zu memories and %zu stacks: "
                           "this version has one of each",
                           root->n_instances, root->n_memories, root->n_stacks);
    err = take_head(d, root);
    if (!err)
        err = take_instances(d, root);
    if (!err)
        err = take_stack(d, root->stacks[0]);
    if (!err)
        err = take_host(d, root->host);
    if (!err && !state_fits(&d->image->state))
        err = problem_set(d->p, TERN_ETOOBIG,
                          "the image has more values, table elements or longer paths than it may");
    return err;
}

static enum tern_err decode(struct decoder *d, struct view bytes)
{
    ProtobufCAllocator allocator = {take, give_back, d};
    const uint64_t version = version_in_front(bytes);
    const Tern__Image__Image *root;

    if (bytes.size > IMAGE_ROOT_BYTES_MAX)
        return problem_set(d->p, TERN_ETOOBIG, "the image's root has %zu bytes, more than %d",
                           bytes.size, IMAGE_ROOT_BYTES_MAX);
    if (version != 0 && version != IMAGE_VERSION)
        return wrong_version(d->p, version);
    root = tern__image__image__unpack(&allocator, bytes.size, bytes.data);
    if (d->exhausted)
        return too_much(d);
    if (!root || root->version == 0)
        return problem_set(d->p, TERN_EPROTO, "this is not an image, or a damaged one");
    return take_root(d, root);
}

enum tern_err image_decode(struct image *image, struct view bytes, struct problem *p)
{
    const uint64_t wanted = MEMORY_BYTES_LEAST + (uint64_t)bytes.size * MEMORY_TIMES;
    struct decoder d = {.image = image, .p = p};
    enum tern_err err;

    *image = (struct image){0};
    image->arena.limit_bytes = wanted > MEMORY_BYTES_MOST ? MEMORY_BYTES_MOST : wanted;
    err = decode(&d, bytes);
    if (err)
        image_release(image);
    return err;
}

void image_release(struct image *image)
{
    arena_release(&image->arena);
    *image = (struct image){0};
}
