#include "base/check.h"
#include "base/little.h"
#include "drive/agent_drive_inner.h"

#include <stdlib.h>

/*
 * What a journal's facts come to, found without the agent that wrote them: another core applies
 * them and says what it holds. agent_snapshot bears no step in between, and in this one there is
 * none.
 */

static void add(struct bytes *room, struct bytes *to, const Tern__Fact *fact)
{
    uint8_t size[4];

    bytes_clear(room);
    check(fact_encode(fact, room) == TERN_OK);
    little_put(size, room->size, sizeof size);
    bytes_append(to, size, sizeof size);
    bytes_append(to, room->data, room->size);
}

enum tern_err fold_facts(const struct agent *agent, int64_t bound_ns, struct bytes *out,
                         uint64_t *count)
{
    Tern__Fact bound = TERN__FACT__INIT;
    struct core_out portion = {.wake_ns = INT64_MAX};
    struct bytes room = {0};
    uint64_t cursor = 0;
    bool more = true;

    for (*count = 0; more && bytes_ok(out); *count += portion.count, core_out_clear(&portion)) {
        more = agent_snapshot(agent, &cursor, &portion);
        for (size_t i = 0; i < portion.count; i++)
            if (portion.actions[i].kind == CORE_STORE)
                add(&room, out, portion.actions[i].fact);
    }
    bound.time_ns = bound_ns;
    add(&room, out, &bound);
    core_out_release(&portion);
    bytes_release(&room);
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

struct fold {
    struct agent *agent;
    struct arena arena; /* of one fact */
    int64_t bound_ns;   /* the last fact that said no more than a time */
};

static enum tern_err fold_fact(void *self, struct view bytes)
{
    struct fold *f = self;
    Tern__Fact *fact = NULL;
    enum tern_err err = fact_decode(bytes, &f->arena, &fact);

    if (!err && fact->what_case == TERN__FACT__WHAT__NOT_SET)
        f->bound_ns = fact->time_ns;
    else if (!err)
        err = agent_apply(f->agent, fact);
    arena_clear(&f->arena);
    return err;
}

static enum tern_err fold_result(void *self, struct bytes *out, uint64_t *count)
{
    const struct fold *f = self;

    return fold_facts(f->agent, f->bound_ns, out, count);
}

static void fold_free(void *self)
{
    struct fold *f = self;

    agent_free(f->agent);
    arena_release(&f->arena);
    free(f);
}

static const struct journal_fold_calls fold_calls = {
    .fact = fold_fact, .result = fold_result, .free = fold_free};

struct journal_fold fold_new(const struct agent_config *config)
{
    struct fold *f = calloc(1, sizeof *f);

    check(f);
    f->agent = agent_new(config);
    check(f->agent);
    return (struct journal_fold){.calls = &fold_calls, .self = f};
}
