#include "cli/commands.h"

/* The descriptions of the commands that look at modules and at the cache. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option json_option[] = {
    {.name = "json", .help = "as JSON, with all that there is"},
};

static const struct example show_examples[] = {
    {"tern module show prog.wasm", "what it needs, what it offers, how large it is"},
    {"tern module show --json prog.wasm | jq '.functions | max_by(.size_bytes)'",
     "the largest function"},
};

const struct command command_module_show = {
    .name = "module show",
    .summary = "show what a WebAssembly module consists of",
    .usage = "PROG.wasm",
    .about = "Decodes and validates the module and lists its imports, exports, memories, tables, "
             "globals, functions (with names, types, offsets and sizes) and custom sections.",
    .options = json_option,
    .option_count = COUNT(json_option),
    .examples = show_examples,
    .example_count = COUNT(show_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = ".wasm",
    .run = cmd_module_show,
};

static const struct option c_options[] = {
    {.letter = 'o',
     .name = "output",
     .argument = "DIR",
     .path = true,
     .help = "write the C files and the headers they need into DIR, instead of printing them"},
    {.name = "deterministic", .help = "as tern exec --deterministic compiles it"},
};

static const struct example c_examples[] = {
    {"tern module c prog.wasm | less", "read it"},
    {"tern module c prog.wasm -o /tmp/prog", "files that a compiler takes"},
};

const struct command command_module_c = {
    .name = "module c",
    .summary = "show the C that a WebAssembly module is translated to",
    .usage = "PROG.wasm",
    .about = "Prints the C that tern exec compiles. A large module consists of several pieces, "
             "which are printed one after the other. The headers tern_rt.h, tern_scalar.h and "
             "tern_simd.h, which the C includes, are written only with -o.",
    .options = c_options,
    .option_count = COUNT(c_options),
    .examples = c_examples,
    .example_count = COUNT(c_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = ".wasm",
    .run = cmd_module_c,
};

static const struct example validate_examples[] = {
    {"tern module validate prog.wasm && echo fine", "check a module from elsewhere"},
};

const struct command command_module_validate = {
    .name = "module validate",
    .summary = "check that a file is a valid WebAssembly module",
    .usage = "PROG.wasm",
    .about = "Decodes and validates by the rules of WebAssembly 2.0. Says nothing if all is "
             "well, else where and why not.",
    .examples = validate_examples,
    .example_count = COUNT(validate_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = ".wasm",
    .run = cmd_module_validate,
};

static const struct example cache_examples[] = {
    {"tern cache", "how much is there"},
    {"tern cache prune --max-size 500M", "make it smaller"},
};

static const char cache_about[] =
    "Compiled modules are kept in $TERN_CACHE_DIR, $XDG_CACHE_HOME/tern or ~/.cache/tern, named "
    "by a hash of module, translator, compiler and flags. They are verified on every use; a "
    "damaged one is built again. Those that were not used longest make room when there are too "
    "many.";

const struct command command_cache = {
    .name = "cache",
    .summary = "show which compiled modules are kept",
    .usage = "",
    .about = cache_about,
    .options = json_option,
    .option_count = COUNT(json_option),
    .examples = cache_examples,
    .example_count = COUNT(cache_examples),
    .run = cmd_cache_show,
};

const struct command command_cache_show = {
    .hidden = true, /* the same as cache */
    .name = "cache show",
    .summary = "show which compiled modules are kept",
    .usage = "",
    .about = cache_about,
    .options = json_option,
    .option_count = COUNT(json_option),
    .examples = cache_examples,
    .example_count = COUNT(cache_examples),
    .run = cmd_cache_show,
};

static const struct option prune_options[] = {
    {.name = "max-size",
     .argument = "SIZE",
     .help = "keep at most SIZE (default: the cache's usual limit, 2G)"},
    {.name = "all", .help = "keep none"},
};

const struct command command_cache_prune = {
    .name = "cache prune",
    .summary = "remove compiled modules that were not used for long",
    .usage = "",
    .about = cache_about,
    .options = prune_options,
    .option_count = COUNT(prune_options),
    .examples = cache_examples,
    .example_count = COUNT(cache_examples),
    .run = cmd_cache_prune,
};
