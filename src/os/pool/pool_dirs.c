#include "os/pool/pool_dirs.h"

#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MACHINE_SOCKET "/run/tern/agent"

__attribute__((format(__printf__, 3, 4))) static enum tern_err put_path(char *out, size_t size,
                                                                        const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(out, size, format, args);
    va_end(args);
    return length < 0 || (size_t)length >= size ? TERN_ETOOBIG : TERN_OK;
}

/* Ours, and closed to others; otherwise: what to do if it is not. */
static enum tern_err make_private(const char *path, const char *otherwise, struct problem *p)
{
    int dir = -1;
    const enum tern_err err = dirs_open_private(path, &dir, p);

    sys_close(dir);
    if (err == TERN_EUNSAFE)
        return problem_set(p, err, "%s belongs to another user, or can be written by others; %s",
                           path, otherwise);
    return err;
}

enum tern_err pool_dirs_state(const struct settings *s, const char *chosen, const char *part,
                              char out[DIRS_PATH_MAX], struct problem *p)
{
    enum tern_err err;

    if (chosen && *chosen)
        err = put_path(out, DIRS_PATH_MAX, "%s", chosen);
    else if (s->state_home && *s->state_home == '/')
        err = put_path(out, DIRS_PATH_MAX, "%s/tern/%s", s->state_home, part);
    else if (s->home && *s->home == '/')
        err = put_path(out, DIRS_PATH_MAX, "%s/.local/state/tern/%s", s->home, part);
    else
        return problem_set(p, TERN_ENOENT,
                           "no place for the state of this %s: neither XDG_STATE_HOME nor HOME is "
                           "set; name a directory",
                           part);
    if (err)
        return problem_set(p, err, "the path of the state directory is too long");
    return make_private(out, "choose another state directory", p);
}

static enum tern_err runtime_dir(const struct settings *s, char out[DIRS_PATH_MAX])
{
    if (s->runtime_dir && *s->runtime_dir == '/')
        return put_path(out, DIRS_PATH_MAX, "%s/tern", s->runtime_dir);
    return put_path(out, DIRS_PATH_MAX, "/tmp/tern-%u", (unsigned)geteuid());
}

enum tern_err pool_dirs_socket(const struct settings *s, const char *part,
                               char out[POOL_ENDPOINT_BYTES], struct problem *p)
{
    char dir[DIRS_PATH_MAX];
    enum tern_err err = runtime_dir(s, dir);

    if (!err)
        err = make_private(dir, "set XDG_RUNTIME_DIR to a directory of your own", p);
    if (err)
        return err;
    if (put_path(out, POOL_ENDPOINT_BYTES, "unix:%s/%s", dir, part))
        return problem_set(p, TERN_ETOOBIG, "the path of a socket in %s is too long", dir);
    return TERN_OK;
}

enum tern_err pool_dirs_agent(const struct settings *s, const char *chosen,
                              char out[POOL_ENDPOINT_BYTES], struct problem *p)
{
    char dir[DIRS_PATH_MAX];
    struct stat st;
    enum tern_err err;

    if (!chosen || !*chosen)
        chosen = s->agent;
    if (chosen)
        err = put_path(out, POOL_ENDPOINT_BYTES, "%s", chosen);
    else if ((err = runtime_dir(s, dir)) == TERN_OK)
        err = put_path(out, POOL_ENDPOINT_BYTES, "unix:%s/agent", dir);
    if (err)
        return problem_set(p, err, "the agent's endpoint is too long");
    if (!chosen && sys_lstat(out + 5, &st) < 0 && sys_lstat(MACHINE_SOCKET, &st) == 0)
        put_path(out, POOL_ENDPOINT_BYTES, "unix:" MACHINE_SOCKET);
    return TERN_OK;
}

/* ---- the token ---- */

static bool token_from(struct view text, uint8_t token[POOL_TOKEN_BYTES])
{
    unsigned byte;

    if (text.size < 2 * (size_t)POOL_TOKEN_BYTES)
        return false;
    for (size_t i = 0; i < POOL_TOKEN_BYTES; i++) {
        const char pair[3] = {(char)text.data[2 * i], (char)text.data[2 * i + 1], 0};

        if (strspn(pair, "0123456789abcdefABCDEF") != 2 || sscanf(pair, "%2x", &byte) != 1)
            return false;
        token[i] = (uint8_t)byte;
    }
    for (size_t i = 2 * (size_t)POOL_TOKEN_BYTES; i < text.size; i++)
        if (text.data[i] != '\n' && text.data[i] != '\r')
            return false;
    return true;
}

static enum tern_err read_token(const char *path, uint8_t token[POOL_TOKEN_BYTES],
                                struct problem *p)
{
    struct bytes text = {0};
    enum tern_err err = file_read(path, 256, &text);

