/*
 * endpoint - where a part can be reached, as text: taken apart, and put together.
 *
 * Forms    "unix:/path", "tcp:host:port", "tcp:[v6]:port"; behind it of a TCP endpoint may stand
 *          "#" and the SHA-256 of the public key that is expected there, 64 hexadecimal digits: its
 *          pin. "HOST" and "HOST:PORT" are tcp:HOST:PORT, "/path" is unix:/path.
 */
#ifndef TERN_OS_POOL_ENDPOINT_H
#define TERN_OS_POOL_ENDPOINT_H

#include "base/error.h"
#include "message/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ENDPOINT_PIN_BYTES = 32, ENDPOINT_PORT = 7373, ENDPOINT_ADDRESSES = 8 };

struct endpoint {
    bool unix_socket;
    char path[LIMIT_ENDPOINT + 1]; /* of a Unix socket; of TCP: the host */
    char port[8];
    bool pinned;
    uint8_t pin[ENDPOINT_PIN_BYTES];
};

/* TERN_EUSAGE, with a sentence that shows how it should be. */
enum tern_err endpoint_parse(const char *text, struct endpoint *out, struct problem *p);
/* As it is written down; `with_pin`: with that. */
void endpoint_text(const struct endpoint *e, bool with_pin, char out[LIMIT_ENDPOINT + 1]);

void endpoint_hex(const uint8_t pin[ENDPOINT_PIN_BYTES], char out[2 * ENDPOINT_PIN_BYTES + 1]);

#endif
