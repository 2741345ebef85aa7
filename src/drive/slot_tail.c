#include "drive/slot_inner.h"

/* Provisional output to the depot that relays it: what it does not get now it gets later. */

static bool send_some(struct slot *s, struct depot *relay, link_id link, int i)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Tail tail = TERN__TAIL__INIT;
    struct bytes bytes = {0};
    enum tern_err err = stream_read(&s->stream[i], s->tail[i], &bytes);

    if (!err) {
        tail.capability = (Tern__Capability *)carry_depot_capability(relay);
        tail.fence = &s->jobs->fence;
        tail.stream = (uint32_t)i + 1;
        tail.offset = s->tail[i];
        e.body_case = TERN__ENVELOPE__BODY_TAIL;
        e.tail = &tail;
        err = links_send(s->links, link, &e, bytes_view(&bytes));
    }
    s->tail[i] += err ? s->stream[i].bytes - s->tail[i] : bytes.size;
    bytes_release(&bytes);
    return !err;
}

void tail_send(struct slot *s)
{
    link_id link;

    s->tail_due_ns = INT64_MAX;
    if (s->step != JOB_RUNNING || !s->depot_count)
        return;
    if (s->tail[0] == s->stream[0].bytes && s->tail[1] == s->stream[1].bytes)
        return;
    link = carry_depot_link(s->depots, s->depot[0]);
    for (int i = 0; link && i < 2; i++)
        while (s->tail[i] < s->stream[i].bytes && !links_full(s->links, link))
            send_some(s, s->depot[0], link, i);
}
