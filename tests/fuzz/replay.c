/*
 * replay - runs a fuzz target once over every file of a folder, without libFuzzer.
 *
 * Usage    replay FOLDER: one test point (TAP) for the whole kept corpus; a finding stops the
 *          program, so that its exit status tells.
 */
#include "base/bytes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *folder, const char *name)
{
    uint8_t part[4096];
    struct bytes b = {0};
    char path[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "rb");
    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        bytes_append(&b, part, n);
    fclose(f);
    if (bytes_ok(&b))
        LLVMFuzzerTestOneInput(b.data, b.size);
    bytes_release(&b);
    return true;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    bool ok = true;
    int count;

    if (argc != 2) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    count = scandir(argv[1], &entries, is_input, alphasort);
    printf("1..1\n");
    for (int i = 0; i < count; i++) {
        ok &= replay_file(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    ok &= count > 0;
    printf("%s 1 - %d inputs of %s\n", ok ? "ok" : "not ok", count, argv[1]);
    return ok ? 0 : 1;
}
