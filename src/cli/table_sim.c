#include "cli/commands.h"

/* The description of the simulator's command. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option sim_options[] = {
    {.name = "seed", .argument = "N", .help = "the seed that everything hangs on (default: 1)"},
    {.name = "seeds", .argument = "N", .help = "so many seeds, beginning with that one"},
    {.name = "nodes", .argument = "N", .help = "machines that run programs (default: drawn)"},
    {.name = "tasks", .argument = "N", .help = "programs to run, about (default: drawn)"},
    {.name = "for",
     .argument = "TIME",
     .help = "virtual time in which work comes and things break (default: drawn)"},
    {.name = "faults",
     .argument = "LIST",
     .help = "kinds of fault: all, none, names, or -name to leave one out (default: all)"},
    {.name = "plant",
     .argument = "BUG",
     .help = "a bug in the world that has to be found: lying-disk, forgetful-depot, echo"},
    {.name = "once", .help = "run each seed once instead of twice"},
    {.name = "trace", .help = "print everything that happens"},
    {.name = "json", .help = "as JSON, one object for each seed"},
};

static const struct example sim_examples[] = {
    {"tern sim --seeds 100", "a hundred pools, each broken in its own way"},
    {"tern sim --seed 17 --trace", "what happened in one of them"},
    {"tern sim --seed 17 --faults all,-agent", "the same, but the agent is left alone"},
};

static const struct exit_status sim_statuses[] = {
    {"0", "nothing was wrong"},
    {"1", "some seed found something wrong: a line says what, and which"},
};

const struct command command_sim = {
    .name = "sim",
    .summary = "try whole pools in a virtual world",
    .usage = "",
    .about =
        "Runs a whole pool (agent, depots, nodes with slots, clients) in one process and in "
        "virtual "
        "time: the code that ships, over a network, disks and programs that are simulated. Work "
        "and faults are drawn from the seed: connections break, frames are lost, machines lose "
        "power, processes are killed or stopped, disks tear. Then all is mended, and everything "
        "that was accepted has to end, once, and with the output of an undisturbed run.\n\n"
        "The same seed gives the same run, bit for bit: each is run twice, and compared. A failure "
        "names its seed and shows the last events before it.",
    .options = sim_options,
    .option_count = COUNT(sim_options),
    .examples = sim_examples,
    .example_count = COUNT(sim_examples),
    .statuses = sim_statuses,
    .status_count = COUNT(sim_statuses),
    .run = cmd_sim,
};
