#include "os/pool/journal_sqlite_inner.h"

#include "base/check.h"

#include <stdio.h>

static enum tern_err one_fact(void *context, uint64_t number, struct view fact)
{
    struct folding *f = context;

    if (atomic_load_explicit(&f->stop, memory_order_relaxed))
        return TERN_EBUSY; /* nobody will hear of it */
    return number > f->up_to ? TERN_OK : f->fold.calls->fact(f->fold.self, fact);
}

static void fold_all(void *self)
{
    struct journal_sqlite *j = self;
    struct folding *f = &j->folding;
    struct bytes facts = {0};
    struct problem p = {0};

    f->err = journal_db_read_apart(j->path, f, one_fact, &p);
    if (!f->err)
        f->err = f->fold.calls->result(f->fold.self, &facts, &f->size);
    if (f->err && !*p.text)
        problem_set(&p, f->err, "%s", tern_err_text(f->err));
    snprintf(f->why, sizeof f->why, "%s", p.text);
    f->fold.calls->free(f->fold.self);
    if (!f->err && !atomic_load(&f->stop))
        shot_take(j, &facts, f->up_to);
    bytes_release(&facts);
    uv_mutex_lock(&j->lock);
    f->over = true;
    uv_mutex_unlock(&j->lock);
    uv_async_send(&j->done);
}

void fold_begin(struct journal_sqlite *j, const struct journal_fold *fold_taken, uint64_t up_to)
{
    struct folding *f = &j->folding;

    check(!f->up_to && up_to);
    f->fold = *fold_taken;
    f->up_to = up_to;
    f->over = false;
    atomic_store(&f->stop, false);
    uv_async_send(&j->done); /* all of them may be stored already */
}

static bool is_over(struct journal_sqlite *j)
{
    bool over;

    uv_mutex_lock(&j->lock);
    over = j->folding.over;
    uv_mutex_unlock(&j->lock);
    return over;
}

void fold_due(struct journal_sqlite *j)
{
    struct folding *f = &j->folding;
    const struct journal *to = &j->journal;

    if (f->up_to && !f->running && f->up_to <= j->told) {
        check(uv_thread_create(&f->thread, fold_all, j) == 0);
        f->running = true;
    }
    if (!f->running || !is_over(j))
        return;
    uv_thread_join(&f->thread);
    f->running = false;
    f->up_to = 0;
    if (to->compacted)
        to->compacted(to->context, f->err, f->size, f->why);
}

void fold_drop(struct journal_sqlite *j)
{
    struct folding *f = &j->folding;

    atomic_store(&f->stop, true);
    if (f->running)
        uv_thread_join(&f->thread);
    else if (f->up_to)
        f->fold.calls->free(f->fold.self);
    f->running = false;
    f->up_to = 0;
}
