#include "cli/commands.h"

/* The descriptions of the commands that make a pool: its agent, and all of it on one machine. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option agent_options[] = {
    {.name = "listen",
     .argument = "ENDPOINT",
     .help = "where it can be reached: unix:/path, tcp:HOST:PORT (port 0: any that is free); may "
             "be given several times (default: a socket of this user's, which it has beside TCP)"},
    {.name = "state",
     .argument = "DIR",
     .path = true,
     .help = "keep journal, token and key there (default: $XDG_STATE_HOME/tern/agent)"},
    {.name = "record",
     .argument = "FILE",
     .path = true,
     .help = "append all that it hears to FILE, to be played again by developers"},
};

static const struct example agent_examples[] = {
    {"tern agent", "for this machine alone"},
    {"tern agent --listen tcp:0.0.0.0:7373",
     "for others, too: it prints its endpoint with its pin"},
    {"sqlite3 ~/.local/state/tern/agent/journal.db 'SELECT * FROM ended'",
     "what has ended lately"},
};

static const struct exit_status agent_statuses[] = {
    {"0", "it was asked to end (SIGTERM, SIGINT), and did"},
};

const struct command command_agent = {
    .name = "agent",
    .summary = "run the agent of a pool, which decides what runs where",
    .usage = "",
    .about =
        "Runs until it gets SIGTERM. When it can be reached it prints one line that begins with "
        "'ready:' and says where.\n"
        "\n"
        "What it has promised survives its end and that of its machine: it is in the journal in "
        "the state directory, of which there is one agent at a time. The view 'ended' in "
        "journal.db tells of the tasks that have ended.\n"
        "\n"
        "On one machine the kernel says who connects. From other machines connections are TLS: "
        "whoever dials needs the endpoint with its pin, tcp:HOST:PORT#PIN, as the ready line has "
        "it, and the file 'token' of the state directory.",
    .options = agent_options,
    .option_count = COUNT(agent_options),
    .examples = agent_examples,
    .example_count = COUNT(agent_examples),
    .statuses = agent_statuses,
    .status_count = COUNT(agent_statuses),
    .run = cmd_agent,
};

static const struct option up_options[] = {
    {.name = "nodes", .argument = "N", .help = "as if it were N machines (default: 1)"},
    {.name = "slots",
     .argument = "K",
     .help = "programs that run at a time on each node (default: the processors, shared out)"},
    {.name = "listen",
     .argument = "ENDPOINT",
     .help = "let other machines come in, too: tcp:HOST:PORT"},
    {.name = "state",
     .argument = "DIR",
     .path = true,
     .help = "keep everything there (default: $XDG_STATE_HOME/tern)"},
};

static const struct example up_examples[] = {
    {"tern up", "a pool of this machine; in another terminal: tern run prog.wasm"},
    {"tern up --nodes 3 --slots 1", "three nodes, to see what becomes of work when one is killed"},
};

const struct command command_up = {
    .name = "up",
    .summary = "start a whole pool on this machine",
    .usage = "",
    .about =
        "Starts an agent, two depots and nodes, and prints one line that begins with 'ready:' when "
        "all of them are there. One that dies is started again. SIGTERM or Ctrl-C ends them, nodes "
        "first, so that they can bring what they have to the depots; a second one ends them at "
        "once.\n"
        "\n"
        "Everything is kept in the state directory: started again, the pool goes on where it was. "
        "It needs no configuration; see tern agent, tern depot and tern node for more than one "
        "machine.",
    .options = up_options,
    .option_count = COUNT(up_options),
    .examples = up_examples,
    .example_count = COUNT(up_examples),
    .statuses = agent_statuses,
    .status_count = COUNT(agent_statuses),
    .run = cmd_up,
};
