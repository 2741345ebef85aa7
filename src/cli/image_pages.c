#include "cli/image_pages.h"

#include <string.h>

static const uint8_t zero_name[IMAGE_HASH_BYTES];

static const uint8_t *name_at(struct view names, size_t page)
{
    return page < names.size / IMAGE_HASH_BYTES ? names.data + page * IMAGE_HASH_BYTES : zero_name;
}

static bool is_used(struct view names, size_t page)
{
    return memcmp(name_at(names, page), zero_name, IMAGE_HASH_BYTES) != 0;
}

size_t page_range_count(const struct bytes *ranges)
{
    return ranges->size / sizeof(struct page_range);
}

struct page_range page_range_at(const struct bytes *ranges, size_t i)
{
    struct page_range range;

    memcpy(&range, ranges->data + i * sizeof range, sizeof range);
    return range;
}

/* Pages come in order: one that follows the last range makes it longer. */
static void add_page(struct bytes *ranges, size_t first, size_t pages)
{
    const size_t count = page_range_count(ranges);
    struct page_range range = {.first = first};

    if (count) {
        range = page_range_at(ranges, count - 1);
        if (range.first + range.count == first)
            ranges->size -= sizeof range;
        else
            range = (struct page_range){.first = first};
    }
    range.count += pages;
    bytes_append(ranges, &range, sizeof range);
}

size_t pages_used(struct view names, struct bytes *ranges)
{
    size_t used = 0;

    for (size_t i = 0; i < names.size / IMAGE_HASH_BYTES; i++) {
        if (!is_used(names, i))
            continue;
        add_page(ranges, i, 1);
        used++;
    }
    return used;
}

void pages_used_lists(struct view names, struct bytes *ranges)
{
    const size_t pages = names.size / IMAGE_HASH_BYTES;

    for (size_t at = 0; at < pages; at += IMAGE_LIST_PAGES) {
        const size_t rest = pages - at;
        const size_t count = rest < IMAGE_LIST_PAGES ? rest : IMAGE_LIST_PAGES;
        bool any = false;

        for (size_t i = at; i < at + count && !any; i++)
            any = is_used(names, i);
        if (any)
            add_page(ranges, at, count);
    }
}

static enum page_fate fate_of(struct view before, struct view after, size_t page)
{
    const bool was = is_used(before, page), is = is_used(after, page);

    if (!was && !is)
        return PAGE_EMPTY;
    if (!was)
        return PAGE_NEW;
    if (!is)
        return PAGE_ZEROED;
    return memcmp(name_at(before, page), name_at(after, page), IMAGE_HASH_BYTES) == 0
               ? PAGE_SAME
               : PAGE_CHANGED;
}

void pages_compare(struct view before, struct view after, struct page_changes *out)
{
    const size_t bytes = before.size > after.size ? before.size : after.size;

    for (size_t i = 0; i < bytes / IMAGE_HASH_BYTES; i++) {
        const enum page_fate fate = fate_of(before, after, i);

        out->count[fate]++;
        if (fate > PAGE_SAME)
            add_page(&out->ranges[fate], i, 1);
    }
}

bool page_is_same(struct view before, struct view after, size_t page)
{
    return fate_of(before, after, page) == PAGE_SAME;
}

void page_changes_release(struct page_changes *c)
{
    for (int i = 0; i < PAGE_FATES; i++)
        bytes_release(&c->ranges[i]);
}
