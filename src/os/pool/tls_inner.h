/* tls_inner - what tls.c and tls_identity.c share. For them only. */
#ifndef TERN_OS_POOL_TLS_INNER_H
#define TERN_OS_POOL_TLS_INNER_H

#include "os/pool/tls.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct tls_identity { /* what a part shows of itself */
    EVP_PKEY *key;
    X509 *certificate;
};

/* Of that directory; made there if there is none. */
enum tern_err tls_identity_open(const char *state_dir, struct tls_identity *out,
                                struct problem *p);
void tls_identity_release(struct tls_identity *i);
/* SHA-256 of the public key of a certificate, as X.509 has it (SubjectPublicKeyInfo). */
bool tls_pin_of(const X509 *certificate, uint8_t pin[ENDPOINT_PIN_BYTES]);

#endif
