/*
 * suite_run - carries out the script that suite_prepare wrote for one folder of the test suite.
 *
 *   suite_run FOLDER SCRIPT OBJECT [TORTURE [STORE]]
 *
 * FOLDER holds the WebAssembly modules, OBJECT is the shared object with all of them compiled.
 * With TORTURE (suite_torture.h) everything is stopped again and again while it runs; STORE is a
 * directory that it may use for images.
 * Needs only src/rt and libc, but for whole images, so that it can be built for another processor.
 *
 * Output   A line "LINE: what was wrong" for each command that failed; at the end
 *          "N passed, N failed, N skipped". Exit code 0 whatever the outcome, if it got that far.
 */
#include "suite_spectest.h"
#include "suite_torture.h"
#include "suite_value.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 1024,
    INSTANCES_MAX = 4096,
    CELLS_MAX = 1024,
    ROOM = 1 << 17,               /* cells of call stack */
    NATIVE_STACK_BYTES = 1 << 29, /* room for them without optimisation */
    TABLE_ELEMENTS_MAX = 1 << 20,
};

struct name {
    char data[NAME_BYTES];
    uint32_t size;
};

struct known { /* an instance under a name: of the module, or of a registration */
    struct name name;
    struct tern_instance *in;
};

struct world {
    const char *folder;
    void *object;
    struct known named[INSTANCES_MAX], registered[INSTANCES_MAX];
    unsigned named_count, registered_count;
    struct tern_instance *latest;
    unsigned passed, failed, skipped;
    int line; /* of the command at hand */
};

static struct world world;

/* Everything lives until the end; leak checkers want to see where it is. */
static void *keep(void *thing)
{
    static void *kept[4 * INSTANCES_MAX];
    static unsigned count;

    if (thing && count < sizeof kept / sizeof *kept)
        kept[count++] = thing;
    return thing;
}

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("%d: ", world.line);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    world.failed++;
}

static struct tern_memory *new_memory(void *context, const struct tern_limits *limits)
{
    struct tern_memory *memory = memory_new(-1, limits->min, limits->max);

    (void)context;
    if (memory)
        trap_add_memory(memory);
    return keep(memory);
}

/* ---- Names ---- */

/* A word of the script, "x" and hexadecimal; false for "-". */
static bool name_decode(const char *word, struct name *out)
{
    out->size = 0;
    if (*word++ != 'x')
        return false;
    for (; word[0] && word[1] && out->size + 1 < NAME_BYTES; word += 2) {
        char digits[3] = {word[0], word[1], 0};

        out->data[out->size++] = (char)strtoul(digits, NULL, 16);
    }
    out->data[out->size] = 0;
    return true;
}

static struct tern_instance *find(const struct known *known, unsigned count, const char *data,
                                  uint32_t size)
{
    while (count-- > 0) { /* the latest of a name counts */
        if (known[count].name.size == size && memcmp(known[count].name.data, data, size) == 0)
            return known[count].in;
    }
    return NULL;
}

/* The instance that a command names: "-" is the latest. */
static struct tern_instance *instance_named(const char *word)
{
    struct name name;

    if (!word || !name_decode(word, &name))
        return world.latest;
    return find(world.named, world.named_count, name.data, name.size);
}

static void remember(struct known *known, unsigned *count, const char *word,
                     struct tern_instance *in)
{
    if (*count < INSTANCES_MAX && word && name_decode(word, &known[*count].name))
        known[(*count)++].in = in;
}

/* ---- Instances ---- */

static bool resolve(void *context, const struct tern_import *import, struct rt_extern *out)
{
    const struct tern_export *e;
    struct tern_instance *in;

    (void)context;
    if (import->module.size == 8 && memcmp(import->module.data, "spectest", 8) == 0)
        return spectest_resolve(import->field.data, out);
    in = find(world.registered, world.registered_count, import->module.data, import->module.size);
    e = in ? instance_find_export(in, import->field.data, import->field.size) : NULL;
    if (e)
        *out = instance_extern(in, e);
    return e;
}

static uint8_t *read_file(const char *name, size_t *out)
{
    char path[4096];
    uint8_t *bytes = NULL;
    long size;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", world.folder, name);
    f = fopen(path, "rb");
    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0) {
        rewind(f);
        bytes = malloc((size_t)size + 1);
        if (bytes && fread(bytes, 1, (size_t)size, f) != (size_t)size) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(f);
    *out = bytes ? (size_t)size : 0;
    return bytes;
}

