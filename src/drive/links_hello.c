#include "drive/links_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void hello_send(struct links *l, struct conn *c)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Hello hello = TERN__HELLO__INIT;
    char *name = (char *)l->config.name; /* protobuf-c's texts are not const; nobody writes */

    hello.version_least = LINKS_VERSION_LEAST;
    hello.version_most = LINKS_VERSION_MOST;
    hello.part = l->config.part;
    if (name)
        hello.name = name;
    if (c->dialled && !c->peer.local && l->config.token)
        hello.token =
            (ProtobufCBinaryData){.len = LINKS_TOKEN_BYTES, .data = (uint8_t *)l->config.token};
    if (l->config.hello)
        l->config.hello(l->config.context, c->id, &hello);
    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = &hello;
    conn_send(l, c, &e, (struct view){0});
}

void hello_open(struct links *l, struct conn *c)
{
    if (c->peer.local || c->peer.authentic)
        hello_send(l, c);
    else
        conn_end(l, c, TERN_EUNSAFE,
                 "nothing proves that %s is who it should be; name its key with the endpoint",
                 c->text);
}

__attribute__((format(__printf__, 4, 5))) static void
refuse(struct links *l, struct conn *c, enum tern_err err, const char *format, ...)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Refused refused = TERN__REFUSED__INIT;
    char text[LINK_WHY_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    refused.error = err;
    refused.text = text;
    e.body_case = TERN__ENVELOPE__BODY_REFUSED;
    e.refused = &refused;
    conn_send(l, c, &e, (struct view){0});
    conn_end(l, c, err, "refused %s: %s", c->text, text);
}

static bool name_good(const char *name)
{
    return strlen(name) <= LIMIT_NAME &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               strlen(name);
}

static bool needs_name(Tern__Part part)
{
    return part == TERN__PART__PART_NODE || part == TERN__PART__PART_DEPOT;
}

/* Takes the same time wherever they differ. */
static bool token_equal(const struct links *l, const Tern__Hello *hello)
{
    unsigned differ = 0;

    if (!l->config.token || hello->token.len != LINKS_TOKEN_BYTES)
        return false;
    for (size_t i = 0; i < LINKS_TOKEN_BYTES; i++)
        differ |= (unsigned)l->config.token[i] ^ hello->token.data[i];
    return differ == 0;
}

/* False: it was refused. */
static bool version_agreed(struct links *l, struct conn *c, const Tern__Hello *hello)
{
    if (hello->version_least <= LINKS_VERSION_MOST && hello->version_most >= LINKS_VERSION_LEAST)
        return true;
    refuse(l, c, TERN_EPROTO,
           "the other side speaks versions %u to %u of the protocol, this one %d to %d; use the "
           "same release of tern on both",
           (unsigned)hello->version_least, (unsigned)hello->version_most, LINKS_VERSION_LEAST,
           LINKS_VERSION_MOST);
    return false;
}

static const char *part_text(Tern__Part part)
{
    switch ((int)part) {
    case TERN__PART__PART_CLIENT: return "a client";
    case TERN__PART__PART_AGENT: return "an agent";
    case TERN__PART__PART_NODE: return "a node";
    case TERN__PART__PART_DEPOT: return "a depot";
    case TERN__PART__PART_SLOT: return "a slot";
    default: return "a part of an unknown kind";
    }
}

/* One who dialled us: may it take part? False: it was refused. */
static bool dialler_good(struct links *l, struct conn *c, const Tern__Hello *hello)
{
    const char *us = part_text(l->config.part), *it = part_text(hello->part);

    if (!version_agreed(l, c, hello))
        return false;
    if ((unsigned)hello->part >= 32 || !(l->config.welcome & 1u << hello->part))
        refuse(l, c, TERN_EACCES, "this is %s, which takes no connections from %s", us, it);
    else if (!c->peer.local && !token_equal(l, hello))
        refuse(l, c, TERN_EACCES,
               hello->token.len ? "the token is not that of this pool; copy the pool's token file"
                                : "from another machine a token is needed; copy the pool's token "
                                  "file and name it");
    else if (c->peer.stranger && hello->part != TERN__PART__PART_CLIENT)
        refuse(l, c, TERN_EACCES,
               "%s belongs to the user who runs this pool; %s may only be a client", it,
               c->peer.owner ? c->peer.owner : "another user");
    else if (!name_good(hello->name) || (needs_name(hello->part) && !*hello->name))
        refuse(l, c, TERN_EPROTO, "the name of %s is 1 to %d letters, digits and any of . _ -", it,
               LIMIT_NAME);
    else
        return true;
    return false;
}

/* Whom the sender is taken for: the kernel knows; between machines the token vouches for it. */
static const char *owner_of(const struct conn *c, const Tern__Hello *hello)
{
    if (c->peer.local)
        return c->owner;
    return *hello->owner && name_good(hello->owner) ? hello->owner : "pool";
}

static void come_up(struct links *l, struct conn *c, const Tern__Hello *hello)
{
    c->up = true;
    c->up_ns = c->heard_ns = links_time(l);
    if (!c->dialled)
        conn_move(l, c, CONN_QUIET);
    keep_up(l, c);
    l->config.up(l->config.context, c->id, hello, owner_of(c, hello));
}

static void take_refusal(struct links *l, struct conn *c, const Tern__Refused *refused)
{
    struct bytes shown = {0};
    const char *text;

    bytes_append_shown(&shown, view_of_string(refused->text));
    text = bytes_text(&shown);
    c->refused = true;
    conn_end(l, c, refused->error ? (enum tern_err)refused->error : TERN_EACCES,
             "%s refuses: %.400s", c->text, text ? text : "");
    bytes_release(&shown);
}

void hello_take(struct links *l, struct conn *c, const Tern__Envelope *e)
{
    if (c->dialled && e->body_case == TERN__ENVELOPE__BODY_REFUSED) {
        take_refusal(l, c, e->refused);
    } else if (e->body_case != TERN__ENVELOPE__BODY_HELLO) {
        conn_end(l, c, TERN_EPROTO, "%s does not begin with Hello: no part of a pool", c->text);
    } else if (c->dialled) {
        if (version_agreed(l, c, e->hello))
            come_up(l, c, e->hello);
    } else if (dialler_good(l, c, e->hello)) {
        if (!l->config.hello_later)
            hello_send(l, c);
        if (c->list != CONN_GONE)
            come_up(l, c, e->hello);
    }
}
