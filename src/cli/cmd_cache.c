#include "cli/commands.h"
#include "cli/say.h"
#include "cli/say_json.h"
#include "cli/units.h"

#include "os/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct listing {
    char path[DIRS_PATH_MAX];
    struct cache cache;
    struct cache_entry *entry;
    size_t count;
    uint64_t total_bytes;
};

static bool open_listing(const struct invocation *in, struct listing *l)
{
    const struct settings *s = in->settings;
    struct problem p = {0};
    enum tern_err err;

    *l = (struct listing){.cache = {.dir = -1}};
    err = dirs_cache_path(s->cache_dir, s->cache_home, s->home, l->path, &p);
    if (!err)
        err = cache_open(&l->cache, l->path, 0, &p);
    if (err) {
        say("%s: %s", in->command->name, p.text);
        return false;
    }
    err = cache_list(&l->cache, &l->entry, &l->count);
    if (err) {
        say("%s: cannot list %s: %s", in->command->name, l->path, tern_err_text(err));
        cache_close(&l->cache);
        return false;
    }
    for (size_t i = 0; i < l->count; i++)
        l->total_bytes += l->entry[i].size_bytes;
    return true;
}

static void close_listing(struct listing *l)
{
    free(l->entry);
    cache_close(&l->cache);
}

static void when(int64_t used_ns, char out[32])
{
    time_t seconds = (time_t)(used_ns / 1000000000);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm))
        out[0] = 0;
}

static void show_text(const struct listing *l, uint64_t size_max)
{
    char size[UNITS_TEXT_BYTES], most[UNITS_TEXT_BYTES], used[32];

    printf("%s: %zu compiled module%s, %s of at most %s\n", l->path, l->count,
           l->count == 1 ? "" : "s", units_show_size(l->total_bytes, size),
           units_show_size(size_max, most));
    if (l->count)
        printf("\n%-16s  %10s  %s\n", "OBJECT", "SIZE", "LAST USED");
    for (size_t i = 0; i < l->count; i++) {
        when(l->entry[i].used_ns, used);
        printf("%.16s  %10s  %s\n", l->entry[i].name, units_show_size(l->entry[i].size_bytes, size),
               used);
    }
}

static void show_json(const struct listing *l, uint64_t size_max)
{
    json_t *objects = json_array();
    json_t *all;

    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(objects, json_pack("{s:s, s:I, s:f}", "key", l->entry[i].name,
                                                 "size_bytes", (json_int_t)l->entry[i].size_bytes,
                                                 "last_used", (double)l->entry[i].used_ns / 1e9));
    all = json_pack("{s:s, s:I, s:I, s:o}", "directory", l->path, "size_bytes",
                    (json_int_t)l->total_bytes, "size_bytes_max", (json_int_t)size_max, "objects",
                    objects);
    say_json_take(all);
}

int cmd_cache_show(const struct invocation *in)
{
    struct listing l;

    if (!open_listing(in, &l))
        return CLI_FAILED;
    if (invocation_value(in, "json"))
        show_json(&l, in->settings->cache_bytes_max);
    else
        show_text(&l, in->settings->cache_bytes_max);
    close_listing(&l);
    return say_end_of_output(0);
}

int cmd_cache_prune(const struct invocation *in)
{
    const char *wanted = invocation_value(in, "max-size");
    uint64_t size_max = in->settings->cache_bytes_max, removed_bytes;
    char size[UNITS_TEXT_BYTES];
    struct listing l;
    size_t removed;
    enum tern_err err;

    if (wanted && !units_size(wanted, &size_max)) {
        say("cache prune: --max-size '%s' is not a size; examples: 0, 500M, 2G", wanted);
        return CLI_USAGE;
    }
    if (invocation_value(in, "all"))
        size_max = 0;
    if (!open_listing(in, &l))
        return CLI_FAILED;
    err = cache_prune(&l.cache, size_max, &removed, &removed_bytes);
    if (err)
        say("cache prune: cannot clean up %s: %s", l.path, tern_err_text(err));
    else
        printf("removed %zu of %zu compiled modules, %s\n", removed, l.count,
               units_show_size(removed_bytes, size));
    close_listing(&l);
    return err ? CLI_FAILED : say_end_of_output(0);
}
