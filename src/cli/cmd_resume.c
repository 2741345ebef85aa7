#include "cli/commands.h"
#include "cli/run.h"
#include "cli/say.h"

#include "os/file.h"
#include "os/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CMDLINE_BYTES_MAX = 8 << 20, STATUS_BYTES_MAX = 64 << 10 };

int cmd_resume(const struct invocation *in)
{
    struct problem p = {.text = "out of memory"};
    int code = EXIT_REFUSED, signal = 0;
    struct run r;

    run_init(&r, in, "resume");
    r.checkpoints = in->args[0];
    if (in->given_count > 0 && !run_open_stats(&r, in->given[in->given_count - 1].value))
        code = EXIT_TERN;
    else if (run_open(&r, &p))
        say("cannot go on from %s: %s", in->args[0], p.text);
    else
        code = run_go(&r, &signal);
    run_release(&r);
    if (signal)
        process_die_by(signal);
    return code;
}

/* Another program would die of the signal, and so would a tern exec without checkpoints. */
static bool takes_checkpoints(long pid)
{
    struct stat own, its;
    struct bytes words = {0};
    char path[64];
    bool fine = false;

    snprintf(path, sizeof path, "/proc/%ld/exe", pid);
    if (stat("/proc/self/exe", &own) != 0 || stat(path, &its) != 0 || own.st_ino != its.st_ino ||
        own.st_dev != its.st_dev)
        return false;
    snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    if (file_read(path, CMDLINE_BYTES_MAX, &words) != TERN_OK)
        return false;
    for (size_t at = 0; bytes_text(&words) && at < words.size && !fine;
         at += strlen((const char *)words.data + at) + 1) {
        const char *word = (const char *)words.data + at;

        fine = strncmp(word, "--checkpoint", 12) == 0 || strcmp(word, "resume") == 0;
    }
    bytes_release(&words);
    return fine;
}

/* Before its main SIGUSR1 would end it; later it is caught, or waits until it can be. */
static bool hears_requests(long pid)
{
    static const char *const lists[] = {"\nSigBlk:", "\nSigCgt:"};
    struct bytes status = {0};
    char path[64];
    bool fine = false;

    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    if (file_read(path, STATUS_BYTES_MAX, &status) == TERN_OK && bytes_text(&status)) {
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
            const char *at = strstr(bytes_text(&status), lists[i]);

            fine |= at && strtoull(at + strlen(lists[i]), NULL, 16) >> (SIGUSR1 - 1) & 1;
        }
    }
    bytes_release(&status);
    return fine;
}

int cmd_checkpoint(const struct invocation *in)
{
    char *end;
    long pid;

    if (*in->args[0] == 't' || *in->args[0] == 'j')
        return cmd_checkpoint_task(in);
    pid = strtol(in->args[0], &end, 10);

    if (*end || pid <= 0) {
        say("checkpoint: '%s' is no process id, and no task (t4711) or job (j12) of a pool",
            in->args[0]);
        return CLI_USAGE;
    }
    if (!takes_checkpoints(pid)) {
        say("checkpoint: process %ld is no tern exec or tern resume that takes checkpoints", pid);
        return CLI_FAILED;
    }
    if (!hears_requests(pid)) {
        say("checkpoint: process %ld has hardly begun: try again", pid);
        return CLI_FAILED;
    }
    if (kill((pid_t)pid, SIGUSR1) != 0) {
        say("checkpoint: cannot ask process %ld: %s", pid, strerror(errno));
        return CLI_FAILED;
    }
    return 0;
}
