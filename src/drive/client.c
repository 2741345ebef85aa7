#include "drive/client.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct request {
    struct request *next;
    struct arena arena; /* of the message */
    Tern__Envelope *message;
    uint64_t ask;              /* what its owner knows it by */
    uint64_t number;           /* of the session; 0: not sent yet */
    client_answered *answered; /* NULL: nobody wants to hear of it */
    void *context;
};

struct client_watch {
    struct client_watch *next;
    struct client *client;
    struct client_watch_order order;
    uint64_t ask;
    bool over; /* to be freed when nobody goes through the list */
};

struct alarm {
    struct alarm *next;
    int64_t at_ns;
    void (*rang)(void *context);
    void *context;
};

struct client {
    struct client_config config;
    struct links *links;
    struct courier *courier;
    uint32_t kept;
    link_id agent;   /* 0: not up */
    link_id pending; /* says who it is, but not yet in which session we are */
    uint64_t session, last_number, last_ask;
    struct request *first; /* in the order asked; those sent stand in front */
    size_t waiting, outstanding;
    struct client_watch *watches;
    struct alarm *alarms;
    unsigned telling;
};

/* ---- requests ---- */

static void free_request(struct request *r)
{
    arena_release(&r->arena);
    free(r);
}

/* All answers up to this number are here. */
static uint64_t acknowledged(const struct client *c)
{
    return c->first && c->first->number ? c->first->number - 1 : c->last_number;
}

static void send_request(struct client *c, struct request *r)
{
    r->message->number = r->number;
    r->message->acknowledged = acknowledged(c);
    links_send(c->links, c->agent, r->message, (struct view){0});
}

/* Gives numbers to those whose turn it is, and sends them. */
static void pump(struct client *c)
{
    if (!c->agent)
        return;
    for (struct request *r = c->first; r && c->outstanding < CLIENT_OUTSTANDING; r = r->next) {
        if (r->number)
            continue;
        r->number = ++c->last_number;
        c->outstanding++;
        send_request(c, r);
    }
}

static struct request *new_request(const Tern__Envelope *message)
{
    struct request *r = calloc(1, sizeof *r);

    if (r)
        r->message = message_copy(&message->base, &r->arena);
    if (r && !r->message) {
        free_request(r);
        r = NULL;
    }
    return r;
}

uint64_t client_ask(struct client *c, const Tern__Envelope *request, client_answered *answered,
                    void *context)
{
    struct request *r, **end = &c->first;

    if (tern__envelope__get_packed_size(request) > LIMIT_ENVELOPE - 64) /* numbers come to it */
        return 0;
    r = new_request(request);
    if (!r)
        return 0;
    r->ask = ++c->last_ask;
    r->answered = answered;
    r->context = context;
    while (*end)
        end = &(*end)->next;
    *end = r;
    c->waiting++;
    pump(c);
    return r->ask;
}

void client_unask(struct client *c, uint64_t ask)
{
    for (struct request *r = c->first; r && ask; r = r->next)
        if (r->ask == ask)
            r->answered = NULL;
}

size_t client_waiting(const struct client *c)
{
    return c->waiting;
}

static struct request *unlink_request(struct client *c, struct request **at)
{
    struct request *r = *at;

    *at = r->next;
    c->waiting--;
    c->outstanding -= r->number != 0;
    return r;
}

static void end_request(struct request *r, const Tern__Envelope *answer, enum tern_err err,
                        const char *why)
{
    if (r->answered)
        r->answered(r->context, answer, err, why);
    free_request(r);
}

static void take_answer(struct client *c, const Tern__Envelope *e)
{
    struct request **at = &c->first;
    const Tern__Refused *refused = e->body_case == TERN__ENVELOPE__BODY_REFUSED ? e->refused : NULL;

    while (*at && (*at)->number != e->answers)
        at = &(*at)->next;
    if (!*at)
        return; /* answered twice, which is no harm */
    if (refused)
        end_request(unlink_request(c, at), NULL,
                    refused->error ? (enum tern_err)refused->error : TERN_EPROTO, refused->text);
    else
        end_request(unlink_request(c, at), e, TERN_OK, NULL);
    pump(c);
}

