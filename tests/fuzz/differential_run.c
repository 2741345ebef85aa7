/*
 * differential_run - runs every export of many compiled modules, for differential.py.
 *
 *   differential_run OBJECT NUMBER MODULE.wasm [NUMBER MODULE.wasm]...
 *
 * Does     For each: instantiates module_NUMBER of OBJECT, runs its start function, then every
 *          exported function without parameters, in order, on one instance. Imported functions
 *          are met whatever their type: each prints its call and gives zeros.
 * Output   "== NUMBER" and then the lines that wabt's `wasm-interp --run-all-exports
 *          --dummy-import-func` prints, but for the wording of traps.
 * Crash    Each module has a process of its own, with a limit of processor time; how it ended is
 *          the last line if that was not by itself ("== killed by signal 9").
 * Needs    src/rt and libc only.
 */
#include "rt/instance.h"
#include "rt/trap.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CELLS_MAX = 2048,
    LETTERS_MAX = 2100,
    ROOM = 1 << 17,
    NATIVE_STACK_BYTES = 1 << 29,
    TABLE_ELEMENTS_MAX = 10000000, /* as the runner has it */
    SECONDS_MAX = 20,
};

struct world {
    const struct tern_module *module;
    const uint8_t *source;
};

static struct world world;

/* ---- Values, as the interpreter prints them ---- */

static void print_vector(const uint8_t *bytes)
{
    printf("v128 i32x4:");
    for (int lane = 0; lane < 4; lane++) {
        const uint8_t *b = bytes + 4 * lane;
        uint32_t bits =
            (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;

        printf(lane ? " 0x%08" PRIx32 : "0x%08" PRIx32, bits);
    }
}

static void print_value(char letter, const union tern_cell *c)
{
    switch (letter) {
    case 'i': printf("i32:%" PRIu32, c->i32); break;
    case 'I': printf("i64:%" PRIu64, c->i64); break;
    case 'f': printf("f32:%f", (double)c->f32); break;
    case 'd': printf("f64:%f", c->f64); break;
    case 'v': print_vector(c->v128); break;
    default: printf(c->ref ? "ref" : "null");
    }
}

static void print_values(const char *letters, const union tern_cell *cells)
{
    for (size_t i = 0; letters[i]; i++) {
        if (i)
            printf(", ");
        print_value(letters[i], &cells[i]);
    }
}

/* ---- Imports ---- */

void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells)
{
    const struct tern_import *import = NULL;
    uint32_t left = func;

    (void)room;
    for (uint32_t i = 0; i < in->module->import_count && !import; i++) {
        if (in->module->imports[i].kind == TERN_FUNC && left-- == 0)
            import = &in->module->imports[i];
    }
    if (!import)
        abort();
    const struct tern_type *type = &in->module->types[import->type];

    printf("called host %s.%s(", import->module.data, import->field.data);
    print_values(type->params, cells);
    printf(") =>%s", type->results[0] ? " " : "");
    memset(cells, 0, strlen(type->results) * sizeof *cells);
    print_values(type->results, cells);
    putchar('\n');
}

static bool resolve(void *context, const struct tern_import *import, struct rt_extern *out)
{
    static char letters[LETTERS_MAX]; /* looked at before the next call */
    const struct tern_type *type = &world.module->types[import->type];

    (void)context;
    if (import->kind != TERN_FUNC)
        return false;
    snprintf(letters, sizeof letters, "%s>%s", type->params, type->results);
    *out = (struct rt_extern){.kind = TERN_FUNC, .host_type = letters, .host_number = 1};
    return true;
}

static struct tern_memory *new_memory(void *context, const struct tern_limits *limits)
{
    struct tern_memory *memory = memory_new(-1, limits->min, limits->max);

    (void)context;
    if (memory)
        trap_add_memory(memory);
    return memory;
}

/* ---- Calls ---- */

struct call {
    const struct tern_func *func;
    void (*invoke)(const struct tern_func *f, uint32_t room, union tern_cell *cells);
    union tern_cell cells[CELLS_MAX];
};

