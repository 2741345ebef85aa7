#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/say.h"

#include "os/confine.h"
#include "os/pool/family.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 64 };

/* With a standard stream closed, the next file we open would become it. */
static void open_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* A limit on the size of files is for whoever writes to tell of, and to clean up after. */
static void hear_of_full_files(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

/* The name that the words were probably meant to be. */
static const char *guess(const char *first, const char *second)
{
    const char *names[NAMES_MAX];
    char both[128];
    const char *near;
    size_t count = 0;

    for (size_t i = 0; i < command_count && count < NAMES_MAX; i++)
        names[count++] = commands[i]->name;
    snprintf(both, sizeof both, "%s %s", first, second ? second : "");
    near = second ? nearest(both, names, count) : NULL;
    return near ? near : nearest(first, names, count);
}

static int unknown_command(char **words)
{
    const char *second = words[1] && command_is_group(words[0]) ? words[1] : NULL;
    const char *near = guess(words[0], words[1]);

    if (near)
        say("there is no command '%s%s%s'; did you mean 'tern %s'?", words[0], second ? " " : "",
            second ? second : "", near);
    else
        say("there is no command '%s%s%s'; 'tern help' lists all", words[0], second ? " " : "",
            second ? second : "");
    return CLI_USAGE;
}

static int explain(const struct command *c)
{
    help_command(c);
    return say_end_of_output(0);
}

/* All words are the command's own business, but for --help. */
static int run_raw(struct invocation *in, char **words)
{
    const struct command *c = in->command;

    in->args = words;
    for (; words[in->arg_count]; in->arg_count++)
        if (strcmp(words[in->arg_count], "--help") == 0)
            return explain(c);
    if (in->arg_count >= c->args_least)
        return c->run(in);
    say("%s: something is missing; usage: tern %s %s", c->name, c->name, c->usage);
    return CLI_USAGE;
}

static int run(const struct command *c, char **words)
{
    const struct settings settings = settings_read();
    struct invocation in = {.command = c, .settings = &settings};
    int code = c->usage_status ? c->usage_status : CLI_USAGE;

    if (settings.compiler_ms_max == 0) {
        say("TERN_COMPILE_SECONDS should be a whole number of seconds, from 1 to %d",
            SETTINGS_SECONDS_MAX);
        return code;
    }
    if (c->raw)
        return run_raw(&in, words);
    if (options_parse(words, &in))
        code = in.help ? explain(c) : c->run(&in);
    invocation_release(&in);
    return code;
}

/* Asked for a checkpoint in its first moments, it has to live: it hears that when it can take one.
 */
static void keep_early_requests(const char *command)
{
    sigset_t requests;

    if (!command || (strcmp(command, "exec") != 0 && strcmp(command, "resume") != 0))
        return;
    sigemptyset(&requests);
    sigaddset(&requests, SIGUSR1);
    sigprocmask(SIG_BLOCK, &requests, NULL);
}

int main(int argc, char **argv)
{
    static char help[] = "help", version[] = "version";
    const struct command *c;
    size_t used;

    keep_early_requests(argc > 1 ? argv[1] : NULL);
    open_standard_streams();
    hear_of_full_files();
    if (argc < 2) {
        help_overview();
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "confine") == 0)
        return confine_main(argc, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        argv[1] = help;
    else if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    if (family_orphan())
        return CLI_FAILED; /* of tern up, which is gone: so is whoever could hear why */
    c = command_find(argv + 1, &used);
    if (!c && command_is_group(argv[1]) && (!argv[2] || strcmp(argv[2], "--help") == 0)) {
        help_group(argv[1]);
        return argv[2] ? say_end_of_output(0) : CLI_USAGE;
    }
    if (!c || (used == 1 && command_is_group(argv[1]) && argv[2] && *argv[2] != '-'))
        return unknown_command(argv + 1);
    return run(c, argv + 1 + used);
}
