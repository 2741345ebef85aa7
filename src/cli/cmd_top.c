#include "cli/commands.h"
#include "cli/pool_json.h"
#include "cli/pool_text.h"
#include "cli/say.h"
#include "cli/signals.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { EVERY_MS = 1000, TASKS = 1000, ROWS = 24 };

struct picture {
    struct tern_rows *pool, *nodes, *tasks;
};

static bool look(const struct invocation *in, struct tern *t, struct picture *p, int *code)
{
    const struct tern_query pool = {.what = TERN_ASK_POOL}, nodes = {.what = TERN_ASK_NODES},
                            tasks = {.what = TERN_ASK_TASKS, .count = TASKS};

    *p = (struct picture){0};
    p->pool = pool_ask(in, t, &pool, code);
    p->nodes = p->pool ? pool_ask(in, t, &nodes, code) : NULL;
    p->tasks = p->nodes ? pool_ask(in, t, &tasks, code) : NULL;
    return p->tasks && p->pool->pool;
}

static void forget(struct picture *p)
{
    tern_rows_free(p->pool);
    tern_rows_free(p->nodes);
    tern_rows_free(p->tasks);
}

static size_t screen_rows(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 4)
        return size.ws_row;
    return ROWS;
}

static void draw_pool(const struct tern_pool *p)
{
    printf("tern: %u nodes, %u slots, %u depots; tasks: %llu running, %llu placed, %llu ready, "
           "%llu waiting, %llu ended\n",
           p->nodes, p->slots, p->depots, (unsigned long long)p->running,
           (unsigned long long)p->placed, (unsigned long long)p->ready,
           (unsigned long long)p->waiting, (unsigned long long)p->ended);
}

/* As many lines as there is room for, the running tasks first. */
static void draw(const struct picture *p, size_t rows)
{
    size_t left = rows - 3;
    bool any = false;

    draw_pool(p->pool->pool);
    for (size_t i = 0; i < p->nodes->node_count && left > rows / 2; i++, left--)
        pool_text_node(&p->nodes->nodes[i], i == 0);
    putchar('\n');
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->tasks->task_count && left > 2; i++) {
            const struct tern_result *r = &p->tasks->tasks[i];

            if ((r->state == TERN_RUNNING) != (pass == 0))
                continue;
            pool_text_task(r, !any);
            any = true;
            left--;
        }
}

static void tell(const struct picture *p)
{
    json_t *nodes = json_array(), *tasks = json_array();

    for (size_t i = 0; i < p->nodes->node_count; i++)
        json_array_append_new(nodes, pool_json_node(&p->nodes->nodes[i]));
    for (size_t i = 0; i < p->tasks->task_count; i++)
        json_array_append_new(tasks, pool_json_task(&p->tasks->tasks[i]));
    pool_json_line_take(json_pack("{sososo}", "pool", pool_json_pool(p->pool->pool), "nodes", nodes,
                                  "tasks", tasks));
}

/* Keys at once, not behind Enter. */
static bool keys_at_once(struct termios *before)
{
    struct termios now;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) != 0)
        return false;
    now = *before;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    return tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

/* False: it is to end. */
static bool pause_between(struct tern *t, bool keys)
{
    const int64_t until_ns = pool_wall_ns() + EVERY_MS * INT64_C(1000000);
    char key = 0;

    while (pool_wall_ns() < until_ns) {
        struct pollfd fds[2] = {{.fd = tern_fd(t), .events = POLLIN},
                                {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN}};
        const int left_ms = (int)((until_ns - pool_wall_ns()) / 1000000) + 1;

        if (signals_poll(fds, 2, left_ms) < 0)
            fds[1].revents = 0;
        tern_step(t);
        if (signals_take())
            return false;
        if (fds[1].revents && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q'))
            return false;
    }
    return true;
}

static int watch(const struct invocation *in, struct tern *t)
{
    const bool json = pool_wants_json(in), once = invocation_value(in, "once") != NULL;
    struct termios before;
    const bool keys = !once && keys_at_once(&before), screen = !json && isatty(STDOUT_FILENO);
    struct picture p;
    int code = 0;
    bool more = true;

    signals_catch();
    while (more && look(in, t, &p, &code)) {
        if (screen && !once)
            fputs("\x1b[H\x1b[2J", stdout);
        if (json)
            tell(&p);
        else
            draw(&p, screen ? screen_rows() : SIZE_MAX);
        forget(&p);
        more = say_end_of_output(0) == 0 && !once && pause_between(t, keys);
    }
    if (code)
        forget(&p);
    signals_default();
    if (keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return code;
}

int cmd_top(const struct invocation *in)
{
    int code = 0;
    struct tern *t = pool_open(in, &code);

    if (t)
        code = watch(in, t);
    tern_close(t);
    return code;
}
