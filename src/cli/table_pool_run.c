#include "cli/commands.h"
#include "cli/job.h"

/* The descriptions of run, submit, attach, logs and map. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define ABOUT_JOB                                                                                  \
    "The module is checked here, before anything is sent. The program sees a file tree of its "    \
    "own: what --in puts there, and what it writes; what --out names is kept when it has ended. "  \
    "It has no other files, and only the environment that --env gives it."

static const struct option run_options[] = {JOB_OPTIONS, POOL_OPTION_POOL};

static const struct example run_examples[] = {
    {"tern run prog.wasm 1000 < in.txt > out.txt", "as here, but in the pool"},
    {"tern run --in data.csv=@data.csv --out result.png plot.wasm data.csv",
     "a file goes along, a file comes back"},
    {"tern run --needs memory=8G --needs gpu prog.wasm", "only where there is that"},
    {"tern run --in -=t12: sum.wasm", "what task 12 writes is its input; it waits for that"},
};

static const struct exit_status run_statuses[] = {
    {"N", "the program's own exit code"},
    {"75", "you have detached: the task goes on (tern attach)"},
    {"125",
     "Tern could not do its part: wrong usage, no pool, the connection was refused, the pool "
     "is full, nothing that fits with --no-wait, a file that --out names is missing"},
    {"126", "the module was refused: not WebAssembly, not valid, or it imports what there is not"},
    {"127", "the module was not found"},
    {"130", "the task was cancelled"},
    {"134", "the program trapped: a line on standard error says how and where"},
    {"152", "the program reached its limit of processor time"},
    {"153", "the program reached its limit of output"},
};

const struct command command_run = {
    .name = "run",
    .summary = "run a program in the pool as if it ran here",
    .usage = "PROG.wasm [ARGUMENT...]",
    .about =
        "Hands the program to the pool, sends standard input, shows output as it comes, and ends "
        "as "
        "the program does. If the machine that it runs on is lost, it goes on elsewhere from its "
        "last checkpoint; if the agent is, this command waits for it to come back.\n\n"
        "A terminal shows output at once. Pipes and files get it when a checkpoint has passed it, "
        "so that what was read can never change; checkpoints are taken sooner while somebody "
        "waits for one. A program whose output depends on time or chance may write otherwise "
        "after a loss: a line on standard error says so.\n\n"
        "Where standard error is a terminal and the output goes elsewhere, a line there says where "
        "the task is and how far its checkpoints are. Ctrl-C asks whether to detach (the task "
        "goes on) or to cancel it; without a terminal it cancels, as SIGTERM does. When the "
        "terminal is closed, the task goes on.\n\n" ABOUT_JOB
        "\n\nThe environment variable TERN_POOL says where the pool is.",
    .options = run_options,
    .option_count = COUNT(run_options),
    .examples = run_examples,
    .example_count = COUNT(run_examples),
    .statuses = run_statuses,
    .status_count = COUNT(run_statuses),
    .args_least = 1,
    .options_first = true,
    .only_statuses = true,
    .usage_status = 125,
    .complete = ".wasm",
    .run = cmd_run,
};

static const struct option submit_options[] = {JOB_OPTIONS, POOL_OPTION_POOL, POOL_OPTION_JSON};

static const struct example submit_examples[] = {
    {"id=$(tern submit prog.wasm 1000)", "start and leave; the task's id is printed"},
    {"tern wait $id && tern get $id: out.txt", "later: wait, and fetch its standard output"},
    {"a=$(tern submit make.wasm); tern submit --in -=$a: use.wasm",
     "two tasks, one after the other"},
};

static const struct exit_status submit_statuses[] = {
    POOL_STATUSES,
    {"126", "the module was refused"},
    {"127", "the module was not found"},
};

const struct command command_submit = {
    .name = "submit",
    .summary = "start a program in the pool, and leave",
    .usage = "PROG.wasm [ARGUMENT...]",
    .about =
        "As tern run, but prints the id of the task (t4711) and ends when the pool has written it "
        "down: from then on it ends exactly once, whatever becomes of machines. Standard "
        "input is not read; --in -=@FILE gives one. Of --out FILE is not used: tern get "
        "TASK:PATH fetches what the task has left.\n\n" ABOUT_JOB,
    .options = submit_options,
    .option_count = COUNT(submit_options),
    .examples = submit_examples,
    .example_count = COUNT(submit_examples),
    .statuses = submit_statuses,
    .status_count = COUNT(submit_statuses),
    .args_least = 1,
    .options_first = true,
    .complete = ".wasm",
    .run = cmd_submit,
};

static const struct option attach_options[] = {POOL_OPTION_POOL};

static const struct example attach_examples[] = {
    {"tern attach t4711", "see its output from the beginning, and end as it does"},
};

const struct command command_attach = {
    .name = "attach",
    .summary = "come back to a task: its output, and its end",
    .usage = "TASK",
    .about =
        "Shows all of its output from the beginning, then what comes, and ends as tern run would "
        "have. Ctrl-C asks whether to detach or to cancel. Standard input is not sent.",
    .options = attach_options,
    .option_count = COUNT(attach_options),
    .examples = attach_examples,
    .example_count = COUNT(attach_examples),
    .statuses = run_statuses,
    .status_count = COUNT(run_statuses),
    .args_least = 1,
    .args_most = 1,
    .only_statuses = true,
    .usage_status = 125,
    .run = cmd_attach,
};

static const struct option logs_options[] = {
    {.name = "follow", .letter = 'f', .help = "go on until the task has ended"},
    POOL_OPTION_POOL,
};

static const struct example logs_examples[] = {
    {"tern logs t4711 > out.txt 2> err.txt", "what it has written so far"},
    {"tern logs -f t4711 | grep error", "and what it writes"},
};

static const struct exit_status pool_statuses[] = {POOL_STATUSES};

const struct command command_logs = {
    .name = "logs",
    .summary = "show what a task has written",
    .usage = "TASK",
    .about =
        "Its standard output goes to ours, its standard error to ours: what is committed, that is "
        "what no loss of a machine can change any more. With --follow a terminal also shows "
        "what is not. The exit code says nothing about the task (tern wait does).",
    .options = logs_options,
    .option_count = COUNT(logs_options),
    .examples = logs_examples,
    .example_count = COUNT(logs_examples),
    .statuses = pool_statuses,
    .status_count = COUNT(pool_statuses),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_logs,
};

static const struct option map_options[] = {
    {.name = "each", .argument = "FILE", .path = true, .help = "an item for each line of FILE"},
    {.name = "range", .argument = "A..B", .help = "items are the whole numbers from A to B"},
    {.name = "stdin", .help = "an item for each line of standard input"},
    {.name = "as-they-come", .help = "show results as tasks end, not in the order of items"},
    {.name = "results",
     .argument = "DIR",
     .path = true,
     .help = "write each item's output to DIR/INDEX.out (and .err, and --out files), not here"},
    {.name = "failed",
     .argument = "FILE",
     .path = true,
     .help = "write the items that failed to FILE, for --retry: index, tab, item"},
    {.name = "retry",
     .argument = "FILE",
     .path = true,
     .help = "only the items that --failed wrote to FILE; their results keep their indices"},
    JOB_OPTIONS,
    POOL_OPTION_POOL,
    POOL_OPTION_JSON,
};

static const struct example map_examples[] = {
    {"tern map --range 1..1000 --failed bad.txt prog.wasm --seed {}",
     "a thousand runs, their outputs in order"},
    {"tern map --retry bad.txt prog.wasm --seed {}", "those that failed, again"},
    {"ls *.csv | tern map --stdin --results out sum.wasm {}", "an item for each line"},
};

static const struct exit_status map_statuses[] = {
    POOL_STATUSES,
    {"7", "some items failed: they are listed on standard error"},
    {"126", "the module was refused"},
    {"127", "the module was not found"},
};

const struct command command_map = {
    .name = "map",
    .summary = "run a program once for each of many items",
    .usage = "PROG.wasm [ARGUMENT...]",
    .about =
        "Items come from --each, --range or --stdin; empty lines are none. {} in an argument "
        "stands for the item; an "
        "item "
        "that no argument has is given behind the last one. Each run is a task of its own, of one "
        "job. Standard outputs are shown one behind the other, in the order of items, standard "
        "errors of those that failed on ours. A task counts as failed that did not exit with "
        "0.\n\n"
        "Ctrl-C cancels those that have not ended. On a terminal a bar says how many have ended "
        "and when the rest will have.\n\n" ABOUT_JOB,
    .options = map_options,
    .option_count = COUNT(map_options),
    .examples = map_examples,
    .example_count = COUNT(map_examples),
    .statuses = map_statuses,
    .status_count = COUNT(map_statuses),
    .args_least = 1,
    .options_first = true,
    .complete = ".wasm",
    .run = cmd_map,
};
