#include "os/pool/journal_sqlite.h"

#include "base/check.h"
#include "base/little.h"
#include "os/pool/journal_sqlite_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_clear(struct load *l)
{
    bytes_clear(&l->facts);
    bytes_clear(&l->texts);
    l->first = l->count = 0;
    l->row_count = 0;
}

void load_release(struct load *l)
{
    bytes_release(&l->facts);
    bytes_release(&l->texts);
    free(l->rows);
    *l = (struct load){0};
}

/* ---- the writer's thread ---- */

/* What was appended meanwhile; false: there is nothing, and will be nothing any more. */
static bool take_work(struct journal_sqlite *j)
{
    struct load empty = j->now;

    load_clear(&empty);
    uv_mutex_lock(&j->lock);
    while (!j->next.count && !j->next.row_count && !j->shot_next.there && !j->shot.there &&
           !j->closing)
        uv_cond_wait(&j->work, &j->lock);
    j->now = j->next;
    j->next = empty;
    if (j->shot_next.there && !j->shot.there) {
        bytes_release(&j->shot.facts);
        j->shot = j->shot_next;
        j->shot.id = ++j->shot_id;
        j->shot_next = (struct shot){0};
    }
    uv_mutex_unlock(&j->lock);
    return j->now.count || j->now.row_count || j->shot.there;
}

static void tell(struct journal_sqlite *j, enum tern_err err, const struct problem *p)
{
    uv_mutex_lock(&j->lock);
    if (err) {
        j->broken = true;
        snprintf(j->why, sizeof j->why, "%s", p->text);
    } else if (j->now.count) {
        j->stored = j->now.first + j->now.count - 1;
    }
    uv_mutex_unlock(&j->lock);
    uv_async_send(&j->done);
}

static void write_for_ever(void *self)
{
    struct journal_sqlite *j = self;
    struct problem p = {0};
    enum tern_err err = TERN_OK;

    while (!err && take_work(j)) {
        err = journal_db_write(j, &p);
        if (j->shot.there && j->shot.written == j->shot.facts.size) {
            j->shot.there = false;
            bytes_release(&j->shot.facts);
        }
        tell(j, err, &p);
    }
}

/* ---- the loop's side ---- */

static void on_done(uv_async_t *handle)
{
    struct journal_sqlite *j = handle->data;
    const struct journal *to = &j->journal;
    uint64_t stored;
    bool broken;

    uv_mutex_lock(&j->lock);
    stored = j->stored;
    broken = j->broken && !j->told_broken;
    uv_mutex_unlock(&j->lock);
    j->told_broken |= broken;
    if (stored > j->told) {
        j->told = stored;
        if (to->stored)
            to->stored(to->context, stored);
    }
    if (broken && to->broken)
        to->broken(to->context, j->why);
    fold_due(j);
}

static void begin_writing(struct journal_sqlite *j)
{
    if (j->running)
        return;
    check(uv_thread_create(&j->thread, write_for_ever, j) == 0);
    j->running = true;
}

static void add_row(struct load *l, const struct journal_history *h)
{
    const char *const texts[] = {h->owner, h->label, h->node, h->state, h->why};

    if (l->row_count == l->row_capacity) {
        l->row_capacity = l->row_capacity ? 2 * l->row_capacity : 64;
        l->rows = realloc(l->rows, l->row_capacity * sizeof *l->rows);
        check(l->rows);
    }
    l->rows[l->row_count++] = (struct history_row){.row = *h, .at = l->texts.size};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bytes_append_text(&l->texts, texts[i] ? texts[i] : "");
        bytes_append_byte(&l->texts, 0);
    }
    check(bytes_ok(&l->texts));
}

static uint64_t append(void *self, struct view fact, const struct journal_history *history)
{
    struct journal_sqlite *j = self;
    uint8_t size[4];
    uint64_t number;

    little_put(size, fact.size, sizeof size);
    begin_writing(j);
    uv_mutex_lock(&j->lock);
    number = ++j->last;
    if (!j->broken) {
        if (!j->next.count++)
            j->next.first = number;
        bytes_append(&j->next.facts, size, sizeof size);
        bytes_append(&j->next.facts, fact.data, fact.size);
        check(
            bytes_ok(&j->next.facts)); /* without memory for one fact there is nothing to be done */
        if (history)
            add_row(&j->next, history);
        uv_cond_signal(&j->work);
    }
    uv_mutex_unlock(&j->lock);
    return number;
}

/* A second one before the first is begun replaces it: it says more. */
bool shot_take(struct journal_sqlite *j, struct bytes *facts_taken, uint64_t up_to)
{
    bool newest;

    uv_mutex_lock(&j->lock);
    newest = up_to >= j->shot_newest;
    if (newest) {
        j->shot_newest = up_to;
        bytes_release(&j->shot_next.facts);
        j->shot_next = (struct shot){.facts = *facts_taken, .up_to = up_to, .there = true};
        *facts_taken = (struct bytes){0};
        uv_cond_signal(&j->work);
    }
    uv_mutex_unlock(&j->lock);
    return newest;
}

static void take_snapshot(void *self, struct bytes *facts_taken, uint64_t up_to)
{
    struct journal_sqlite *j = self;

    fold_drop(j);
    begin_writing(j);
    check(shot_take(j, facts_taken, up_to));
}

static void compact(void *self, const struct journal_fold *fold_taken, uint64_t up_to)
{
    begin_writing(self);
    fold_begin(self, fold_taken, up_to);
}

static enum tern_err read_all(void *self, void *context,
                              enum tern_err (*fact)(void *context, uint64_t number,
                                                    struct view bytes),
                              struct problem *p)
{
    struct journal_sqlite *j = self;

    check(!j->running);
    return journal_db_read(j, context, fact, p);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_all(void *self)
{
    struct journal_sqlite *j = self;

    fold_drop(j);
    uv_mutex_lock(&j->lock);
    j->closing = true;
    uv_cond_signal(&j->work);
    uv_mutex_unlock(&j->lock);
    if (j->running)
        uv_thread_join(&j->thread);
    journal_db_close(j);
    load_release(&j->next);
    load_release(&j->now);
    bytes_release(&j->shot.facts);
    bytes_release(&j->shot_next.facts);
    uv_mutex_destroy(&j->lock);
    uv_cond_destroy(&j->work);
    free(j->path);
    uv_close((uv_handle_t *)&j->done, on_closed);
}

static const struct journal_calls calls = {.read = read_all,
                                           .append = append,
                                           .snapshot = take_snapshot,
                                           .compact = compact,
                                           .close = close_all};

enum tern_err journal_sqlite_open(uv_loop_t *loop, const char *path, struct journal_sqlite **out,
                                  struct problem *p)
{
    struct journal_sqlite *j = calloc(1, sizeof *j);
    enum tern_err err;

    check(j);
    j->journal = (struct journal){.calls = &calls, .self = j};
    j->path = strdup(path);
    check(j->path);
    err = journal_db_open(j, path, p);
    if (err) {
        journal_db_close(j);
        free(j->path);
        free(j);
        return err;
    }
    check(uv_mutex_init(&j->lock) == 0 && uv_cond_init(&j->work) == 0);
    check(uv_async_init(loop, &j->done, on_done) == 0);
    j->done.data = j;
    *out = j;
    return TERN_OK;
}

struct journal *journal_sqlite_journal(struct journal_sqlite *j)
{
    return &j->journal;
}
