#include "rt_modules.h"

#include "rt/tern_scalar.h"

const uint8_t rt_source[16] = "0123456789abcdef";

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define ANY_MAX UINT32_MAX
#define I32(value)                                                                                 \
    {                                                                                              \
        TERN_CONST_BITS, 'i', 0,                                                                   \
        {                                                                                          \
            (value), 0                                                                             \
        }                                                                                          \
    }
#define I64(value)                                                                                 \
    {                                                                                              \
        TERN_CONST_BITS, 'I', 0,                                                                   \
        {                                                                                          \
            (value), 0                                                                             \
        }                                                                                          \
    }
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- provider ---- */

static uint32_t add(struct tern_instance *in, uint32_t room, uint32_t l0, uint32_t l1)
{
    ENTER(11, 0, 30);
    return l0 + l1;
}

static uint32_t peek(struct tern_instance *in, uint32_t room, uint32_t l0)
{
    uint8_t *const m = in->mem;

    ENTER(10, 1, 40);
    return i32_load(AT(l0, 0xffffffffu));
}

static void recurse(struct tern_instance *in, uint32_t room)
{
    volatile uint32_t more = room; /* the compiler cannot know that only the stack ends this */

    ENTER(8, 2, 50);
    if (more)
        recurse(in, room);
    more = 0; /* not a tail call */
}

static void stop(struct tern_instance *in, uint32_t room)
{
    ENTER(8, 3, 60);
    tern_trap(in, TERN_TRAP_UNREACHABLE, 3, 61);
}

typedef uint32_t type_ii_i(struct tern_instance *in, uint32_t room, uint32_t, uint32_t);
typedef uint32_t type_i_i(struct tern_instance *in, uint32_t room, uint32_t);
typedef void type_none(struct tern_instance *in, uint32_t room);
typedef void type_i(struct tern_instance *in, uint32_t room, uint32_t);

static void call_ii_i(const struct tern_func *f, uint32_t room, union tern_cell *c)
{
    c[0].i32 = ((type_ii_i *)f->code)(f->instance, room, c[0].i32, c[1].i32);
}

static void call_i_i(const struct tern_func *f, uint32_t room, union tern_cell *c)
{
    c[0].i32 = ((type_i_i *)f->code)(f->instance, room, c[0].i32);
}

static void call_none(const struct tern_func *f, uint32_t room, union tern_cell *c)
{
    (void)c;
    ((type_none *)f->code)(f->instance, room);
}

static void call_i(const struct tern_func *f, uint32_t room, union tern_cell *c)
{
    ((type_i *)f->code)(f->instance, room, c[0].i32);
}

static const struct tern_type types[] = {{"ii", "i", 0, call_ii_i},
                                         {"i", "i", 0, call_i_i},
                                         {"", "", 0, call_none},
                                         {"i", "", 0, call_i}};

static const struct tern_function provider_functions[] = {
    {(tern_code)add, 0}, {(tern_code)peek, 1}, {(tern_code)recurse, 2}, {(tern_code)stop, 2}};
static const struct tern_table_type provider_tables[] = {{'r', {4, 8}}};
static const struct tern_limits provider_memories[] = {{1, 3}};
static const struct tern_global_type provider_globals[] = {{'i', 0, I32(7)}, {'I', 1, I64(8)}};
static const struct tern_export provider_exports[] = {
    {NAME("t"), TERN_TABLE, 0},      {NAME("m"), TERN_MEMORY, 0}, {NAME("g"), TERN_GLOBAL, 0},
    {NAME("v"), TERN_GLOBAL, 1},     {NAME("add"), TERN_FUNC, 0}, {NAME("peek"), TERN_FUNC, 1},
    {NAME("recurse"), TERN_FUNC, 2}, {NAME("stop"), TERN_FUNC, 3}};
static const uint32_t provider_inits[] = {0};
static const struct tern_elem provider_elems[] = {{TERN_ACTIVE, 'r', 0, I32(1), provider_inits, 1}};

