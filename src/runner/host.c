#include "runner/host.h"

#include "base/check.h"
#include "rt/suspend.h"
#include "runner/changes.h"
#include "runner/clock.h"
#include "runner/end.h"
#include "runner/recorder.h"
#include "runner/replayer.h"

#include <errno.h>
#include <string.h>

struct row {
    const char *name;
    const char *signature;
    host_handler *handler;
};

static const struct row rows[HOST_CALLS_END] = {
#define ROW(number, name, signature) [number] = {#name, signature, wasi_##name},
    HOST_CALLS(ROW)
#undef ROW
};

static bool name_is(struct tern_name name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

uint32_t host_find(const struct tern_import *import, const char **signature)
{
    if (import->kind != TERN_FUNC || !name_is(import->module, "wasi_snapshot_preview1"))
        return 0;
    for (uint32_t i = 1; i < HOST_CALLS_END; i++) {
        if (name_is(import->field, rows[i].name)) {
            *signature = rows[i].signature;
            return i;
        }
    }
    return 0;
}

/* room is for calls back into the program, which no host call makes. */
void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells)
{
    struct host *h = in->host;
    uint32_t number = instance_host_number(in, func);
    enum wasi_errno answer;

    (void)room;
    check(number > 0 && number < HOST_CALLS_END);
    if (!h->replayer && suspend_host_call(in, func, cells))
        return;
    h->call = (struct host_call){
        .sequence = h->call.sequence + 1,
        .number = number,
        .args = cells,
    };
    if (h->replayer) {
        cells[0].i32 = replayer_answer(h);
        return;
    }
    if (h->recorder)
        recorder_before(h);
    h->files_changed |= changes_files(h, number, cells);
    while ((answer = rows[number].handler(h, cells)) == HOST_AGAIN) {
        h->call.attempt++;
        if (suspend_host_call(in, func, cells))
            return;
    }
    h->call.answered = true;
    h->waited_ns = 0;
    if (h->recorder)
        recorder_after(h, answer);
    cells[0].i32 = answer;
}

enum wasi_errno host_error(int error)
{
    return error == EINTR ? HOST_AGAIN : wasi_errno_from(error);
}

enum wasi_errno host_answer(long result)
{
    return result >= 0 ? WASI_E_SUCCESS : host_error(errno);
}

uint64_t host_real_ns(const struct host *h)
{
    (void)h;
    return clock_ns(CLOCK_REALTIME);
}

uint64_t host_monotonic_ns(const struct host *h)
{
    return clock_ns(CLOCK_MONOTONIC) + h->clock_base_ns;
}

uint64_t host_may_write(struct host *h, uint64_t wanted)
{
    uint64_t max = h->ticket->output_bytes_max;
    uint64_t left = max > h->output_bytes ? max - h->output_bytes : 0;

    if (max == 0 || wanted == 0)
        return wanted;
    if (left == 0)
        end_limit(REPORT_LIMIT_OUTPUT);
    return wanted < left ? wanted : left;
}

void host_written(struct host *h, uint64_t bytes)
{
    h->output_bytes += bytes;
}