    if (err == TERN_ENOENT)
        problem_set(p, err,
                    "there is no token in %s; copy the file 'token' of the agent's state "
                    "directory there",
                    path);
    else if (err && err != TERN_ETOOBIG)
        problem_set(p, err, "cannot read the token in %s: %s", path, tern_err_text(err));
    else if (err || !token_from(bytes_view(&text), token))
        err = problem_set(p, TERN_EUSAGE,
                          "%s holds no token: 64 hexadecimal digits and nothing "
                          "else",
                          path);
    bytes_release(&text);
    return err;
}

static enum tern_err usual_token(const struct settings *s, uint8_t token[POOL_TOKEN_BYTES],
                                 struct problem *p)
{
    char path[2][DIRS_PATH_MAX] = {"", ""};
    enum tern_err err;

    if (s->state_home)
        put_path(path[0], DIRS_PATH_MAX, "%s/tern/agent/token", s->state_home);
    else if (s->home)
        put_path(path[0], DIRS_PATH_MAX, "%s/.local/state/tern/agent/token", s->home);
    if (s->config_home)
        put_path(path[1], DIRS_PATH_MAX, "%s/tern/token", s->config_home);
    else if (s->home)
        put_path(path[1], DIRS_PATH_MAX, "%s/.config/tern/token", s->home);
    err = *path[0] ? read_token(path[0], token, p) : TERN_ENOENT;
    return err == TERN_ENOENT ? read_token(path[1], token, p) : err;
}

enum tern_err pool_dirs_token(const struct settings *s, const char *chosen,
                              uint8_t token[POOL_TOKEN_BYTES], struct problem *p)
{
    if (!chosen || !*chosen)
        chosen = s->token;
    return chosen ? read_token(chosen, token, p) : usual_token(s, token, p);
}

static enum tern_err draw_token(const char *state_dir, struct problem *p)
{
    uint8_t drawn[POOL_TOKEN_BYTES];
    char text[2 * POOL_TOKEN_BYTES + 2];
    int dir = -1;
    enum tern_err err = dirs_open_existing(state_dir, &dir, p);

    if (err)
        return err;
    if (getentropy(drawn, sizeof drawn) < 0)
        err = problem_set(p, TERN_ESYSTEM, "the kernel gives no random numbers");
    for (size_t i = 0; i < sizeof drawn; i++)
        snprintf(text + 2 * i, 3, "%02x", drawn[i]);
    text[2 * POOL_TOKEN_BYTES] = '\n';
    text[2 * POOL_TOKEN_BYTES + 1] = 0;
    if (!err)
        err = file_replace(dir, "token", (struct view[]){view_of_string(text)}, 1);
    sys_close(dir);
    return err ? problem_set(p, err, "cannot write %s/token: %s", state_dir, tern_err_text(err))
               : TERN_OK;
}

enum tern_err pool_dirs_own_token(const char *state_dir, uint8_t token[POOL_TOKEN_BYTES],
                                  struct problem *p)
{
    char path[DIRS_PATH_MAX];
    enum tern_err err;

    if (put_path(path, sizeof path, "%s/token", state_dir))
        return problem_set(p, TERN_ETOOBIG, "the path of the token is too long");
    err = read_token(path, token, p);
    if (err != TERN_ENOENT)
        return err;
    err = draw_token(state_dir, p);
    return err ? err : read_token(path, token, p);
}

/* ---- one at a time ---- */

enum tern_err pool_dirs_lock(const char *state_dir, const char *what, struct problem *p)
{
    char path[DIRS_PATH_MAX], who[32] = "";
    int fd, got;

    if (put_path(path, sizeof path, "%s/lock", state_dir))
        return problem_set(p, TERN_ETOOBIG, "the path of the state directory is too long");
    fd = sys_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return problem_set(p, file_error(fd), "cannot write into %s: %s", state_dir, strerror(-fd));
    got = sys_flock(fd, LOCK_EX | LOCK_NB);
    if (got < 0) {
        const ssize_t size = sys_pread(fd, who, sizeof who - 1, 0);

        who[size > 0 ? size : 0] = 0;
        sys_close(fd);
        return problem_set(p, got == -EWOULDBLOCK ? TERN_EBUSY : TERN_EIO,
                           "another %s holds %s (process %d); end it, or choose another directory",
                           what, state_dir, atoi(who));
    }
    snprintf(who, sizeof who, "%ld\n", (long)getpid());
    if (sys_ftruncate(fd, 0) < 0 || sys_write(fd, who, strlen(who)) < 0)
        return TERN_OK; /* the lock is what counts */
    return TERN_OK;
}
