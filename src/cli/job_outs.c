#include "cli/job.h"
#include "cli/say.h"

#include "os/ending.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Written beside it, and put in its place when it is whole. */
static int fetch_to_file(const struct invocation *in, struct tern *t, const struct tern_result *r,
                         const char *path, const char *file)
{
    struct bytes part = {0};
    const char *name;
    int fd, code = 0;
    enum tern_err err;

    bytes_appendf(&part, "%s.part-%ld", file, (long)getpid());
    name = bytes_text(&part);
    fd = name ? sys_open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -ENOMEM;
    if (fd < 0) {
        say("%s: cannot write %s: %s", in->command->name, file, strerror(-fd));
        bytes_release(&part);
        return CLI_FAILED;
    }
    err = tern_result_get(t, r, path, &(struct tern_sink){.fd = fd});
    if (err)
        code = pool_fail(in, t, err);
    sys_close(fd);
    if (!code && rename(name, file) != 0) {
        say("%s: cannot write %s: %s", in->command->name, file, strerror(errno));
        code = CLI_FAILED;
    }
    if (code)
        unlink(name);
    bytes_release(&part);
    return code;
}

int job_fetch(const struct invocation *in, struct tern *t, const struct tern_result *r,
              const char *path, const char *file)
{
    enum tern_err err;

    if (strcmp(file, "-") != 0)
        return fetch_to_file(in, t, r, path, file);
    err = tern_result_get(t, r, path, &(struct tern_sink){.fd = STDOUT_FILENO});
    return err ? pool_fail(in, t, err) : 0;
}

int job_fetch_outs(const struct job *j, struct tern *t, const struct tern_result *r)
{
    int code = 0;

    for (size_t i = 0; i < j->output_count; i++) {
        int one = job_fetch(j->in, t, r, j->outs[i].path, j->outs[i].file);

        code = code ? code : one;
    }
    return code;
}

/* What stands in the way is said once, in a line; while the task waits it goes on being true. */
bool job_check_offer(struct job *j, struct tern *t, struct tern_task task, int *code)
{
    const struct tern_query query = {.what = TERN_ASK_WHY, .which = {.task = task}};
    struct tern_rows *rows = pool_ask(j->in, t, &query, code);
    bool fine = true, waits;

    if (!rows)
        return false;
    waits = rows->detail && rows->detail->now.state <= TERN_READY && rows->reason_count;
    for (size_t i = 0; waits && i < rows->reason_count; i++)
        say("%s: %s", j->in->command->name, rows->reasons[i].text);
    if (waits && j->no_wait) {
        tern_cancel(t, (struct tern_which){.task = task}, NULL);
        *code = EXIT_TERN;
        fine = false;
    }
    tern_rows_free(rows);
    return fine;
}
