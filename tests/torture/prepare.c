/*
 * torture_prepare - a program as C: itself, and continuations for all its safepoints.
 *
 *   torture_prepare PROG.wasm OUT      writes OUT/program.c and OUT/continuations.c
 *
 * Exit code 1, and a line on standard error, if that is not possible.
 */
#include "os/file.h"
#include "translate/translate.h"
#include "wasm/module.h"

#include <stdio.h>

enum { MODULE_BYTES_MAX = 64 << 20, C_BYTES_MAX = 1 << 30, PATH_BYTES = 4096 };

static enum tern_err write_out(const char *folder, const char *name, const struct bytes *c)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return bytes_ok(c) ? file_write(path, bytes_view(c)) : TERN_ENOMEM;
}

static const struct translate_options options; /* in one piece */

static enum tern_err write_program(const struct wasm_module *m, const char *folder)
{
    struct bytes c = {.limit = C_BYTES_MAX};
    enum tern_err err = translate_piece(m, &options, 0, &c);

    if (!err)
        err = write_out(folder, "program.c", &c);
    bytes_release(&c);
    return err;
}

static enum tern_err write_continuations(const struct wasm_module *m, const char *folder)
{
    struct bytes points = {0}, c = {.limit = C_BYTES_MAX};
    struct translate_points all;
    enum tern_err err = translate_all_points(m, &points);

    if (!err) {
        all.list = (const struct translate_point *)(const void *)points.data;
        all.count = points.size / sizeof *all.list;
        err = translate_continuations(m, &options, &all, true, &c);
    }
    if (!err)
        err = write_out(folder, "continuations.c", &c);
    bytes_release(&points);
    bytes_release(&c);
    return err;
}

int main(int argc, char **argv)
{
    struct bytes bytes = {0};
    struct wasm_module m = {0};
    struct wasm_fault fault;
    enum tern_err err;

    if (argc != 3) {
        fputs("usage: torture_prepare PROG.wasm OUT\n", stderr);
        return 2;
    }
    err = file_read(argv[1], MODULE_BYTES_MAX, &bytes);
    if (!err)
        err = module_load(&m, bytes_view(&bytes), &fault);
    if (!err)
        err = write_program(&m, argv[2]);
    if (!err)
        err = write_continuations(&m, argv[2]);
    if (err)
        fprintf(stderr, "torture_prepare: %s: %s\n", argv[1], tern_err_text(err));
    module_release(&m);
    bytes_release(&bytes);
    return err ? 1 : 0;
}
