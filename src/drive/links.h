/*
 * links - connections of one part as its core sees them: peers that said who they are, messages.
 *
 * Does     Dials what it is told to keep dialled, again and again, by growing delays (10 ms to 2 s,
 *          with some chance in it). Exchanges Hellos, agrees on a version, refuses who does not
 *          belong here. Cuts bytes into frames, decodes, sees gaps. Beats, and ends a connection
 *          from which nothing came for three beats and that is not known to be dead otherwise.
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

enum { LINKS_UNSENT_MAX = 4 << 20, LINKS_VERSION_LEAST = 1, LINKS_VERSION_MOST = 1 };

struct links;

struct links_config {
    struct world *world;
    Tern__Part part;
    const char *name;      /* "" for clients */
    const uint8_t *token;  /* of the pool, 32 bytes; NULL: local peers only */
    int64_t beat_ns;       /* 0: does not beat, only answers */
    /* Parts that may dial us: bit 1 << PART. */
    unsigned welcome;
    void *context;
    void (*up)(void *context, link_id link, const Tern__Hello *hello, const char *owner);
    void (*message)(void *context, link_id link, const Tern__Envelope *e, struct view attachment);
    void (*down)(void *context, link_id link, enum tern_err err, const char *why);
    void (*drained)(void *context, link_id link); /* may be NULL */
    /* What is in our Hello beside part, name and versions; may be NULL. */
    void (*hello)(void *context, link_id link, Tern__Hello *ours);
    /* The answer to a beat, before it is sent; and one that came. May be NULL. */
    void (*beat)(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns);
};

struct links *links_new(const struct links_config *config); /* NULL: no memory */
void links_free(struct links *l);

/* Of the world's handlers: links is their context. */
extern const struct handlers links_handlers;

/* Endpoints in order of preference; the link changes with each try. Returns a handle. */
uint32_t links_keep(struct links *l, const char *const *endpoints, size_t count);
void links_let_go(struct links *l, uint32_t kept);
/* Once. */
link_id links_dial(struct links *l, const char *endpoint);

/* TERN_ETOOBIG: not sent. To a link that is down: nothing happens. */
enum tern_err links_send(struct links *l, link_id link, const Tern__Envelope *e,
                         struct view attachment);
/* As that, of a frame that message_encode made with number 0: it is given its number. */
void links_send_frame(struct links *l, link_id link, struct bytes *frame);
bool links_full(const struct links *l, link_id link);
void links_hold(struct links *l, link_id link, bool held); /* read no more for now */
void links_close(struct links *l, link_id link);
/* The owner's alarm, in the world's time; links has its own beside it. */
void links_wake(struct links *l, int64_t at_ns, void (*woke)(void *context));
int64_t links_now(const struct links *l);

#endif
