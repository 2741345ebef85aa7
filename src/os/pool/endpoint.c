#include "os/pool/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_pin(const char *text, uint8_t pin[ENDPOINT_PIN_BYTES])
{
    if (strlen(text) != 2 * (size_t)ENDPOINT_PIN_BYTES)
        return false;
    for (size_t i = 0; i < ENDPOINT_PIN_BYTES; i++) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        pin[i] = (uint8_t)(16 * high + low);
    }
    return true;
}

static bool parse_port(const char *text, char port[8])
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (!*text || *text == '-' || *text == '+' || *end || n > 65535)
        return false;
    snprintf(port, 8, "%lu", n);
    return true;
}

/* "host:port", "[v6]:port"; without a port the usual one. */
static bool parse_host(char *text, struct endpoint *e)
{
    char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

    snprintf(e->port, sizeof e->port, "%d", ENDPOINT_PORT);
    if (*text == '[') {
        if (!bracket || (bracket[1] && bracket[1] != ':'))
            return false;
        if (bracket[1] && !parse_port(bracket + 2, e->port))
            return false;
        *bracket = 0;
        text++;
    } else if (colon) {
        if (strchr(text, ':') != colon || !parse_port(colon + 1, e->port))
            return false;
        *colon = 0;
    }
    snprintf(e->path, sizeof e->path, "%s", text);
    return *text != 0;
}

static enum tern_err parse_unix(const char *path, struct endpoint *e, struct problem *p)
{
    const size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;

    if (*path != '/')
        return problem_set(p, TERN_EUSAGE, "'unix:%s': the path of a socket begins with '/'", path);
    if (strlen(path) > most)
        return problem_set(p, TERN_EUSAGE,
                           "%s: the path of a socket may have %zu bytes; choose a shorter one",
                           path, most);
    e->unix_socket = true;
    snprintf(e->path, sizeof e->path, "%s", path);
    return TERN_OK;
}

enum tern_err endpoint_parse(const char *text, struct endpoint *out, struct problem *p)
{
    struct endpoint e = {0};
    char copy[LIMIT_ENDPOINT + 1];
    char *pin;

    if (strlen(text) > LIMIT_ENDPOINT)
        return problem_set(p, TERN_EUSAGE, "an endpoint has at most %d bytes", LIMIT_ENDPOINT);
    if (*text == '/' || strncmp(text, "unix:", 5) == 0) {
        enum tern_err err = parse_unix(*text == '/' ? text : text + 5, &e, p);

        if (!err)
            *out = e;
        return err;
    }
    snprintf(copy, sizeof copy, "%s", strncmp(text, "tcp:", 4) == 0 ? text + 4 : text);
    pin = strchr(copy, '#');
    if (pin)
        *pin++ = 0;
    if ((pin && !parse_pin(pin, e.pin)) || !parse_host(copy, &e))
        return problem_set(p, TERN_EUSAGE,
                           "'%s' is no endpoint; examples: unix:/run/tern/agent, tcp:host:%d, "
                           "tcp:host:%d#PIN (64 hexadecimal digits)",
                           text, ENDPOINT_PORT, ENDPOINT_PORT);
    e.pinned = pin != NULL;
    *out = e;
    return TERN_OK;
}

void endpoint_hex(const uint8_t pin[ENDPOINT_PIN_BYTES], char out[2 * ENDPOINT_PIN_BYTES + 1])
{
    for (size_t i = 0; i < ENDPOINT_PIN_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", pin[i]);
}

void endpoint_text(const struct endpoint *e, bool with_pin, char out[LIMIT_ENDPOINT + 1])
{
    char pin[2 * ENDPOINT_PIN_BYTES + 2] = "#";
    const bool v6 = strchr(e->path, ':') != NULL;

    endpoint_hex(e->pin, pin + 1);
    if (e->unix_socket)
        snprintf(out, LIMIT_ENDPOINT + 1, "unix:%.*s", LIMIT_ENDPOINT - 5, e->path);
    else
        snprintf(out, LIMIT_ENDPOINT + 1, "tcp:%s%.*s%s:%s%s", v6 ? "[" : "", 160, e->path,
                 v6 ? "]" : "", e->port, with_pin && e->pinned ? pin : "");
}
