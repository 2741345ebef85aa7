#include "base/directory.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct directory_page {
    void *thing[DIRECTORY_PAGE];
    size_t count;
};

void directory_release(struct directory *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->pages[i]);
    free(d->pages);
    *d = (struct directory){0};
}

static struct directory_page *page_of(const struct directory *d, uint64_t n)
{
    const uint64_t page = n / DIRECTORY_PAGE;

    return page >= d->first && page - d->first < d->count ? d->pages[page - d->first] : NULL;
}

void *directory_get(const struct directory *d, uint64_t n)
{
    const struct directory_page *page = page_of(d, n);

    return page ? page->thing[n % DIRECTORY_PAGE] : NULL;
}

static bool reserve(struct directory *d, size_t count)
{
    size_t capacity = d->capacity ? d->capacity : 16;
    struct directory_page **pages;

    if (count <= d->capacity)
        return true;
    while (capacity < count)
        capacity *= 2;
    pages = realloc(d->pages, capacity * sizeof *pages);
    if (!pages)
        return false;
    d->bytes += (capacity - d->capacity) * sizeof *pages;
    d->pages = pages;
    d->capacity = capacity;
    return true;
}

/* Makes [first, first + count) reach to this page; what is new is empty. */
static bool reach(struct directory *d, uint64_t page)
{
    if (d->count == 0)
        d->first = page;
    if (page < d->first) {
        const size_t more = (size_t)(d->first - page);

        if (!reserve(d, d->count + more))
            return false;
        memmove(d->pages + more, d->pages, d->count * sizeof *d->pages);
        memset(d->pages, 0, more * sizeof *d->pages);
        d->first = page;
        d->count += more;
    }
    if (!reserve(d, (size_t)(page - d->first) + 1))
        return false;
    while (d->count <= page - d->first)
        d->pages[d->count++] = NULL;
    return true;
}

bool directory_put(struct directory *d, uint64_t n, void *thing)
{
    struct directory_page **page;

    check(thing);
    if (!reach(d, n / DIRECTORY_PAGE))
        return false;
    page = &d->pages[n / DIRECTORY_PAGE - d->first];
    if (!*page) {
        *page = calloc(1, sizeof **page);
        if (!*page)
            return false;
        d->bytes += sizeof **page;
    }
    check(!(*page)->thing[n % DIRECTORY_PAGE]);
    (*page)->thing[n % DIRECTORY_PAGE] = thing;
    (*page)->count++;
    d->things++;
    return true;
}

/* Pages that are not there any more, at both ends. */
static void trim(struct directory *d)
{
    size_t gone = 0;

    while (d->count && !d->pages[d->count - 1])
        d->count--;
    while (gone < d->count && !d->pages[gone])
        gone++;
    if (gone < 64 || gone < d->count / 2)
        return; /* moving the rest down now and then is enough */
    memmove(d->pages, d->pages + gone, (d->count - gone) * sizeof *d->pages);
    d->first += gone;
    d->count -= gone;
}

void directory_remove(struct directory *d, uint64_t n)
{
    struct directory_page *page = page_of(d, n);

    check(page && page->thing[n % DIRECTORY_PAGE]);
    page->thing[n % DIRECTORY_PAGE] = NULL;
    d->things--;
    if (--page->count)
        return;
    free(page);
    d->bytes -= sizeof *page;
    d->pages[n / DIRECTORY_PAGE - d->first] = NULL;
    trim(d);
}

void *directory_from(const struct directory *d, uint64_t n, uint64_t *at)
{
    if (d->first && n < d->first * DIRECTORY_PAGE)
        n = d->first * DIRECTORY_PAGE;
    while (n / DIRECTORY_PAGE - d->first < d->count) {
        const struct directory_page *page = d->pages[n / DIRECTORY_PAGE - d->first];
        const size_t i = n % DIRECTORY_PAGE;

        if (page && page->thing[i]) {
            *at = n;
            return page->thing[i];
        }
        n += page ? 1 : DIRECTORY_PAGE - i;
    }
    return NULL;
}
