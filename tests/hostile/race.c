/*
 * race - tries paths that another process keeps changing under it: race DIR ROUNDS
 *
 * swap is by turns a directory and a link to one beside DIR, file a file and a link to one; deep
 * is by turns in DIR and in the directory beside it. Prints how often it saw what is outside of
 * DIR ("OUTSIDE") and exits with 1 then. Natively it does see it: that shows that the race is one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[256];
static unsigned outside, inside, refused;

static const char *in(const char *dir, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void look(const char *dir, const char *name)
{
    char text[64] = "";
    int fd = open(in(dir, name), O_RDONLY);

    if (fd < 0) {
        refused++;
        return;
    }
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = 0;
    close(fd);
    if (strstr(text, "OUTSIDE"))
        outside++;
    else
        inside++;
}

static void ask(const char *dir, const char *name)
{
    struct stat st;

    if (stat(in(dir, name), &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 100)
        outside++; /* the only file of this size */
}

static void change(const char *dir)
{
    char to[256];
    int fd = open(in(dir, "swap/new"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd >= 0)
        close(fd);
    unlink(in(dir, "swap/secret.copy"));
    mkdir(in(dir, "swap/made"), 0700);
    snprintf(to, sizeof to, "%s/swap/renamed", dir);
    rename(in(dir, "mine"), to);
    fd = open(in(dir, "mine"), O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const char *dir = argc == 3 ? argv[1] : "";
    int rounds = argc == 3 ? atoi(argv[2]) : 0;

    for (int i = 0; i < rounds; i++) {
        look(dir, "swap/secret");
        look(dir, "file");
        look(dir, "deep/er/../../secret");
        look(dir, "deep/er/../../../secret");
        ask(dir, "swap/secret");
        ask(dir, "file");
        change(dir);
    }
    printf("%u outside, %u inside, %u refused\n", outside, inside, refused);
    return outside > 0;
}
