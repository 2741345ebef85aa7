#include "cli/commands.h"

/* The descriptions of the commands about recorded runs. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct example replay_examples[] = {
    {"tern replay run.rec", "the run of tern exec --record run.rec prog.wasm, once more"},
    {"TERN_CC=clang tern replay run.rec", "the same, compiled by another compiler"},
};

static const struct exit_status replay_statuses[] = {
    {"N", "the recorded program's own exit code"},
    {"75", "the recorded run was stopped with a checkpoint"},
    {"76", "the program did something else than was recorded: a line says at which call"},
    {"77", "the record was cut off: replayed up to the call that a line names"},
    {"125", "Tern could not do its part: wrong usage, no C compiler, no runner"},
    {"126", "the record was refused: none at all, damaged, or its module is"},
    {"127", "the record was not found"},
    {"134", "the program trapped, as recorded"},
    {"152", "the program reached its limit of processor time, as recorded"},
    {"153", "the program reached its limit of output, as recorded"},
};

const struct command command_replay = {
    .name = "replay",
    .summary = "give a recorded run once more",
    .usage = "FILE",
    .about =
        "FILE was written by tern exec --record and holds the module and all that the program took "
        "from outside. The program runs as it did, on this or any other machine, but nothing is "
        "asked of the system: clocks, random numbers, input, files and directories are those in "
        "the record. What it wrote to standard output and standard error comes out again; files "
        "are not touched, nothing is read from standard input.\n\n"
        "Each call is compared with the recorded one: function, arguments, the bytes that it is "
        "given. What ended the run from outside (a signal, the limit of processor time) ends the "
        "replay behind the last recorded call. Of a record that was cut off the calls that are "
        "there are replayed. Where a program depends on the sign or payload of NaNs, which differ "
        "between processors, another processor's replay can differ.",
    .examples = replay_examples,
    .example_count = COUNT(replay_examples),
    .statuses = replay_statuses,
    .status_count = COUNT(replay_statuses),
    .args_least = 1,
    .args_most = 1,
    .only_statuses = true,
    .usage_status = 125,
    .complete = "",
    .run = cmd_replay,
};

static const struct option show_options[] = {
    {.name = "times", .help = "when each call was made, and how long it took"},
    {.name = "bytes", .argument = "N", .help = "show so many bytes of each text (default: 32)"},
    {.name = "calls", .argument = "NAME[,NAME]...", .help = "these functions only"},
    {.name = "failed", .help = "calls that failed only"},
    {.name = "summary", .help = "a table by function instead: calls, failures, seconds, bytes"},
    {.name = "json", .help = "as JSON, an object a line, with all that there is"},
};

static const struct example show_examples[] = {
    {"tern record show run.rec", "all host calls, as strace shows system calls"},
    {"tern record show --calls path_open --failed run.rec", "files that it did not find"},
    {"tern record show --summary run.rec", "what takes the time"},
    {"tern record show --json run.rec | jq -r 'select(.name == \"fd_read\") | .results.nread'",
     "how much each reading gave"},
};

const struct command command_record_show = {
    .name = "record show",
    .summary = "list the host calls of a recorded run",
    .usage = "FILE",
    .about =
        "FILE was written by tern exec --record, or is being written. A line for each call: its "
        "number, the function, what the program gave, by name, and behind '=' what it got, or the "
        "error. Long texts are cut; of what the program wrote the record keeps 64 bytes a call.\n\n"
        "JSON: first the settings of the run: module, args, env, dirs, limits. Then for each call: "
        "call (its number), at_ns (since the start), took_ns, name, args (numbers, by name), given "
        "(size and data of paths, of what is written, of what is waited for), answer (ok or the "
        "error), results (by name; data: all bytes that were received), stream (stdout, stderr or "
        "null), filled (address and size of the memory that changed). Last: calls, ended, end. In "
        "data bytes that are not printable ASCII, and %, stand as %XX. With --summary one array: "
        "name, calls, failed, took_ns, bytes_in, bytes_out.",
    .options = show_options,
    .option_count = COUNT(show_options),
    .examples = show_examples,
    .example_count = COUNT(show_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_record_show,
};