/* Ends the requests that are on a list of their own by now. */
static void end_all(struct request *list, enum tern_err err, const char *why)
{
    while (list) {
        struct request *r = list;

        list = r->next;
        end_request(r, NULL, err, why);
    }
}

void client_give_up(struct client *c, enum tern_err err, const char *why)
{
    struct request *all = c->first;

    c->first = NULL;
    c->waiting = c->outstanding = 0;
    end_all(all, err, why);
}

/* ---- watches ---- */

static void watch_refused(void *context, const Tern__Envelope *answer, enum tern_err err,
                          const char *why)
{
    struct client_watch *w = context;

    w->ask = 0;
    if (!answer && err != TERN_EEXPIRED)
        w->order.refused(w->order.context, err, why);
}

static bool same(const Tern__Which *a, const Tern__Which *b)
{
    return a->task == b->task && a->job == b->job;
}

/* Any of those that watch the same: to the agent they are one. */
static bool any_awaits(const struct client_watch *w)
{
    for (const struct client_watch *o = w->client->watches; o; o = o->next)
        if (!o->over && o->order.awaits && same(&o->order.which, &w->order.which))
            return true;
    return false;
}

static void ask_watch(struct client_watch *w, bool stop)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Watch watch = TERN__WATCH__INIT;

    client_unask(w->client, w->ask);
    watch.which = &w->order.which;
    watch.ends_only = w->order.ends_only;
    watch.from_index = w->order.from_index;
    watch.awaits = any_awaits(w);
    watch.stop = stop;
    e.body_case = TERN__ENVELOPE__BODY_WATCH;
    e.watch = &watch;
    w->ask = client_ask(w->client, &e, stop ? NULL : watch_refused, w);
}

struct client_watch *client_watch(struct client *c, const struct client_watch_order *order)
{
    struct client_watch *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->client = c;
    w->order = *order;
    w->next = c->watches;
    c->watches = w;
    if (c->agent) /* else with the connection */
        ask_watch(w, false);
    return w;
}

void client_watch_from(struct client_watch *w, uint64_t index)
{
    w->order.from_index = index;
}

void client_watch_awaits(struct client_watch *w, bool awaits)
{
    if (w->order.awaits == awaits)
        return;
    w->order.awaits = awaits;
    if (w->client->agent)
        ask_watch(w, false);
}

/* Another one that watches the same. */
static struct client_watch *other(const struct client_watch *w)
{
    for (struct client_watch *o = w->client->watches; o; o = o->next)
        if (o != w && !o->over && same(&o->order.which, &w->order.which))
            return o;
    return NULL;
}

