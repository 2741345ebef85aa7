#include "cli/pool_json.h"

#include "cli/json_text.h"

#include <stdio.h>
#include <string.h>

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *text(const char *s)
{
    json_t *j = json_string(s ? s : "");

    return j ? j : json_text_escaped(view_of_string(s)); /* not UTF-8 */
}

static json_t *texts(const char *const *list, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, text(list[i]));
    return out;
}

static json_t *task_id(struct tern_task task)
{
    char id[POOL_ID_BYTES];

    return json_string(pool_task_text(task, id));
}

static json_t *job_id(struct tern_job_id job)
{
    char id[POOL_ID_BYTES];

    return json_string(pool_job_text(job, id));
}

static const char *kind_text(enum tern_end_kind kind)
{
    static const char *const names[] = {"none",    "exit",   "trap",     "limit",
                                        "refused", "broken", "cancelled"};

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : names[0];
}

static json_t *files(const struct tern_result *r)
{
    json_t *out = json_array();

    for (size_t i = 0; i < r->file_count; i++)
        json_array_append_new(out, json_pack("{so so}", "path", text(r->files[i].path), "bytes",
                                             number(r->files[i].size)));
    return out;
}

static json_t *end_of(const struct tern_result *r)
{
    if (r->state < TERN_DONE)
        return json_null();
    return json_pack("{ss si so sI si}", "kind", kind_text(r->kind), "code", (int)r->code, "text",
                     text(r->text), "wall_ns", (json_int_t)r->wall_ns, "exit_code",
                     pool_end_code(r));
}

json_t *pool_json_task(const struct tern_result *r)
{
    return json_pack("{so so so ss so so so so so so so so so so so}", "id", task_id(r->task),
                     "job", job_id(r->job), "index", number(r->index), "state",
                     tern_state_text(r->state), "node", text(r->node), "why", text(r->why),
                     "attempt", number(r->attempt), "checkpoint", number(r->checkpoint), "moves",
                     number(r->moves), "losses", number(r->losses), "cpu_ns", number(r->cpu_ns),
                     "output_bytes", number(r->output_bytes), "error_bytes", number(r->error_bytes),
                     "files", files(r), "end", end_of(r));
}

static json_t *attempt(const struct tern_attempt *a)
{
    return json_pack("{so so so ss so sI sI sI so so}", "attempt", number(a->n), "term",
                     number(a->term), "node", text(a->node), "state", a->state, "from_checkpoint",
                     number(a->from), "placed_ns", (json_int_t)a->placed_ns, "begun_ns",
                     (json_int_t)a->begun_ns, "ended_ns", (json_int_t)a->ended_ns, "cpu_ns",
                     number(a->cpu_ns), "why", text(a->why));
}

static json_t *checkpoint(const struct tern_checkpoint *c)
{
    return json_pack("{so so sI so so so so so so so so so}", "checkpoint", number(c->n), "attempt",
                     number(c->attempt), "time_ns", (json_int_t)c->time_ns, "pause_ns",
                     number(c->pause_ns), "total_ns", number(c->total_ns), "image_bytes",
                     number(c->image_bytes), "sent_bytes", number(c->sent_bytes), "cpu_ns",
                     number(c->cpu_ns), "input_bytes", number(c->input_bytes), "output_bytes",
                     number(c->output_bytes), "error_bytes", number(c->error_bytes), "depots",
                     texts(c->depots, c->depot_count));
}

json_t *pool_json_detail(const struct tern_detail *d)
{
    json_t *out = pool_json_task(&d->now), *attempts = json_array(), *checkpoints = json_array();

    for (size_t i = 0; i < d->attempt_count; i++)
        json_array_append_new(attempts, attempt(&d->attempts[i]));
    for (size_t i = 0; i < d->checkpoint_count; i++)
        json_array_append_new(checkpoints, checkpoint(&d->checkpoints[i]));
    json_object_set_new(out, "owner", text(d->owner));
    json_object_set_new(out, "label", text(d->label));
    json_object_set_new(out, "program", text(d->program));
    json_object_set_new(out, "args", texts(d->args, d->arg_count));
    json_object_set_new(out, "item", text(d->item));
    json_object_set_new(out, "priority", json_integer(d->priority));
    json_object_set_new(out, "submitted_wall_ns", json_integer(d->submitted_ns));
    json_object_set_new(out, "deadline_wall_ns", json_integer(d->deadline_ns));
    json_object_set_new(out, "attempts", attempts);
    json_object_set_new(out, "checkpoints", checkpoints);
    return out;
}

json_t *pool_json_node(const struct tern_node *n)
{
    json_t *out =
        json_pack("{so so so so so so so so so so so}", "node", text(n->name), "state",
                  text(n->state), "machine", text(n->machine), "system", text(n->system), "slots",
                  number(n->slots), "running", number(n->running), "waiting", number(n->waiting),
                  "processors", number(n->processors), "speed", number(n->speed), "memory_bytes",
                  number(n->memory_bytes), "memory_free_bytes", number(n->memory_free));

    json_object_set_new(out, "foreign_load_thousandths", number(n->foreign_thousandths));
    json_object_set_new(out, "labels", texts(n->labels, n->label_count));
    json_object_set_new(out, "drained", json_boolean(n->drained));
    json_object_set_new(out, "leaving", json_boolean(n->leaving));
    json_object_set_new(out, "attempts", number(n->attempts));
    json_object_set_new(out, "losses", number(n->losses));
    json_object_set_new(out, "seen_ns", json_integer(n->seen_ns));
    return out;
}

json_t *pool_json_depot(const struct tern_depot *d)
{
    return json_pack("{so so so so so so sb}", "depot", text(d->name), "state", text(d->state),
                     "endpoints", texts(d->endpoints, d->endpoint_count), "space_bytes",
                     number(d->space_bytes), "free_bytes", number(d->free_bytes), "roots",
                     number(d->roots), "memory", (int)d->memory);
}

json_t *pool_json_blob(const struct tern_blob *b)
{
    return json_pack("{so so}", "sha256", json_text_hex(b->sha256, sizeof b->sha256), "bytes",
                     number(b->size));
}

json_t *pool_json_name(const struct tern_name *n)
{
    json_t *out = pool_json_blob(&n->blob);

    json_object_set_new(out, "name", text(n->name));
    json_object_set_new(out, "depots", number(n->depots));
    json_object_set_new(out, "time_ns", json_integer(n->time_ns));
    return out;
}

json_t *pool_json_reason(const struct tern_reason *r)
{
    return json_pack("{so so so}", "what", text(r->what), "text", text(r->text), "nodes",
                     number(r->nodes));
}

json_t *pool_json_pool(const struct tern_pool *p)
{
    return json_pack("{so so so so so so so so so so so sI sI}", "pool",
                     json_text_hex(p->id, sizeof p->id), "term", number(p->term), "waiting",
                     number(p->waiting), "ready", number(p->ready), "placed", number(p->placed),
                     "running", number(p->running), "ended", number(p->ended), "nodes",
                     number(p->nodes), "slots", number(p->slots), "depots", number(p->depots),
                     "facts", number(p->facts), "now_ns", (json_int_t)p->now_ns, "wall_of_zero_ns",
                     (json_int_t)p->wall_of_zero_ns);
}

void pool_json_line_take(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    putchar('\n');
    fflush(stdout);
    json_decref(value);
}
