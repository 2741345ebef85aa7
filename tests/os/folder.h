/*
 * folder - a private directory for one test.
 */
#ifndef TERN_TEST_FOLDER_H
#define TERN_TEST_FOLDER_H

#include "os/dirs.h"

struct folder {
    char path[DIRS_PATH_MAX];
    int fd;
};

/* For cmocka's setup and teardown: *state is the struct folder. */
int folder_setup(void **state);
int folder_teardown(void **state);

/* "folder/name" in one of a few static places, which are used in turn. */
const char *folder_name(const struct folder *f, const char *name);
/* How many files are in it. */
int folder_count(const struct folder *f);
/* Descriptors of this process: equal before and after says that none leaked. */
int folder_open_files(void);

#endif