static enum tern_trap_kind start(const struct tern_instance *in)
{
    static union tern_cell cells[CELLS_MAX];
    struct torture_call call = {.cells = cells, .room = ROOM};
    struct trap_info info;
    const uint32_t func = in->module->start;

    if (func == UINT32_MAX)
        return TERN_TRAP_NONE;
    call.func = in->func[func];
    call.invoke = instance_func_type(in, func)->invoke;
    return torture_run(&call, &info) == TRAP_RETURNED ? TERN_TRAP_NONE : info.kind;
}

/* Instantiates module K of file; says in the suite's words why not, or NULL. */
static const char *instantiate(const char *number, const char *file, struct tern_instance **out)
{
    const struct tern_module *module;
    struct rt_config config = {
        .resolve = resolve, .new_memory = new_memory, .table_elements_max = TABLE_ELEMENTS_MAX};
    struct rt_failure failure;
    enum rt_link_result result;
    char symbol[64], resume[64];
    size_t size;

    snprintf(symbol, sizeof symbol, "module_%s", number);
    module = dlsym(world.object, symbol);
    config.source = keep(read_file(file, &size));
    if (!module || !config.source)
        return "no such module";
    result = instance_new(module, &config, out, &failure);
    keep(*out);
    /* Also what trapped in a segment: its functions may stand in the tables of others. */
    snprintf(resume, sizeof resume, "resume_%s", number);
    if (*out && !torture_know(*out, dlsym(world.object, resume), config.source, size))
        return "no memory for torture";
    switch (result) {
    case RT_LINKED: break;
    case RT_UNKNOWN_IMPORT: return "unknown import";
    case RT_INCOMPATIBLE_IMPORT: return "incompatible import type";
    case RT_NO_MEMORY: return "no memory";
    case RT_TRAPPED: return trap_text(failure.trap);
    case RT_WRONG_ABI: return "wrong ABI";
    }
    failure.trap = start(*out);
    return failure.trap == TERN_TRAP_NONE ? NULL : trap_text(failure.trap);
}

/* The suite's text may say more than ours, or less. */
static bool same_reason(const char *ours, const char *theirs)
{
    size_t a = strlen(ours), b = strlen(theirs);

    return strncmp(ours, theirs, a < b ? a : b) == 0;
}

/* ---- Commands ---- */

static void on_module(char **rest)
{
    const char *number = strtok_r(NULL, " ", rest), *file = strtok_r(NULL, " ", rest);
    const char *name = strtok_r(NULL, " ", rest);
    const char *why = instantiate(number, file, &world.latest);

    if (why) {
        world.latest = NULL;
        fail("%s: %s", file, why);
        return;
    }
    remember(world.named, &world.named_count, name, world.latest);
    world.passed++;
}

static void on_misfit(char **rest)
{
    const char *number = strtok_r(NULL, " ", rest), *file = strtok_r(NULL, " ", rest);
    struct tern_instance *in;
    const char *why = instantiate(number, file, &in);

    if (!why)
        fail("%s was instantiated, but: %s", file, *rest);
    else if (!same_reason(why, *rest))
        fail("%s: %s instead of: %s", file, why, *rest);
    else
        world.passed++;
}

static void on_register(char **rest)
{
    struct tern_instance *in = instance_named(strtok_r(NULL, " ", rest));

    if (!in) {
        fail("nothing to register");
        return;
    }
    remember(world.registered, &world.registered_count, strtok_r(NULL, " ", rest), in);
    world.passed++;
}

/* What the next two words name; NULL (said) if there is none of this kind. */
static const struct tern_export *export_named(char **rest, enum tern_kind kind,
                                              struct tern_instance **in)
{
    const struct tern_export *e = NULL;
    struct name field;

    *in = instance_named(strtok_r(NULL, " ", rest));
    if (name_decode(strtok_r(NULL, " ", rest), &field) && *in)
        e = instance_find_export(*in, field.data, field.size);
    if (!e || e->kind != kind) {
        fail("no export %s", field.data);
        return NULL;
    }
    return e;
}

/* Reads the arguments up to "=" or the line's end, and calls. */
static bool invoke(char **rest, struct torture_call *call, const struct tern_type **type,
                   enum tern_trap_kind *trap)
{
    struct tern_instance *in;
    const struct tern_export *e = export_named(rest, TERN_FUNC, &in);
    struct trap_info info;
    const char *word;
    uint32_t count = 0;

