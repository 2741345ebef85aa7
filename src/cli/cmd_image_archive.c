#include "cli/commands.h"
#include "cli/image_look.h"
#include "cli/say.h"

#include "os/archive.h"

#include <inttypes.h>
#include <unistd.h>

static int failed(const struct invocation *in, const struct problem *p)
{
    say("%s: %s: %s", in->command->name, in->args[0], p->text);
    return CLI_FAILED;
}

/* The newest, or the one of that number. */
static enum tern_err find_root(struct store *s, uint64_t number, struct store_root *out,
                               struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (unsigned n = 0; !err; n++) {
        err = store_root(s, n, out);
        if (!err && (number == 0 || out->number == number))
            return TERN_OK;
    }
    if (number == 0)
        return problem_set(p, err, "there is no checkpoint in it");
    return problem_set(p, err, "checkpoint %" PRIu64 " is not among those that are kept", number);
}

int cmd_image_export(const struct invocation *in)
{
    uint64_t number = 0;
    struct problem p = {.text = ""};
    struct store_root root;
    struct store *s = NULL;
    enum tern_err err;

    if (!image_number_option(in, "number", &number))
        return CLI_USAGE;
    if (isatty(STDOUT_FILENO)) {
        say("%s: the archive goes to standard output: send it to a file or a pipe",
            in->command->name);
        return CLI_USAGE;
    }
    err = store_open_read(in->args[0], &s, &p);
    if (!err)
        err = find_root(s, number, &root, &p);
    if (!err)
        err = archive_write(s, &root, STDOUT_FILENO, &p);
    store_close(s);
    return err ? failed(in, &p) : 0;
}

/* What was read of an archive that is none takes no room: opening gives it back. */
static void give_back(const char *dir)
{
    struct store *s = NULL;

    if (store_open(dir, false, &s, NULL) == TERN_OK)
        store_close(s);
}

int cmd_image_import(const struct invocation *in)
{
    struct problem p = {.text = ""};
    struct store_root root;
    struct store *s = NULL;
    enum tern_err err = store_open(in->args[0], true, &s, &p);

    if (!err && store_root(s, 0, &root) == TERN_OK)
        err = problem_set(&p, TERN_EBUSY, "there are checkpoints in it: use another directory");
    else if (!err)
        err = archive_read(STDIN_FILENO, s, &root, &p);
    store_close(s);
    if (err == TERN_EPROTO)
        give_back(in->args[0]);
    return err ? failed(in, &p) : 0;
}
