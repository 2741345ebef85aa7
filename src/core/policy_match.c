#include "core/policy_match.h"

#include <string.h>

static bool has_machine(const Tern__Requirements *r, const char *machine)
{
    for (size_t i = 0; i < r->n_machine; i++)
        if (strcmp(r->machine[i], machine) == 0)
            return true;
    return r->n_machine == 0;
}

static bool has_label(const struct offer *offer, const char *label)
{
    for (size_t i = 0; i < offer->label_count; i++)
        if (strcmp(offer->labels[i], label) == 0)
            return true;
    return false;
}

enum match policy_match(const Tern__Requirements *r, const struct offer *offer)
{
    if (!r)
        return MATCH_FITS;
    if (!has_machine(r, offer->machine))
        return MATCH_MACHINE;
    if (r->memory_bytes > offer->memory_bytes)
        return MATCH_MEMORY;
    for (size_t i = 0; i < r->n_labels; i++)
        if (!has_label(offer, r->labels[i]))
            return MATCH_LABELS;
    return MATCH_FITS;
}

const char *policy_match_name(enum match m)
{
    static const char *const names[] = {[MATCH_FITS] = "fits",
                                        [MATCH_MACHINE] = "machine",
                                        [MATCH_MEMORY] = "memory",
                                        [MATCH_LABELS] = "labels"};

    return names[m];
}
