/*
 * capability - the right to do something at one depot, made by the agent with that depot's key.
 *
 * Format   HMAC-SHA-256 over "TERNCAP1", u32 size of the domain, the domain, u32 rights, i64 expiry,
 *          u64 task, attempt and term of the fence; little-endian.
 * Errors   TERN_EACCES: not made with that key, or not for that; TERN_ETIME: it has ended.
 */
#ifndef TERN_DRIVE_CAPABILITY_H
#define TERN_DRIVE_CAPABILITY_H

#include "base/error.h"
#include "message/message.h"

enum { CAPABILITY_KEY_BYTES = 32, CAPABILITY_MAC_BYTES = 32 };
enum { CAPABILITY_READ = 1, CAPABILITY_WRITE = 2, CAPABILITY_MANAGE = 4 };

/* Of all fields but c->mac, which may point to mac. */
void capability_seal(const Tern__Capability *c, const uint8_t key[CAPABILITY_KEY_BYTES],
                     uint8_t mac[CAPABILITY_MAC_BYTES]);
/* now_ns: agent time. c may be NULL: TERN_EACCES. */
enum tern_err capability_check(const Tern__Capability *c, const uint8_t key[CAPABILITY_KEY_BYTES],
                               uint32_t rights, int64_t now_ns);

#endif
