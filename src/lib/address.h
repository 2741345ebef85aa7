/*
 * address - where a pool is: what the caller said, the environment, or the places where `tern up`
 *           and an agent on this machine listen; and the token, where one is needed.
 */
#ifndef TERN_LIB_ADDRESS_H
#define TERN_LIB_ADDRESS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct address;

/* pool as tern_connect has it. TERN_EUSAGE, TERN_EUNREACHABLE (there is no pool here) ... */
enum tern_err address_find(const char *pool, struct address **out, struct problem *p);
void address_free(struct address *a); /* NULL is fine */

const char *const *address_endpoints(const struct address *a, size_t *count);
const uint8_t *address_token(const struct address *a); /* NULL: there is none */
const char *address_owner(const struct address *a);    /* who we say that we are */
/* What to do about a pool that could not be reached, for that reason. Returns p->err. */
enum tern_err address_explain(const struct address *a, const struct problem *down,
                              struct problem *p);

#endif