static void sweep(struct client *c)
{
    struct client_watch **at = &c->watches;

    while (*at) {
        struct client_watch *w = *at;

        if (w->over) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
}

void client_unwatch(struct client_watch *w)
{
    struct client_watch *o = w ? other(w) : NULL;

    if (!w)
        return;
    client_unask(w->client, w->ask);
    w->ask = 0;
    w->over = true;
    if (w->client->agent && !o)
        ask_watch(w, true);
    else if (w->client->agent && w->order.awaits && !any_awaits(o))
        ask_watch(o, false);
    if (!w->client->telling)
        sweep(w->client);
}

static bool meant(const Tern__Which *which, const Tern__TaskSeen *task)
{
    return which->task ? which->task == task->task : which->job == task->job;
}

static void take_seen(struct client *c, const Tern__Seen *seen)
{
    c->telling++;
    for (size_t i = 0; i < seen->n_tasks; i++)
        for (struct client_watch *w = c->watches; w; w = w->next)
            if (!w->over && meant(&w->order.which, seen->tasks[i]))
                w->order.seen(w->order.context, seen->tasks[i]);
    if (--c->telling == 0)
        sweep(c);
}

/* ---- alarms ---- */

static void set_alarm(struct client *c);

static void on_alarm(void *context)
{
    struct client *c = context;
    const int64_t now_ns = links_now(c->links);
    struct alarm **at = &c->alarms;

    while (*at && (*at)->at_ns > now_ns)
        at = &(*at)->next;
    if (*at) { /* one at a time: it may change the list */
        struct alarm *a = *at;

        *at = a->next;
        a->rang(a->context);
        free(a);
    }
    set_alarm(c);
}

static void set_alarm(struct client *c)
{
    int64_t at_ns = INT64_MAX;

    for (const struct alarm *a = c->alarms; a; a = a->next)
        at_ns = a->at_ns < at_ns ? a->at_ns : at_ns;
    links_wake(c->links, at_ns, on_alarm);
}

void client_alarm(struct client *c, int64_t at_ns, void (*rang)(void *context), void *context)
{
    struct alarm **at = &c->alarms;
    struct alarm *a;

    while (*at && ((*at)->rang != rang || (*at)->context != context))
        at = &(*at)->next;
    a = *at;
    if (a)
        *at = a->next;
    if (!a && at_ns != INT64_MAX)
        a = calloc(1, sizeof *a);
    if (at_ns == INT64_MAX) {
        free(a);
    } else if (a) { /* without memory for it it is late: alarms only make things quicker */
        *a = (struct alarm){.next = c->alarms, .at_ns = at_ns, .rang = rang, .context = context};
        c->alarms = a;
    }
    set_alarm(c);
}

/* ---- the connection ---- */

static bool changes_nothing(const Tern__Envelope *e)
{
    return e->body_case == TERN__ENVELOPE__BODY_QUERY ||
           e->body_case == TERN__ENVELOPE__BODY_ASK_DEPOTS ||
           e->body_case == TERN__ENVELOPE__BODY_WATCH;
}

static bool is_watch(const Tern__Envelope *e)
{
    return e->body_case == TERN__ENVELOPE__BODY_WATCH;
}

/* Takes out those that fit, as a list of their own. */
static struct request *take_out(struct client *c, bool (*fits)(const struct request *r))
{
    struct request *out = NULL, **end = &out, **at = &c->first;

    while (*at) {
        if (fits(*at)) {
            *end = unlink_request(c, at);
            end = &(*end)->next;
            *end = NULL;
        } else {
            at = &(*at)->next;
        }
    }
    return out;
}

static bool is_asked_anew(const struct request *r)
{
    return is_watch(r->message);
}

static bool is_in_doubt(const struct request *r)
{
    return r->number && !changes_nothing(r->message);
}

/* The agent has given us another session than we had. */
static void begin_session(struct client *c, uint64_t session)
{
    struct request *lost = take_out(c, is_in_doubt);

    c->session = session;
    c->last_number = 0;
    c->outstanding = 0;
    for (struct request *r = c->first; r; r = r->next)
        r->number = 0;
    end_all(lost, TERN_EEXPIRED,
            "the pool has forgotten this session, so it is not known whether that was done; look "
            "with tern ps before doing it again");
}

static void repeat(struct client *c)
{
    for (struct request *r = c->first; r; r = r->next)
        if (r->number)
            send_request(c, r);
    c->telling++;
    for (struct client_watch *w = c->watches; w; w = w->next)
        if (!w->over)
            ask_watch(w, false);
    if (--c->telling == 0)
        sweep(c);
    pump(c);
}

/* Of the agent that we talk to now; its session is known. */
static void begin_talk(struct client *c, link_id link, const Tern__Hello *hello)
{
    /* Watches go with the connection, and are asked for by new requests. */
    end_all(take_out(c, is_asked_anew), TERN_EEXPIRED, "asked for again");
    if (c->session != hello->session)
        begin_session(c, hello->session);
    c->pending = 0;
    c->agent = link;
    if (c->config.up)
        c->config.up(c->config.context, hello);
    if (c->agent)
        repeat(c);
}

/* Instead of a session. One that has lapsed is no reason to stay away. */
static void be_refused(struct client *c, const Tern__Refused *refused)
{
    const enum tern_err err = refused->error ? (enum tern_err)refused->error : TERN_EACCES;

    if (err == TERN_ETIME && c->session) {
        begin_session(c, 0);
        return; /* the agent closes; we dial again */
    }
    if (c->config.failed)
        c->config.failed(c->config.context, err, refused->text);
}

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct client *c = context;

    (void)owner;
    if (courier_up(c->courier, link))
        return;
    if (hello->part != TERN__PART__PART_AGENT)
        links_close(c->links, link);
    else if (hello->session)
        begin_talk(c, link, hello);
    else
        c->pending = link; /* the session comes when it is on the agent's journal */
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct client *c = context;

    if (courier_message(c->courier, link, e, attachment))
        return;
    if (link == c->pending && e->body_case == TERN__ENVELOPE__BODY_HELLO && e->hello->session)
        begin_talk(c, link, e->hello);
    else if (link == c->pending && e->body_case == TERN__ENVELOPE__BODY_REFUSED)
        be_refused(c, e->refused);
    else if (link == c->agent && e->answers)
        take_answer(c, e);
    else if (link == c->agent && e->body_case == TERN__ENVELOPE__BODY_SEEN)
        take_seen(c, e->seen);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct client *c = context;

    if (link == c->pending)
        c->pending = 0;
    if (courier_down(c->courier, link, err, why) || link != c->agent)
        return;
    c->agent = 0;
    if (c->config.down)
        c->config.down(c->config.context, err, why);
}

