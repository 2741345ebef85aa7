/*
 * depot_inner - what the sources of depot_drive share. For them only.
 */
#ifndef TERN_DRIVE_DEPOT_INNER_H
#define TERN_DRIVE_DEPOT_INNER_H

#include "drive/depot_drive.h"
#include "drive/transfer.h"

enum { CONN_TABLE = 256, DEPOT_WHY_BYTES = 512 };

struct get_wait { /* a GetChunk that waits for room */
    struct get_wait *next;
    uint64_t number;
    struct store_name name, has;
    bool with_has;
    char domain[];
};

struct depot_conn {
    struct depot_conn *next;
    link_id link;
    Tern__Part part;
    uint64_t pin; /* the stamp when its upload began; 0: it has none */
    struct get_wait *first, *last;
    size_t waiting;
    bool held; /* nothing is read from it */
};

struct fence {
    uint64_t task, attempt, term;
};

struct depot_tails; /* depot_tail.c */
struct depot_copies;

struct depot_drive {
    struct depot_drive_config config;
    struct chunks *chunks;
    struct links *links;
    uint8_t instance[8]; /* follows from the key: who has the same one is the same depot */
    uint32_t kept; /* the agent */
    link_id agent; /* or 0 */
    int64_t agent_ns, agent_at_ns; /* its time when it was told, by our clock */
    bool agent_known;
    struct depot_conn *conn[CONN_TABLE];
    struct fence fences[DEPOT_FENCES_MAX]; /* by task: one place each */
    struct depot_tails *tails;
    struct depot_copies *copies;
    struct depot_drive_count count;
    uint64_t damaged;    /* of usage, as we have dealt with it */
    uint64_t told_free;  /* to the agent */
    link_id told_agent;
    int64_t looked_ns;   /* for lapsed roots, and room */
    struct bytes room;   /* of a chunk that is sent */
    struct bytes missing;
};

/* depot_drive.c */
struct depot_conn *depot_conn_find(struct depot_drive *d, link_id link);
void depot_tell(struct depot_drive *d, bool warn, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));
void depot_refuse(struct depot_drive *d, link_id link, uint64_t number, enum tern_err err,
                  const char *format, ...) __attribute__((format(__printf__, 5, 6)));
int64_t depot_agent_time(const struct depot_drive *d);
/* Whether it has that right; if not, it was refused. writer: fenced. */
bool depot_allows(struct depot_drive *d, link_id link, uint64_t number, const Tern__Capability *c,
                  uint32_t right);
/* False: a newer attempt of that task is known. One that is newer is remembered. */
bool depot_fence_holds(struct depot_drive *d, const Tern__Fence *f);
bool depot_name_of(const ProtobufCBinaryData *from, struct store_name *out);

/* depot_data.c */
void depot_probe(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e);
void depot_put(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e,
               struct view attachment);
void depot_commit(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e);
void depot_get(struct depot_drive *d, struct depot_conn *c, const Tern__Envelope *e);
void depot_serve(struct depot_drive *d, struct depot_conn *c);
/* What it puts or is told to be there stays from now on, up to the end. */
void depot_begin_upload(struct depot_drive *d, struct depot_conn *c);
void depot_end_upload(struct depot_drive *d, struct depot_conn *c);
void depot_data_down(struct depot_drive *d, struct depot_conn *c);

/* depot_roots.c */
void depot_ad(struct depot_drive *d);
void depot_hold(struct depot_drive *d, const Tern__Envelope *e);
void depot_look_for_damage(struct depot_drive *d);
void depot_look_for_lapsed(struct depot_drive *d);
int64_t depot_lease(const struct depot_drive *d, int64_t asked_ns, bool by_agent);

/* depot_copy.c */
struct depot_copies *depot_copies_new(struct depot_drive *d);
void depot_copies_free(struct depot_copies *cs);
void depot_copy(struct depot_drive *d, const Tern__Envelope *e);
void depot_copy_up(struct depot_copies *cs, link_id link);
void depot_copy_down(struct depot_copies *cs, link_id link, const char *why);
bool depot_copy_message(struct depot_copies *cs, link_id link, const Tern__Envelope *e,
                        struct view attachment);
void depot_copy_drained(struct depot_copies *cs, link_id link);
void depot_copies_agent_down(struct depot_copies *cs);

/* depot_tail.c */
struct depot_tails *depot_tails_new(struct depot_drive *d);
void depot_tails_free(struct depot_tails *ts);
void depot_tail(struct depot_tails *ts, const Tern__Envelope *e, struct view attachment);
void depot_follow(struct depot_tails *ts, link_id link, const Tern__Envelope *e);
void depot_tails_drained(struct depot_tails *ts, link_id link);
void depot_tails_down(struct depot_tails *ts, link_id link);

#endif
