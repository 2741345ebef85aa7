/* How a replayed run ended: as the recorded one did, or not. */
#include "os/ending.h"

#include "os/record.h"
#include "rt/trap.h"
#include "wire/call.h"

#include <stdio.h>

static void diverged(const struct ending_order *o, const char *what, struct ending *out)
{
    out->code = EXIT_DIVERGED;
    snprintf(out->text, sizeof out->text, "%s: this is not the recorded run: %.600s", o->name,
             what);
}

static void over(const struct ending_order *o, struct ending *out)
{
    out->code = EXIT_RECORD_ENDS;
    snprintf(out->text, sizeof out->text,
             "%s: replayed up to call %ju, where the record ends before the run did: %.200s",
             o->name, (uintmax_t)o->replayed->calls, o->replayed->cut);
}

static void make(const struct ending_order *o, int status, struct view report, struct ending *out)
{
    struct ending_order plain = *o;

    plain.replayed = NULL;
    plain.status = status;
    plain.report = report;
    ending_make(&plain, out);
}

/* For what a run is ended by from outside, and so cannot be had again at the same moment. */
static void as_recorded(const struct ending_order *o, const struct report *was, struct ending *out)
{
    make(o, o->replayed->status, o->replayed->report, out);
    if (was->kind == REPORT_STOPPED)
        snprintf(
            out->text, sizeof out->text,
            "%s: replayed up to call %ju, where the recorded run was stopped with a checkpoint",
            o->name, (uintmax_t)o->replayed->calls);
}

static void end_text(const struct report *r, char *out, size_t size)
{
    if (r->kind == REPORT_EXIT)
        snprintf(out, size, "with exit code %u", r->code & 255);
    else
        snprintf(out, size, "by a trap (%s)", trap_text((enum tern_trap_kind)r->code));
}

static bool ends_itself(const struct report *r)
{
    return r->kind == REPORT_EXIT || r->kind == REPORT_TRAP;
}

static void on_call(const struct ending_order *o, const struct report *r, const struct report *was,
                    struct ending *out)
{
    const struct call *c = call_find(r->code);
    char what[200];

    if (!o->replayed->ended) {
        over(o, out);
    } else if (!ends_itself(was)) {
        as_recorded(o, was, out);
    } else {
        snprintf(what, sizeof what, "it makes call %ju, %s, and had ended before",
                 (uintmax_t)o->replayed->calls + 1, c ? c->name : "?");
        diverged(o, what, out);
    }
}

static void on_end(const struct ending_order *o, const struct report *r, const struct report *was,
                   struct ending *out)
{
    char now[80], then[80], what[200];

    if (!o->replayed->ended || (r->kind == was->kind && r->code == was->code)) {
        make(o, o->status, o->report, out);
    } else if (!ends_itself(was)) {
        as_recorded(o, was, out);
    } else {
        end_text(r, now, sizeof now);
        end_text(was, then, sizeof then);
        snprintf(what, sizeof what, "it ends %s and ended %s", now, then);
        diverged(o, what, out);
    }
}

void ending_replayed(const struct ending_order *o, const struct report *r, struct ending *out)
{
    struct report was = {.kind = REPORT_SIGNAL}; /* as good as: there was no report */

    if (report_decode(&was, o->replayed->report) != TERN_OK)
        was.kind = REPORT_SIGNAL;
    switch (r->kind) {
    case REPORT_EXIT:
    case REPORT_TRAP:
    case REPORT_LIMIT: on_end(o, r, &was, out); break;
    case REPORT_REPLAYED: on_call(o, r, &was, out); break;
    case REPORT_DIVERGED: diverged(o, r->text, out); break;
    case REPORT_SIGNAL:
    case REPORT_REFUSED:
    case REPORT_STOPPED: make(o, o->status, o->report, out); break;
    }
}