static void on_drained(void *context, link_id link)
{
    struct client *c = context;

    courier_drained(c->courier, link);
}

static void on_failed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct client *c = context;

    (void)link;
    if (c->config.failed)
        c->config.failed(c->config.context, err, why);
}

static void say_hello(void *context, link_id link, Tern__Hello *ours)
{
    struct client *c = context;

    (void)link; /* a depot takes no notice of it */
    ours->session = c->session;
    if (c->config.owner)
        ours->owner = (char *)c->config.owner; /* nobody writes to it */
    ours->software = (char *)"tern " TERN_VERSION;
}

struct client *client_new(const struct client_config *config)
{
    struct client *c = calloc(1, sizeof *c);
    const struct links_config links = {.world = config->world,
                                       .part = TERN__PART__PART_CLIENT,
                                       .name = "",
                                       .token = config->token,
                                       .beat_ns = CLIENT_BEAT_NS,
                                       .context = c,
                                       .up = on_up,
                                       .message = on_message,
                                       .down = on_down,
                                       .drained = on_drained,
                                       .hello = say_hello,
                                       .failed = on_failed};

    if (!c)
        return NULL;
    c->config = *config;
    c->links = links_new(&links);
    c->courier = c->links ? courier_new(c->links) : NULL;
    if (!c->courier) {
        links_free(c->links);
        free(c);
        return NULL;
    }
    return c;
}

void client_start(struct client *c)
{
    c->kept = links_keep(c->links, c->config.endpoints, c->config.endpoint_count);
}

void client_free(struct client *c)
{
    if (!c)
        return;
    courier_free(c->courier);
    links_free(c->links);
    while (c->first) {
        struct request *r = c->first;

        c->first = r->next;
        free_request(r);
    }
    while (c->watches) {
        struct client_watch *w = c->watches;

        c->watches = w->next;
        free(w);
    }
    while (c->alarms) {
        struct alarm *a = c->alarms;

        c->alarms = a->next;
        free(a);
    }
    free(c);
}

struct links *client_links(const struct client *c)
{
    return c->links;
}

struct courier *client_courier(const struct client *c)
{
    return c->courier;
}

bool client_is_up(const struct client *c)
{
    return c->agent != 0;
}
