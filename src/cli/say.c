#include "cli/say.h"

#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say(const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say_text(text);
}

void say_text(const char *text)
{
    fprintf(stderr, "tern: %s\n", text); /* one write, whole lines: others write there, too */
}

int say_end_of_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    say("cannot write the output: %s", strerror(errno));
    return CLI_FAILED;
}
