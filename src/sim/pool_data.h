/*
 * pool_data - what clients of the simulated pool send and fetch: requests, blobs.
 */
#ifndef TERN_SIM_POOL_DATA_H
#define TERN_SIM_POOL_DATA_H

#include "sim/pool_inner.h"

struct data_submit {
    struct arena arena;
    Tern__Submit submit;
};

/* Everything of that job that the agent is to know. */
void pool_data_submit_make(struct data_submit *s, struct pool *p, const struct work_job *j);
void pool_data_submit_release(struct data_submit *s);

/* The n-th run of bytes that has to be in depots before it is submitted; false: no more. */
bool pool_data_to_upload(const struct pool *p, const struct work_job *j, size_t n, struct view *out);

struct pool_upload;
/* Asks for depots and brings it there; told from the loop. A client that is killed ends it. */
struct pool_upload *pool_data_upload(struct pool_client *c, struct view bytes,
                                void (*done)(void *context, bool there), void *context);

/* Fetches what the task wrote, and compares; a failure of the pool if it is not right. */
void pool_data_verify(struct pool_client *c, const struct work_task *t, const Tern__TaskSeen *seen);
/* Fetches that have not come to an end. */
size_t pool_data_pending(const struct pool_client *c);

void pool_data_client_start(struct pool_client *c);
void pool_data_client_stop(struct pool_client *c);

#endif
