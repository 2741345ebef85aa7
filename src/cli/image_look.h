/*
 * image_look - a checkpoint opened to be looked at: image, settings, module, names of all pages.
 *
 * Promise  The image has passed image_check: indices, types and counts are those of the module.
 * Errors   False, after a line on standard error (image_look_load: in *p).
 */
#ifndef TERN_CLI_IMAGE_LOOK_H
#define TERN_CLI_IMAGE_LOOK_H

#include "cli/command.h"
#include "cli/run.h"

#include "os/checkpoint_look.h"
#include "wasm/module.h"

#include <jansson.h>

enum { IMAGE_WASM_PAGE_PAGES = 16, IMAGE_NUMBERS_MAX = 1000 };

struct image_look {
    struct store *store; /* borrowed */
    struct checkpoint c;
    struct run settings;
    struct bytes name; /* of the module's file, fit to be shown */
    struct wasm_module module;
    struct digest digest;
    struct bytes pages; /* names, of all of memory 0 */
};

/* For reading, from the command's first argument. */
bool image_store_open(const struct invocation *in, struct store **out);
/* Numbers of the checkpoints that are kept, newest first; at most IMAGE_NUMBERS_MAX. TERN_ENOENT:
 * there is none. */
enum tern_err image_list(struct store *s, uint64_t *out, size_t *count, struct problem *p);
/* The value of an option that is a number of a checkpoint; 0 if it is not given. */
bool image_number_option(const struct invocation *in, const char *option, uint64_t *out);

enum tern_err image_look_load(const struct invocation *in, struct store *s, uint64_t number,
                              struct image_look *out, struct problem *p);
/* Of a checkpoint that is open already, which it takes over, also when it fails. */
enum tern_err image_look_take(const struct invocation *in, struct store *s,
                              struct checkpoint *opened, struct image_look *out, struct problem *p);
void image_look_release(struct image_look *l); /* zeroed is fine */

/* Prints json (if not NULL, released), else *text (released, and lack of memory told). */
int image_print(const struct invocation *in, struct bytes *text, json_t *json);
int image_failed(const struct invocation *in, const struct problem *p);

#endif
