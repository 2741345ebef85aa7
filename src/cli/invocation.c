#include "cli/command.h"

#include <string.h>

const char *invocation_value(const struct invocation *in, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < in->given_count; i++)
        if (in->given[i].option->name && strcmp(in->given[i].option->name, name) == 0)
            value = in->given[i].value;
    return value;
}
