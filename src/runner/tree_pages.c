#include "runner/tree_pages.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, WORDS_LEAST = 16, ROOM_LEAST = 4 };

/* ---- The arena ---- */

void tree_pages_release(struct tree_pages *p)
{
    free(p->used);
    free(p->frozen);
    *p = (struct tree_pages){.max = p->max};
}

static bool has(const uint64_t *bits, uint32_t page)
{
    return bits[page / WORD_BITS] >> (page % WORD_BITS) & 1;
}

static bool grow_bits(uint64_t **bits, uint32_t from, uint32_t to)
{
    uint64_t *more = realloc(*bits, to * sizeof **bits);

    if (!more)
        return false;
    memset(more + from, 0, (to - from) * sizeof *more);
    *bits = more;
    return true;
}

static bool grow(struct tree_pages *p, uint32_t least)
{
    uint32_t words = p->words ? p->words * 2 : WORDS_LEAST;

    if (words < least)
        words = least;
    if (!grow_bits(&p->used, p->words, words) || !grow_bits(&p->frozen, p->words, words))
        return false;
    if (p->words == 0)
        p->used[0] = 1; /* page 0 is none */
    p->words = words;
    return true;
}

static void use(struct tree_pages *p, uint32_t page)
{
    p->used[page / WORD_BITS] |= UINT64_C(1) << (page % WORD_BITS);
    p->count++;
}

uint32_t tree_pages_take(struct tree_pages *p, bool instead)
{
    uint64_t taken = 0;
    uint32_t page;

    if (p->count >= p->max && !instead)
        return 0;
    for (; p->first < p->words; p->first++) {
        taken = p->used[p->first] | p->frozen[p->first];
        if (~taken)
            break;
    }
    if (p->first == p->words) {
        if (!grow(p, p->first + 1))
            return 0;
        taken = p->used[p->first];
    }
    page = p->first * WORD_BITS + (uint32_t)__builtin_ctzll(~taken);
    use(p, page);
    return page;
}

bool tree_pages_take_at(struct tree_pages *p, uint32_t page)
{
    if (p->count >= p->max || (page / WORD_BITS >= p->words && !grow(p, page / WORD_BITS + 1)) ||
        has(p->used, page))
        return false;
    use(p, page);
    return true;
}

void tree_pages_drop(struct tree_pages *p, uint32_t page)
{
    check(page > 0 && page / WORD_BITS < p->words && has(p->used, page));
    p->used[page / WORD_BITS] &= ~(UINT64_C(1) << (page % WORD_BITS));
    p->count--;
    if (page / WORD_BITS < p->first)
        p->first = page / WORD_BITS;
}

bool tree_pages_frozen(const struct tree_pages *p, uint32_t page)
{
    return has(p->frozen, page);
}

void tree_pages_freeze(struct tree_pages *p)
{
    if (p->words)
        memcpy(p->frozen, p->used, p->words * sizeof *p->used);
    p->first = 0;
}

/* ---- The pages of a file ---- */

/* Where the list with this index is, or would be. */
static uint32_t place_of(const struct tree_map *m, uint32_t index)
{
    uint32_t from = 0, to = m->count;

    if (to > 0 && m->lists[to - 1].index < index)
        return to; /* files are written from the front, most of them */
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;

        if (m->lists[middle].index < index)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool is_at(const struct tree_map *m, uint32_t place, uint32_t index)
{
    return place < m->count && m->lists[place].index == index;
}

uint32_t tree_map_get(const struct tree_map *m, uint32_t page)
{
    const uint32_t index = page / TREE_LIST_PAGES, at = page % TREE_LIST_PAGES;
    const uint32_t place = place_of(m, index);

    return is_at(m, place, index) && at < m->lists[place].room ? m->lists[place].page[at] : 0;
}

static bool insert(struct tree_map *m, uint32_t place, uint32_t index)
{
    if (m->count == m->room) {
        const uint32_t room = m->room ? m->room * 2 : 1;
        struct tree_list *more = realloc(m->lists, room * sizeof *more);

        if (!more)
            return false;
        m->lists = more;
        m->room = room;
    }
    memmove(m->lists + place + 1, m->lists + place, (m->count - place) * sizeof *m->lists);
    m->lists[place] = (struct tree_list){.index = index};
    m->count++;
    return true;
}

static bool grow_list(struct tree_list *l, uint32_t least)
{
    uint32_t room = l->room ? l->room * 2 : ROOM_LEAST;
    uint32_t *more;

    while (room < least)
        room *= 2;
    more = realloc(l->page, room * sizeof *more);
    if (!more)
        return false;
    memset(more + l->room, 0, (room - l->room) * sizeof *more);
    l->page = more;
    l->room = room;
    return true;
}

bool tree_map_reserve(struct tree_map *m, uint32_t page)
{
    const uint32_t index = page / TREE_LIST_PAGES, at = page % TREE_LIST_PAGES;
    const uint32_t place = place_of(m, index);

    if (!is_at(m, place, index) && !insert(m, place, index))
        return false;
    return at < m->lists[place].room || grow_list(&m->lists[place], at + 1);
}

void tree_map_set(struct tree_map *m, uint32_t page, uint32_t arena)
{
    const uint32_t index = page / TREE_LIST_PAGES, at = page % TREE_LIST_PAGES;
    const uint32_t place = place_of(m, index);

    check(is_at(m, place, index) && at < m->lists[place].room);
    m->lists[place].page[at] = arena;
}

static void cut_list(struct tree_list *l, uint32_t from, struct tree_pages *pages)
{
    for (uint32_t i = from; i < l->room; i++) {
        if (l->page[i])
            tree_pages_drop(pages, l->page[i]);
        l->page[i] = 0;
    }
}

void tree_map_cut(struct tree_map *m, uint64_t page, struct tree_pages *pages)
{
    while (m->count > 0) {
        struct tree_list *l = &m->lists[m->count - 1];
        const uint64_t first = (uint64_t)l->index * TREE_LIST_PAGES;

        if (page > first) {
            if (page - first < TREE_LIST_PAGES)
                cut_list(l, (uint32_t)(page - first), pages);
            break;
        }
        cut_list(l, 0, pages);
        free(l->page);
        m->count--;
    }
    if (m->count == 0) {
        free(m->lists);
        *m = (struct tree_map){0};
    }
}

bool tree_map_next(const struct tree_map *m, uint64_t *page)
{
    uint32_t at = (uint32_t)(*page % TREE_LIST_PAGES);

    for (uint32_t i = place_of(m, (uint32_t)(*page / TREE_LIST_PAGES)); i < m->count; i++) {
        const struct tree_list *l = &m->lists[i];

        if (l->index != *page / TREE_LIST_PAGES)
            at = 0;
        while (at < l->room && l->page[at] == 0)
            at++;
        if (at < l->room) {
            *page = (uint64_t)l->index * TREE_LIST_PAGES + at;
            return true;
        }
        at = 0;
    }
    return false;
}
