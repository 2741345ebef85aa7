/* json - reads a text into a tree and adds it up: recursion, characters, many small blocks. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NOTHING, TRUTH, NUMBER, TEXT, LIST, OBJECT };

struct value {
    enum kind kind;
    double number;
    char *text;
    char *name;          /* as a member of an object */
    struct value *first; /* of a list or object */
    struct value *next;
};

struct reader {
    const char *at;
    bool bad;
};

static struct value *read_value(struct reader *r);

static void skip_space(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t')
        r->at++;
}

static struct value *new_value(enum kind kind)
{
    struct value *v = calloc(1, sizeof *v);

    if (!v)
        exit(1);
    v->kind = kind;
    return v;
}

static char *read_text(struct reader *r)
{
    const char *end = r->at + 1;
    char *text, *out;

    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    out = text = malloc((size_t)(end - r->at));
    if (!text)
        exit(1);
    for (const char *p = r->at + 1; p < end; p++) {
        if (*p == '\\')
            p++;
        *out++ = *p;
    }
    *out = 0;
    r->bad |= *end != '"';
    r->at = *end ? end + 1 : end;
    return text;
}

static double read_number(struct reader *r)
{
    double number = 0, scale = 1;
    bool negative = *r->at == '-';

    r->at += negative;
    while (*r->at >= '0' && *r->at <= '9')
        number = number * 10 + (*r->at++ - '0');
    if (*r->at == '.')
        for (r->at++; *r->at >= '0' && *r->at <= '9'; r->at++)
            number += (*r->at - '0') * (scale /= 10);
    return negative ? -number : number;
}

static struct value *read_members(struct reader *r, enum kind kind, char close)
{
    struct value *v = new_value(kind), **last = &v->first;

    r->at++;
    skip_space(r);
    while (*r->at != close && !r->bad) {
        char *name = NULL;

        if (kind == OBJECT) {
            name = read_text(r);
            skip_space(r);
            r->bad |= *r->at != ':';
            r->at++;
        }
        *last = read_value(r);
        (*last)->name = name;
        last = &(*last)->next;
        skip_space(r);
        if (*r->at == ',') {
            r->at++;
            skip_space(r);
        } else {
            r->bad |= *r->at != close;
        }
    }
    r->at++;
    return v;
}

static struct value *read_word(struct reader *r)
{
    static const char *const words[] = {"null", "true", "false"};

    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);

        if (strncmp(r->at, words[i], length) == 0) {
            struct value *v = new_value(i == 0 ? NOTHING : TRUTH);

            v->number = i == 1;
            r->at += length;
            return v;
        }
    }
    r->bad = true;
    return new_value(NOTHING);
}

static struct value *read_value(struct reader *r)
{
    struct value *v;

    skip_space(r);
    switch (*r->at) {
    case '{': return read_members(r, OBJECT, '}');
    case '[': return read_members(r, LIST, ']');
    case '"':
        v = new_value(TEXT);
        v->text = read_text(r);
        return v;
    case 't':
    case 'f':
    case 'n': return read_word(r);
    default:
        v = new_value(NUMBER);
        v->number = read_number(r);
        return v;
    }
}

struct totals {
    double sum;
    long count[OBJECT + 1];
    uint32_t hash;
};

static void add_up(const struct value *v, struct totals *t)
{
    t->count[v->kind]++;
    t->sum += v->number;
    for (const char *p = v->name ? v->name : ""; *p; p++)
        t->hash = t->hash * 31 + (uint8_t)*p;
    for (const char *p = v->text ? v->text : ""; *p; p++)
        t->hash = t->hash * 31 + (uint8_t)*p;
    for (const struct value *m = v->first; m; m = m->next)
        add_up(m, t);
}

static void release(struct value *v)
{
    while (v) {
        struct value *next = v->next;

        release(v->first);
        free(v->text);
        free(v->name);
        free(v);
        v = next;
    }
}

static char *write_birds(int birds)
{
    size_t room = (size_t)birds * 160 + 16;
    char *text = malloc(room), *out = text;

    if (!text)
        exit(1);
    *out++ = '[';
    for (int i = 0; i < birds; i++)
        out += snprintf(out, room - (size_t)(out - text),
                        "%s\n {\"id\": %d, \"name\": \"tern \\\"%d\\\"\", \"at\": [%d.%d, -%d.25], "
                        "\"ringed\": %s, \"mate\": null, \"seen\": {\"year\": %d}}",
                        i ? "," : "", i, i * 7919, i % 90, i % 10, i % 180,
                        i % 3 ? "true" : "false", 1990 + i % 30);
    strcpy(out, "\n]\n");
    return text;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    char *text = write_birds(20000);
    struct totals t = {0};

    for (int i = 0; i < rounds; i++) {
        struct reader r = {.at = text};
        struct value *v = read_value(&r);

        if (r.bad)
            return 1;
        add_up(v, &t);
        release(v);
    }
    printf("json %d: %ld objects, %ld lists, %ld texts, %ld numbers, sum %.3f, hash %08x\n", rounds,
           t.count[OBJECT], t.count[LIST], t.count[TEXT], t.count[NUMBER], t.sum, t.hash);
    free(text);
    return 0;
}
