#include "drive/slot_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The results of a program that has ended: little travels in the report, the rest to depots. */

static void fail_saving(struct slot *s, enum tern_err err, const char *what)
{
    slot_broken(s, "%s cannot be kept on this machine: %s", what, tern_err_text(err));
}

static struct saved *add_item(struct saving *v)
{
    struct saved *more = realloc(v->item, (v->count + 1) * sizeof *more);

    check(more);
    v->item = more;
    v->item[v->count] = (struct saved){0};
    return &v->item[v->count++];
}

static enum tern_err save_stream(struct slot *s, struct stream *from)
{
    struct saved *item = add_item(&s->saving);

    item->blob.size = from->bytes;
    item->done = true;
    if (!from->bytes)
        return TERN_OK;
    if (from->bytes <= LIMIT_HERE)
        return stream_read(from, 0, &item->here);
    item->done = false;
    return stream_blob(from, from->bytes, &item->blob);
}

static enum tern_err save_file(struct slot *s, const struct engine_file *file)
{
    struct chunks *c = s->config.chunks;
    struct saved *item = add_item(&s->saving);

    item->name = strdup(file->path);
    check(item->name);
    item->blob = (struct stream_blob){.root = file->root, .size = file->size};
    item->done = file->size <= LIMIT_HERE && file->root.kind == CHUNK_LEAF;
    return item->done ? c->calls->plain(c->self, s->domain, &file->root.name, &item->here)
                      : TERN_OK;
}

/* So that it stays until it is with depots. */
static enum tern_err hold_items(struct slot *s)
{
    struct chunks *c = s->config.chunks;
    enum tern_err err = TERN_OK;
    uint64_t new_bytes;

    for (size_t i = 0; i < s->saving.count && !err; i++)
        if (!s->saving.item[i].done)
            err = c->calls->commit(c->self, s->domain, &s->saving.item[i].blob.root, &new_bytes,
                                   NULL);
    return err;
}

static bool has_results(Tern__EndKind kind)
{
    return kind == TERN__END_KIND__END_EXIT || kind == TERN__END_KIND__END_TRAP ||
           kind == TERN__END_KIND__END_LIMIT;
}

void save_begin(struct slot *s, const struct engine_end *end)
{
    struct saving *v = &s->saving;
    enum tern_err err;

    take_release(s);
    input_release(s);
    if (!has_results(end->kind)) {
        slot_end_with(s, end->kind, end->text ? end->text : "");
        return;
    }
    s->step = JOB_SAVING;
    v->kind = end->kind;
    v->code = end->code;
    v->cpu_ns = end->cpu_ns;
    v->text = strdup(end->text ? end->text : "");
    check(v->text);
    err = save_stream(s, &s->stream[0]);
    if (!err)
        err = save_stream(s, &s->stream[1]);
    for (size_t i = 0; i < end->file_count && !err; i++)
        err = save_file(s, &end->files[i]);
    if (!err)
        err = hold_items(s);
    if (err)
        fail_saving(s, err, "its results");
    s->again = true;
}

void save_release(struct slot *s)
{
    struct chunks *c = s->config.chunks;
    struct saving *v = &s->saving;

    for (size_t i = 0; i < v->count; i++) {
        carry_free(s->depots, v->item[i].carry);
        if (v->item[i].blob.size > LIMIT_HERE)
            c->calls->drop(c->self, s->domain, &v->item[i].blob.root.name);
        bytes_release(&v->item[i].here);
        free(v->item[i].name);
    }
    free(v->item);
    free(v->text);
    *v = (struct saving){0};
}

/* ---------------------------------------------------------------- the report */

static Tern__Content *content_of(const struct saved *item, Tern__Content *content, Tern__Blob *blob)
{
    tern__content__init(content);
    if (item->here.size || !item->blob.size) {
        content->here = (ProtobufCBinaryData){.len = item->here.size, .data = item->here.data};
        return content;
    }
    tern__blob__init(blob);
    blob->sha256 = (ProtobufCBinaryData){.len = sizeof item->blob.root.name.bytes,
                                         .data = (uint8_t *)item->blob.root.name.bytes};
    blob->size = item->blob.size;
    blob->kind = item->blob.root.kind;
    content->blob = blob;
    return content;
}

struct results_room { /* of one message, freed when it is sent */
    Tern__Content *content;
    Tern__Blob *blob;
    Tern__NamedBlob *named;
    Tern__NamedBlob **files;
};

