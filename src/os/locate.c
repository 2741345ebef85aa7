#include "os/locate.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { NESTING_MAX = 200 }; /* of scopes and inlined functions */

/* "piece-3.c", with any path before it. */
static bool piece_of(const char *source, uint32_t *out)
{
    const char *slash = strrchr(source, '/');
    char rest[3];

    return sscanf(slash ? slash + 1 : source, "piece-%u%2s", out, rest) == 2 &&
           strcmp(rest, ".c") == 0;
}

struct search {
    const struct locate_order *order;
    uint64_t pc;
    struct translate_place *out;
};

static bool try_line(const struct search *s, const char *source, int line)
{
    const struct locate_order *o = s->order;
    uint32_t piece;

    if (!source || line <= 0 || !piece_of(source, &piece))
        return false;
    if (o->points)
        return translate_locate_continuation(o->module, &o->options, o->points, (uint32_t)line,
                                             s->out);
    return piece < translate_piece_count(o->module, &o->options) &&
           translate_locate(o->module, &o->options, piece, (uint32_t)line, s->out);
}

static bool number_of(Dwarf_Die *die, unsigned name, Dwarf_Word *out)
{
    Dwarf_Attribute attribute;

    return dwarf_attr(die, name, &attribute) && dwarf_formudata(&attribute, out) == 0;
}

/* Where an inlined function was called. */
static bool try_call(const struct search *s, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Word file, line;
    Dwarf_Files *files;
    size_t count;

    if (!number_of(inlined, DW_AT_call_file, &file) ||
        !number_of(inlined, DW_AT_call_line, &line) || line > INT_MAX)
        return false;
    if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return false;
    return try_line(s, dwarf_filesrc(files, file, NULL, NULL), (int)line);
}

/* Innermost first: an access in a header was inlined into the line of a piece. */
static bool try_calls(const struct search *s, Dwarf_Die *unit, Dwarf_Die *at, int depth)
{
    Dwarf_Die child;

    if (depth == 0 || dwarf_child(at, &child) != 0)
        return false;
    do {
        if (dwarf_haspc(&child, s->pc) != 1)
            continue;
        if (try_calls(s, unit, &child, depth - 1))
            return true;
        if (dwarf_tag(&child) == DW_TAG_inlined_subroutine && try_call(s, unit, &child))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

static bool try_unit(const struct search *s, Dwarf *dwarf, Dwarf_Off offset)
{
    Dwarf_Die unit;
    Dwarf_Line *line;
    int number = 0;

    if (!dwarf_offdie(dwarf, offset, &unit))
        return false;
    line = dwarf_getsrc_die(&unit, s->pc);
    if (!line)
        return false;
    if (dwarf_lineno(line, &number) == 0 && try_line(s, dwarf_linesrc(line, NULL, NULL), number))
        return true;
    return try_calls(s, &unit, &unit, NESTING_MAX);
}

bool locate_pc(const struct locate_order *order, uint64_t pc, struct translate_place *out)
{
    const struct search s = {.order = order, .pc = pc, .out = out};
    Dwarf *dwarf = dwarf_begin(order->object, DWARF_C_READ);
    Dwarf_Off at = 0, next;
    size_t header;
    bool found = false;

    if (!dwarf)
        return false;
    while (!found && dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL) == 0) {
        found = try_unit(&s, dwarf, at + header);
        at = next;
    }
    dwarf_end(dwarf);
    return found;
}
