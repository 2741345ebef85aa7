#include "take_once.h"

enum tern_err take_once(const struct take_order *o, struct take_done *out, struct problem *p)
{
    struct take *t = NULL;
    bool still = true;
    enum tern_err err = take_new(o, &t, p);

    if (!err)
        err = take_stopped(t, &still, p);
    if (!err)
        err = take_store(t, out, p);
    take_free(t);
    return err;
}
