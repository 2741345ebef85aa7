#include "cli/commands.h"

/* The description of the depot's command. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option depot_options[] = {
    {.name = "agent",
     .argument = "ENDPOINT",
     .help = "the pool's agent: unix:/path, or tcp:HOST:PORT#PIN as its ready line has it "
             "(default: TERN_AGENT, else this machine's)"},
    {.name = "name",
     .argument = "NAME",
     .help = "what it is called in the pool, where no other depot may have that name (default: "
             "this machine's name)"},
    {.name = "listen",
     .argument = "ENDPOINT",
     .help = "where it can be reached: unix:/path, tcp:HOST:PORT; may be given several times, in "
             "order of preference (default: a socket of this user's)"},
    {.name = "memory",
     .argument = "SIZE",
     .help = "keep things in memory, at most that much; they end with the depot"},
    {.name = "dir", .argument = "DIR", .path = true, .help = "keep things in that directory"},
    {.name = "space",
     .argument = "SIZE",
     .help = "use at most that much of the disk (default: as much as there is)"},
    {.name = "token",
     .argument = "FILE",
     .path = true,
     .help = "the pool's token, which a depot needs that is on another machine than the agent"},
};

static const struct example depot_examples[] = {
    {"tern depot --dir /srv/tern --space 200G", "beside the agent, on a disk"},
    {"tern depot --agent tcp:head:7373#PIN --listen tcp:0.0.0.0:7374 --memory 8G",
     "on another machine, in memory; --agent as the agent's ready line has it"},
};

static const struct exit_status depot_statuses[] = {
    {"0", "it was asked to end (SIGTERM, SIGINT), and did"},
};

const struct command command_depot = {
    .name = "depot",
    .summary = "keep the data of a pool: programs, inputs, outputs, checkpoints",
    .usage = "",
    .about =
        "Runs until it gets SIGTERM. When others can reach it, it prints one line that begins with "
        "'ready:' and says where. It tells the agent that it is there, again and again until that "
        "answers; the agent decides what is kept and for how long.\n"
        "\n"
        "What a depot holds survives its end and its machine's, if it has a directory; that of one "
        "in memory is lost, which is why the pool keeps copies elsewhere. A full depot refuses, "
        "and the pool turns to another one. Damage is found when data is read, and mended from a "
        "copy.\n"
        "\n"
        "Each owner's data is in a store of its own. Nothing tells one owner what another has.",
    .options = depot_options,
    .option_count = COUNT(depot_options),
    .examples = depot_examples,
    .example_count = COUNT(depot_examples),
    .statuses = depot_statuses,
    .status_count = COUNT(depot_statuses),
    .run = cmd_depot,
};
