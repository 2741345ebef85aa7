#include "cli/commands.h"
#include "cli/say.h"
#include "cli/say_json.h"
#include "cli/units.h"

#include "sim/pool_sim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_ROWS = 40 };

struct last { /* of the trace, for a core that fails a check of its own: abort() */
    uint64_t seed, count;
    struct trace_row row[LAST_ROWS];
    bool print;
};

struct sums {
    uint64_t seeds, failed, tasks, events;
    uint64_t note[NOTE_COUNT], fault[POOL_FAULT_COUNT];
    json_t *json; /* NULL: text */
};

static struct last *running; /* for the signal handler */

static void print_row(const struct trace_row *row, FILE *to)
{
    struct bytes line = {0};

    trace_line(row, &line);
    fprintf(to, "%.*s\n", (int)line.size, (const char *)line.data);
    bytes_release(&line);
}

static void take_row(void *context, const struct trace_row *row)
{
    struct last *l = context;

    l->row[l->count++ % LAST_ROWS] = *row;
    if (l->print)
        print_row(row, stdout);
}

/* Comes from abort(), in the middle of our own code: more is allowed than to most handlers. */
static void on_abort(int signal)
{
    const struct last *l = running;
    uint64_t n = l->count > LAST_ROWS ? l->count - LAST_ROWS : 0;

    (void)signal;
    fflush(stdout);
    for (; n < l->count; n++)
        print_row(&l->row[n % LAST_ROWS], stderr);
    fprintf(stderr, "tern: sim: seed %" PRIu64 " failed a check; the last events are above\n",
            l->seed);
    _Exit(CLI_FAILED);
}

/* ---- What is asked for ---- */

static bool number(const struct invocation *in, const char *name, uint64_t most, uint64_t *out)
{
    const char *text = invocation_value(in, name);
    char *end;

    if (!text)
        return true;
    *out = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && *out <= most)
        return true;
    say("sim: --%s takes a whole number up to %" PRIu64 ", not '%s'", name, most, text);
    return false;
}

static bool faults(const struct invocation *in, uint32_t *out)
{
    const char *text = invocation_value(in, "faults");
    struct view bad;

    if (pool_faults_parse(text ? text : "all", out, &bad))
        return true;
    say("sim: '%.*s' is no kind of fault; there are all, none and:", (int)bad.size,
        (const char *)bad.data);
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        say("sim:   %-10s %s", pool_fault_word((enum pool_fault)i),
            pool_fault_text((enum pool_fault)i));
    return false;
}

static bool plant(const struct invocation *in, enum pool_plant *out)
{
    const char *word = invocation_value(in, "plant");

    *out = word ? pool_plant_parse(word) : POOL_PLANT_NOTHING;
    if (*out < POOL_PLANT_COUNT)
        return true;
    say("sim: '%s' cannot be planted; there are lying-disk, forgetful-depot and echo", word);
    return false;
}

static bool configure(const struct invocation *in, struct pool_sim_config *c, uint64_t *seeds)
{
    const char *length = invocation_value(in, "for");
    uint64_t nodes = 0, tasks = 0, for_ns = 0;

    *seeds = 1;
    c->seed = 1;
    if (length && !units_time(length, &for_ns)) {
        say("sim: --for takes a time like 90s or 2h, not '%s'", length);
        return false;
    }
    if (!number(in, "seed", UINT64_MAX, &c->seed) || !number(in, "seeds", 1000000000, seeds) ||
        !number(in, "nodes", 100000, &nodes) || !number(in, "tasks", 10000000, &tasks) ||
        !faults(in, &c->faults) || !plant(in, &c->plant))
        return false;
    c->nodes = (uint32_t)nodes;
    c->tasks = (uint32_t)tasks;
    c->for_ns = (int64_t)for_ns;
    return true;
}

/* ---- What came of it ---- */

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static uint64_t sum(const uint64_t *counts, size_t size)
{
    uint64_t all = 0;

    for (size_t i = 0; i < size; i++)
        all += counts[i];
    return all;
}

static void print_text(uint64_t seed, const struct pool_sim_result *r)
{
    printf("seed %" PRIu64 ": %s; %u nodes, %u depots, %u clients; %" PRIu64 " jobs of %" PRIu64
           " tasks, %" PRIu64 " done, %" PRIu64 " with another end; %" PRIu64 " attempts, %" PRIu64
           " checkpoints, %" PRIu64 " faults; quiet after %.1f s of %.1f s; %" PRIu64
           " events, trace %016" PRIx64 "\n",
           seed, r->failed ? "FAILED" : "well", r->nodes, r->depots, r->clients, r->jobs, r->tasks,
           r->done, r->other_ends, r->attempts, r->checkpoints, sum(r->fault, POOL_FAULT_COUNT),
           seconds(r->quiet_ns), seconds(r->took_ns), r->events, r->hash);
    if (!r->failed)
        return;
    fflush(stdout);
    fprintf(stderr, "%.*s", (int)r->last.size, (const char *)r->last.data);
    say("sim: seed %" PRIu64 ": %s", seed, r->failure);
}

