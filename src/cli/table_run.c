#include "cli/commands.h"
#include "cli/pool.h"

/* The descriptions of cc and exec. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option cc_options[] = {
    {.letter = 'o',
     .argument = "FILE",
     .help = "write the module to FILE (default: a.wasm)",
     .path = true},
    {.letter = 'c', .help = "compile without linking"},
    {.letter = 'O', .argument = "LEVEL", .help = "optimise at another level (default: -O3)"},
    {.letter = 'g', .help = "keep debugging information in the module"},
};

static const struct example cc_examples[] = {
    {"tern cc prog.c more.c -o prog.wasm -lm", "compile and link two sources"},
    {"tern cc -c part.c && tern cc part.o -o prog.wasm", "compile first, link later"},
    {"make CC='tern cc'", "build somebody else's program"},
};

static const struct exit_status cc_statuses[] = {
    {"N", "what clang ended with, if it was started"},
};

const struct command command_cc = {
    .name = "cc",
    .summary = "compile C or C++ to a WebAssembly module",
    .usage = "SOURCE... [-o PROG.wasm] [clang options]",
    .about =
        "Runs clang for WASI (preview 1) with Debian's wasi-libc and with the flags that suit "
        "the engine: -O3, 128-bit vectors, bulk memory, sign extension, conversions that do not "
        "trap; an 8 MiB stack that traps when it overflows; and wasi-libc's emulations of "
        "signals, mmap, clock and getpid. All options of clang can be given, and win over these "
        "flags.\n\n"
        "C++ sources are compiled with libc++ and without exceptions. What is not there: "
        "threads, setjmp and longjmp, fork and exec, and sockets other than those that a "
        "program is started with.\n\n"
        "Needs the packages clang, lld, wasi-libc and libclang-rt-14-dev-wasm32; for C++ also "
        "libc++-dev-wasm32 and libc++abi-dev-wasm32.",
    .options = cc_options,
    .option_count = COUNT(cc_options),
    .examples = cc_examples,
    .example_count = COUNT(cc_examples),
    .statuses = cc_statuses,
    .status_count = COUNT(cc_statuses),
    .args_least = 1,
    .raw = true,
    .complete = "",
    .run = cmd_cc,
};

static const struct option exec_options[] = {
    {.name = "dir",
     .argument = "HOST[::GUEST]",
     .path = true,
     .help = "let the program use the directory HOST, which it sees as GUEST (default: as HOST); "
             "can be given again"},
    {.name = "ro-dir",
     .argument = "HOST[::GUEST]",
     .path = true,
     .help = "the same, for reading only"},
    {.name = "files",
     .argument = "DIR",
     .path = true,
     .help = "give the program a file tree of its own, as '/', which begins with what is in DIR "
             "now; DIR itself is never changed"},
    {.name = "out",
     .argument = "PATH[=HOSTPATH]",
     .help =
         "when the program has exited, copy the file or folder PATH of its own tree to HOSTPATH "
         "(default: its last name, in the current directory); can be given again"},
    {.name = "files-size",
     .argument = "SIZE",
     .help = "most that the contents of its own tree take (default: 4G)"},
    {.name = "env",
     .argument = "NAME[=VALUE]",
     .help = "set an environment variable of the program, or pass ours on; can be given again"},
    {.name = "memory",
     .argument = "SIZE",
     .help = "most memory that the program gets (default: the module's own limit, at most 4G)"},
    {.name = "time",
     .argument = "TIME",
     .help = "most processor time: 500ms, 30s, 5m (default: no limit)"},
    {.name = "output",
     .argument = "SIZE",
     .help = "most bytes that the program writes in all (default: no limit)"},
    {.name = "stack",
     .argument = "SIZE",
     .help = "most call stack, counted by the module's own variables (default: 16M)"},
    {.name = "checkpoint",
     .argument = "DIR",
     .path = true,
     .help = "the program can be stopped, and gone on with from this directory (tern resume)"},
    {.name = "every",
     .argument = "TIME",
     .help = "take a checkpoint that often: 1s, 10m (default: only when asked)"},
    {.name = "stats",
     .argument = "FILE",
     .path = true,
     .help = "append a line of JSON to FILE for each checkpoint: pages, bytes, times"},
    {.name = "record",
     .argument = "FILE",
     .path = true,
     .help = "write down all that the program takes from outside (tern replay, tern record show)"},
    {.name = "deterministic",
     .help = "the same results on every processor and from every compiler: see below"},
    {.name = "random-seed",
     .argument = "N",
     .help = "random numbers that follow from N (default: the system's; 0 with --deterministic)"},
};

static const struct example exec_examples[] = {
    {"tern exec prog.wasm in.txt out.txt", "run with two arguments; it can open no file"},
    {"tern exec --dir . prog.wasm in.txt out.txt", "it can use the current directory"},
    {"tern exec --ro-dir /usr/share/dict::/dict --env LANG prog.wasm",
     "it can read one directory, under another name, and sees one variable"},
    {"tern exec --files input --out result.txt prog.wasm result.txt",
     "it works on a copy of input; result.txt is what remains"},
    {"sort names | tern exec --memory 64M --time 10s prog.wasm | head -1",
     "in a pipe, with limits"},
    {"tern exec --checkpoint state --every 5m prog.wasm",
     "lose at most five minutes; Ctrl-C keeps everything: tern resume state"},
    {"tern exec --record run.rec prog.wasm; tern record show run.rec",
     "what it asked the system for, call by call"},
    {"tern exec --deterministic --random-seed 7 prog.wasm", "the same output every time"},
};

static const struct exit_status exec_statuses[] = {
    {"N", "the program's own exit code"},
    {"75", "the program was stopped, and can be gone on with: tern resume"},
    {"125", "Tern could not do its part: wrong usage, no C compiler, no runner; or the program "
            "exited with 0 and something that --out names is missing or could not be copied"},
    {"126", "the module was refused: not WebAssembly, not valid, or it imports what there is not; "
            "or the checkpoint: damaged, or a file of the program has changed"},
    {"127", "the module was not found"},
    {"134", "the program trapped: a line on standard error says how and where"},
    {"152", "the program reached its limit of processor time"},
    {"153", "the program reached its limit of output"},
};

const struct command command_exec = {
    .name = "exec",
    .summary = "run a WebAssembly program in a sandbox",
    .usage = "PROG.wasm [ARGUMENT...]",
    .about =
        "Translates the module to C, compiles that with the system's C compiler, and runs the "
        "result in a process that can touch nothing but its memory, its standard streams and "
        "the directories that are named here. The compiled module is kept (tern cache), so "
        "that the next start takes milliseconds.\n\n"
        "Options come before the module; everything behind it belongs to the program. The "
        "program sees the environment variables that --env names, and no others. When a signal "
        "ends the program (Ctrl-C, a closed pipe), tern ends by the same signal, as a program "
        "without tern would.\n\n"
        "With --files the program sees a file tree of its own, in which it can do what it likes: "
        "of DIR it gets a copy (blocks are shared where the file system can), and nothing leaves "
        "the tree but what --out names. That is copied when the program has exited, with whatever "
        "code: whole and in one step, a file in place of a file that was there, a folder only "
        "where "
        "none is. After a trap, a limit, a signal or a stop nothing is copied. A checkpoint has "
        "the "
        "whole tree in it, so the program goes on anywhere, without DIR, whatever became of files "
        "since. --dir can be used beside it, under other names.\n\n"
        "With --checkpoint, SIGUSR1 (or tern checkpoint PID) takes a checkpoint and goes on; "
        "SIGTERM, SIGHUP and Ctrl-C take one and stop, a second one of these ends the program at "
        "once. A program is stopped where it can be rebuilt: between two rounds of a loop, after "
        "a call, before it waits. Standard input from a pipe or terminal is kept in DIR until a "
        "checkpoint has passed it, so that none is lost with a process that is killed; when it is "
        "first read, a checkpoint is taken.\n\n"
        "With --record, each host call that was answered is in FILE when the program goes on, with "
        "its arguments and every byte that it gave to the program; FILE has the module, too, so "
        "that tern replay can give the same run anywhere. FILE is for its owner only; a record "
        "that is there is replaced, any other file is not.\n\n"
        "Of WebAssembly's instructions only arithmetic that gives NaN is not the same on every "
        "machine: sign and payload of that NaN are the processor's. With --deterministic they are "
        "always those of the one canonical NaN, as soon as the program can see them: equal input "
        "gives equal results, bit for bit. NaNs that are only moved keep their bits. Random "
        "numbers follow from a seed then. What comes from outside stays what it is: clocks, files, "
        "input, and where a read or a wait ends. A program that uses random numbers for secrets "
        "should not be given a seed.\n\n"
        "The environment variable TERN_CC chooses the C compiler, TERN_CFLAGS adds flags for "
        "it, TERN_COMPILE_SECONDS bounds how long it may take (600), TERN_RUNNER chooses the "
        "runner, TERN_CACHE_DIR the place for compiled modules. TERN_COMPARE_PAGES=1 finds what "
        "a program changed in its memory by comparing, and not by asking the kernel.",
    .options = exec_options,
    .option_count = COUNT(exec_options),
    .examples = exec_examples,
    .example_count = COUNT(exec_examples),
    .statuses = exec_statuses,
    .status_count = COUNT(exec_statuses),
    .args_least = 1,
    .options_first = true,
    .only_statuses = true,
    .usage_status = 125,
    .complete = ".wasm",
    .run = cmd_exec,
};

static const struct option resume_options[] = {
    {.name = "stats",
     .argument = "FILE",
     .path = true,
     .help = "append a line of JSON to FILE for each checkpoint: pages, bytes, times"},
};

static const struct example resume_examples[] = {
    {"tern resume state", "go on with what was stopped, or broke off, in this directory"},
};

const struct command command_resume = {
    .name = "resume",
    .summary = "go on with a program from its last checkpoint",
    .usage = "DIR",
    .about =
        "DIR holds the module, its arguments, variables, directories and limits as they were "
        "given to tern exec --checkpoint, and the program's memory, call stack and open files. "
        "The program goes on as if it had not been stopped, on this or any other machine; "
        "checkpoints are taken as before. Standard streams are those of this command. A file that "
        "the program was using and that has changed meanwhile is refused, with its name.\n\n"
        "What the program had read from a pipe or terminal since the checkpoint it is given again, "
        "then what this command's standard input holds. Input that had ended has ended: then the "
        "new one is not read.",
    .options = resume_options,
    .option_count = COUNT(resume_options),
    .examples = resume_examples,
    .example_count = COUNT(resume_examples),
    .statuses = exec_statuses,
    .status_count = COUNT(exec_statuses),
    .args_least = 1,
    .args_most = 1,
    .only_statuses = true,
    .usage_status = 125,
    .complete = "",
    .run = cmd_resume,
};

static const struct option checkpoint_options[] = {POOL_OPTION_POOL, POOL_OPTION_JSON};

static const struct example checkpoint_examples[] = {
    {"tern checkpoint 4711", "the tern exec or tern resume with this process id takes one now"},
    {"tern checkpoint t4711", "the task t4711 of the pool does"},
};

static const struct exit_status checkpoint_statuses[] = {POOL_STATUSES};

const struct command command_checkpoint = {
    .name = "checkpoint",
    .summary = "ask a running program or task for a checkpoint",
    .usage = "PID | TASK | JOB",
    .about =
        "A number is the process id of a tern exec --checkpoint or a tern resume on this machine; "
        "t4711 is a task of the pool, j12 all tasks of a job. The program goes on afterwards. "
        "--pool and --json are about tasks.",
    .options = checkpoint_options,
    .option_count = COUNT(checkpoint_options),
    .examples = checkpoint_examples,
    .example_count = COUNT(checkpoint_examples),
    .statuses = checkpoint_statuses,
    .status_count = COUNT(checkpoint_statuses),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_checkpoint,
};
