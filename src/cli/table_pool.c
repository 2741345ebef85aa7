#include "cli/commands.h"
#include "cli/pool.h"

/* The descriptions of the commands about tasks, nodes and data of a pool. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct exit_status pool_statuses[] = {POOL_STATUSES};
static const struct option both_options[] = {POOL_OPTION_POOL, POOL_OPTION_JSON};
static const struct option pool_options[] = {POOL_OPTION_POOL};

#define USUAL                                                                                      \
    .options = both_options, .option_count = COUNT(both_options), .statuses = pool_statuses,       \
    .status_count = COUNT(pool_statuses)
#define EXAMPLES(list) .examples = list, .example_count = COUNT(list)

static const struct option ps_options[] = {
    {.name = "all", .letter = 'a', .help = "those that have ended, too"},
    POOL_OPTION_POOL,
    POOL_OPTION_JSON,
};

static const struct example ps_examples[] = {
    {"tern ps", "what waits and runs"},
    {"tern ps j12", "all tasks of a job"},
};

const struct command command_ps = {
    .name = "ps",
    .summary = "list your tasks in the pool",
    .usage = "[JOB]",
    .about = "A line for each task: its state, its node, its newest checkpoint that counts, the "
             "processor time up to that, and how it ended or why it waits.",
    .options = ps_options,
    .option_count = COUNT(ps_options),
    EXAMPLES(ps_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .args_most = 1,
    .run = cmd_ps,
};

static const struct example show_examples[] = {
    {"tern show t4711", "where it was, and what that cost"},
};

const struct command command_show = {
    .name = "show",
    .summary = "show everything about a task",
    .usage = "TASK",
    .about = "What it runs, how it stands, every attempt with its node and how it ended, and the "
             "checkpoints that are known, with times and sizes. Of a job: its first task.",
    USUAL,
    EXAMPLES(show_examples),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_show,
};

static const struct example why_examples[] = {
    {"tern why t4711", "what it waits for, and what is on offer"},
};

const struct command command_why = {
    .name = "why",
    .summary = "say why a task is where it is, or why it is not running",
    .usage = "TASK",
    .about = "From the same tables that decide it: which requirements no node meets and what is on "
             "offer, which slots are in use, which input is missing, or why its node was chosen.",
    USUAL,
    EXAMPLES(why_examples),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_why,
};

static const struct option wait_options[] = {
    {.name = "any", .help = "only until the first of them has ended"},
    POOL_OPTION_POOL,
    POOL_OPTION_JSON,
};

static const struct example wait_examples[] = {
    {"tern wait t1 t2 && echo both went well", "for several"},
    {"tern wait --any j12", "for the first task of a job"},
};

static const struct exit_status wait_statuses[] = {
    POOL_STATUSES,
    {"7", "a task did not end well: not by exit with 0"},
};

const struct command command_wait = {
    .name = "wait",
    .summary = "wait for tasks to end",
    .usage = "TASK|JOB...",
    .about = "Prints a line for each task as it ends.",
    .options = wait_options,
    .option_count = COUNT(wait_options),
    EXAMPLES(wait_examples),
    .statuses = wait_statuses,
    .status_count = COUNT(wait_statuses),
    .args_least = 1,
    .args_most = 65536,
    .run = cmd_wait,
};

static const struct example cancel_examples[] = {
    {"tern cancel t4711 j12", "a task, and all tasks of a job"},
};

const struct command command_cancel = {
    .name = "cancel",
    .summary = "end tasks that have not ended",
    .usage = "TASK|JOB...",
    .about = "A task that has ended stays as it ended.",
    USUAL,
    EXAMPLES(cancel_examples),
    .args_least = 1,
    .args_most = 65536,
    .run = cmd_cancel,
};

const struct command command_forget = {
    .name = "forget",
    .summary = "let the pool forget tasks that have ended",
    .usage = "TASK|JOB...",
    .about = "Their results are not kept any longer. Without this they are kept for a day.",
    USUAL,
    .args_least = 1,
    .args_most = 65536,
    .run = cmd_forget,
};

static const struct example migrate_examples[] = {
    {"tern migrate t4711", "to the node that suits it best, but not the one where it is"},
    {"tern migrate t4711 n2", "to that one"},
};

const struct command command_migrate = {
    .name = "migrate",
    .summary = "move a running task to another node",
    .usage = "TASK [NODE]",
    .about =
        "It is copied ahead while it runs, and stopped only for what changed last. The command "
        "does not wait for it; tern show says what became of it.",
    USUAL,
    EXAMPLES(migrate_examples),
    .args_least = 1,
    .args_most = 2,
    .run = cmd_migrate,
};

static const struct example nodes_examples[] = {
    {"tern nodes", "a line for each"},
    {"tern nodes --json | jq '.nodes[].node'", "their names"},
};

const struct command command_nodes = {
    .name = "nodes",
    .summary = "list the nodes and depots of the pool",
    .usage = "",
    .about =
        "Of a node: its state (up, suspect, lost, drained), slots, and what it measures of itself; "
        "speed is of one processor, 1000 being a machine of about 2020.",
    USUAL,
    EXAMPLES(nodes_examples),
    .run = cmd_nodes,
};

static const struct option drain_options[] = {
    {.name = "back", .help = "let it have tasks again"},
    POOL_OPTION_POOL,
    POOL_OPTION_JSON,
};

static const struct example drain_examples[] = {
    {"tern drain n1", "before the machine is switched off"},
    {"tern drain --back n1", "when it is on again"},
};

const struct command command_drain = {
    .name = "drain",
    .summary = "move all tasks away from a node",
    .usage = "NODE",
    .about = "It gets no more tasks, and those that it has move to others as these have room.",
    .options = drain_options,
    .option_count = COUNT(drain_options),
    EXAMPLES(drain_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_drain,
};

static const struct example put_examples[] = {
    {"tern put data.csv", "under its own name"},
    {"zcat big.gz | tern put big -", "from a pipe"},
    {"tern run --in in=data.csv prog.wasm", "as a file of a program"},
};

const struct command command_put = {
    .name = "put",
    .summary = "bring a file into the pool, under a name",
    .usage = "NAME [FILE]",
    .about = "FILE is NAME if it is not given, '-' is standard input. A name that is there means "
             "the new "
             "bytes from now on; tasks that were submitted before keep the old ones. Equal bytes "
             "are stored once.",
    USUAL,
    EXAMPLES(put_examples),
    .args_least = 1,
    .args_most = 2,
    .complete = "",
    .run = cmd_put,
};

static const struct example get_examples[] = {
    {"tern get data.csv copy.csv", "what has that name"},
    {"tern get t4711:result.png result.png", "what a task has left; waits for its end"},
    {"tern get t4711: | less", "its standard output"},
};

const struct command command_get = {
    .name = "get",
    .summary = "fetch data from the pool",
    .usage = "NAME|TASK:[OUTPUT] [FILE]",
    .about = "To standard output if no FILE is given. FILE appears when it is whole.",
    .options = pool_options,
    .option_count = COUNT(pool_options),
    EXAMPLES(get_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .args_least = 1,
    .args_most = 2,
    .run = cmd_get,
};

static const struct example ls_examples[] = {{"tern ls", "sizes, copies, times and names"}};

const struct command command_ls = {
    .name = "ls",
    .summary = "list your data in the pool",
    .usage = "",
    .about = "A line for each name: size, in how many depots it is, since when, and the name.",
    USUAL,
    EXAMPLES(ls_examples),
    .run = cmd_ls,
};

static const struct example rm_examples[] = {{"tern rm data.csv", "the name, and its bytes"}};

const struct command command_rm = {
    .name = "rm",
    .summary = "take names away from data in the pool",
    .usage = "NAME...",
    .about = "Bytes that have no name any more, and that no task needs, are let go of.",
    .options = pool_options,
    .option_count = COUNT(pool_options),
    EXAMPLES(rm_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .args_least = 1,
    .args_most = 65536,
    .run = cmd_rm,
};

static const struct option top_options[] = {
    {.name = "once", .help = "one picture, not again and again"},
    POOL_OPTION_POOL,
    POOL_OPTION_JSON,
};

static const struct example top_examples[] = {{"tern top", "q or Ctrl-C ends it"}};

const struct command command_top = {
    .name = "top",
    .summary = "watch the pool: nodes and tasks, as they are now",
    .usage = "",
    .about = "Drawn again every second. With --json a line for each picture.",
    .options = top_options,
    .option_count = COUNT(top_options),
    EXAMPLES(top_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .run = cmd_top,
};
