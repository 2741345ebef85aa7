/*
 * links - connections of one part as its core sees them: peers that said who they are, messages.
 *
 * Does     Dials what it is told to keep dialled, again and again, by growing delays (10 ms to 1 s,
 *          with some chance in it). Exchanges Hellos, agrees on a version, refuses who does not
 *          belong here. Cuts bytes into frames, decodes, sees gaps. Beats, and ends a connection
 *          from which nothing came for three beats (one that was accepted: once it has beaten; who
 *          never beats may be silent for ever).
 * Order    up, any number of messages, down: of each link, once, whoever ended it, also behind
 *          links_close and links_let_go; never from within a call of links. No message comes behind
 *          links_close. A link of links_dial that does not come up is told `down`, too; one of
 *          links_keep `failed`.
 * Beats    Sent by the one who dialled, answered here. One that came is told as a message as well.
 * Trust    A peer of this machine is who the kernel says; only our own user's (and root's) may be
 *          more than clients. Another one has to show the pool's token; it is shown only to one
 *          that proved by its key to be the one that was dialled.
 * Refusal  Who is refused gets Refused and is closed; who refuses us is told upwards, in words, and
 *          not dialled again at once.
 * Pressure A link with more than LINKS_UNSENT_MAX bytes unsent is full: links_full; senders of
 *          bulk ask, and are told by `drained` when there is room. Messages of cores are small and
 *          always taken, up to ten times as much: then the link is closed, since its peer does not
 *          read.
 */
#ifndef TERN_DRIVE_LINKS_H
#define TERN_DRIVE_LINKS_H

#include "drive/world.h"
#include "message/message.h"

enum {
    LINKS_UNSENT_MAX = 4 << 20,
    LINKS_VERSION_LEAST = 1,
    LINKS_VERSION_MOST = 1,
    LINKS_TOKEN_BYTES = 32
};
#define LINKS_NOT_SENT INT64_MIN /* of a beat that is about to be an answer */

struct links;

struct links_config {
    struct world *world;
    Tern__Part part;
    const char *name;      /* "" for clients */
    const uint8_t *token;  /* of the pool, 32 bytes; NULL: local peers only */
    int64_t beat_ns;       /* 0: does not beat, only answers, and minds no silence */
    /* Parts that may dial us: bit 1 << PART. */
    unsigned welcome;
    void *context;
    void (*up)(void *context, link_id link, const Tern__Hello *hello, const char *owner);
    void (*message)(void *context, link_id link, const Tern__Envelope *e, struct view attachment);
    void (*down)(void *context, link_id link, enum tern_err err, const char *why);
    void (*drained)(void *context, link_id link); /* may be NULL */
    /* The owner's first message to one who dialled us is its Hello (or Refused): links sends none. */
    bool hello_later;
    /* What is in our Hello beside part, name and versions; may be NULL. */
    void (*hello)(void *context, link_id link, Tern__Hello *ours);
    /*
     * A beat (sent_ns: now) or the answer to one (sent_ns: LINKS_NOT_SENT), to be filled in before
     * it is sent; and an answer that came, with when its beat was sent. An answer has ->answer. May
     * be NULL.
     */
    void (*beat)(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns);
    /* One of links_keep did not come up, and is dialled again later. May be NULL. */
    void (*failed)(void *context, link_id link, enum tern_err err, const char *why);
};

struct links *links_new(const struct links_config *config); /* NULL: no memory */
/* Closes all; nothing is told. Not from within what links tells. */
void links_free(struct links *l);

/* For the world: a copy of it, with the links as context. */
extern const struct handlers links_handlers;

/* Endpoints in order of preference; the link changes with each try. Returns a handle. */
uint32_t links_keep(struct links *l, const char *const *endpoints, size_t count);
/* The link that it is now; 0: it is not up. */
link_id links_kept(const struct links *l, uint32_t kept);
/* Closes it, and dials no more. */
void links_let_go(struct links *l, uint32_t kept);
/* Once. */
link_id links_dial(struct links *l, const char *endpoint);
/* One that the world is about to open, an end of a pair: as if we had dialled it. */
void links_joined(struct links *l, link_id link, const char *text);

/* TERN_ETOOBIG: not sent. To a link that is down: nothing happens. */
enum tern_err links_send(struct links *l, link_id link, const Tern__Envelope *e,
                         struct view attachment);
/* As that, of a frame that message_encode made with number 0: it is given its number. */
void links_send_frame(struct links *l, link_id link, struct bytes *frame);
bool links_full(const struct links *l, link_id link);
void links_hold(struct links *l, link_id link, bool held); /* read no more for now */
void links_close(struct links *l, link_id link);
/* The owner's alarm, once, in the world's time; the last call counts. */
void links_wake(struct links *l, int64_t at_ns, void (*woke)(void *context));
int64_t links_now(const struct links *l);

#endif
