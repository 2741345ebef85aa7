#include "os/pool/agent_host.h"

#include "base/check.h"
#include "drive/agent_drive.h"
#include "os/pool/journal_sqlite.h"
#include "os/pool/pool_dirs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_host {
    const struct agent_host_order *order;
    uint8_t token[POOL_TOKEN_BYTES];
    struct tls *tls;
    struct world_uv *world;
    struct journal_sqlite *journal;
    struct agent_drive *drive;
    uv_signal_t ask[2];
    bool asked_for; /* the signals were initialised */
    char at[LIMIT_ENDPOINTS][LIMIT_ENDPOINT + 1];
    size_t at_count;
    FILE *record;
    uv_prepare_t write_record; /* before the loop waits */
    enum tern_err err;
    char why[PROBLEM_TEXT_MAX];
};

static void on_log(void *context, enum note_level level, const char *line)
{
    const struct agent_host *h = context;

    if (h->order->log)
        h->order->log(h->order->context, level, line);
}

static void on_ended(void *context, enum tern_err err, const char *why)
{
    struct agent_host *h = context;

    h->err = err;
    snprintf(h->why, sizeof h->why, "%s", why);
    world_uv_stop(h->world);
}

static void on_ask(uv_signal_t *handle, int number)
{
    struct agent_host *h = handle->data;

    (void)number;
    agent_drive_leave(h->drive);
}

/* ---- the recorder ---- */

static void on_record(void *context, struct view bytes)
{
    struct agent_host *h = context;

    if (h->record && fwrite(bytes.data, 1, bytes.size, h->record) != bytes.size) {
        on_log(h, NOTE_WARN, "the record of events cannot be written any more, and ends here");
        fclose(h->record);
        h->record = NULL;
    }
}

static void on_write_record(uv_prepare_t *handle)
{
    const struct agent_host *h = handle->data;

    if (h->record)
        fflush(h->record);
}

static enum tern_err begin_record(struct agent_host *h, struct problem *p)
{
    if (!h->order->record)
        return TERN_OK;
    h->record = fopen(h->order->record, "ae");
    if (!h->record)
        return problem_set(p, TERN_EIO, "cannot write the record of events to %s: %s",
                           h->order->record, strerror(errno));
    uv_prepare_init(world_uv_loop(h->world), &h->write_record);
    h->write_record.data = h;
    uv_prepare_start(&h->write_record, on_write_record);
    return TERN_OK;
}

/* ---- opening ---- */

static bool is_far(const char *endpoint)
{
    struct endpoint e;

    return endpoint_parse(endpoint, &e, NULL) == TERN_OK && !e.unix_socket;
}

static enum tern_err open_state(struct agent_host *h, struct problem *p)
{
    const struct agent_host_order *o = h->order;
    enum tern_err err = pool_dirs_lock(o->state_dir, "agent", p);
    bool far = false;

    for (size_t i = 0; i < o->listen_count; i++)
        far |= is_far(o->listen[i]);
    if (!err)
        err = pool_dirs_own_token(o->state_dir, h->token, p);
    if (!err && far)
        err = tls_new(o->state_dir, &h->tls, p);
    return err;
}

static enum tern_err open_journal(struct agent_host *h, struct problem *p)
{
    char path[DIRS_PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/journal.db", h->order->state_dir);
    return journal_sqlite_open(world_uv_loop(h->world), path, &h->journal, p);
}

static enum tern_err begin_drive(struct agent_host *h, struct problem *p)
{
    const struct agent_drive_config config = {.world = world_uv_world(h->world),
                                              .journal = journal_sqlite_journal(h->journal),
                                              .token = h->token,
                                              .software = "tern " TERN_VERSION,
                                              .context = h,
                                              .log = on_log,
                                              .record = h->order->record ? on_record : NULL,
                                              .ended = on_ended};
    enum tern_err err = agent_drive_new(&config, &h->drive, p);
    struct handlers handlers;

    if (err)
        return err;
    handlers = agent_drive_handlers(h->drive);
    world_uv_handlers(h->world, &handlers);
    return TERN_OK;
}

static enum tern_err listen_all(struct agent_host *h, struct problem *p)
{
    const struct agent_host_order *o = h->order;
    enum tern_err err = TERN_OK;

    check(o->listen_count && o->listen_count <= LIMIT_ENDPOINTS);
    for (size_t i = 0; i < o->listen_count && !err; i++)
        err = world_uv_listen(h->world, o->listen[i], h->at[h->at_count++], p);
    return err;
}

static void heed_signals(struct agent_host *h)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(world_uv_loop(h->world), &h->ask[i]);
        h->ask[i].data = h;
        uv_signal_start(&h->ask[i], on_ask, numbers[i]);
    }
    h->asked_for = true;
}

enum tern_err agent_host_open(const struct agent_host_order *order, struct agent_host **out,
                              struct problem *p)
{
    struct agent_host *h = calloc(1, sizeof *h);
    enum tern_err err;

    check(h);
    h->order = order;
    err = open_state(h, p);
    if (!err)
        err = world_uv_new(NULL, h->tls, &h->world, p);
    if (!err)
        err = open_journal(h, p);
    if (!err)
        err = begin_record(h, p);
    if (!err)
        err = begin_drive(h, p);
    if (!err)
        err = listen_all(h, p);
    if (err) {
        agent_host_close(h);
        return err;
    }
    heed_signals(h);
    *out = h;
    return TERN_OK;
}

const char *agent_host_at(const struct agent_host *h, size_t i)
{
    return i < h->at_count ? h->at[i] : NULL;
}

enum tern_err agent_host_run(struct agent_host *h, struct problem *p)
{
    world_uv_run(h->world);
    return h->err ? problem_set(p, h->err, "%s", h->why) : TERN_OK;
}

static void close_handles(struct agent_host *h)
{
    for (size_t i = 0; h->asked_for && i < 2; i++)
        uv_close((uv_handle_t *)&h->ask[i], NULL);
    if (h->write_record.data)
        uv_close((uv_handle_t *)&h->write_record, NULL);
    if (h->record)
        fclose(h->record);
    h->record = NULL;
}

void agent_host_close(struct agent_host *h)
{
    if (!h)
        return;
    agent_drive_free(h->drive);
    if (h->journal) {
        const struct journal *j = journal_sqlite_journal(h->journal);

        j->calls->close(j->self);
    }
    close_handles(h);
    world_uv_free(h->world);
    tls_free(h->tls);
    free(h);
}
