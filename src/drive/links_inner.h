/*
 * links_inner - what the sources of links share. For them only.
 *
 * Lists    Each connection is on one list, by what can end it: NEW has sent no Hello yet (oldest
 *          first), QUIET never beats and may be silent for ever, BEATING does (the one that was
 *          silent longest first), OURS we dialled (few), GONE is to be told and forgotten.
 */
#ifndef TERN_DRIVE_LINKS_INNER_H
#define TERN_DRIVE_LINKS_INNER_H

#include "drive/links.h"

enum {
    LINK_TEXT_BYTES = 128,
    LINK_WHY_BYTES = 512,
    LINK_BEATS = 8,           /* that we remember the sending of */
    LINK_FIRST_BYTES = 65536, /* of the first frame of one who has not said who it is */
    LINK_NEW_MAX = 1024,      /* connections without a Hello */
    LINK_IDLE_BYTES = 65536,  /* a buffer that is kept although nothing is in it */
    KEPT_NONE = 0
};
#define LINK_HELLO_NS INT64_C(10000000000) /* from opening, or dialling, to Hello */
#define LINK_POLL_NS INT64_C(10000000)     /* is there room again? */
#define KEEP_DELAY_LEAST_NS INT64_C(10000000)
#define KEEP_DELAY_MOST_NS INT64_C(1000000000) /* well within a lease: node.h, Lease */

enum conn_list { CONN_NEW, CONN_QUIET, CONN_BEATING, CONN_OURS, CONN_GONE, CONN_LISTS };

struct conn {
    link_id id;
    enum conn_list list;
    struct conn *before, *behind; /* on the list */
    struct conn *chain;           /* in the table */
    uint32_t kept;                /* whose it is, or KEPT_NONE */
    bool dialled, opened, up;
    bool refused; /* by the other side: in vain to dial again at once */
    bool unasked; /* it was let go before it was up: nobody wants to hear of its end */
    bool closed;  /* by the world: there is nothing left to close */
    bool full;    /* its owner was told so, and wants to hear of room */
    bool held;    /* nothing is to be read */
    bool waiting; /* frames may lie in `in`: they were not looked at, since it was held */
    struct world_peer peer; /* text and owner point here */
    char text[LINK_TEXT_BYTES];
    char owner[LIMIT_NAME + 1];
    struct bytes in; /* the beginning of a frame */
    uint32_t in_next, out_next;
    int64_t heard_ns; /* NEW, OURS before Hello: when it began */
    int64_t up_ns;
    uint64_t beat; /* the last that was sent */
    int64_t beat_ns[LINK_BEATS];
    enum tern_err err; /* GONE */
    char why[LINK_WHY_BYTES];
};

struct kept {
    uint32_t handle;
    struct kept *next;
    char **endpoint;
    size_t count, at; /* at: the next to try */
    link_id link;     /* or 0: not dialled now */
    int64_t delay_ns, dial_ns;
};

struct links {
    struct links_config config;
    struct conn **table;
    size_t table_size, count; /* size: a power of two */
    struct {
        struct conn *first, *last;
        size_t count;
    } list[CONN_LISTS];
    struct kept *kept;
    uint32_t last_handle;
    struct arena arena; /* of the message that is being told */
    struct bytes out;
    int64_t alarm_ns; /* as the world knows it */
    int64_t awake_ns; /* silence before it does not count: we were not running ourselves */
    int64_t owner_ns;
    void (*owner_woke)(void *context);
    bool telling; /* inside a handler: the alarm is set at its end */
    bool unread;  /* some connection is `waiting` and not held any more */
    size_t full;  /* connections whose owner waits for room */
};

/* links_table.c */
struct conn *conn_find(const struct links *l, link_id id);
struct conn *conn_add(struct links *l, link_id id, enum conn_list list); /* NULL: no memory */
void conn_move(struct links *l, struct conn *c, enum conn_list list);    /* to its end */
void conn_free(struct links *l, struct conn *c);

/* links.c: ends it; told, and forgotten, by conn_settle. */
void conn_end(struct links *l, struct conn *c, enum tern_err err, const char *format, ...)
    __attribute__((format(__printf__, 4, 5)));
enum tern_err conn_send(struct links *l, struct conn *c, const Tern__Envelope *e,
                        struct view attachment);
void conn_settle(struct links *l);
void conn_read(struct links *l, struct conn *c, struct view bytes);
static inline int64_t links_time(const struct links *l)
{
    return l->config.world->calls->now(l->config.world->self);
}

/* links_hello.c: open is for the one who dialled. */
void hello_open(struct links *l, struct conn *c);
void hello_send(struct links *l, struct conn *c);
/* The first message of one that is not up. */
void hello_take(struct links *l, struct conn *c, const Tern__Envelope *e);

/* links_beat.c */
void beat_take(struct links *l, struct conn *c, const Tern__Envelope *e);
void beat_due(struct links *l, int64_t now_ns);
int64_t beat_next(const struct links *l);

/* links_keep.c */
void keep_due(struct links *l, int64_t now_ns);
int64_t keep_next(const struct links *l);
void keep_ended(struct links *l, const struct conn *c);
void keep_up(struct links *l, const struct conn *c);
void keep_release(struct links *l);

/* Sets the alarm, unless a handler is running, which will. */
void links_alarm(struct links *l);

#endif
