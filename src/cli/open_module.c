#include "cli/open_module.h"

#include "cli/say.h"

#include "os/file.h"
#include "os/object.h"

bool open_module(const struct invocation *in, struct open_module *out)
{
    const char *path = in->args[0];
    struct problem p;
    enum tern_err err;

    *out = (struct open_module){0};
    err = file_read(path, WASM_MODULE_BYTES_MAX, &out->bytes);
    if (err) {
        say("%s: cannot read %s: %s", in->command->name, path, tern_err_text(err));
        return false;
    }
    if (object_load_module(bytes_view(&out->bytes), path, &out->module, &p)) {
        say_text(p.text);
        bytes_release(&out->bytes);
        return false;
    }
    return true;
}

void close_module(struct open_module *m)
{
    module_release(&m->module);
    bytes_release(&m->bytes);
}