    if (!e)
        return false;
    *type = instance_func_type(in, e->index);
    call->func = in->func[e->index];
    call->invoke = (*type)->invoke;
    for (; (word = strtok_r(NULL, " ", rest)) && *word != '=' && count < CELLS_MAX; count++)
        value_decode(word, &call->cells[count]);
    if (count != strlen((*type)->params) || !call->invoke) {
        fail("the arguments do not fit");
        return false;
    }
    *trap = torture_run(call, &info) == TRAP_RETURNED ? TERN_TRAP_NONE : info.kind;
    return true;
}

static bool compare(const char *word, char letter, const union tern_cell *cell)
{
    char got[VALUE_TEXT_BYTES];

    if (value_matches(word, letter, cell))
        return true;
    value_describe(letter, cell, got);
    fail("%s instead of %s", got, word);
    return false;
}

static void on_return(char **rest, bool check_results)
{
    static union tern_cell cells[CELLS_MAX];
    struct torture_call call = {.cells = cells, .room = ROOM};
    const struct tern_type *type;
    enum tern_trap_kind trap;
    const char *word;
    uint32_t i = 0;

    if (!invoke(rest, &call, &type, &trap))
        return;
    if (trap != TERN_TRAP_NONE) {
        fail("trap: %s", trap_text(trap));
        return;
    }
    for (; check_results && (word = strtok_r(NULL, " ", rest)); i++) {
        if (!type->results[i]) {
            fail("too few results");
            return;
        }
        if (!compare(word, type->results[i], &call.cells[i]))
            return;
    }
    world.passed++;
}

static void on_trap(char **rest)
{
    static union tern_cell cells[CELLS_MAX];
    struct torture_call call = {.cells = cells, .room = ROOM};
    const struct tern_type *type;
    enum tern_trap_kind trap;

    if (!invoke(rest, &call, &type, &trap))
        return;
    if (trap == TERN_TRAP_NONE)
        fail("returned instead of: %s", *rest);
    else if (!same_reason(trap_text(trap), *rest))
        fail("%s instead of: %s", trap_text(trap), *rest);
    else
        world.passed++;
}

static void on_get(char **rest)
{
    struct tern_instance *in;
    const struct tern_export *e = export_named(rest, TERN_GLOBAL, &in);
    struct rt_extern global;

    if (!e)
        return;
    global = instance_extern(in, e);
    (void)strtok_r(NULL, " ", rest); /* the = */
    if (compare(strtok_r(NULL, " ", rest), global.valtype, global.global))
        world.passed++;
}

static void command(char *text)
{
    char *rest = NULL;
    const char *verb = strtok_r(text, " ", &rest), *line = strtok_r(NULL, " ", &rest);

    if (!verb || !line)
        return;
    world.line = atoi(line);
    if (strcmp(verb, "pass") == 0)
        world.passed++;
    else if (strcmp(verb, "skip") == 0)
        world.skipped++;
    else if (strcmp(verb, "fail") == 0)
        fail("%s", rest);
    else if (strcmp(verb, "module") == 0)
        on_module(&rest);
    else if (strcmp(verb, "unlinkable") == 0 || strcmp(verb, "uninstantiable") == 0)
        on_misfit(&rest);
    else if (strcmp(verb, "register") == 0)
        on_register(&rest);
    else if (strcmp(verb, "return") == 0 || strcmp(verb, "action") == 0)
        on_return(&rest, *verb == 'r');
    else if (strcmp(verb, "trap") == 0)
        on_trap(&rest);
    else if (strcmp(verb, "get") == 0)
        on_get(&rest);
    else
        fail("unknown command %s", verb);
}

static bool run_script(const char *path)
{
    FILE *script = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    if (!script)
        return false;
    while ((size = getline(&line, &room, script)) > 0) {
        line[size - 1] = 0;
        command(line);
    }
    free(line);
    fclose(script);
    return true;
}

int main(int argc, char **argv)
{
    const char *why = "no memory";

    if (argc < 4 || argc > 6) {
        fputs("usage: suite_run FOLDER SCRIPT OBJECT [TORTURE [STORE]]\n", stderr);
        return 2;
    }
    world.folder = argv[1];
    world.object = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
    if (!world.object) {
        printf("0: %s\n", dlerror());
        return 1;
    }
    if (trap_init(NATIVE_STACK_BYTES) != 0 ||
        (argc > 4 && !torture_init(argv[4], ROOM, argv[5], &why)) ||
        !spectest_init(new_memory(NULL, &(struct tern_limits){1, 2})) || !run_script(argv[2])) {
        printf("0: cannot start: %s\n", why);
        return 1;
    }
    torture_report();
    printf("%u passed, %u failed, %u skipped\n", world.passed, world.failed, world.skipped);
    return 0;
}
