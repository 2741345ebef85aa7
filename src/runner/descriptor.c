#include "runner/descriptor.h"

static const struct descriptor_ops kernel_ops = {
#define KERNEL(name) .name = kernel_##name,
    DESCRIPTOR_OPS(KERNEL)
#undef KERNEL
};

static const struct descriptor_ops private_ops = {
#define PRIVATE(name) .name = private_##name,
    DESCRIPTOR_OPS(PRIVATE)
#undef PRIVATE
};

const struct descriptor_ops *descriptor_ops(const struct fd_entry *e)
{
    return e->node ? &private_ops : &kernel_ops;
}
