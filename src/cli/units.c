#include "cli/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit sizes[] = {
    {"", 1},         {"B", 1},       {"K", 0x1p10},   {"KB", 0x1p10},  {"KiB", 0x1p10},
    {"M", 0x1p20},   {"MB", 0x1p20}, {"MiB", 0x1p20}, {"G", 0x1p30},   {"GB", 0x1p30},
    {"GiB", 0x1p30}, {"T", 0x1p40},  {"TB", 0x1p40},  {"TiB", 0x1p40},
};

static const struct unit times[] = {
    {"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
    {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9},
};

static bool parse(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
    char *end;
    double value;

    if (*text < '0' || *text > '9') /* strtod also takes signs, blanks, "inf" */
        return false;
    value = strtod(text, &end);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(end, units[i].name) != 0)
            continue;
        value = round(value * units[i].factor);
        if (!(value < 0x1p63))
            return false;
        *out = (uint64_t)value;
        return true;
    }
    return false;
}

bool units_size(const char *text, uint64_t *out)
{
    return parse(text, sizes, sizeof sizes / sizeof *sizes, out);
}

bool units_time(const char *text, uint64_t *out)
{
    return parse(text, times, sizeof times / sizeof *times, out);
}

const char *units_show_size(uint64_t bytes, char out[UNITS_TEXT_BYTES])
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t i = 0;

    if (bytes < 1024) {
        snprintf(out, UNITS_TEXT_BYTES, "%u B", (unsigned)bytes);
        return out;
    }
    for (; value >= 1000 && i + 1 < sizeof names / sizeof *names; i++)
        value /= 1024;
    snprintf(out, UNITS_TEXT_BYTES, value < 10 ? "%.1f %s" : "%.0f %s", value, names[i]);
    return out;
}
