/* Takes from outside all that a program can take, and tells: a line for each thing. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void arguments(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("argument %s\n", argv[i]);
    for (char **e = environ; e && *e; e++)
        printf("variable %s\n", *e);
}

static void clocks(void)
{
    struct timespec now, resolution;

    for (int i = 0; i < 3; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        printf("real %lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("monotonic %lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
        clock_getres(CLOCK_REALTIME, &resolution);
        printf("resolution %ld\n", resolution.tv_nsec);
    }
}

static void randomness(void)
{
    unsigned char bytes[40];

    getentropy(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

/* Whatever comes, in the pieces that it comes in. */
static void input(void)
{
    struct pollfd p = {.fd = 0, .events = POLLIN};
    char piece[100];
    ssize_t size;
    int ready;

    do {
        ready = poll(&p, 1, 5000);
        size = read(0, piece, sizeof piece);
        printf("ready %d %d, %zd bytes: %.*s\n", ready, p.revents, size, size > 0 ? (int)size : 0,
               piece);
    } while (size > 0);
}

static void waiting(void)
{
    struct pollfd p = {.fd = 77, .events = POLLIN};

    printf("waited %d\n", poll(NULL, 0, 3));
    printf("no such descriptor %d %d\n", poll(&p, 1, 3), p.revents);
}

static void file(const char *path)
{
    char text[64];
    FILE *f = fopen(path, "r");

    if (!f) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    while (fgets(text, sizeof text, f))
        printf("%s: %s", path, text);
    printf("at %ld\n", ftell(f));
    fclose(f);
}

static void directory(const char *path)
{
    DIR *d = opendir(path);
    char name[300], target[100];
    struct dirent *e;
    struct stat st;
    ssize_t size;

    while (d && (e = readdir(d))) {
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        size = lstat(name, &st) == 0 ? readlink(name, target, sizeof target) : -2;
        printf("%s %llu %lld %lld %.*s\n", name, (unsigned long long)e->d_ino,
               (long long)st.st_size, (long long)st.st_mtime, size > 0 ? (int)size : 0, target);
    }
    if (d)
        closedir(d);
}

static void changes(void)
{
    FILE *f = fopen("/data/new", "w");

    printf("made %d\n", f != NULL);
    if (f) {
        fprintf(f, "written at %lld\n", (long long)time(NULL));
        fclose(f);
    }
    printf("renamed %d\n", rename("/data/new", "/data/newer"));
    printf("removed %d\n", unlink("/data/goes"));
    printf("folder %d\n", mkdir("/data/folder", 0777));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    clocks();
    randomness();
    input();
    waiting();
    file("/data/text");
    file("/data/missing");
    directory("/data");
    changes();
    file("/data/newer");
    fprintf(stderr, "to the other stream\n");
    clocks();
    fflush(stdout);
    return argc > 1 ? atoi(argv[1]) : 0;
}
