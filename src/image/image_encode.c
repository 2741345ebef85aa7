#include "image/image.h"

#include "base/check.h"
#include "image/image.pb-c.h"
#include "image/types.h"

#include <string.h>

/*
 * The messages borrow the image's bytes; they themselves, and the arrays of pointers that
 * protobuf-c wants, live in an arena until the bytes are written. protobuf-c writes fields in the
 * order of their numbers and leaves out zeros: so equal images give equal bytes.
 */

static struct ProtobufCBinaryData binary(const uint8_t *data, size_t size)
{
    return (struct ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

/*
 * An array of so many messages, each as `init` leaves it, and in *list pointers to them; NULL, and
 * *failed, if there is no memory.
 */
static void *new_messages(struct arena *a, size_t count, const ProtobufCMessageDescriptor *type,
                          ProtobufCMessage ***list, bool *failed)
{
    const size_t size = type->sizeof_message;
    uint8_t *messages = arena_new(a, count, size);

    *list = arena_new(a, count, sizeof **list);
    if (!messages || !*list) {
        *failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        (*list)[i] = (ProtobufCMessage *)(void *)(messages + i * size);
        protobuf_c_message_init(type, (*list)[i]);
    }
    return messages;
}

struct tree { /* the root and all messages of which there is one */
    struct arena arena;
    bool failed;
    Tern__Image__Image root;
    Tern__Image__Module module;
    Tern__Image__Limits limits;
    Tern__Image__Stack stack;
    Tern__Image__Stack *stacks[1];
    Tern__Image__Host host;
    Tern__Image__Random numbers;
    Tern__Image__Tree files;
};

static void fill_globals(struct tree *t, Tern__Image__Instance *to, const struct state_instance *in)
{
    ProtobufCMessage **list;
    Tern__Image__Global *g = new_messages(&t->arena, in->global_count,
                                          &tern__image__global__descriptor, &list, &t->failed);

    if (!g)
        return;
    for (uint32_t i = 0; i < in->global_count; i++) {
        g[i].type = (Tern__Image__ValueType)image_type_of(in->globals[i].letter);
        g[i].value = binary(in->globals[i].value, STATE_VALUE_BYTES);
    }
    to->n_globals = in->global_count;
    to->globals = (Tern__Image__Global **)list;
}

static void fill_tables(struct tree *t, Tern__Image__Instance *to, const struct state_instance *in)
{
    ProtobufCMessage **list;
    Tern__Image__Table *table = new_messages(&t->arena, in->table_count,
                                             &tern__image__table__descriptor, &list, &t->failed);

    if (!table)
        return;
    for (uint32_t i = 0; i < in->table_count; i++) {
        table[i].type = (Tern__Image__ValueType)image_type_of(in->tables[i].letter);
        table[i].refs = binary(in->tables[i].refs, (size_t)in->tables[i].size * IMAGE_REF_BYTES);
    }
    to->n_tables = in->table_count;
    to->tables = (Tern__Image__Table **)list;
}

static void fill_instances(struct tree *t, const struct state *s)
{
    ProtobufCMessage **list;
    Tern__Image__Instance *in = new_messages(&t->arena, s->instance_count,
                                             &tern__image__instance__descriptor, &list, &t->failed);

    if (!in)
        return;
    for (uint32_t i = 0; i < s->instance_count; i++) {
        const struct state_instance *from = &s->instances[i];

        fill_globals(t, &in[i], from);
        fill_tables(t, &in[i], from);
        in[i].data_dropped = binary(from->data_dropped, from->data_count);
        in[i].elem_dropped = binary(from->elem_dropped, from->elem_count);
    }
    t->root.n_instances = s->instance_count;
    t->root.instances = (Tern__Image__Instance **)list;
}

/* struct image has the lists of memory 0 only: there is no other. */
static void fill_memories(struct tree *t, const struct image *image)
{
    const struct state *s = &image->state;
    ProtobufCMessage **list;
    Tern__Image__Memory *memory = new_messages(&t->arena, s->instance_count,
                                               &tern__image__memory__descriptor, &list, &t->failed);

    if (!memory)
        return;
    for (uint32_t i = 0; i < s->instance_count; i++) {
        memory[i].pages = s->instances[i].memory_pages;
        memory[i].lists = binary(image->lists, (size_t)image->list_count * IMAGE_HASH_BYTES);
    }
    t->root.n_memories = s->instance_count;
    t->root.memories = (Tern__Image__Memory **)list;
}

static void fill_stack(struct tree *t, const struct state *s)
{
    ProtobufCMessage **list;
    Tern__Image__Frame *f =
        new_messages(&t->arena, s->frame_count, &tern__image__frame__descriptor, &list, &t->failed);

    if (!f)
        return;
    for (uint32_t i = 0; i < s->frame_count; i++) {
        const struct state_frame *from = &s->frames[i];

        f[i].instance = from->instance;
        f[i].func = from->func;
        f[i].offset = from->offset;
        f[i].inside = from->inside;
        f[i].values = binary(from->values, (size_t)from->value_count * STATE_VALUE_BYTES);
    }
    t->stack.entry = (Tern__Image__Stack__Entry)s->phase;
    t->stack.n_frames = s->frame_count;
    t->stack.frames = (Tern__Image__Frame **)list;
    t->stacks[0] = &t->stack;
    t->root.n_stacks = 1;
    t->root.stacks = t->stacks;
}

static void fill_descriptor(Tern__Image__Descriptor *to, const struct state_fd *fd)
{
    to->number = fd->number;
    to->kind = (Tern__Image__Descriptor__Kind)fd->kind;
    to->filetype = fd->filetype;
    to->flags = fd->flags;
    to->rights = fd->rights;
    to->inheriting = fd->inheriting;
    to->source = fd->source;
    to->read_only = fd->read_only;
    to->written = fd->written;
    to->path = binary(fd->path.data, fd->path.size);
    to->offset = fd->offset;
    to->size = fd->size;
    to->mtime_ns = fd->mtime_ns;
    to->inode = fd->inode;
    to->ends = fd->ends;
}

/* ---- The private file tree ---- */

static void fill_entries(struct tree *t, Tern__Image__Inode *to, const struct state_node *n)
{
    ProtobufCMessage **list;
    Tern__Image__Entry *e =
        new_messages(&t->arena, n->entry_count, &tern__image__entry__descriptor, &list, &t->failed);

    if (!e)
        return;
    for (uint32_t i = 0; i < n->entry_count; i++) {
        e[i].cookie = n->entries[i].cookie;
        e[i].inode = n->entries[i].inode;
        e[i].name = binary(n->entries[i].name.data, n->entries[i].name.size);
    }
    to->n_entries = n->entry_count;
    to->entries = (Tern__Image__Entry **)list;
}

static void fill_pages(struct tree *t, Tern__Image__Inode *to, const struct image_file *f)
{
    ProtobufCMessage **list;
    Tern__Image__PageList *l = new_messages(&t->arena, f->list_count,
                                            &tern__image__page_list__descriptor, &list, &t->failed);

    if (!l)
        return;
    for (uint32_t i = 0; i < f->list_count; i++) {
        l[i].index = f->lists[i].index;
        l[i].name = binary(f->lists[i].name, IMAGE_HASH_BYTES);
    }
    to->n_lists = f->list_count;
    to->lists = (Tern__Image__PageList **)list;
    to->pages = binary(f->pages, (size_t)f->page_count * IMAGE_HASH_BYTES);
}

static void fill_inode(struct tree *t, Tern__Image__Inode *to, const struct state_node *n,
                       const struct image_file *f)
{
    to->number = n->number;
    to->kind = (Tern__Image__Inode__Kind)n->kind;
    to->links = n->links;
    to->atime_ns = n->atime_ns;
    to->mtime_ns = n->mtime_ns;
    to->ctime_ns = n->ctime_ns;
    to->size = n->size;
    to->target = binary(n->target.data, n->target.size);
    to->next_cookie = n->next_cookie;
    fill_entries(t, to, n);
    fill_pages(t, to, f);
}

static void fill_files(struct tree *t, const struct image *image)
{
    const struct state_tree *files = image->state.tree;
    ProtobufCMessage **list;
    Tern__Image__Inode *n;

    if (!files)
        return;
    n = new_messages(&t->arena, files->node_count, &tern__image__inode__descriptor, &list,
                     &t->failed);
    if (!n)
        return;
    for (uint32_t i = 0; i < files->node_count; i++)
        fill_inode(t, &n[i], &files->nodes[i], &image->files[i]);
    t->files.next_inode = files->next_number;
    t->files.n_inodes = files->node_count;
    t->files.inodes = (Tern__Image__Inode **)list;
    t->host.tree = &t->files;
}

static void fill_host(struct tree *t, const struct state *s)
{
    ProtobufCMessage **list;
    Tern__Image__Descriptor *fd = new_messages(
        &t->arena, s->fd_count, &tern__image__descriptor__descriptor, &list, &t->failed);

    if (!fd)
        return;
    for (uint32_t i = 0; i < s->fd_count; i++)
        fill_descriptor(&fd[i], &s->fds[i]);
    t->host.sequence = s->sequence;
    t->host.waited_ns = s->waited_ns;
    t->host.output_bytes = s->output_bytes;
    t->host.cpu_ns = s->cpu_ns;
    t->host.monotonic_ns = s->monotonic_ns;
    t->host.input_bytes = s->input_bytes;
    t->host.input_kept = s->input_kept;
    t->host.input_sum = s->input_sum;
    t->host.input_ended = s->input_ended;
    t->host.n_descriptors = s->fd_count;
    t->host.descriptors = (Tern__Image__Descriptor **)list;
    t->numbers.seed = s->random_seed;
    t->numbers.position = s->random_position;
    t->host.random_numbers = s->seeded ? &t->numbers : NULL;
    t->root.host = &t->host;
}

static void fill_head(struct tree *t, const struct image *image)
{
    t->module.sha256 = binary(image->module_sha256, IMAGE_HASH_BYTES);
    t->module.size = image->module_bytes;
    t->limits.memory_pages = image->limits_memory_pages;
    t->limits.stack_cells = image->limits_stack_cells;
    t->limits.deterministic = image->deterministic;
    t->limits.files_bytes = image->limits_files_bytes;
    t->root.version = IMAGE_VERSION;
    t->root.module = &t->module;
    t->root.limits = &t->limits;
}

static enum tern_err write_tree(const struct tree *t, struct bytes *out)
{
    const size_t size = tern__image__image__get_packed_size(&t->root);
    uint8_t *room;

    if (size > IMAGE_ROOT_BYTES_MAX)
        return TERN_ETOOBIG;
    room = bytes_reserve(out, size);
    if (!room)
        return TERN_ENOMEM;
    out->size += tern__image__image__pack(&t->root, room);
    return TERN_OK;
}

enum tern_err image_encode(const struct image *image, struct bytes *out)
{
    struct tree t = {
        .root = TERN__IMAGE__IMAGE__INIT,
        .module = TERN__IMAGE__MODULE__INIT,
        .limits = TERN__IMAGE__LIMITS__INIT,
        .stack = TERN__IMAGE__STACK__INIT,
        .host = TERN__IMAGE__HOST__INIT,
        .numbers = TERN__IMAGE__RANDOM__INIT,
        .files = TERN__IMAGE__TREE__INIT,
    };
    enum tern_err err;

    if (!state_fits(&image->state))
        return TERN_ETOOBIG;
    check(image->state.instance_count == 1); /* nobody could read anything else */
    check(image->list_count == image_list_count(image->state.instances[0].memory_pages));
    fill_head(&t, image);
    fill_instances(&t, &image->state);
    fill_memories(&t, image);
    fill_stack(&t, &image->state);
    fill_host(&t, &image->state);
    fill_files(&t, image);
    err = t.failed ? TERN_ENOMEM : write_tree(&t, out);
    arena_release(&t.arena);
    return err;
}
