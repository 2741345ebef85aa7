/*
 * world_uv_inner - what the sources of world_uv share. For them only.
 *
 * A link's bytes go: world_send -> `out` -> (TLS) -> `wire`, which uv_write has. While that is under
 * way the next ones gather in `out`. Links with something in `out` are on the dirty list, which is
 * worked off before the loop waits.
 */
#ifndef TERN_OS_POOL_WORLD_UV_INNER_H
#define TERN_OS_POOL_WORLD_UV_INNER_H

#include "os/pool/endpoint.h"
#include "os/pool/world_uv.h"

#include <netdb.h>

enum { WORLD_READ_BYTES = 256 << 10, WORLD_LINGER_MS = 1000, WORLD_SENT_BYTES = 1 << 20 };

enum link_state {
    LINK_DIALLING, /* resolving, connecting */
    LINK_SHAKING,  /* TLS */
    LINK_OPEN,
    LINK_LINGERING, /* closed by us: what is unsent still goes */
    LINK_ENDED      /* libuv lets go of it */
};

union link_handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
};

struct link {
    struct world_uv *world;
    link_id id;
    enum link_state state;
    struct link *chain;                   /* in the table */
    struct link *next_dirty, *next_told;  /* on these lists */
    bool dirty;                           /* on that list */
    bool telling;                         /* on the list of what is to be told */
    bool silent;                          /* ENDED: nobody is to be told */
    unsigned holds;                       /* what libuv has of it: it stays until that is back */
    union link_handle uv;
    bool has_handle; /* uv was initialised, and is not being closed */
    bool again;      /* when the handle is closed the next address is tried */
    size_t left; /* LINGERING: that was unsent at the last look */
    uv_timer_t patience; /* with a stranger's TLS, with what is unsent at the end */
    bool has_patience;
    struct endpoint to; /* whom we dialled */
    bool dialled;
    uv_getaddrinfo_t resolve;
    bool resolving;
    struct addrinfo *addresses, *address; /* all, the next to try */
    uv_connect_t connect;
    struct tls_link *tls;
    struct bytes out, wire;
    bool writing, was_full, shut;
    uv_write_t write;
    uv_shutdown_t shutdown;
    enum tern_err err; /* ENDED */
    char why[640];
    char text[LIMIT_ENDPOINT + 1];
    char owner[LIMIT_NAME + 1];
    struct world_peer peer;
};

struct listener {
    struct world_uv *world;
    struct listener *next;
    struct endpoint at;
    union link_handle uv;
};

struct world_uv {
    struct world world;
    struct handlers handlers;
    uv_loop_t own_loop, *loop;
    struct tls *tls;
    struct link **table;
    size_t table_size, count;
    link_id last;
    struct link *dirty, *told_first, *told_last;
    struct listener *listeners;
    uv_prepare_t flush; /* before the loop waits */
    uv_idle_t soon;     /* something is to be told: the loop does not wait */
    uv_poll_t alarm;
    int alarm_fd;
    size_t holds; /* handles and links that are not back */
    bool telling, freed;
    int64_t now_ns; /* while telling */
    struct bytes plain;
    char room[WORLD_READ_BYTES];
};

/* world_uv.c: handlers are called between these. */
void world_begin(struct world_uv *w);
void world_end(struct world_uv *w);
/* Tells of it soon: `opened` if it is being dialled (adopted), `closed` if it has ended. */
void world_tell(struct world_uv *w, struct link *l);
void world_dirty(struct world_uv *w, struct link *l);
void world_put(struct world_uv *w); /* one hold less */

/* world_uv_table.c; link_new finds memory, or the program ends (check). */
struct link *link_new(struct world_uv *w);
struct link *link_find(const struct world_uv *w, link_id id);
void link_forget(struct link *l);

/* world_uv_link.c */
void link_got(struct link *l); /* one hold more */
void link_put(struct link *l); /* one less; frees one that has ended and was told */
void link_opened(struct link *l); /* connected: finds out who it is, shakes hands, tells */
void link_fail(struct link *l, enum tern_err err, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));
void link_close(struct link *l, bool at_once);
void link_tell(struct link *l);
void link_shake(struct link *l);        /* TLS, as far as it goes */
void link_have_handle(struct link *l);  /* `uv` was initialised */
void link_close_handle(struct link *l); /* of an attempt to connect that failed */

/* world_uv_io.c */
void link_read_start(struct link *l);
void link_flush(struct link *l);
size_t link_unsent(const struct link *l);

/* world_uv_dial.c */
void link_dial(struct link *l, const char *endpoint);
void link_dial_next(struct link *l);

/* world_uv_listen.c */
void listeners_close(struct world_uv *w);

#endif