const struct tern_module rt_provider = {
    .abi = TERN_RT_ABI,
    .type_count = COUNT(types),
    .function_count = COUNT(provider_functions),
    .table_count = 1,
    .memory_count = 1,
    .global_count = 2,
    .export_count = COUNT(provider_exports),
    .elem_count = 1,
    .start = UINT32_MAX,
    .types = types,
    .functions = provider_functions,
    .tables = provider_tables,
    .memories = provider_memories,
    .globals = provider_globals,
    .exports = provider_exports,
    .elems = provider_elems,
};

/* ---- consumer ---- */

static void log_host(struct tern_instance *in, uint32_t room, uint32_t l0)
{
    union tern_cell c[1];

    c[0].i32 = l0;
    tern_host(in, 1, room, c);
}

static const struct tern_import consumer_imports[] = {
    {NAME("p"), NAME("add"), TERN_FUNC, '-', 0, 0, {0, 0}, NULL},
    {NAME("h"), NAME("log"), TERN_FUNC, '-', 0, 3, {0, 0}, (tern_code)log_host},
    {NAME("p"), NAME("t"), TERN_TABLE, 'r', 0, 0, {3, 9}, NULL},
    {NAME("p"), NAME("m"), TERN_MEMORY, '-', 0, 0, {1, 3}, NULL},
    {NAME("p"), NAME("g"), TERN_GLOBAL, 'i', 0, 0, {0, 0}, NULL},
    {NAME("p"), NAME("v"), TERN_GLOBAL, 'I', 1, 0, {0, 0}, NULL}};
static const struct tern_table_type consumer_tables[] = {{'e', {2, ANY_MAX}}};
static const struct tern_global_type consumer_globals[] = {
    {'i', 0, {TERN_CONST_GLOBAL, 'i', 0, {0, 0}}},
    {'v', 0, {TERN_CONST_BITS, 'v', 0, {0x0807060504030201, 0x100f0e0d0c0b0a09}}},
    {'r', 0, {TERN_CONST_FUNC, 'r', 0, {0, 0}}}};
static const struct tern_export consumer_exports[] = {{NAME("log"), TERN_FUNC, 1},
                                                      {NAME("again"), TERN_GLOBAL, 1},
                                                      {NAME("vector"), TERN_GLOBAL, 3},
                                                      {NAME("ref"), TERN_GLOBAL, 4},
                                                      {NAME("own"), TERN_TABLE, 1}};
static const uint32_t consumer_inits[] = {1, TERN_INIT_NULL, TERN_INIT_GLOBAL | 4};
static const struct tern_elem consumer_elems[] = {
    {TERN_PASSIVE, 'r', 0, I32(0), consumer_inits, 3},
    {TERN_ACTIVE, 'r', 0, I32(2), consumer_inits, 2},
    {TERN_ACTIVE, 'r', 0, I32(4), consumer_inits, 0}, /* nothing, right at the end */
    {TERN_DECLARATIVE, 'r', 0, I32(0), consumer_inits, 1}};
static const struct tern_data consumer_datas[] = {
    {TERN_PASSIVE, I32(0), 0, 10},
    {TERN_ACTIVE, I32(65534), 10, 2},
    {TERN_ACTIVE, {TERN_CONST_GLOBAL, 'i', 0, {0, 0}}, 12, 3}};

const struct tern_module rt_consumer = {
    .abi = TERN_RT_ABI,
    .type_count = COUNT(types),
    .import_count = COUNT(consumer_imports),
    .table_count = 1,
    .global_count = 3,
    .export_count = COUNT(consumer_exports),
    .elem_count = COUNT(consumer_elems),
    .data_count = COUNT(consumer_datas),
    .imported_funcs = 2,
    .imported_tables = 1,
    .imported_memories = 1,
    .imported_globals = 2,
    .start = UINT32_MAX,
    .types = types,
    .imports = consumer_imports,
    .tables = consumer_tables,
    .globals = consumer_globals,
    .exports = consumer_exports,
    .elems = consumer_elems,
    .datas = consumer_datas,
};
