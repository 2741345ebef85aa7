#include "cli/commands.h"
#include "cli/job.h"
#include "cli/pool_json.h"
#include "cli/pool_text.h"
#include "cli/say.h"
#include "cli/say_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "t12:result.txt": what a task has left; "t12:": its standard output. */
static bool is_output(const char *text, struct tern_task *task, const char **output)
{
    const char *colon = strchr(text, ':');
    char id[POOL_ID_BYTES];
    struct tern_which which;

    if (*text != 't' || !colon || (size_t)(colon - text) >= sizeof id)
        return false;
    memcpy(id, text, (size_t)(colon - text));
    id[colon - text] = 0;
    if (!pool_parse_id(id, &which))
        return false;
    *task = which.task;
    *output = colon[1] ? colon + 1 : NULL;
    return true;
}

/* ---- put ---- */

/* What --in would take for something else could never be named there. */
static bool name_is_free(const char *name)
{
    const char *output;
    struct tern_task task;

    if (*name != '@' && !is_output(name, &task, &output))
        return true;
    say("put: a name cannot begin with @, nor with a task's id and a colon: %s", name);
    return false;
}

int cmd_put(const struct invocation *in)
{
    const char *name = in->args[0], *file = in->arg_count > 1 ? in->args[1] : name;
    struct tern_source source = {.kind = TERN_FILE, .text = file};
    struct tern_blob blob;
    enum tern_err err;
    int code = 0;
    struct tern *t;

    if (!name_is_free(name))
        return CLI_USAGE;
    t = pool_open(in, &code);
    if (!t)
        return code;
    if (strcmp(file, "-") == 0)
        source = (struct tern_source){.kind = TERN_FD, .fd = STDIN_FILENO};
    err = tern_put(t, name, &source, &blob);
    if (err)
        code = pool_fail(in, t, err);
    else if (pool_wants_json(in)) {
        json_t *json = pool_json_blob(&blob);

        json_object_set_new(json, "name", json_string(name));
        pool_json_line_take(json);
    }
    tern_close(t);
    return code ? code : say_end_of_output(0);
}

/* ---- get ---- */

static int get_output(const struct invocation *in, struct tern *t, struct tern_task task,
                      const char *output)
{
    const char *file = in->arg_count > 1 ? in->args[1] : "-";
    struct tern_result *r = NULL;
    enum tern_err err = tern_wait(t, task, -1, &r);
    int code = err ? pool_fail(in, t, err) : job_fetch(in, t, r, output, file);

    tern_result_free(r);
    return code;
}

static int get_to_file(const struct invocation *in, struct tern *t, const struct tern_source *s,
                       const char *file)
{
    struct bytes part = {0};
    enum tern_err err;
    const char *name;
    int fd, code = 0;

    bytes_appendf(&part, "%s.part-%ld", file, (long)getpid());
    name = bytes_text(&part);
    fd = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (fd < 0) {
        say("get: cannot write %s: %s", file, strerror(errno));
        bytes_release(&part);
        return CLI_FAILED;
    }
    err = tern_get(t, s, &(struct tern_sink){.fd = fd});
    if (err)
        code = pool_fail(in, t, err);
    if ((close(fd) != 0 || (!err && rename(name, file) != 0)) && !code) {
        say("get: cannot write %s: %s", file, strerror(errno));
        code = CLI_FAILED;
    }
    if (code)
        unlink(name);
    bytes_release(&part);
    return code;
}

static int get_named(const struct invocation *in, struct tern *t)
{
    const struct tern_source source = {.kind = TERN_NAMED, .text = in->args[0]};
    const char *file = in->arg_count > 1 ? in->args[1] : "-";
    enum tern_err err;

    if (strcmp(file, "-") != 0)
        return get_to_file(in, t, &source, file);
    err = tern_get(t, &source, &(struct tern_sink){.fd = STDOUT_FILENO});
    return err ? pool_fail(in, t, err) : 0;
}

int cmd_get(const struct invocation *in)
{
    struct tern_task task;
    const char *output;
    int code = 0;
    struct tern *t = pool_open(in, &code);

    if (!t)
        return code;
    code =
        is_output(in->args[0], &task, &output) ? get_output(in, t, task, output) : get_named(in, t);
    tern_close(t);
    return code;
}

/* ---- ls, rm ---- */

struct listing {
    json_t *json;
    int64_t zero_ns;
    bool any;
};

static bool list(void *context, const struct tern_rows *rows)
{
    struct listing *l = context;

    for (size_t i = 0; i < rows->name_count; i++) {
        if (l->json)
            json_array_append_new(l->json, pool_json_name(&rows->names[i]));
        else
            pool_text_name(&rows->names[i], !l->any, l->zero_ns);
        l->any = true;
    }
    return true;
}

static bool take_zero(void *context, const struct tern_rows *rows)
{
    if (rows->pool)
        *(int64_t *)context = rows->pool->wall_of_zero_ns ? rows->pool->wall_of_zero_ns
                                                          : pool_wall_ns() - rows->pool->now_ns;
    return true;
}

int cmd_ls(const struct invocation *in)
{
    struct tern_query names = {.what = TERN_ASK_NAMES}, pool = {.what = TERN_ASK_POOL};
    struct listing l = {.json = pool_wants_json(in) ? json_array() : NULL};
    int code = 0;
    struct tern *t = pool_open(in, &code);

    if (t)
        code = pool_ask_all(in, t, &pool, take_zero, &l.zero_ns);
    if (t && !code)
        code = pool_ask_all(in, t, &names, list, &l);
    tern_close(t);
    if (l.json && !code)
        say_json_take(json_pack("{so}", "names", l.json));
    return code ? code : say_end_of_output(0);
}

int cmd_rm(const struct invocation *in)
{
    int code = 0;
    struct tern *t = pool_open(in, &code);

    for (size_t i = 0; t && i < in->arg_count; i++) {
        enum tern_err err = tern_remove(t, in->args[i]);
        int one = err ? pool_fail(in, t, err) : 0;

        code = code ? code : one;
    }
    tern_close(t);
    return code;
}
