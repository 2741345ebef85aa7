#include "cli/commands.h"

/* The descriptions of node, and of slot, which it starts. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option node_options[] = {
    {.name = "agent",
     .argument = "ENDPOINT",
     .help = "where the pool's agent is: unix:/PATH, or HOST[:PORT] (default: TERN_AGENT, or the "
             "one of this machine)"},
    {.name = "name", .argument = "NAME", .help = "unique in the pool (default: the host's name)"},
    {.name = "slots",
     .argument = "COUNT",
     .help = "how many programs may run at a time (default: one for each processor)"},
    {.name = "label",
     .argument = "LABEL",
     .help = "something that tasks may require, such as gpu or site=berlin; can be given again"},
    {.name = "state",
     .argument = "DIR",
     .path = true,
     .help = "where it keeps what it fetched, and its measured speed"},
    {.name = "token",
     .argument = "FILE",
     .path = true,
     .help = "the pool's token, which is needed between machines (default: TERN_TOKEN)"},
};

static const struct example node_examples[] = {
    {"tern node", "lend all processors to the pool of this machine"},
    {"tern node --agent tcp:head:7373#PIN --slots 2 --label site=berlin",
     "two of them to a pool elsewhere; the agent prints its endpoint with the pin"},
};

static const struct exit_status node_statuses[] = {
    {"0", "it has left the pool: on SIGTERM or SIGINT"},
    {"1", "it could not start, or the agent does not take it"},
};

const struct command command_node = {
    .name = "node",
    .summary = "lend this machine to a pool",
    .usage = "[--agent ENDPOINT] [--name NAME] [--slots COUNT]",
    .about =
        "Connects to the pool's agent and runs what that gives it, each program in a process of "
        "its own, in a sandbox. Nothing of this machine's file system is visible to them. Prints "
        "a line that begins with 'ready' when the agent has taken it.\n\n"
        "On SIGTERM or SIGINT it leaves: what it runs is moved to other nodes behind a last "
        "checkpoint, copied ahead while it still runs; what has not begun is given back. That "
        "takes a minute at most. A second signal ends it at once; what it ran then goes on "
        "elsewhere from its last checkpoint. So it does if the node is killed.\n\n"
        "When the agent cannot be reached for longer than its lease, two seconds unless the agent "
        "says otherwise, all programs are ended: others may have them by then.\n\n"
        "A name belongs to one node at a time: while another one of that name is connected, this "
        "one is refused, and ends when that is still so after some seconds.",
    .options = node_options,
    .option_count = COUNT(node_options),
    .examples = node_examples,
    .example_count = COUNT(node_examples),
    .statuses = node_statuses,
    .status_count = COUNT(node_statuses),
    .run = cmd_node,
};

static const struct option slot_options[] = {
    {.name = "state", .argument = "DIR", .path = true, .help = "the node's own"},
    {.name = "token", .argument = "FILE", .path = true, .help = "as the node's"},
};

const struct command command_slot = {
    .name = "slot",
    .summary = "run the programs of one slot (for tern node to start)",
    .usage = "INDEX --state DIR",
    .about = "Started by tern node, to which it is joined by descriptor 3.",
    .options = slot_options,
    .option_count = COUNT(slot_options),
    .args_least = 1,
    .args_most = 1,
    .hidden = true,
    .run = cmd_slot,
};
