/*
 * net_inner - what the sources of world_sim share. For them only.
 *
 * Flows    What one end sends is a run of segments, each first unsent (the sender's memory), then
 *          flying (the window bounds how much), then unread (the receiver's). A segment that ends
 *          the connection is the last one. A cut network stalls what is flying.
 */
#ifndef TERN_SIM_NET_INNER_H
#define TERN_SIM_NET_INNER_H

#include "sim/world_sim.h"

enum {
    NET_WINDOW = 256 << 10,   /* bytes flying or unread */
    NET_PEER_TEXT_BYTES = 64, /* of world_peer */
    NET_WHY_BYTES = 128
};
#define NET_LOCAL_NS INT64_C(20000)           /* between processes of one machine */
#define NET_LINGER_NS INT64_C(1000000000)     /* to send the rest after world_close */
#define NET_DIAL_NS INT64_C(3000000000)       /* until a dial into the void is given up */

struct segment {
    struct segment *next;
    int64_t at_ns; /* flying: when it arrives */
    bool end;      /* no bytes: the sender has closed */
    size_t size, used;
    uint8_t data[];
};

struct segments {
    struct segment *first, *last;
};

struct flow {
    struct segments unsent, flying, unread;
    struct segment *swapped; /* to be sent behind the next */
    size_t window_bytes, unsent_bytes;
    int64_t busy_ns, last_ns;
    bool stalled; /* something due could not arrive */
    bool ended;   /* nothing is sent any more */
    bool lost;    /* what flies is lost, and will be */
};

struct end {
    struct wire *wire;
    struct sim_part *part; /* NULL: nobody is there */
    struct sim_host *host;
    struct end *before, *behind; /* of its part */
    link_id id;
    const char *owner; /* of its part, which lives as long as the net */
    bool open, open_due;  /* its part knows, or is to know */
    bool close_due;       /* at once, whatever is unread */
    bool held;
    bool service_due;
    enum tern_err err;
    char why[NET_WHY_BYTES];
    char peer[NET_PEER_TEXT_BYTES];
    struct flow out;
};

struct wire {
    struct sim_net *net;
    struct end end[2];
    bool local, joined;
    int64_t delay_ns;
    char *endpoint;
    size_t index;  /* in the net's list */
    unsigned refs; /* events that name it */
};

struct cut {
    const struct sim_host *from, *to; /* NULL: any */
};

struct listener {
    char *endpoint;
    struct sim_part *part;
};

struct sim_net {
    struct sim *sim;
    struct sim_net_config config;
    struct prng delays, frames, reads;
    struct sim_host **hosts;
    size_t host_count, host_capacity;
    struct wire **wires;
    size_t wire_count, wire_capacity;
    struct listener *listeners;
    size_t listener_count, listener_capacity;
    struct cut *cuts;
    size_t cut_count, cut_capacity;
    struct sim_net_count count;
};

struct sim_host {
    struct sim_net *net;
    char *name;
    bool failed;
    int64_t clock_ns, since_ns; /* its clock showed that at that time */
    int64_t wall_ns;            /* wall time when its clock was 0 */
    int32_t drift;
    struct sim_part *parts; /* newest first */
};

struct sim_part {
    struct sim_host *host;
    struct sim_part *older;
    char *name, *owner; /* "host/name" */
    bool dead, paused;
    bool woke_due;
    struct handlers handlers;
    struct prng dice;
    struct end *ends;
    struct end **by_id; /* [id - 1] */
    size_t id_count, id_capacity;
    int64_t wake_ns, alarm_ns; /* true time: wanted; of the event that is on its way */
};

/* net_wire.c */
struct wire *wire_new(struct sim_net *n, bool local);
void wire_free(struct wire *w); /* for the end of the net; else it goes by itself */
void wire_attach(struct end *e, struct sim_part *p, const struct sim_part *peer);
void wire_send(struct end *e, const struct view *parts, size_t count);
/* The owner of that end is through with it. */
void wire_close(struct end *e, bool rest_is_sent);
/* That end is gone without a word. */
void wire_vanish(struct end *e);
/* Its owner hears after that delay that it is over; what is on its way to it is lost. */
void wire_break(struct end *e, int64_t delay_ns, enum tern_err err, const char *why);
void wire_lose(struct wire *w); /* nothing arrives any more, either way */
/* Its owner is told what there is to tell, or it is open now: from the loop. */
void wire_service(struct end *e);
void wire_open_in(struct end *e, int64_t delay_ns);
void wire_unstall(struct wire *w);
/* Every event of a connection holds it, and lets go of it. */
void wire_event(struct end *e, int64_t at_ns, void (*run)(void *end, uint64_t arg));
void wire_release(struct wire *w);

/* net_dial.c */
void dial_begin(struct end *e);

/* net_frames.c: sends what became of a segment. Takes it. */
void frames_send(struct wire *w, struct flow *f, struct segment *s);
void segments_push(struct segments *list, struct segment *s);
struct segment *segments_pop(struct segments *list);
/* "submit", of the first frame in these bytes; "" if that is none. */
const char *frames_name(struct view bytes);

/* world_sim.c */
bool net_reaches(const struct sim_net *n, const struct sim_host *from, const struct sim_host *to);
const struct listener *net_listener(const struct sim_net *n, const struct sim_host *from,
                                    const char *endpoint);
void part_add_end(struct sim_part *p, struct end *e);
void part_remove_end(struct end *e);
void part_wake_now(struct sim_part *p);

#endif
