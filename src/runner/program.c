#include "runner/program.h"

#include "rt/suspend.h"
#include "runner/capture.h"
#include "runner/end.h"
#include "runner/private.h"
#include "runner/stop.h"

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

static const void *open_object(int fd, const char *symbol)
{
    char path[32];
    void *object;
    const void *found;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        end_refused("its compiled form cannot be loaded: %s", dlerror());
    found = dlsym(object, symbol);
    if (!found)
        end_refused("its compiled form is not one of Tern's");
    return found;
}

static struct view map_file(int fd, const char *what)
{
    struct stat st;
    void *bytes;

    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        end_refused("the runner was given no %s", what);
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        end_refused("the %s cannot be mapped: %s", what, strerror(errno));
    return view_of(bytes, (size_t)st.st_size);
}

static void load_state(struct program *p)
{
    if (state_decode(&p->state, map_file(TICKET_FD_STATE, "state"), &p->arena) != TERN_OK)
        end_refused("the state to go on from makes no sense");
    p->continuations = open_object(TICKET_FD_RESUME, "tern_continuations");
    if (p->continuations->abi != TERN_RT_ABI)
        end_refused("its continuations were compiled for another version of tern-runner");
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
    struct program *p = context;
    struct host *h = p->host;
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
    p->memory = memory;
    h->memory = memory;
    return memory;
}

/* That of the program before, emptied. */
static struct tern_memory *same_memory(void *context, const struct tern_limits *limits)
{
    const struct program *p = context;

    if (!memory_again(p->memory, limits->min))
        end_refused("its memory cannot be made anew: %s", strerror(errno));
    return p->memory;
}

/* A memory that goes on has the size that it had. */
static struct tern_memory *old_memory(void *context, const struct tern_limits *limits)
{
    const struct program *p = context;
    const struct tern_limits now = {p->host->resumed->instances[0].memory_pages, limits->max};

    return new_memory(context, &now);
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

static void make_instance(struct program *p)
{
    const struct ticket *t = p->host->ticket;
    const struct rt_config config = {
        .host = p->host,
        .source = p->source,
        .resolve = resolve,
        .new_memory = p->memory    ? same_memory
                      : t->resumes ? old_memory
                                   : new_memory,
        .context = p,
        .table_elements_max = t->table_elements_max,
        .room = t->stack_cells,
        .resumes = t->resumes,
    };
    struct rt_failure failure;
    const enum rt_link_result result = instance_new(p->module, &config, &p->in, &failure);

    if (result != RT_LINKED)
        refuse_link(p, result, &failure);
    find_start(p->in); /* before any of it runs */
    if (t->stoppable && !suspend_add(p->in))
        end_refused("no memory");
}

void program_load(struct program *p, struct host *h)
{
    int error = trap_init(h->ticket->native_stack_bytes);

    p->host = h;
    if (!error && h->ticket->stoppable)
        error = suspend_init(h->ticket->stack_cells);
    if (error)
        end_refused("no room for the program's stack: %s", strerror(error));
    if (h->ticket->resumes)
        load_state(p);
    h->resumed = h->ticket->resumes ? &p->state : NULL;
    p->module = open_object(TICKET_FD_OBJECT, "tern_module");
    p->source = map_file(TICKET_FD_MODULE, "module").data;
    make_instance(p);
    if (h->ticket->resumes)
        capture_restore(p);
}

void program_again(struct program *p, struct host *h)
{
    p->host = h;
    instance_free(p->in);
    make_instance(p);
}

/* ---- Running ---- */

struct run {
    struct program *program;
    uint32_t room;
};

static void call(const struct run *r, const struct tern_func *f)
{
    union tern_cell none[1] = {0};

    instance_func_type(r->program->in, f->index)->invoke(f, r->room, none);
}

static void run_main(const struct run *r)
{
    r->program->phase = STATE_IN_MAIN;
    call(r, find_start(r->program->in));
}

static void run_all(void *context)
{
    const struct run *r = context;
    const struct tern_instance *in = r->program->in;

    if (in->module->start != UINT32_MAX) {
        r->program->phase = STATE_IN_START;
        call(r, in->func[in->module->start]);
        if (suspend_stopped())
            return;
    }
    run_main(r);
}

/* The outermost frame's continuation calls the others. */
static void run_on(void *context)
{
    const struct run *r = context;
    const struct state_frame *outermost = &r->program->state.frames[0];
    struct tern_func f = *r->program->in->func[outermost->func];

    r->program->phase = r->program->state.phase;
    f.code = capture_frames(r->program)[0].code;
    call(r, &f);
    if (r->program->phase == STATE_IN_START && !suspend_stopped())
        run_main(r);
}

void program_run(struct program *p, struct host *h)
{
    struct run r = {.program = p, .room = h->ticket->stack_cells};
    struct trap_info info;
    enum trap_end end = trap_run(h->ticket->resumes ? run_on : run_all, &r, &info);

    while (end == TRAP_STOPPED) {
        stop_and_wait(p, h);
        end = trap_go_on(&info);
    }
    if (end == TRAP_TRAPPED)
        end_trap(&info);
    private_exit(h, 0);
}
