/*
 * world - what a part of a pool needs from outside: connections, time, dice. Two of them exist:
 *         os/pool/ has the kernel's, sim/ a virtual one, drawn from a seed.
 *
 * Links    A link is a connection, by a number that is never used again in this world. Bytes arrive
 *          in order, each once, up to some point. Opened is told once (of both ends), closed once,
 *          but not of a link that this end has closed. What is sent is copied. world_close lets go
 *          of what is not sent yet after a moment; nothing more is told of the link.
 * Wake     One alarm for each owner of handlers: the last world_wake counts.
 * Calls    Handlers are never called from within a world_* call, but from the loop. To send to,
 *          hold or close a link that is gone does nothing.
 * Time     world_now never runs back, and stands still while the machine is suspended unless
 *          `boottime`; it is the same throughout one call of a handler.
 */
#ifndef TERN_DRIVE_WORLD_H
#define TERN_DRIVE_WORLD_H

#include "base/bytes.h"
#include "base/error.h"

typedef uint32_t link_id; /* 0: none */

struct world_peer {
    bool local;        /* a Unix socket, or a pair of them: uid is true */
    bool authentic;    /* TLS, and it proved by its key to be the one that was dialled */
    bool stranger;     /* local, but of another user than ours, and not root */
    uint32_t uid;
    const char *owner; /* local: that user's name; else NULL */
    const char *text;  /* where it is, for people */
};

struct handlers {
    void *context;
    void (*opened)(void *context, link_id link, const struct world_peer *peer);
    void (*received)(void *context, link_id link, struct view bytes);
    /* Also when dialling failed: why is a sentence for a person. */
    /* TERN_EUNREACHABLE: the machine that was dialled says that nobody listens there. */
    void (*closed)(void *context, link_id link, enum tern_err err, const char *why);
    void (*woke)(void *context);
    /* Little or nothing is unsent of what was a lot. A world need not tell. */
    void (*sent)(void *context, link_id link);
};

struct world {
    const struct world_calls *calls;
    void *self;
};

struct world_calls {
    int64_t (*now)(void *self);      /* CLOCK_BOOTTIME or what stands for it, ns */
    int64_t (*wall)(void *self);     /* ns since 1970 */
    void (*random)(void *self, void *to, size_t size);
    void (*wake)(void *self, int64_t at_ns); /* in terms of now; INT64_MAX: never */
    link_id (*dial)(void *self, const char *endpoint);
    void (*send)(void *self, link_id link, const struct view *parts, size_t count);
    size_t (*unsent)(void *self, link_id link); /* bytes */
    void (*hold)(void *self, link_id link, bool held); /* do not read from it for now */
    void (*close)(void *self, link_id link);
};

#endif
