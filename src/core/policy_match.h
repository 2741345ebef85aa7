/*
 * policy_match - could this kind of node run it? And if not, why not?
 */
#ifndef TERN_CORE_POLICY_MATCH_H
#define TERN_CORE_POLICY_MATCH_H

#include "message/message.h"

/* What nodes of one kind offer. */
struct offer {
    const char *machine;
    uint64_t memory_bytes;
    char *const *labels; /* in the order of strcmp, each once */
    size_t label_count;
};

enum match { MATCH_FITS, MATCH_MACHINE, MATCH_MEMORY, MATCH_LABELS };

/* The first requirement that is not met; that for one node by name is looked at elsewhere. */
enum match policy_match(const Tern__Requirements *r, const struct offer *offer);
/* "machine", "memory", "labels": as in Reason. */
const char *policy_match_name(enum match m);

#endif
