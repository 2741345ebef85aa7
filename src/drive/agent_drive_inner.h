/* agent_drive_inner - what the sources of agent_drive share. For them only. */
#ifndef TERN_DRIVE_AGENT_DRIVE_INNER_H
#define TERN_DRIVE_AGENT_DRIVE_INNER_H

#include "drive/agent_drive.h"
#include "drive/capability.h"

struct depot_key {
    struct depot_key *next;
    char name[LIMIT_NAME + 1];
    uint8_t key[CAPABILITY_KEY_BYTES];
};

struct waiting { /* a frame, or the end of a link, that must not leave before a fact is stored */
    struct waiting *next;
    uint64_t fact;
    link_id link;
    bool closes;
    struct bytes frame;
};

struct agent_drive {
    struct agent_drive_config config;
    struct agent_config agent_config;
    struct links *links;
    struct agent *agent;
    struct core_out out;
    struct depot_key *keys;
    /* Facts. */
    uint64_t appended, stored, snapshot_at;
    uint64_t snapshot_size; /* facts in the last one */
    uint64_t compact_up_to; /* 0: the journal is not being compacted */
    struct waiting *first, *last;
    size_t waiting_bytes;
    link_id *held; /* links that are not read from, since too much waits */
    size_t held_count, held_room;
    struct bytes fact; /* room for one */
    /* Time. */
    int64_t offset_ns;      /* agent time less world time */
    int64_t now_ns;         /* the newest that was used */
    int64_t bound_ns;       /* stored: no time above it is used */
    int64_t bound_asked_ns; /* appended as fact number bound_fact */
    uint64_t bound_fact;
    struct bytes event; /* room for one, recorded */
    bool leaving, ending, ended; /* ending: with the last fact stored it has ended */
    uint64_t end_fact;
};

/* agent_drive_time.c */
int64_t drive_time(struct agent_drive *d);
void time_read(struct agent_drive *d, int64_t fact_ns);
void time_begin(struct agent_drive *d);
bool time_stored(struct agent_drive *d, uint64_t up_to); /* true: time can go on */
void time_renew(struct agent_drive *d);
void time_end(struct agent_drive *d);
int64_t time_wake(const struct agent_drive *d, int64_t at_ns); /* agent time in the world's */
/* A fact that says no more than that. */
uint64_t time_fact(struct agent_drive *d, int64_t at_ns);

/* agent_drive_gate.c */
void gate_send(struct agent_drive *d, link_id link, const Tern__Envelope *e, struct view attachment);
void gate_close(struct agent_drive *d, link_id link);
void gate_open(struct agent_drive *d); /* as far as facts are stored */
void gate_hold(struct agent_drive *d, link_id link); /* the one who asked, if too much waits */
void gate_release(struct agent_drive *d);

/* agent_drive_seal.c */
void seal_key(struct agent_drive *d, const char *depot, ProtobufCBinaryData key);
void seal_message(struct agent_drive *d, const Tern__Envelope *e);
void seal_release(struct agent_drive *d);

/* agent_drive_facts.c */
void fact_store(struct agent_drive *d, const Tern__Fact *fact);
enum tern_err facts_read(struct agent_drive *d, struct problem *p);
void facts_snapshot(struct agent_drive *d);
void facts_compact(struct agent_drive *d);
void facts_compacted(struct agent_drive *d, enum tern_err err, uint64_t size, const char *why);

/* agent_drive_fold.c: facts in a row, each behind its size */
enum tern_err fold_facts(const struct agent *agent, int64_t bound_ns, struct bytes *out,
                         uint64_t *count);
struct journal_fold fold_new(const struct agent_config *config);

/* agent_drive_note.c */
void note_log(struct agent_drive *d, const struct note *note);
void drive_log(struct agent_drive *d, enum note_level level, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));

#endif
