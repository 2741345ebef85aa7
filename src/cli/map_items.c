#include "cli/map_items.h"

#include "cli/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void map_items_release(struct map_items *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->item[i]);
    free(m->item);
    *m = (struct map_items){0};
}

static bool add(struct map_items *m, const char *text, size_t size)
{
    if (m->count == m->capacity) {
        const size_t capacity = m->capacity ? 2 * m->capacity : 1024;
        char **item = realloc(m->item, capacity * sizeof *item);

        if (!item)
            return false;
        m->item = item;
        m->capacity = capacity;
    }
    m->item[m->count] = strndup(text, size);
    return m->item[m->count] && ++m->count;
}

/* False, and says why. */
static bool add_checked(struct map_items *m, const char *text, size_t size)
{
    if (m->count == MAP_ITEMS_MAX)
        say("map: more than %d items; split them", MAP_ITEMS_MAX);
    else if (size > MAP_ITEM_BYTES)
        say("map: item %zu has %zu bytes; at most %d can be", m->count + 1, size, MAP_ITEM_BYTES);
    else if (memchr(text, 0, size))
        say("map: item %zu has a zero byte in it", m->count + 1);
    else if (add(m, text, size))
        return true;
    else
        say("map: out of memory");
    return false;
}

static bool take_lines(struct map_items *m, FILE *from, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool fine = true;

    while (fine && (size = getline(&line, &room, from)) >= 0) {
        if (size && line[size - 1] == '\n')
            size--;
        if (size) /* an empty line is no item */
            fine = add_checked(m, line, (size_t)size);
    }
    if (fine && ferror(from)) {
        say("map: cannot read %s: %s", name, strerror(errno));
        fine = false;
    }
    free(line);
    return fine;
}

static bool take_file(struct map_items *m, const char *path)
{
    FILE *f = fopen(path, "re");
    bool fine;

    if (!f) {
        say("map: cannot read %s: %s", path, strerror(errno));
        return false;
    }
    fine = take_lines(m, f, path);
    fclose(f);
    return fine;
}

static bool take_range(struct map_items *m, const char *text)
{
    long long from, to;
    char *end, item[32];
    bool fine = true;

    errno = 0;
    from = strtoll(text, &end, 10);
    fine = end != text && strncmp(end, "..", 2) == 0 && end[2];
    to = fine ? strtoll(end + 2, &end, 10) : 0;
    if (!fine || *end || errno || from > to) {
        say("map: --range '%s' should be like 1..1000", text);
        return false;
    }
    for (long long i = from; i <= to && fine; i++)
        fine = add_checked(m, item, (size_t)snprintf(item, sizeof item, "%lld", i));
    return fine;
}

bool map_items_take(const struct invocation *in, struct map_items *out)
{
    const char *each = invocation_value(in, "each"), *retry = invocation_value(in, "retry"),
               *range = invocation_value(in, "range"), *standard = invocation_value(in, "stdin");
    const int ways = (each != NULL) + (retry != NULL) + (range != NULL) + (standard != NULL);
    bool fine;

    if (ways != 1) {
        say("map: items come from one of --each FILE, --range A..B, --stdin and --retry FILE");
        return false;
    }
    if (range)
        fine = take_range(out, range);
    else if (standard)
        fine = take_lines(out, stdin, "standard input");
    else
        fine = take_file(out, each ? each : retry);
    if (fine && !out->count) {
        say("map: there are no items");
        fine = false;
    }
    return fine;
}
