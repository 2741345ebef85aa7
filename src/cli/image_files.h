/*
 * image_files - the private file tree of an image, as paths, for image show and image diff.
 *
 * Promise  What a stranger chose goes through bytes_append_shown. A tree of any depth is walked
 *          without recursion; paths of more than IMAGE_FILES_PATH_MAX bytes are cut in front.
 * Memory   Lists live in an arena.
 */
#ifndef TERN_CLI_IMAGE_FILES_H
#define TERN_CLI_IMAGE_FILES_H

#include "cli/image_look.h"

enum { IMAGE_FILES_PATH_MAX = 4096 };

struct image_path {
    struct view path; /* "/dir/file"; of what was removed and is open, "" */
    const struct state_node *node;
    uint32_t index; /* of node */
};

/* Everything but the root, in the order of paths; at the end what was removed. False: no memory. */
bool image_files_list(const struct image *image, struct arena *arena, struct image_path **out,
                      size_t *count);

/* Appends a path that leads to an inode, for a person; "(removed)" where there is none. */
void image_files_shown(struct bytes *out, const struct image *image, uint64_t inode);

struct image_pages_counted {
    uint64_t pages;   /* of the file, holes not counted */
    uint64_t same;    /* of these, those that are the same in the other, at the same place */
    uint64_t changed; /* places where one has a page that the other has not */
};

/*
 * The file of that inode against the same in another checkpoint; other NULL, or no file there: as
 * against an empty file. Only what differs is read.
 */
enum tern_err image_files_count(const struct image_look *l, uint32_t index,
                                const struct image_look *other, uint32_t other_index,
                                struct image_pages_counted *out);

/* ---- image show: image_files_show.c ---- */

struct image_files { /* of one checkpoint, against the one before */
    struct arena arena;
    struct image_path *paths;
    struct image_pages_counted *counted; /* of each path */
    size_t path_count;
    uint64_t pages, same; /* of all together */
};

/* before: NULL if there is none that can be read. *out is to be released also on failure. */
enum tern_err image_files_load(const struct image_look *l, const struct image_look *before,
                               struct image_files *out, struct problem *p);
void image_files_release(struct image_files *f);
/* Nothing, or null, if the program has no files of its own. before: number, 0: none. */
void image_files_text(struct bytes *out, const struct image_look *l, const struct image_files *f,
                      uint64_t before);
json_t *image_files_json(const struct image_look *l, const struct image_files *f);

/* ---- image diff: image_files_diff.c ---- */

struct image_files_change { /* of one path; NULL: it is not there */
    const struct image_path *from, *to;
    struct image_pages_counted counted; /* of the newer file, against the older */
};

struct image_files_diff {
    struct arena arena;
    struct bytes changes; /* struct image_files_change each, in the order of paths */
};

enum tern_err image_files_compare(const struct image_look *from, const struct image_look *to,
                                  struct image_files_diff *out, struct problem *p);
void image_files_diff_release(struct image_files_diff *d);
void image_files_diff_text(struct bytes *out, const struct image_files_diff *d, bool any);
json_t *image_files_diff_json(const struct image_files_diff *d);

/* "file", "directory", "link" */
const char *image_files_kind(uint8_t kind);

#endif
