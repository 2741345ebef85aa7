#include "cli/commands.h"
#include "cli/run.h"
#include "cli/say.h"

#include "os/process.h"

int cmd_replay(const struct invocation *in)
{
    struct problem p = {.text = "out of memory"};
    int code, signal = 0;
    enum tern_err err;
    struct run r;

    run_init(&r, in, "replay");
    r.record = in->args[0];
    err = run_open_record(&r, &p);
    if (err) {
        say("cannot replay %s: %s", in->args[0], p.text);
        code = err == TERN_ENOENT ? EXIT_NOT_FOUND : EXIT_REFUSED;
    } else {
        code = run_go(&r, &signal);
    }
    run_release(&r);
    if (signal)
        process_die_by(signal);
    return code;
}
