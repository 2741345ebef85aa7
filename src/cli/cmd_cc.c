#include "cli/commands.h"
#include "cli/say.h"
#include "cli/toolchain.h"

#include "os/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* For the engine: vectors, and the instructions that every engine of today has. */
static const char *const compile_flags[] = {
    "-msimd128",
    "-mbulk-memory",
    "-mmutable-globals",
    "-msign-ext",
    "-mnontrapping-fptoint",
    /* Parts of POSIX that wasi-libc emulates when asked; what is not called costs nothing. */
    "-D_WASI_EMULATED_SIGNAL",
    "-D_WASI_EMULATED_MMAN",
    "-D_WASI_EMULATED_PROCESS_CLOCKS",
    "-D_WASI_EMULATED_GETPID",
    /* There are no threads; and with bulk memory clang refuses thread-local variables, errno
     * among them, unless atomics are on. */
    "-D_Thread_local=",
    "-D__thread=",
    NULL,
};

/* A stack as large as a native one, below the data: running over it is a trap, not damage. */
static const char *const link_flags[] = {
    "-L" WASI_LIBRARY_DIR,       "-Wl,--stack-first",
    "-Wl,-z,stack-size=8388608", "-lwasi-emulated-signal",
    "-lwasi-emulated-mman",      "-lwasi-emulated-process-clocks",
    "-lwasi-emulated-getpid",    NULL,
};

/* Options that take the next word, so that this is no input file. */
static const char *const with_value[] = {
    "-o",       "-I",       "-D",
    "-U",       "-L",       "-l",
    "-x",       "-include", "-imacros",
    "-isystem", "-iquote",  "-MF",
    "-MT",      "-MQ",      "-idirafter",
    "-Xlinker", "-Xclang",  "-mllvm",
    "-target",  "-u",       "-isysroot",
    "-T",       "-e",       "-z",
    "--param",  "-arch",    "-Xpreprocessor",
    NULL,
};

/* Options after which nothing is linked. */
static const char *const no_link[] = {
    "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-emit-ast", "--precompile", NULL,
};

struct cc {
    bool links;
    bool has_inputs;
    bool has_output;
    bool has_level; /* -O... */
    bool has_debug; /* -g... */
    bool has_cxx;
    struct words command;
};

static bool among(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static bool is_cxx(const char *file)
{
    static const char *const endings[] = {".cc", ".cpp", ".cxx", ".C", ".c++", ".CPP", NULL};
    const char *dot = strrchr(file, '.');

    return dot && among(dot, endings);
}

static void look_at_option(struct cc *cc, const char *word)
{
    if (among(word, no_link))
        cc->links = false;
    else if (strncmp(word, "-o", 2) == 0 && strncmp(word, "-object", 7) != 0)
        cc->has_output = true;
    else if (strncmp(word, "-O", 2) == 0)
        cc->has_level = true;
    else if (strncmp(word, "-g", 2) == 0 && strcmp(word, "-g0") != 0)
        cc->has_debug = true;
}

static void look_at(struct cc *cc, char *const *words)
{
    cc->links = true;
    for (; *words; words++) {
        const char *word = *words;

        if (*word == '-' && word[1]) {
            look_at_option(cc, word);
            if (!among(word, with_value) || !words[1])
                continue;
            words++;
            if (strcmp(word, "-x") == 0 && strncmp(*words, "c++", 3) == 0)
                cc->has_cxx = true;
        } else {
            cc->has_inputs = true;
            cc->has_cxx = cc->has_cxx || is_cxx(word);
        }
    }
    cc->links = cc->links && cc->has_inputs;
}

/*
 * A level of optimisation, told to the compiler behind the driver's back: the driver would hand
 * the result to wasm-opt wherever that happens to be installed, which takes the functions' names
 * away and makes the result differ from machine to machine.
 */
static void add_level(struct words *w, const char *level)
{
    static const char *const known[] = {"-O1", "-O2", "-O3", "-Os", "-Oz", NULL};

    if (strcmp(level, "-O") == 0)
        level = "-O1";
    if (!among(level, known)) {
        words_add(w, level);
        return;
    }
    words_add(w, "-Xclang");
    words_add(w, level);
    if (strchr("23s", level[2])) { /* what the driver adds at these levels */
        words_add(w, "-fvectorize");
        words_add(w, "-fslp-vectorize");
    }
}

static void add_flags(struct words *w, const char *const *flags)
{
    for (; *flags; flags++)
        words_add(w, *flags);
}

static void add_own(struct cc *cc)
{
    struct words *w = &cc->command;

    words_add(w, "--start-no-unused-arguments");
    words_add(w, "--target=wasm32-wasi");
    words_add(w, "--sysroot=/usr");
    /* Or clang would look into the host's own /usr/include for what WASI lacks. */
    words_add(w, "-nostdlibinc");
    if (cc->has_cxx) {
        words_add(w, "-cxx-isystem" WASI_CXX_INCLUDE_DIR);
        words_add(w, "-fno-exceptions");
    }
    words_add(w, "-idirafter" WASI_INCLUDE_DIR);
    add_flags(w, compile_flags);
    if (!cc->has_level)
        add_level(w, "-O3");
    words_add(w, "--end-no-unused-arguments");
}

static void add_users(struct cc *cc, char *const *words)
{
    struct words *w = &cc->command;

    for (; *words; words++) {
        if (strncmp(*words, "-O", 2) == 0) {
            add_level(w, *words);
            continue;
        }
        words_add(w, *words);
        if (among(*words, with_value) && words[1])
            words_add(w, *++words);
    }
}

static void add_link(struct cc *cc)
{
    struct words *w = &cc->command;

    if (!cc->has_output)
        words_add(w, "-oa.wasm");
    if (!cc->has_debug)
        words_add(w, "-Wl,--strip-debug"); /* the C library's; names of functions stay */
    add_flags(w, link_flags);
}

int cmd_cc(const struct invocation *in)
{
    struct cc cc = {0};

    look_at(&cc, in->args);
    if (!toolchain_complete(in->settings->path, cc.has_cxx))
        return CLI_FAILED;
    words_add(&cc.command, toolchain_clang(in->settings->path, cc.has_cxx));
    add_own(&cc);
    add_users(&cc, in->args);
    if (cc.links)
        add_link(&cc);
    if (cc.command.failed) {
        say("cc: out of memory");
        return CLI_FAILED;
    }
    execvp(cc.command.word[0], cc.command.word);
    say("cc: cannot start %s: %s", cc.command.word[0], strerror(errno));
    words_release(&cc.command);
    return CLI_FAILED;
}
