#include "os/pool/tls.h"

#include "base/check.h"
#include "os/pool/tls_inner.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_PIECE = 256 << 10 };

struct tls {
    struct tls_identity identity;
    SSL_CTX *dialled, *dials;
};

struct tls_link {
    SSL *ssl;
    BIO *in, *out; /* the SSL's own */
    bool dials, wrong_key;
    uint8_t wanted[ENDPOINT_PIN_BYTES], seen[ENDPOINT_PIN_BYTES];
};

/* The one place that decides whether the other side is who it should be: by its key alone. */
static int verify_peer(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_link *l = SSL_get_app_data(ssl);
    const X509 *shown = X509_STORE_CTX_get0_cert(store);

    (void)unused;
    l->wrong_key = !shown || !tls_pin_of(shown, l->seen) ||
                   CRYPTO_memcmp(l->seen, l->wanted, sizeof l->seen) != 0;
    X509_STORE_CTX_set_error(store, l->wrong_key ? X509_V_ERR_CERT_UNTRUSTED : X509_V_OK);
    return !l->wrong_key;
}

static SSL_CTX *context(const SSL_METHOD *method)
{
    SSL_CTX *c = SSL_CTX_new(method);

    if (!c || SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) != 1) {
        SSL_CTX_free(c);
        return NULL;
    }
    SSL_CTX_set_num_tickets(c, 0); /* each connection proves everything anew */
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    return c;
}

enum tern_err tls_new(const char *state_dir, struct tls **out, struct problem *p)
{
    struct tls *t = calloc(1, sizeof *t);
    enum tern_err err;

    if (!t)
        return problem_set(p, TERN_ENOMEM, "no memory for TLS");
    err = state_dir ? tls_identity_open(state_dir, &t->identity, p) : TERN_OK;
    if (!err) {
        t->dials = context(TLS_client_method());
        t->dialled = context(TLS_server_method());
        if (!t->dials || !t->dialled)
            err = problem_set(p, TERN_ESYSTEM, "TLS 1.3 is not to be had from OpenSSL here");
    }
    if (!err) {
        SSL_CTX_set_verify(t->dials, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(t->dials, verify_peer, NULL);
    }
    if (!err && t->identity.key &&
        (SSL_CTX_use_certificate(t->dialled, t->identity.certificate) != 1 ||
         SSL_CTX_use_PrivateKey(t->dialled, t->identity.key) != 1))
        err = problem_set(p, TERN_ECORRUPT, "the key in %s cannot be used for TLS", state_dir);
    if (err)
        tls_free(t);
    else
        *out = t;
    return err;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->dials);
    SSL_CTX_free(t->dialled);
    tls_identity_release(&t->identity);
    free(t);
}

bool tls_pin(const struct tls *t, uint8_t pin[ENDPOINT_PIN_BYTES])
{
    return t->identity.certificate && tls_pin_of(t->identity.certificate, pin);
}

struct tls_link *tls_link_new(struct tls *t, const uint8_t *pin)
{
    struct tls_link *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->ssl = SSL_new(pin ? t->dials : t->dialled);
    l->in = BIO_new(BIO_s_mem());
    l->out = BIO_new(BIO_s_mem());
    if (!l->ssl || !l->in || !l->out) {
        SSL_free(l->ssl);
        BIO_free(l->in);
        BIO_free(l->out);
        free(l);
        return NULL;
    }
    SSL_set_app_data(l->ssl, l);
    SSL_set_bio(l->ssl, l->in, l->out);
    l->dials = pin != NULL;
    if (pin)
        memcpy(l->wanted, pin, sizeof l->wanted);
    if (pin)
        SSL_set_connect_state(l->ssl);
    else
        SSL_set_accept_state(l->ssl);
    return l;
}

void tls_link_free(struct tls_link *l)
{
    if (!l)
        return;
    SSL_free(l->ssl);
    free(l);
}

void tls_feed(struct tls_link *l, struct view cipher)
{
    if (cipher.size)
        check(BIO_write(l->in, cipher.data, (int)cipher.size) == (int)cipher.size);
}

bool tls_open(const struct tls_link *l)
{
    return SSL_is_init_finished(l->ssl) == 1;
}

/* What the answer of an SSL call that did not get through means. */
static enum tern_err stand(struct tls_link *l, int result, struct problem *p)
{
    const int why = SSL_get_error(l->ssl, result);
    char wanted[2 * ENDPOINT_PIN_BYTES + 1], seen[2 * ENDPOINT_PIN_BYTES + 1];

    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return TERN_OK;
    if (l->wrong_key) {
        endpoint_hex(l->wanted, wanted);
        endpoint_hex(l->seen, seen);
        return problem_set(p, TERN_EUNSAFE,
                           "its key is not the one that was expected: %s, not %s; if it was made "
                           "anew, use its new pin",
                           seen, wanted);
    }
    if (why == SSL_ERROR_ZERO_RETURN)
        return problem_set(p, TERN_EIO, "the other side closed");
    return problem_set(p, TERN_EPROTO,
                       tls_open(l) ? "what came was changed on its way, or is no TLS"
                                   : "it does not speak TLS 1.3, or refused to");
}

enum tern_err tls_read(struct tls_link *l, struct bytes *plain, size_t most, struct problem *p)
{
    int result;

    if (!tls_open(l)) {
        result = SSL_do_handshake(l->ssl);
        if (result != 1)
            return stand(l, result, p);
    }
    while (most) {
        const int piece = (int)(most < WRITE_PIECE ? most : WRITE_PIECE);
        uint8_t *room = bytes_reserve(plain, (size_t)piece);

        if (!room)
            return problem_set(p, TERN_ENOMEM, "no memory for what came");
        result = SSL_read(l->ssl, room, piece);
        if (result <= 0)
            return stand(l, result, p);
        plain->size += (size_t)result;
        most -= (size_t)result;
    }
    return TERN_OK;
}

enum tern_err tls_write(struct tls_link *l, struct view plain)
{
    check(tls_open(l));
    while (plain.size) {
        const int piece = (int)(plain.size < WRITE_PIECE ? plain.size : WRITE_PIECE);

        if (SSL_write(l->ssl, plain.data, piece) != piece) {
            ERR_clear_error();
            return TERN_EIO;
        }
        plain = view_of(plain.data + piece, plain.size - (size_t)piece);
    }
    return TERN_OK;
}

void tls_take(struct tls_link *l, struct bytes *cipher)
{
    const size_t size = BIO_ctrl_pending(l->out);
    uint8_t *room = size ? bytes_reserve(cipher, size) : NULL;

    if (room && BIO_read(l->out, room, (int)size) == (int)size)
        cipher->size += size;
}

void tls_end(struct tls_link *l)
{
    if (tls_open(l))
        SSL_shutdown(l->ssl);
    ERR_clear_error();
}
