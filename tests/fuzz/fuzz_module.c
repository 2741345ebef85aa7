/* fuzz_module - any bytes: module_load accepts or refuses them, within its limits. */
#include "wasm/module.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What every caller relies on, whichever way it ended. */
static void assert_outcome(const struct wasm_module *m, enum tern_err err, size_t size,
                           const struct wasm_fault *fault)
{
    if (err == TERN_OK)
        return;
    if (err != TERN_EMALFORMED && err != TERN_EINVALID && err != TERN_ENOMEM)
        abort();
    if (fault->reason[0] == 0 || fault->offset > size || m->arena.blocks)
        abort();
}

static void assert_module(const struct wasm_module *m)
{
    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        const struct wasm_func *f = &m->funcs[i];

        if (f->code_offset >= f->code_end || f->code_end > m->bytes.size)
            abort();
        if (f->stack_max < module_func_type(m, i)->result_count)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wasm_fault fault;
    struct wasm_module m;
    enum tern_err err = module_load(&m, view_of(data, size), &fault);

    assert_outcome(&m, err, size, &fault);
    if (err == TERN_OK)
        assert_module(&m);
    module_release(&m);
    return 0;
}
