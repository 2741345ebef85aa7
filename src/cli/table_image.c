#include "cli/commands.h"

/* The descriptions of the commands that look at checkpoints. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option show_options[] = {
    {.name = "number",
     .argument = "N",
     .help = "the checkpoint of that number, among those that are kept (default: the newest)"},
    {.name = "values", .help = "with the value of every local and operand of every frame"},
    {.name = "json", .help = "as JSON, with all that there is"},
};

static const struct example show_examples[] = {
    {"tern image show state", "where the program is, what it holds"},
    {"tern image show --values --number 5 state", "every variable, in an older checkpoint"},
    {"tern image show --json state | jq '.frames[0].name'", "the function it is in"},
};

const struct command command_image_show = {
    .name = "image show",
    .summary = "show what a checkpoint consists of",
    .usage = "DIR",
    .about =
        "DIR is a directory of tern exec --checkpoint; the program may be running. Shows time, "
        "module, sizes, what is shared with the checkpoint before, the call stack, memory, "
        "globals, tables, descriptors, counters, and the files of its own tree. The image is "
        "checked against its module "
        "first. A variable whose value the program can no longer use is 0.\n\n"
        "JSON: directory, number, time_ns, kept (numbers); module: name, size_bytes, sha256; "
        "args; phase: start or main; deterministic; sizes: new_chunks, new_bytes, "
        "stored_chunks, stored_bytes, disk_bytes, memory_bytes, memory_used_bytes, "
        "state_bytes; shared: with, pages, bytes, stored_bytes, or null; frames, innermost first: "
        "function, "
        "name, offset, imported, inside_call, locals, operands, and values with --values; "
        "memory: page_bytes, pages, pages_used, used, lists_used (ranges of pages: first, "
        "count); globals: type, value; tables: type, size, null; data_dropped, "
        "elements_dropped (indices); descriptors: number, kind, source, directory, path, "
        "offset, size_bytes, mtime_ns, flags, read_only, written, inode; files, or null without "
        "files of its own: inodes, bytes_max, pages, pages_shared, tree (of each path: path, null "
        "if removed and open, kind, inode, links, size_bytes, mtime_ns, pages, pages_shared, "
        "target); counters: host_calls, "
        "output_bytes, cpu_ns, monotonic_ns, waited_ns, input_bytes, input_kept, input_ended "
        "(standard input that cannot be sought: read, taken in but not read, and whether that is "
        "all); random: seed (text), position, or null; limits: memory_pages, stack_cells.\n\n"
        "A value is a number for i32 and i64; text, with the member bits, for f32 and f64; "
        "hexadecimal text for v128; the index of a function or null for references. In paths and "
        "arguments bytes that are not printable ASCII, and %, stand as %XX.",
    .options = show_options,
    .option_count = COUNT(show_options),
    .examples = show_examples,
    .example_count = COUNT(show_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_image_show,
};

static const struct option verify_options[] = {
    {.name = "json", .help = "as JSON"},
};

static const struct example verify_examples[] = {
    {"tern image verify state && echo fine", "before copying it to another machine"},
};

const struct command command_image_verify = {
    .name = "image verify",
    .summary = "read all checkpoints in a directory and check them",
    .usage = "DIR",
    .about =
        "Reads every chunk of every checkpoint that is kept and checks its digest and its name; "
        "decodes each image and checks it against its module. Prints a line for each checkpoint, "
        "the newest first, and says on standard error what is wrong with the first that is not "
        "fine.\n\n"
        "JSON: directory; fine; checkpoints: number, fine, and chunks and plain_bytes (before "
        "compression) or problem.",
    .options = verify_options,
    .option_count = COUNT(verify_options),
    .examples = verify_examples,
    .example_count = COUNT(verify_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_image_verify,
};

static const struct option diff_options[] = {
    {.name = "from",
     .argument = "N",
     .help = "the earlier checkpoint (default: the one before the other)"},
    {.name = "to", .argument = "N", .help = "the later checkpoint (default: the newest)"},
    {.name = "json", .help = "as JSON, with all that there is"},
};

static const struct example diff_examples[] = {
    {"tern image diff state", "what happened between the last two"},
    {"tern image diff --from 4 --to 6 --json state | jq .new_bytes", "what two steps cost"},
};

const struct command command_image_diff = {
    .name = "image diff",
    .summary = "show what changed between two checkpoints",
    .usage = "DIR",
    .about =
        "Compares two checkpoints of one program that are both kept: frames of the call stack from "
        "the outermost on, globals, pages of memory, descriptors, files of its own tree by path. A "
        "frame that stands at the same "
        "place with other values is marked ~; what is gone is marked -, what is new +.\n\n"
        "JSON: directory, from, to (numbers); new_chunks, new_bytes: what the step added on disk; "
        "complete: whether that counts all checkpoints in between; frames_same: how many of the "
        "outermost are equal; frames, globals (with index), descriptors, files (with path, "
        "pages_changed): from and to, as in image "
        "show, null where there is none, frames from the outermost that differs inwards and with "
        "values; pages: page_bytes, same (a number), changed, new, zeroed (ranges of pages: "
        "first, count).",
    .options = diff_options,
    .option_count = COUNT(diff_options),
    .examples = diff_examples,
    .example_count = COUNT(diff_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_image_diff,
};

static const struct option export_options[] = {
    {.name = "number",
     .argument = "N",
     .help = "the checkpoint of that number, among those that are kept (default: the newest)"},
};

static const struct example export_examples[] = {
    {"tern image export state | zstd > state.zst", "one file, for any machine"},
    {"tern image export state | ssh there tern image import state", "straight to another machine"},
};

const struct command command_image_export = {
    .name = "image export",
    .summary = "write a checkpoint as one file for any machine",
    .usage = "DIR > FILE",
    .about =
        "Writes the newest checkpoint of DIR, with its module and settings, to standard output. A "
        "directory of checkpoints can be copied to machines of the same byte order; this goes to "
        "any. "
        "It is not compressed. Standard input that is kept for the program stays in DIR: files "
        "input-* there can be copied as they are.",
    .options = export_options,
    .option_count = COUNT(export_options),
    .examples = export_examples,
    .example_count = COUNT(export_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_image_export,
};

static const struct example import_examples[] = {
    {"zstd -dc state.zst | tern image import state && tern resume state", "go on with it here"},
};

const struct command command_image_import = {
    .name = "image import",
    .summary = "make a directory of checkpoints from such a file",
    .usage = "DIR < FILE",
    .about =
        "Reads what tern image export wrote from standard input into DIR, which is made if it is "
        "not there and must have no checkpoints yet. An archive that is damaged or not complete "
        "is refused.",
    .examples = import_examples,
    .example_count = COUNT(import_examples),
    .args_least = 1,
    .args_most = 1,
    .complete = "",
    .run = cmd_image_import,
};
