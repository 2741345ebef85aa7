/*
 * From one store to a depot with another, both on disk: what a list is stored against travels once,
 * the list itself as what differs.
 */
#include "folder.h"

#include "../drive/depot_world.h"
#include "os/pool/chunks_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGES = 1000 };

/* A list of numbered pages, of which `changed` are others, stored like `like` if that is not NULL.
 */
static struct chunks_root put_pages(struct store *s, uint32_t changed,
                                    const struct store_name *like)
{
    const struct store_rules rules = {.children = chunk_children};
    struct store_held root = {.kind = CHUNK_PAGES, .expires_ns = 1};
    struct bytes list = {0};
    uint64_t new_bytes;

    for (uint32_t i = 0; i < PAGES; i++) {
        uint32_t page[16] = {i, i < changed ? changed : 0};
        struct store_name name;

        assert_int_equal(store_put(s, view_of(page, sizeof page), &name, NULL), TERN_OK);
        bytes_append(&list, name.bytes, sizeof name.bytes);
    }
    assert_int_equal(store_put_like(s, bytes_view(&list), like, &root.name, NULL), TERN_OK);
    assert_int_equal(store_hold(s, &root, &rules, &new_bytes, NULL), TERN_OK);
    bytes_release(&list);
    return (struct chunks_root){.name = root.name, .kind = CHUNK_PAGES};
}

static void differences_are_what_travels(void **state)
{
    const struct chunks_store_config here = {.dir = folder_name(*state, "here")};
    const struct chunks_store_config there = {.dir = folder_name(*state, "there")};
    struct depot_world *w = depot_world_new(3);
    struct chunks_store *mine = NULL, *depot = NULL;
    struct chunks from, to;
    struct transfer_domain domain = {.chunks = &from, .domain = "ann"};
    struct transfer_source source = transfer_from_domain(&domain);
    struct transfer_count count;
    struct chunks_root first, second;
    struct store *s;

    assert_int_equal(chunks_store_open(&here, &mine, NULL), TERN_OK);
    assert_int_equal(chunks_store_open(&there, &depot, NULL), TERN_OK);
    from = chunks_store_chunks(mine);
    to = chunks_store_chunks(depot);
    *w->depot[0].chunks = to; /* the depot's from now on */
    assert_int_equal(chunks_store_of(mine, "ann", &s, NULL), TERN_OK);
    depot_world_allow(w, 0, "ann", CAPABILITY_READ | CAPABILITY_WRITE);

    first = put_pages(s, 0, NULL);
    assert_int_equal(depot_world_upload(w, 0, &source, first, &count), TERN_OK);
    assert_int_equal(count.sent_chunks, PAGES + 1);
    second = put_pages(s, 3, &first.name);
    assert_int_equal(depot_world_upload(w, 0, &source, second, &count), TERN_OK);
    assert_int_equal(count.sent_chunks, 3 + 1);
    assert_true(count.sent_bytes < 1000); /* of a list of 32,000 */
    assert_true(to.calls->has(to.self, "ann", &second.name, second.kind));
    /* Another one has nothing: it gets the list whole, and fetches it back whole. */
    depot_world_allow(w, 1, "ann", CAPABILITY_READ | CAPABILITY_WRITE);
    assert_int_equal(depot_world_upload(w, 1, &source, second, &count), TERN_OK);
    assert_true(count.sent_bytes > 32 * PAGES);
    assert_true(chunks_mem_sound(w->depot[1].mem, "ann", &second.name));
    depot_world_allow(w, 0, "ann", CAPABILITY_READ);
    assert_int_equal(depot_world_fetch(w, 0, second, 0, &from, "other", &count), TERN_OK);
    assert_int_equal(count.got_chunks, PAGES + 1);
    assert_true(from.calls->has(from.self, "other", &second.name, second.kind));

    *w->depot[0].chunks = *chunks_mem_chunks(w->depot[1].mem); /* no pins are let go of there */
    depot_world_free(w);
    chunks_store_close(mine);
    chunks_store_close(depot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(differences_are_what_travels, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
