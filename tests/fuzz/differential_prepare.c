/*
 * differential_prepare - loads and translates many modules at once, for differential.py.
 *
 *   differential_prepare [--deterministic] OUT MODULE.wasm...
 *
 * Does     Writes OUT/K.c for the K-th module (its description is called module_K).
 * Output   A line a module, in order: "ok", or "malformed|invalid OFFSET REASON".
 */
#include "base/bytes.h"
#include "translate/translate.h"
#include "wasm/module.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 << 20, TEXT_BYTES_MAX = 256 << 20, PATH_BYTES = 4096 };

static bool read_file(const char *path, struct bytes *out)
{
    FILE *f = fopen(path, "rb");
    uint8_t *room;
    size_t got = 1;

    if (!f)
        return false;
    out->limit = FILE_BYTES_MAX;
    while (got > 0 && (room = bytes_reserve(out, 65536)) != NULL) {
        got = fread(room, 1, 65536, f);
        out->size += got;
    }
    fclose(f);
    return bytes_ok(out);
}

static struct translate_options options;

static bool write_c(const struct wasm_module *m, const char *folder, int number)
{
    struct bytes c = {.limit = TEXT_BYTES_MAX};
    char path[PATH_BYTES];
    FILE *f = NULL;
    bool done = false;

    bytes_appendf(&c, "#define TERN_MODULE module_%d\n", number);
    if (translate_piece(m, &options, 0, &c) == TERN_OK) {
        snprintf(path, sizeof path, "%s/%d.c", folder, number);
        f = fopen(path, "wb");
    }
    if (f)
        done = fwrite(c.data, 1, c.size, f) == c.size && fclose(f) == 0;
    bytes_release(&c);
    return done;
}

static void prepare(const char *folder, const char *path, int number)
{
    struct bytes bytes = {0};
    struct wasm_module m = {0};
    struct wasm_fault fault = {0};
    enum tern_err err = read_file(path, &bytes) ? TERN_OK : TERN_EIO;

    if (!err)
        err = module_load(&m, bytes_view(&bytes), &fault);
    if (err == TERN_EMALFORMED || err == TERN_EINVALID)
        printf("%s 0x%" PRIx32 " %s\n", err == TERN_EINVALID ? "invalid" : "malformed",
               fault.offset, fault.reason);
    else if (err || !write_c(&m, folder, number))
        printf("failed: %s\n", tern_err_text(err));
    else
        puts("ok");
    module_release(&m);
    bytes_release(&bytes);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--deterministic") == 0) {
        options.deterministic = true;
        argc--;
        argv++;
    }
    if (argc < 3) {
        fputs("usage: differential_prepare [--deterministic] OUT MODULE.wasm...\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        prepare(argv[1], argv[i], i - 2);
    return 0;
}
