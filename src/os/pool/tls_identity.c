#include "os/pool/tls_inner.h"

#include "os/dirs.h"
#include "os/file.h"
#include "os/sys.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>

#define KEY_NAME         "key.pem"
#define CERTIFICATE_NAME "certificate.pem"

enum { PEM_BYTES_MAX = 65536, DAYS = 36500 };

bool tls_pin_of(const X509 *certificate, uint8_t pin[ENDPOINT_PIN_BYTES])
{
    unsigned char *der = NULL;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    if (size <= 0)
        return false;
    SHA256(der, (size_t)size, pin);
    OPENSSL_free(der);
    return true;
}

void tls_identity_release(struct tls_identity *i)
{
    EVP_PKEY_free(i->key);
    X509_free(i->certificate);
    *i = (struct tls_identity){0};
}

/* Names and dates that nobody looks at; only the key counts. */
static bool self_sign(struct tls_identity *i)
{
    X509_NAME *name;

    i->certificate = X509_new();
    if (!i->certificate)
        return false;
    name = X509_get_subject_name(i->certificate);
    return X509_set_version(i->certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(i->certificate), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(i->certificate), -86400) &&
           X509_time_adj_ex(X509_getm_notAfter(i->certificate), DAYS, 0, NULL) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"tern", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(i->certificate, name) == 1 &&
           X509_set_pubkey(i->certificate, i->key) == 1 &&
           X509_sign(i->certificate, i->key, EVP_sha256()) > 0;
}

static enum tern_err write_pem(int dir, const char *name, BIO *pem)
{
    char *data;
    const long size = BIO_get_mem_data(pem, &data);

    return file_replace(dir, name, (struct view[]){view_of(data, (size_t)size)}, 1);
}

/* The certificate first: a key that is there means that both are. */
static enum tern_err keep(int dir, const struct tls_identity *i)
{
    BIO *key = BIO_new(BIO_s_mem()), *certificate = BIO_new(BIO_s_mem());
    enum tern_err err = TERN_ENOMEM;

    if (key && certificate &&
        PEM_write_bio_PrivateKey(key, i->key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(certificate, i->certificate) == 1) {
        err = write_pem(dir, CERTIFICATE_NAME, certificate);
        if (!err)
            err = write_pem(dir, KEY_NAME, key);
    }
    BIO_free(key);
    BIO_free(certificate);
    return err;
}

static enum tern_err read_pem(const char *state_dir, const char *name, BIO **out)
{
    char path[DIRS_PATH_MAX];
    struct bytes text = {0};
    enum tern_err err;

    snprintf(path, sizeof path, "%s/%s", state_dir, name);
    err = file_read(path, PEM_BYTES_MAX, &text);
    if (err)
        return err;
    *out = BIO_new(BIO_s_mem());
    if (!*out || BIO_write(*out, text.data, (int)text.size) != (int)text.size)
        err = TERN_ENOMEM;
    bytes_release(&text);
    return err;
}

/* TERN_ENOENT: there is none yet. */
static enum tern_err load(const char *state_dir, struct tls_identity *i)
{
    BIO *key = NULL, *certificate = NULL;
    enum tern_err err = read_pem(state_dir, KEY_NAME, &key);

    if (!err && read_pem(state_dir, CERTIFICATE_NAME, &certificate))
        err = TERN_ECORRUPT;
    if (!err) {
        i->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
        i->certificate = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
        if (!i->key || !i->certificate || X509_check_private_key(i->certificate, i->key) != 1)
            err = TERN_ECORRUPT;
    }
    BIO_free(key);
    BIO_free(certificate);
    return err;
}

static enum tern_err make(const char *state_dir, struct tls_identity *i, struct problem *p)
{
    int dir = -1;
    enum tern_err err = dirs_open_private(state_dir, &dir, p);

    if (err)
        return err;
    i->key = EVP_EC_gen("P-256");
    if (!i->key || !self_sign(i))
        err = problem_set(p, TERN_ESYSTEM, "cannot make a key for TLS in %s", state_dir);
    else if ((err = keep(dir, i)) != TERN_OK)
        err =
            problem_set(p, err, "cannot write %s/" KEY_NAME ": %s", state_dir, tern_err_text(err));
    sys_close(dir);
    return err;
}

enum tern_err tls_identity_open(const char *state_dir, struct tls_identity *out, struct problem *p)
{
    struct tls_identity i = {0};
    enum tern_err err = load(state_dir, &i);

    if (err == TERN_ENOENT)
        err = make(state_dir, &i, p);
    else if (err)
        err = problem_set(p, err,
                          "%s/" KEY_NAME " or " CERTIFICATE_NAME " there cannot be used (%s); "
                          "remove both to have new ones: whoever knows the old pin needs the new",
                          state_dir, tern_err_text(err));
    if (err)
        tls_identity_release(&i);
    else
        *out = i;
    return err;
}
