/*
 * Linking: signatures as numbers, matching of imports, exports as something to import.
 */
#include "rt/link.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* ---- Signatures ---- */

enum { SHORT_VALUES = 19 }; /* parameters and results that fit into 62 bits, three bits each */

#define LONG_KEY ((uint64_t)1 << 63)

/* 1, the parameters, 0, the results. */
static uint64_t short_code(const struct tern_type *type)
{
    static const char letters[] = "iIfdvre";
    uint64_t code = 1;

    for (const char *p = type->params; *p; p++)
        code = code << 3 | (uint64_t)(strchr(letters, *p) - letters + 1);
    code <<= 3;
    for (const char *r = type->results; *r; r++)
        code = code << 3 | (uint64_t)(strchr(letters, *r) - letters + 1);
    return code;
}

struct long_type { /* of this process: lives until its end, since keys do */
    uint64_t number;
    char text[]; /* "params>results" */
};

static struct long_type *make_text(const struct tern_type *type)
{
    const size_t params = strlen(type->params), results = strlen(type->results);
    struct long_type *l = malloc(sizeof *l + params + results + 2);

    if (!l)
        return NULL;
    memcpy(l->text, type->params, params);
    l->text[params] = '>';
    memcpy(l->text + params + 1, type->results, results + 1);
    return l;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct long_type *)a)->text, ((const struct long_type *)b)->text);
}

/* A balanced tree (libc's tsearch): a module may have a million signatures. */
static uint64_t intern(const struct tern_type *type)
{
    static void *known;
    static uint64_t next = LONG_KEY;
    struct long_type *made = make_text(type);
    struct long_type **found = made ? tsearch(made, &known, compare_texts) : NULL;

    if (!found) {
        free(made);
        return 0;
    }
    if (*found != made)
        free(made);
    else
        made->number = next++;
    return (*found)->number;
}

uint64_t tern_type_key(const struct tern_type *type)
{
    if (type->key)
        return type->key;
    if (strlen(type->params) + strlen(type->results) <= SHORT_VALUES)
        return short_code(type);
    return intern(type);
}

/* ---- Matching ---- */

/* host: "params>results" */
static bool same_letters(const struct tern_type *type, const char *host)
{
    const size_t params = strlen(type->params);

    return strncmp(host, type->params, params) == 0 && host[params] == '>' &&
           strcmp(host + params + 1, type->results) == 0;
}

/* A size with a bound where UINT32_MAX means none, against what an import asks for. */
static bool within(uint32_t size, uint32_t max, const struct tern_limits *asked)
{
    return size >= asked->min && (asked->max == UINT32_MAX || max <= asked->max);
}

bool link_matches(const struct tern_import *import, const struct tern_type *types,
                  const uint64_t *keys, const struct rt_extern *met)
{
    if (met->kind != (enum tern_kind)import->kind)
        return false;
    switch (met->kind) {
    case TERN_FUNC:
        if (met->func)
            return met->func->key == keys[import->type];
        return met->host_type && same_letters(&types[import->type], met->host_type);
    case TERN_TABLE:
        return met->table->elemtype == import->valtype &&
               within(met->table->size, met->table->max, &import->limits);
    case TERN_MEMORY: return within(met->memory->pages, met->memory->declared_max, &import->limits);
    case TERN_GLOBAL:
        return (uint8_t)met->valtype == import->valtype && met->mutable_ == (import->mutable_ != 0);
    }
    return false;
}

/* ---- Exports ---- */

const struct tern_export *instance_find_export(const struct tern_instance *in, const char *name,
                                               uint32_t size)
{
    const struct tern_module *m = in->module;

    for (uint32_t i = 0; i < m->export_count; i++) {
        const struct tern_export *e = &m->exports[i];

        if (e->name.size == size && memcmp(e->name.data, name, size) == 0)
            return e;
    }
    return NULL;
}

/* The n-th import (from 0) of a kind. */
static const struct tern_import *nth_import(const struct tern_module *m, enum tern_kind kind,
                                            uint32_t n)
{
    const struct tern_import *import = m->imports;

    while ((enum tern_kind)import->kind != kind || n-- > 0)
        import++;
    return import;
}

static void describe_global(const struct tern_module *m, uint32_t index, struct rt_extern *out)
{
    if (index < m->imported_globals) {
        const struct tern_import *import = nth_import(m, TERN_GLOBAL, index);

        out->valtype = (char)import->valtype;
        out->mutable_ = import->mutable_;
    } else {
        const struct tern_global_type *type = &m->globals[index - m->imported_globals];

        out->valtype = (char)type->valtype;
        out->mutable_ = type->mutable_;
    }
}

struct rt_extern instance_extern(const struct tern_instance *in, const struct tern_export *e)
{
    struct rt_extern out = {.kind = (enum tern_kind)e->kind};

    switch (out.kind) {
    case TERN_FUNC: out.func = in->func[e->index]; break;
    case TERN_TABLE: out.table = in->table[e->index]; break;
    case TERN_MEMORY: out.memory = in->memory[e->index]; break;
    case TERN_GLOBAL:
        out.global = in->global[e->index];
        describe_global(in->module, e->index, &out);
        break;
    }
    return out;
}

const struct tern_type *instance_func_type(const struct tern_instance *in, uint32_t func)
{
    const struct tern_module *m = in->module;

    if (func < m->imported_funcs)
        return &m->types[nth_import(m, TERN_FUNC, func)->type];
    return &m->types[m->functions[func - m->imported_funcs].type];
}
