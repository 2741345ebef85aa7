/*
 * Domains as directories. Their names come from strangers: only a to z, 0 to 9, '_' and '-' stand
 * for themselves, each other byte is written as %XX, and a 'd' in front keeps "" and ".." away.
 */
#include "os/pool/chunks_inner.h"

#include "base/check.h"
#include "os/file.h"
#include "os/sys.h"
#include "store/store_inner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, PACKS_OF_SPACE = 16, PACK_LEAST = 1 << 20, PACK_MOST = 64 << 20 };

/* ---- Names ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool domains_encode(const char *domain, char out[CHUNKS_DOMAIN_BYTES])
{
    size_t at = 1;

    out[0] = 'd';
    for (; *domain; domain++) {
        if (at + 4 > CHUNKS_DOMAIN_BYTES)
            return false;
        if (is_plain(*domain))
            out[at++] = *domain;
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned)(uint8_t)*domain);
    }
    out[at] = 0;
    return true;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool domains_decode(const char *file, char out[CHUNKS_DOMAIN_BYTES])
{
    const char *all = file;
    char again[CHUNKS_DOMAIN_BYTES];
    size_t at = 0;

    if (*file++ != 'd')
        return false;
    for (; *file && at + 1 < CHUNKS_DOMAIN_BYTES; file++) {
        if (*file == '%' && digit(file[1]) >= 0 && digit(file[2]) >= 0) {
            out[at++] = (char)(digit(file[1]) * 16 + digit(file[2]));
            file += 2;
        } else {
            out[at++] = *file;
        }
    }
    out[at] = 0;
    /* Only what we would have written ourselves. */
    return domains_encode(out, again) && strcmp(again, all) == 0;
}

/* ---- Stores ---- */

static void tell_aside(const struct chunks_store *cs, const char *why)
{
    struct problem p;

    problem_set(&p, TERN_ECORRUPT, "%s; it was set aside, and is begun anew", why);
    if (cs->config.told)
        cs->config.told(cs->config.context, p.text);
}

static struct store_setup setup_of(const struct chunks_store *cs)
{
    struct store_setup setup = store_setup_default();
    uint64_t pack = cs->config.space_bytes / PACKS_OF_SPACE;

    pack = pack < PACK_LEAST ? PACK_LEAST : pack;
    if (cs->config.space_bytes)
        setup.limits.pack_bytes = pack > PACK_MOST ? PACK_MOST : pack;
    return setup;
}

static int set_aside(const struct chunks_store *cs, const char *path, const char *file)
{
    char aside[PATH_BYTES];

    snprintf(aside, sizeof aside, "%s/damaged-%s", cs->path, file);
    file_remove_tree(aside);
    return rename(path, aside);
}

static enum tern_err open_store(const struct chunks_store *cs, const char *file, struct store **out,
                                struct problem *p)
{
    const struct store_setup setup = setup_of(cs);
    char path[PATH_BYTES];
    struct problem why = {0};
    enum tern_err err;

    snprintf(path, sizeof path, "%s/domains/%s", cs->path, file);
    err = store_open_with(path, STORE_CREATE, &setup, out, &why);
    if (err == TERN_ECORRUPT && cs->config.heal && set_aside(cs, path, file) == 0) {
        tell_aside(cs, why.text);
        err = store_open_with(path, STORE_CREATE, &setup, out, &why);
    }
    if (err && p)
        *p = why;
    return err;
}

static enum tern_err add(struct chunks_store *cs, const char *name, const char *file,
                         struct problem *p)
{
    struct domain d = {0};
    enum tern_err err;

    if (cs->count == CHUNKS_DOMAINS_MAX)
        return problem_set(p, TERN_ENOSPACE, "there is no room for another domain: %d are the most",
                           CHUNKS_DOMAINS_MAX);
    if (cs->count == cs->capacity) {
        const size_t wanted = cs->capacity ? 2 * cs->capacity : 8;
        struct domain *grown = realloc(cs->domain, wanted * sizeof *grown);

        if (!grown)
            return problem_set(p, TERN_ENOMEM, "out of memory");
        cs->domain = grown;
        cs->capacity = wanted;
    }
    d.name = strdup(name);
    err = d.name ? open_store(cs, file, &d.store, p) : TERN_ENOMEM;
    if (err) {
        free(d.name);
        return err;
    }
    store_pins(d.store, cs->stamp, cs->oldest);
    cs->last = cs->count;
    cs->domain[cs->count++] = d;
    return TERN_OK;
}

struct store *domains_find(struct chunks_store *cs, const char *domain)
{
    if (cs->last < cs->count && strcmp(cs->domain[cs->last].name, domain) == 0)
        return cs->domain[cs->last].store;
    for (size_t i = 0; i < cs->count; i++)
        if (strcmp(cs->domain[i].name, domain) == 0)
            return cs->domain[cs->last = i].store;
    return NULL;
}

enum tern_err chunks_store_of(struct chunks_store *cs, const char *domain, struct store **out,
                              struct problem *p)
{
    struct store *s = domains_find(cs, domain);
    char file[CHUNKS_DOMAIN_BYTES];
    enum tern_err err;

    if (!s) {
        if (!domains_encode(domain, file))
            return problem_set(p, TERN_ETOOBIG, "the name of the domain is too long");
        err = add(cs, domain, file, p);
        if (err)
            return err;
        s = cs->domain[cs->last].store;
    }
    *out = s;
    return TERN_OK;
}

enum tern_err domains_open_all(struct chunks_store *cs, struct problem *p)
{
    char path[PATH_BYTES];
    enum tern_err err = TERN_OK;
    struct dirent *e;
    DIR *d;
    int made;

    snprintf(path, sizeof path, "%s/domains", cs->path);
    made = sys_mkdir(path, 0700);
    d = made < 0 && made != -EEXIST ? NULL : opendir(path);
    if (!d)
        return problem_set(p, TERN_EIO, "cannot open %s: %s", path, strerror(errno));
    while (!err && (e = readdir(d))) {
        char name[CHUNKS_DOMAIN_BYTES];

        if (e->d_name[0] != '.' && domains_decode(e->d_name, name))
            err = add(cs, name, e->d_name, p);
    }
    closedir(d);
    return err;
}

void domains_close_all(struct chunks_store *cs)
{
    for (size_t i = 0; i < cs->count; i++) {
        (void)store_flush(cs->domain[i].store, NULL);
        store_close(cs->domain[i].store);
        free(cs->domain[i].name);
    }
    free(cs->domain);
    cs->domain = NULL;
    cs->count = cs->capacity = 0;
}
