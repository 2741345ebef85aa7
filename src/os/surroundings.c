#include "os/surroundings.h"

#include "os/sys.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Store, cache, compilers and runner with their pipes: twice what they have been seen to use. Each
 * directory is open here, and once more for the child. */
enum { FILES_LEAST = 80, FILES_PER_DIR = 2 };

static enum tern_err check_files(size_t dirs, struct problem *p)
{
    const rlim_t needed = FILES_LEAST + FILES_PER_DIR * dirs;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
        return TERN_OK;
    limit.rlim_cur = needed;
    if (limit.rlim_max >= needed && setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return TERN_OK;
    return problem_set(p, TERN_ESYSTEM,
                       "no more than %ju files may be open here, and this run needs %ju: raise the "
                       "limit (ulimit -n)",
                       (uintmax_t)limit.rlim_max, (uintmax_t)needed);
}

/* A runner loads code by a path of its own descriptor. */
static enum tern_err check_proc(struct problem *p)
{
    const int fd = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);

    sys_close(fd);
    return fd >= 0 ? TERN_OK
                   : problem_set(p, TERN_ESYSTEM,
                                 "/proc is not there, and programs cannot be loaded without it: "
                                 "mount it (mount -t proc proc /proc)");
}

static void *wait_for(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* At once the one that libuv is to make and, in the place of the runner, another. */
static enum tern_err check_threads(struct problem *p)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread[2];
    int error = 0, count = 0;

    setenv("UV_THREADPOOL_SIZE", "1", 1);
    pthread_mutex_lock(&gate);
    while (count < 2 && !error) {
        error = pthread_create(&thread[count], NULL, wait_for, &gate);
        count += !error;
    }
    pthread_mutex_unlock(&gate);
    while (count > 0)
        pthread_join(thread[--count], NULL);
    return error ? problem_set(p, TERN_ESYSTEM,
                               "no thread can be made here, and checkpoints need one: %s; raise "
                               "the limit on processes (ulimit -u)",
                               strerror(error))
                 : TERN_OK;
}

enum tern_err surroundings_check(const struct surroundings *s, struct problem *p)
{
    enum tern_err err = check_files(s->dirs, p);

    if (!err)
        err = check_proc(p);
    return !err && s->stopping ? check_threads(p) : err;
}
