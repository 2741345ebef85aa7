#include "cli/follow_line.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80 };

struct follow_line follow_line_begin(bool wanted)
{
    return (struct follow_line){.on = wanted && isatty(STDERR_FILENO)};
}

static int width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1;
    return WIDTH - 1;
}

void follow_line_draw(struct follow_line *l, const char *text)
{
    if (!l->on)
        return;
    fprintf(stderr, "\r\x1b[K%.*s", width(), text);
    fflush(stderr);
    l->drawn = true;
}

void follow_line_clear(struct follow_line *l)
{
    if (!l->drawn)
        return;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
    l->drawn = false;
}
