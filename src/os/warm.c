#include "os/warm.h"

#include "os/process.h"
#include "os/sys.h"

#include <signal.h>

static void forget(struct warm *w)
{
    sys_close(w->report);
    sys_close(w->control);
    sys_close(w->memory);
    sys_close(w->state);
    *w = (struct warm){.waits = false};
}

bool warm_is_there(struct warm *w)
{
    int status;

    if (w->waits && process_ended(w->child, &status))
        forget(w);
    return w->waits;
}

void warm_end(struct warm *w)
{
    if (!w->waits)
        return;
    kill(w->child, SIGKILL);
    process_wait(w->child);
    forget(w);
}