static void fill_results(const struct saving *v, struct results_room *room, Tern__Results *r)
{
    room->content = calloc(v->count, sizeof *room->content);
    room->blob = calloc(v->count, sizeof *room->blob);
    room->named = calloc(v->count, sizeof *room->named);
    room->files = calloc(v->count, sizeof(Tern__NamedBlob *));
    check(room->content && room->blob && room->named && room->files);
    r->output = content_of(&v->item[0], &room->content[0], &room->blob[0]);
    r->error = content_of(&v->item[1], &room->content[1], &room->blob[1]);
    r->output_bytes = v->item[0].blob.size;
    r->error_bytes = v->item[1].blob.size;
    r->files = room->files;
    for (size_t i = 2; i < v->count; i++) {
        Tern__NamedBlob *named = &room->named[i];

        tern__named_blob__init(named);
        named->name = v->item[i].name;
        named->content = content_of(&v->item[i], &room->content[i], &room->blob[i]);
        r->files[r->n_files++] = named;
    }
}

/* Depots that have some of it: mostly each has all. */
static size_t depots_of(const struct saving *v, struct depot *out[CARRY_LEGS])
{
    size_t count = 0;

    for (size_t i = 0; i < v->count; i++) {
        struct depot *at[CARRY_LEGS];
        const size_t n = v->item[i].carry ? carry_done_at(v->item[i].carry, at) : 0;

        for (size_t k = 0; k < n; k++) {
            size_t m = 0;

            while (m < count && out[m] != at[k])
                m++;
            out[m] = at[k];
            count += m == count;
        }
    }
    return count;
}

static void report_end(struct slot *s)
{
    struct saving *v = &s->saving;
    struct results_room room;
    struct depot *at[CARRY_LEGS];
    char *names[CARRY_LEGS];
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;
    Tern__Results results = TERN__RESULTS__INIT;

    fill_results(v, &room, &results);
    end.kind = v->kind;
    end.code = v->code;
    end.text = v->text;
    end.results = &results;
    end.cpu_ns = v->cpu_ns;
    end.wall_ns = (uint64_t)(slot_now(s) - s->began_ns);
    end.n_depots = depots_of(v, at);
    end.depots = names;
    for (size_t i = 0; i < end.n_depots; i++)
        names[i] = (char *)carry_depot_name(at[i]);
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    slot_report(s, s->jobs, &report);
    free(room.content);
    free(room.blob);
    free(room.named);
    free(room.files);
}

/* ---------------------------------------------------------------- to depots */

static void item_sent(void *context, struct carry *c, enum tern_err err, const char *why)
{
    struct slot *s = context;
    struct saving *v = &s->saving;
    struct depot *at[CARRY_LEGS];
    const bool there = carry_done_at(c, at) > 0;
    char text[CARRY_WHY_BYTES];

    (void)err; /* one copy is enough; the agent has more made */
    s->again = true;
    for (size_t i = 0; i < v->count; i++) {
        if (v->item[i].carry != c)
            continue;
        v->item[i].done = there;
        if (there)
            return; /* it is asked later where it is */
        v->item[i].carry = NULL;
    }
    snprintf(text, sizeof text, "%s", why ? why : ""); /* goes with the carry */
    carry_free(s->depots, c);
    if (++v->tries < SLOT_RETRIES)
        v->retry_ns = slot_now(s) + RETRY_NS;
    else
        slot_broken(s, "no depot takes its results: %s", text);
}

static void send_item(struct slot *s, struct saved *item)
{
    const Tern__Policy *policy = s->jobs->placing->job->policy;
    struct carry_order order = slot_carry_order(s);

    order.root = item->blob.root;
    order.size = item->blob.size;
    order.wanted = policy && policy->copies ? policy->copies : 2;
    order.done = item_sent;
    item->carry = carry_upload(s->depots, &order);
    check(item->carry);
    s->again = true;
}

void save_due(struct slot *s)
{
    struct saving *v = &s->saving;
    bool all = true;

    if (s->step != JOB_SAVING || v->retry_ns > slot_now(s))
        return;
    v->retry_ns = 0;
    for (size_t i = 0; i < v->count; i++) {
        all &= v->item[i].done;
        if (!v->item[i].done && !v->item[i].carry)
            send_item(s, &v->item[i]);
    }
    if (!all)
        return;
    report_end(s);
    slot_over(s);
}
