#include "os/ending.h"

#include "os/compile.h"
#include "os/locate.h"
#include "rt/trap.h"
#include "wasm/module.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { NAME_SHOWN_MAX = 100 };

/* A name is any UTF-8: shown without what could steer a terminal. */
static void describe_place(const struct wasm_module *m, const struct translate_place *at, char *out,
                           size_t size)
{
    struct bytes name = {0};
    const char *text;

    if (at->func < m->func_count) {
        struct view whole = m->funcs[at->func].name;

        bytes_append_shown(
            &name,
            view_of(whole.data, whole.size < NAME_SHOWN_MAX ? whole.size : (size_t)NAME_SHOWN_MAX));
    }
    text = bytes_text(&name);
    if (text && *text)
        snprintf(out, size, " in function %u (%s) at offset 0x%x", at->func, text, at->offset);
    else
        snprintf(out, size, " in function %u at offset 0x%x", at->func, at->offset);
    bytes_release(&name);
}

static bool find_pc(const struct ending_order *o, const struct report *r,
                    const struct wasm_module *m, struct translate_place *at)
{
    const struct locate_order order = {
        .object = r->continued ? o->continuations : o->object,
        .module = m,
        .options = compile_options(o->deterministic),
        .points = r->continued ? o->points : NULL,
    };

    return (!r->continued || o->points) && locate_pc(&order, r->pc, at);
}

/* Where it happened, in the module's own terms; empty if that cannot be found out. */
static void find_place(const struct ending_order *o, const struct report *r, char *out, size_t size)
{
    struct translate_place at = {.func = r->func, .offset = r->offset};
    struct wasm_fault fault;
    struct wasm_module m;

    *out = 0;
    if (module_load(&m, o->module, &fault))
        return;
    if (!r->by_fault || find_pc(o, r, &m, &at))
        describe_place(&m, &at, out, size);
    module_release(&m);
}

static void by_signal(struct ending *out, enum ending_kind kind, int signal)
{
    out->kind = kind;
    out->number = (uint32_t)signal;
    out->signal = signal;
}

/* No report, or none that can be: whatever ended the runner ended it from outside, or it is our
 * bug. */
static void on_silence(const struct ending_order *o, struct ending *out)
{
    int signal = WIFSIGNALED(o->status) ? WTERMSIG(o->status) : 0;

    out->kind = ENDING_BROKEN;
    out->code = EXIT_TERN;
    if (signal == SIGSYS)
        snprintf(out->text, sizeof out->text,
                 "%s: stopped by the sandbox: the runner made a system call that it has no use "
                 "for; please report this",
                 o->name);
    else if (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
             signal == SIGABRT || signal == SIGTRAP)
        snprintf(out->text, sizeof out->text,
                 "%s: the runner itself broke (%s); please report this", o->name,
                 strsignal(signal));
    else if (signal)
        by_signal(out, ENDING_KILLED, signal); /* somebody's wish, as with any program */
    else
        snprintf(out->text, sizeof out->text,
                 "%s: the runner ended with code %d and without a report; is it the right "
                 "tern-runner?",
                 o->name, WEXITSTATUS(o->status));
}

static void on_trap(const struct ending_order *o, const struct report *r, struct ending *out)
{
    char place[256];

    if (r->code == TERN_TRAP_NONE || r->code > TERN_TRAP_STACK) {
        on_silence(o, out);
        return;
    }
    find_place(o, r, place, sizeof place);
    out->kind = ENDING_TRAP;
    out->code = EXIT_TRAP;
    snprintf(out->text, sizeof out->text, "%s: %s%s", o->name,
             trap_text((enum tern_trap_kind)r->code), place);
}

static void on_signal(const struct ending_order *o, const struct report *r, struct ending *out)
{
    if (r->code == 0 || r->code >= 32 || r->code == SIGSTOP || r->code == SIGTSTP)
        on_silence(o, out); /* no signal that could have ended it */
    else
        by_signal(out, ENDING_SIGNAL, (int)r->code);
}

static void on_limit(const struct ending_order *o, const struct report *r, struct ending *out)
{
    out->kind = ENDING_LIMIT;
    if (r->code == REPORT_LIMIT_CPU) {
        out->code = EXIT_CPU_LIMIT;
        snprintf(out->text, sizeof out->text,
                 "%s: stopped after %.3g s of processor time, its limit; --time sets it", o->name,
                 (double)o->cpu_ns_max / 1e9);
    } else {
        out->code = EXIT_OUTPUT_LIMIT;
        snprintf(out->text, sizeof out->text,
                 "%s: stopped after writing %ju bytes, its limit; --output sets it", o->name,
                 (uintmax_t)o->output_bytes_max);
    }
}

void ending_make(const struct ending_order *order, struct ending *out)
{
    struct report r;

    *out = (struct ending){0};
    if (report_decode(&r, order->report)) {
        on_silence(order, out);
        return;
    }
    out->number = r.code;
    out->cpu_ns = r.cpu_ns;
    if (order->replayed) {
        out->kind = ENDING_REPLAY;
        ending_replayed(order, &r, out);
        return;
    }
    switch (r.kind) {
    case REPORT_EXIT:
        out->code = (int)(r.code & 255);
        out->number = r.code & 255;
        out->exited = true;
        break;
    case REPORT_TRAP: on_trap(order, &r, out); break;
    case REPORT_LIMIT: on_limit(order, &r, out); break;
    case REPORT_SIGNAL: on_signal(order, &r, out); break;
    case REPORT_STOPPED:
        out->kind = ENDING_STOPPED;
        out->code = EXIT_STOPPED;
        break;
    case REPORT_DIVERGED:
    case REPORT_REPLAYED: on_silence(order, out); break; /* nothing was replayed */
    case REPORT_REFUSED:
        out->kind = ENDING_REFUSED;
        out->code = EXIT_REFUSED;
        snprintf(out->text, sizeof out->text, "%s: cannot be run: %.500s", order->name, r.text);
        break;
    }
}
