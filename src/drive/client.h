/*
 * client - one who asks: a session with the agent that outlives connections, requests that are
 *          repeated until they are answered, watches that are asked for again, a courier for data.
 *
 * Does     Keeps the agent dialled. Sends requests in the order in which they were asked, at most
 *          CLIENT_OUTSTANDING without an answer, and acknowledges answers cumulatively; on a new
 *          connection repeats what was not answered, under the same numbers.
 * Session  The agent gives it, and takes it again as long as it remembers. If it does not, requests
 *          that change nothing, or were never sent, are asked anew; others end with TERN_EEXPIRED:
 *          whether they were done is not known then.
 * Calls    What is told is told from the loop. Whatever is told may call anything here but
 *          client_free.
 * Memory   Requests are copied. The caller bounds them: client_waiting.
 */
#ifndef TERN_DRIVE_CLIENT_H
#define TERN_DRIVE_CLIENT_H

#include "drive/courier.h"

enum { CLIENT_OUTSTANDING = LIMIT_OUTSTANDING };
#define CLIENT_BEAT_NS INT64_C(1000000000)

struct client_config {
    struct world *world;
    const char *const *endpoints; /* of the agent */
    size_t endpoint_count;
    const uint8_t *token; /* of the pool; NULL: this machine only */
    const char *owner;    /* who we say that we are, where the agent cannot know; may be NULL */
    void *context;
    /* All may be NULL. */
    void (*up)(void *context, const Tern__Hello *agent);
    void (*down)(void *context, enum tern_err err, const char *why);
    /* It could not be reached, or refused us; it is dialled again. */
    void (*failed)(void *context, enum tern_err err, const char *why);
};

struct client;

/* The world's handlers are links_handlers, with client_links as their context. */
struct client *client_new(const struct client_config *config); /* NULL: no memory */
void client_start(struct client *c);                           /* dials */
void client_free(struct client *c);                            /* nothing is told */
struct links *client_links(const struct client *c);
struct courier *client_courier(const struct client *c);
bool client_is_up(const struct client *c);

/* answer NULL: there was none that is of use; err and why say what there was instead. */
typedef void client_answered(void *context, const Tern__Envelope *answer, enum tern_err err,
                             const char *why);

/* Of *request the body counts. A number to know it by; 0: no memory, or it is too large. */
uint64_t client_ask(struct client *c, const Tern__Envelope *request, client_answered *answered,
                    void *context);
/* It is still asked, but nobody wants to hear of it. */
void client_unask(struct client *c, uint64_t ask);
/* Requests without an answer, sent or not. */
size_t client_waiting(const struct client *c);

/* Ends all requests that wait, with this; for an owner who has lost patience. */
void client_give_up(struct client *c, enum tern_err err, const char *why);

/* In the time of links_now; INT64_MAX: never. One for each (rang, context). */
void client_alarm(struct client *c, int64_t at_ns, void (*rang)(void *context), void *context);

struct client_watch_order {
    Tern__Which which;
    bool ends_only;
    uint64_t from_index;
    bool awaits; /* its committed output: client_watch_awaits */
    void *context;
    void (*seen)(void *context, const Tern__TaskSeen *task);
    void (*refused)(void *context, enum tern_err err, const char *why); /* it is over then */
};

struct client_watch;
struct client_watch *client_watch(struct client *c, const struct client_watch_order *order);
/* What comes before this index is not wanted again after a reconnection. */
void client_watch_from(struct client_watch *w, uint64_t index);
/* A checkpoint follows soon behind whatever the task writes, from now on (or not any more). */
void client_watch_awaits(struct client_watch *w, bool awaits);
void client_unwatch(struct client_watch *w); /* NULL is fine */

#endif
