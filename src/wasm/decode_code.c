/* Function bodies: where they lie and which local variables they have. */
#include "wasm/decode.h"

#include "wasm/fault.h"

/* 0 if the type does not exist: then the validator refuses the module before anyone counts. */
static uint32_t param_count(const struct wasm_module *m, const struct wasm_func *f)
{
    return f->type < m->type_count ? m->types[f->type].param_count : 0;
}

static bool locals(struct decoder *d, struct wasm_func *f)
{
    uint32_t at = d->r.at, runs;
    uint64_t sum = param_count(d->m, f);

    if (!decode_count(d, "runs of locals", UINT32_MAX, &runs))
        return false;
    f->locals = decode_new(d, runs, sizeof *f->locals);
    if (!f->locals)
        return false;
    for (; f->local_runs < runs; f->local_runs++) {
        struct wasm_locals *run = &f->locals[f->local_runs];

        if (!reader_u32(&d->r, &run->count, d->fault) || !decode_valtype(d, &run->valtype))
            return false;
        sum += run->count;
    }
    if (sum > WASM_LOCALS_MAX)
        return fault_set(d->fault, at, "too many locals (%llu, limit %d)", (unsigned long long)sum,
                         WASM_LOCALS_MAX);
    f->local_count = (uint32_t)sum;
    return true;
}

static bool body(struct decoder *d, struct wasm_func *f)
{
    const uint32_t section_end = d->r.end;
    uint32_t at = d->r.at, size;

    if (!reader_u32(&d->r, &size, d->fault))
        return false;
    if (size > section_end - d->r.at)
        return reader_refuse(d->fault, at, "unexpected end (function body)");
    if (size > WASM_FUNC_BYTES_MAX)
        return fault_set(d->fault, at, "function body too large (%u bytes, limit %d)", size,
                         WASM_FUNC_BYTES_MAX);
    d->r.end = d->r.at + size;
    if (!locals(d, f))
        return false;
    f->code_offset = d->r.at;
    f->code_end = d->r.end;
    d->r.at = d->r.end;
    d->r.end = section_end;
    return true;
}

bool decode_code(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t at = d->r.at, count;

    if (!reader_u32(&d->r, &count, d->fault))
        return false;
    if (count != m->func_count - m->imported_funcs)
        return fault_set(d->fault, at,
                         "function and code section have inconsistent lengths (%u and %u)",
                         m->func_count - m->imported_funcs, count);
    for (uint32_t f = m->imported_funcs; f < m->func_count; f++)
        if (!body(d, &m->funcs[f]))
            return false;
    return true;
}
