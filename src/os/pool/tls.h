/*
 * tls - the wire between machines: TLS 1.3 over bytes that somebody else carries.
 *
 * Proven   To the one who dials: that the other side holds the private key whose public half has
 *          the SHA-256 that the dialler was given (its pin). Nothing else about it: names and dates
 *          in the certificate are not looked at, no authority is asked.
 *          To the one who is dialled: nothing by TLS. That the dialler belongs to the pool it shows
 *          by the pool's token in its Hello (drive/links.h), which it sends only over a connection
 *          whose other end was proven. Which user it acts for is what it says: whoever has the
 *          token is trusted with that.
 *          To both: nobody in between reads or changes anything, now or later (forward secrecy).
 * Place    Certificates for each part: struct tls_identity is what a part shows, and will be shown
 *          by those who dial, too; who may be what is decided in verify_peer (tls.c) alone.
 * Key      EC P-256, made at first start, kept in the state directory: "key.pem" (0600), and
 *          "certificate.pem", self-signed.
 */
#ifndef TERN_OS_POOL_TLS_H
#define TERN_OS_POOL_TLS_H

#include "base/bytes.h"
#include "base/error.h"
#include "os/pool/endpoint.h"

struct tls;      /* what a part shows and believes; for any number of connections */
struct tls_link; /* one connection */

/* With the identity in that directory, made if there is none; NULL: none, to dial only. */
enum tern_err tls_new(const char *state_dir, struct tls **out, struct problem *p);
void tls_free(struct tls *t);
/* Of its own public key; false: it has none. */
bool tls_pin(const struct tls *t, uint8_t pin[ENDPOINT_PIN_BYTES]);

/* pin: of the one who is dialled; NULL: we are dialled. NULL: no memory. */
struct tls_link *tls_link_new(struct tls *t, const uint8_t *pin);
void tls_link_free(struct tls_link *l);

/* Bytes from the other side; they are taken whole. */
void tls_feed(struct tls_link *l, struct view cipher);
/*
 * As far as it goes: shakes hands, appends what can be read to *plain (at most `most` bytes more;
 * if that is reached there may be more). TERN_EUNSAFE: not the one who was meant; TERN_EPROTO: no
 * TLS; TERN_EIO: the other side ended it.
 */
enum tern_err tls_read(struct tls_link *l, struct bytes *plain, size_t most, struct problem *p);
bool tls_open(const struct tls_link *l); /* hands are shaken, the other side is proven */
/* All of it; only when open. */
enum tern_err tls_write(struct tls_link *l, struct view plain);
/* Appends what is to go to the other side. */
void tls_take(struct tls_link *l, struct bytes *cipher);
void tls_end(struct tls_link *l); /* says that nothing more comes */

#endif
