#include "runner/program.h"

#include "runner/end.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Sentences about what does not fit ---- */

enum { SHOWN_MAX = 80 };

static int shown(struct tern_name name)
{
    return name.size < SHOWN_MAX ? (int)name.size : SHOWN_MAX;
}

struct signature {
    char text[96];
};

static const char *type_name(char letter)
{
    switch (letter) {
    case 'i': return "i32";
    case 'I': return "i64";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    case 'r': return "funcref";
    case 'e': return "externref";
    default: return "?";
    }
}

static void append(struct signature *s, const char *text)
{
    size_t size = strlen(s->text);

    snprintf(s->text + size, sizeof s->text - size, "%s", text);
}

static void append_list(struct signature *s, const char *letters, size_t count)
{
    append(s, "(");
    for (size_t i = 0; i < count; i++) {
        append(s, i ? ", " : "");
        append(s, type_name(letters[i]));
    }
    append(s, ")");
}

static struct signature signature_of(const char *params, size_t param_count, const char *results)
{
    struct signature s = {""};

    append_list(&s, params, param_count);
    append(&s, " -> ");
    append_list(&s, results, strlen(results));
    return s;
}

static _Noreturn void refuse_type(const struct program *p, const struct tern_import *i)
{
    const struct tern_type *type = &p->module->types[i->type];
    struct signature asked = signature_of(type->params, strlen(type->params), type->results);
    struct signature real;
    const char *letters = ">";
    size_t params;

    host_find(i, &letters);
    params = strcspn(letters, ">");
    real = signature_of(letters, params, letters + params + 1);
    end_refused("it imports %.*s.%.*s as %s, but that is %s", shown(i->module), i->module.data,
                shown(i->field), i->field.data, asked.text, real.text);
}

static _Noreturn void refuse_import(const struct tern_import *i)
{
    static const char *const kinds[] = {"function", "table", "memory", "global"};

    end_refused("it imports the %s %.*s.%.*s, which does not exist here: a program gets the "
                "functions of wasi_snapshot_preview1 and nothing else",
                kinds[i->kind], shown(i->module), i->module.data, shown(i->field), i->field.data);
}

static _Noreturn void refuse_link(const struct program *p, enum rt_link_result result,
                                  const struct rt_failure *failure)
{
    switch (result) {
    case RT_UNKNOWN_IMPORT: refuse_import(failure->import);
    case RT_INCOMPATIBLE_IMPORT: refuse_type(p, failure->import);
    case RT_TRAPPED:
        end_refused("one of its %s segments does not fit into the %s it is for",
                    failure->trap == TERN_TRAP_TABLE ? "element" : "data",
                    failure->trap == TERN_TRAP_TABLE ? "table" : "memory");
    case RT_WRONG_ABI: end_refused("it was compiled for another version of tern-runner");
    case RT_NO_MEMORY:
    case RT_LINKED: break;
    }
    end_refused("there is no memory for its tables, or they are larger than allowed");
}

/* ---- Loading ---- */

static const struct tern_module *open_object(void)
{
    char path[32];
    void *object;
    const struct tern_module *module;

    snprintf(path, sizeof path, "/proc/self/fd/%d", TICKET_FD_OBJECT);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        end_refused("its compiled form cannot be loaded: %s", dlerror());
    module = dlsym(object, "tern_module");
    if (!module)
        end_refused("its compiled form is not one of Tern's");
    return module;
}

static const uint8_t *map_source(void)
{
    struct stat st;
    void *source;

    if (fstat(TICKET_FD_MODULE, &st) < 0 || st.st_size <= 0)
        end_refused("the runner was given no module");
    source = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, TICKET_FD_MODULE, 0);
    if (source == MAP_FAILED)
        end_refused("the module cannot be mapped: %s", strerror(errno));
    return source;
}

static bool resolve(void *context, const struct tern_import *import, struct rt_extern *out)
{
    (void)context;
    *out = (struct rt_extern){.kind = TERN_FUNC};
    out->host_number = host_find(import, &out->host_type);
    return out->host_number > 0;
}

static uint64_t mebibytes(uint32_t pages)
{
    return ((uint64_t)pages + 15) / 16;
}

static struct tern_memory *new_memory(void *context, const struct tern_limits *limits)
{
    struct host *h = context;
    uint32_t allowed = h->ticket->memory_pages_max;
    uint32_t max = limits->max < allowed ? limits->max : allowed;
    struct tern_memory *memory;
    struct stat st;

    if (limits->min > allowed)
        end_refused("it needs %ju MiB of memory to start, and %ju MiB are allowed: raise --memory",
                    (uintmax_t)mebibytes(limits->min), (uintmax_t)mebibytes(allowed));
    if (fstat(TICKET_FD_MEMORY, &st) < 0 || (uint64_t)st.st_size < (uint64_t)max << 16)
        end_refused("the runner was given too little memory for the module");
    memory = memory_new(TICKET_FD_MEMORY, limits->min, max);
    if (!memory)
        end_refused("no room for the address space of its memory: %s", strerror(errno));
    trap_add_memory(memory);
    h->memory = memory;
    return memory;
}

static const struct tern_func *find_start(const struct tern_instance *in)
{
    const struct tern_export *e = instance_find_export(in, "_start", strlen("_start"));
    const struct tern_type *type;

    if (!e || e->kind != TERN_FUNC)
        end_refused("it exports no function _start: it is a library (reactor), not a program");
    type = instance_func_type(in, e->index);
    if (type->params[0] || type->results[0])
        end_refused("its _start takes arguments or gives results: a program's does neither");
    return in->func[e->index];
}

void program_load(struct program *p, struct host *h)
{
    struct rt_failure failure;
    struct rt_config config = {
        .host = h,
        .resolve = resolve,
        .new_memory = new_memory,
        .context = h,
        .table_elements_max = h->ticket->table_elements_max,
        .room = h->ticket->stack_cells,
    };
    enum rt_link_result result;
    int error;

    error = trap_init(h->ticket->native_stack_bytes);
    if (error)
        end_refused("no room for the program's stack: %s", strerror(error));
    p->module = open_object();
    p->source = map_source();
    config.source = p->source;
    result = instance_new(p->module, &config, &p->in, &failure);
    if (result != RT_LINKED)
        refuse_link(p, result, &failure);
    find_start(p->in); /* before any of it runs */
}

/* ---- Running ---- */

struct run {
    struct tern_instance *in;
    uint32_t room;
};

static void call(const struct run *r, const struct tern_func *f)
{
    union tern_cell none[1] = {0};

    instance_func_type(r->in, f->index)->invoke(f, r->room, none);
}

static void run_all(void *context)
{
    const struct run *r = context;
    uint32_t start = r->in->module->start;

    if (start != UINT32_MAX)
        call(r, r->in->func[start]);
    call(r, find_start(r->in));
}

void program_run(const struct program *p, uint32_t stack_cells)
{
    struct run r = {.in = p->in, .room = stack_cells};
    struct trap_info info;

    if (!trap_run(run_all, &r, &info))
        end_trap(&info);
    end_exit(0);
}