static void call_run(void *context)
{
    struct call *c = context;

    c->invoke(c->func, ROOM, c->cells);
}

static enum tern_trap_kind call(struct call *c, const struct tern_instance *in, uint32_t func)
{
    struct trap_info info;

    c->func = in->func[func];
    c->invoke = instance_func_type(in, func)->invoke;
    return trap_run(call_run, c, &info) ? TERN_TRAP_NONE : info.kind;
}

static void run_export(const struct tern_instance *in, const struct tern_export *e)
{
    static struct call c;
    const struct tern_type *type;
    enum tern_trap_kind trap;

    if (e->kind != TERN_FUNC)
        return;
    type = instance_func_type(in, e->index);
    if (type->params[0])
        return;
    trap = call(&c, in, e->index);
    fwrite(e->name.data, 1, e->name.size, stdout);
    printf("() =>%s", type->results[0] || trap ? " " : "");
    if (trap)
        printf("error: %s", trap_text(trap));
    else
        print_values(type->results, c.cells);
    putchar('\n');
    fflush(stdout);
}

static const char *instantiate(struct tern_instance **in)
{
    const struct rt_config config = {.source = world.source,
                                     .resolve = resolve,
                                     .new_memory = new_memory,
                                     .table_elements_max = TABLE_ELEMENTS_MAX,
                                     .room = ROOM};
    static struct call c;
    struct rt_failure failure;
    enum tern_trap_kind trap = TERN_TRAP_NONE;

    switch (instance_new(world.module, &config, in, &failure)) {
    case RT_LINKED: break;
    case RT_TRAPPED: return trap_text(failure.trap);
    case RT_NO_MEMORY: return "no memory";
    case RT_UNKNOWN_IMPORT:
    case RT_INCOMPATIBLE_IMPORT:
    case RT_WRONG_ABI: return "linking failed";
    }
    if (world.module->start != UINT32_MAX)
        trap = call(&c, *in, world.module->start);
    return trap ? trap_text(trap) : NULL;
}

static uint8_t *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size = -1;

    if (f && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size >= 0) {
        rewind(f);
        bytes = malloc((size_t)size + 1);
        if (bytes && fread(bytes, 1, (size_t)size, f) != (size_t)size)
            size = -1;
    }
    if (f)
        fclose(f);
    if (size >= 0)
        return bytes;
    free(bytes);
    return NULL;
}

static _Noreturn void run_module(void *object, const char *number, const char *path)
{
    const struct rlimit limit = {SECONDS_MAX, SECONDS_MAX};
    struct tern_instance *in;
    const char *why = "cannot start";
    char symbol[64];

    setrlimit(RLIMIT_CPU, &limit);
    snprintf(symbol, sizeof symbol, "module_%s", number);
    world.module = dlsym(object, symbol);
    world.source = read_file(path);
    if (world.module && world.source && trap_init(NATIVE_STACK_BYTES) == 0)
        why = instantiate(&in);
    if (why)
        printf("error initializing module: %s\n", why);
    for (uint32_t i = 0; !why && i < world.module->export_count; i++)
        run_export(in, &world.module->exports[i]);
    fflush(stdout);
    _exit(0);
}

static void run_apart(void *object, const char *number, const char *path)
{
    int status = 0;
    pid_t child;

    printf("== %s\n", number);
    fflush(stdout);
    child = fork();
    if (child == 0)
        run_module(object, number, path);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("differential_run");
        exit(1);
    }
    if (WIFSIGNALED(status))
        printf("== killed by signal %d\n", WTERMSIG(status));
}

int main(int argc, char **argv)
{
    void *object;

    if (argc < 4 || argc % 2 != 0) {
        fputs("usage: differential_run OBJECT NUMBER MODULE.wasm...\n", stderr);
        return 2;
    }
    object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        fprintf(stderr, "differential_run: %s\n", dlerror());
        return 1;
    }
    for (int i = 2; i < argc; i += 2)
        run_apart(object, argv[i], argv[i + 1]);
    return 0;
}
