#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/say.h"

#include "rt/tern_rt.h"
#include "translate/translate.h"

#include <stdio.h>
#include <string.h>

int cmd_help(const struct invocation *in)
{
    bool man = invocation_value(in, "man") != NULL;
    const struct command *c;
    size_t used;

    if (in->arg_count == 0) {
        if (man)
            man_page(NULL);
        else
            help_overview();
        return say_end_of_output(0);
    }
    c = command_find(in->args, &used);
    if (!c && in->arg_count == 1 && command_is_group(in->args[0])) {
        help_group(in->args[0]);
        return say_end_of_output(0);
    }
    if (!c || used != in->arg_count) {
        say("help: there is no command '%s%s%s'; 'tern help' lists all", in->args[0],
            in->args[1] ? " " : "", in->args[1] ? in->args[1] : "");
        return CLI_USAGE;
    }
    if (man)
        man_page(c);
    else
        help_command(c);
    return say_end_of_output(0);
}

int cmd_version(const struct invocation *in)
{
    (void)in;
    printf("tern %s (translator %d, runtime %d)\n", TERN_VERSION, TRANSLATE_VERSION,
           (int)TERN_RT_ABI);
    return say_end_of_output(0);
}

int cmd_completion(const struct invocation *in)
{
    if (!completion_print(in->args[0])) {
        say("completion: '%s' is not a shell that is known: bash, zsh, fish", in->args[0]);
        return CLI_USAGE;
    }
    return say_end_of_output(0);
}
