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
    free(m->index);
    *m = (struct map_items){0};
}

static bool make_room(struct map_items *m)
{
    const size_t capacity = m->capacity ? 2 * m->capacity : 1024;
    char **item = realloc(m->item, capacity * sizeof *item);
    uint64_t *index;

    if (!item)
        return false;
    m->item = item;
    index = realloc(m->index, capacity * sizeof *index);
    if (!index)
        return false;
    m->index = index;
    m->capacity = capacity;
    return true;
}

static bool add(struct map_items *m, const char *text, size_t size)
{
    if (m->count == m->capacity && !make_room(m))
        return false;
    m->index[m->count] = m->count;
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

/* A line that --failed wrote: the item's index, a tab, the item. */
static bool add_again(struct map_items *m, const char *line, size_t size)
{
    char *tab;
    uint64_t index;

    errno = 0;
    index = strtoull(line, &tab, 10);
    if (*line < '0' || *line > '9' || *tab != '\t' || errno) {
        say("map: line %zu of what --retry names is none that --failed wrote; a plain list of "
            "items "
            "is for --each",
            m->count + 1);
        return false;
    }
    tab++;
    if (!add_checked(m, tab, size - (size_t)(tab - line)))
        return false;
    m->index[m->count - 1] = index;
    return true;
}

typedef bool add_line(struct map_items *m, const char *line, size_t size);

static bool take_lines(struct map_items *m, FILE *from, const char *name, add_line *each)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool fine = true;

    while (fine && (size = getline(&line, &room, from)) >= 0) {
        if (size && line[size - 1] == '\n')
            line[--size] = 0;
        if (size) /* an empty line is no item */
            fine = each(m, line, (size_t)size);
    }
    if (fine && ferror(from)) {
        say("map: cannot read %s: %s", name, strerror(errno));
        fine = false;
    }
    free(line);
    return fine;
}

static bool take_file(struct map_items *m, const char *path, add_line *each)
{
    FILE *f = fopen(path, "re");
    bool fine;

    if (!f) {
        say("map: cannot read %s: %s", path, strerror(errno));
        return false;
    }
    fine = take_lines(m, f, path, each);
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
        fine = take_lines(out, stdin, "standard input", add_checked);
    else
        fine = each ? take_file(out, each, add_checked) : take_file(out, retry, add_again);
    if (fine && !out->count) {
        say("map: there are no items");
        fine = false;
    }
    return fine;
}
