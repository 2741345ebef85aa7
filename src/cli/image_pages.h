/*
 * image_pages - lists of page names, seen as ranges.
 *
 * Memory   Ranges are appended to struct bytes, as struct page_range; whoever made it releases it.
 */
#ifndef TERN_CLI_IMAGE_PAGES_H
#define TERN_CLI_IMAGE_PAGES_H

#include "base/bytes.h"

#include "image/image.h"

struct page_range {
    size_t first, count;
};

/* What became of a page between two checkpoints. EMPTY: all zero before and after. */
enum page_fate { PAGE_EMPTY, PAGE_SAME, PAGE_CHANGED, PAGE_NEW, PAGE_ZEROED, PAGE_FATES };

struct page_changes {
    size_t count[PAGE_FATES];
    struct bytes ranges[PAGE_FATES]; /* of changed, new, zeroed */
};

/* Pages that are not all zero. */
size_t pages_used(struct view names, struct bytes *ranges);
/* Runs of IMAGE_LIST_PAGES in which any page is used; counted in pages. */
void pages_used_lists(struct view names, struct bytes *ranges);
/* Memories may differ in size: what one has not is zero. */
void pages_compare(struct view before, struct view after, struct page_changes *out);
/* Whether that page is used and the same in both. */
bool page_is_same(struct view before, struct view after, size_t page);
void page_changes_release(struct page_changes *c);

size_t page_range_count(const struct bytes *ranges);
struct page_range page_range_at(const struct bytes *ranges, size_t i);

#endif