static void add_json(json_t *list, uint64_t seed, const struct pool_sim_result *r)
{
    json_t *one = json_object(), *struck = json_object();
    char hash[17];

    snprintf(hash, sizeof hash, "%016" PRIx64, r->hash);
    json_object_set_new(one, "seed", json_integer((json_int_t)seed));
    json_object_set_new(one, "failed", json_boolean(r->failed));
    if (r->failed)
        json_object_set_new(one, "failure", json_string(r->failure));
    json_object_set_new(one, "nodes", json_integer(r->nodes));
    json_object_set_new(one, "depots", json_integer(r->depots));
    json_object_set_new(one, "clients", json_integer(r->clients));
    json_object_set_new(one, "jobs", json_integer((json_int_t)r->jobs));
    json_object_set_new(one, "tasks", json_integer((json_int_t)r->tasks));
    json_object_set_new(one, "done", json_integer((json_int_t)r->done));
    json_object_set_new(one, "other_ends", json_integer((json_int_t)r->other_ends));
    json_object_set_new(one, "attempts", json_integer((json_int_t)r->attempts));
    json_object_set_new(one, "checkpoints", json_integer((json_int_t)r->checkpoints));
    json_object_set_new(one, "quiet_s", json_real(seconds(r->quiet_ns)));
    json_object_set_new(one, "virtual_s", json_real(seconds(r->took_ns)));
    json_object_set_new(one, "events", json_integer((json_int_t)r->events));
    json_object_set_new(one, "trace", json_string(hash));
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        json_object_set_new(struck, pool_fault_word((enum pool_fault)i),
                            json_integer((json_int_t)r->fault[i]));
    json_object_set_new(one, "faults", struck);
    json_array_append_new(list, one);
}

static void add(struct sums *s, uint64_t seed, const struct pool_sim_result *r)
{
    s->seeds++;
    s->failed += r->failed;
    s->tasks += r->tasks;
    s->events += r->events;
    for (size_t i = 0; i < NOTE_COUNT; i++)
        s->note[i] += r->note[i];
    for (size_t i = 0; i < POOL_FAULT_COUNT; i++)
        s->fault[i] += r->fault[i];
    if (s->json)
        add_json(s->json, seed, r);
    else
        print_text(seed, r);
}

/* Twice, unless once is enough; the second one must not differ. */
static void run_seed(const struct pool_sim_config *config, bool once, struct sums *s)
{
    struct pool_sim_config again = *config;
    struct pool_sim_result first, second = {0};

    pool_sim_run(config, &first);
    if (!once && !first.failed) {
        again.row = NULL;
        pool_sim_run(&again, &second);
        if (second.hash != first.hash || second.rows != first.rows) {
            first.failed = true;
            snprintf(first.failure, sizeof first.failure,
                     "two runs of it differ: something hangs on more than the seed");
        }
        pool_sim_release(&second);
    }
    add(s, config->seed, &first);
    pool_sim_release(&first);
}

static void print_sums(const struct sums *s)
{
    printf("%" PRIu64 " seeds, %" PRIu64 " failed; %" PRIu64 " tasks, %" PRIu64 " events\n",
           s->seeds, s->failed, s->tasks, s->events);
    printf("faults:");
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        printf(" %s %" PRIu64, pool_fault_word((enum pool_fault)i), s->fault[i]);
    printf("\n");
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        if (!s->note[i])
            printf("no seed reached: %s\n", note_text((enum note_name)i));
}

int cmd_sim(const struct invocation *in)
{
    struct pool_sim_config config = {.row = take_row};
    struct last last = {.print = invocation_value(in, "trace") != NULL};
    struct sums sums = {.json = invocation_value(in, "json") ? json_array() : NULL};
    uint64_t seeds;

    if (!configure(in, &config, &seeds))
        return CLI_USAGE;
    config.context = running = &last;
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    for (uint64_t i = 0; i < seeds; i++, config.seed++) {
        last.seed = config.seed;
        last.count = 0;
        run_seed(&config, invocation_value(in, "once") != NULL, &sums);
        fflush(stdout);
    }
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    if (sums.json)
        say_json_take(sums.json);
    else if (seeds > 1)
        print_sums(&sums);
    return say_end_of_output(sums.failed ? CLI_FAILED : 0);
}
