#include "cli/commands.h"
#include "cli/say.h"

#include "drive/slot.h"
#include "os/pool/chunks_store.h"
#include "os/pool/engine_program.h"
#include "os/pool/pool_dirs.h"
#include "os/pool/slots_uv.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* tern slot: what a node starts for each of its slots. Hidden. */

#define EVERY_NS INT64_C(30000000000)
enum { BUSY_MS = 5000, BUSY_STEP_MS = 10 };

static struct world_uv *world;

static void on_over(void *context, const char *why)
{
    (void)context;
    (void)why;
    world_uv_stop(world);
}

static enum tern_err store_of(void *context, const char *domain, struct store **out,
                              struct problem *p)
{
    return chunks_store_of(context, domain, out, p);
}

static enum tern_err open_store(const struct invocation *in, struct chunks_store **out,
                                struct problem *p)
{
    char dir[DIRS_PATH_MAX + 32];
    const struct chunks_store_config config = {.dir = dir, .heal = true};

    snprintf(dir, sizeof dir, "%s/slot-%s", invocation_value(in, "state"), in->args[0]);
    return chunks_store_open(&config, out, p);
}

/* The slot of a node that was killed just now may not be gone yet. */
static enum tern_err open_store_soon(const struct invocation *in, struct chunks_store **out,
                                     struct problem *p)
{
    enum tern_err err = open_store(in, out, p);

    for (int i = 0; err == TERN_EBUSY && i < BUSY_MS / BUSY_STEP_MS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = BUSY_STEP_MS * 1000000L}, NULL);
        err = open_store(in, out, p);
    }
    return err;
}

static enum tern_err work(const struct invocation *in, struct chunks_store *store, struct tls *tls,
                          struct problem *p)
{
    struct chunks chunks = chunks_store_chunks(store);
    struct engine_program_config program = {
        .settings = in->settings, .context = store, .store = store_of, .warn = say_text};
    struct slot_config config = {.chunks = &chunks, .every_ns = EVERY_NS, .over = on_over};
    struct handlers handlers = links_handlers;
    struct engine_program *engine;
    uint8_t token[POOL_TOKEN_BYTES];
    struct slot *slot;
    enum tern_err err = world_uv_new(NULL, tls, &world, p);

    if (err)
        return err;
    program.loop = world_uv_loop(world);
    err = engine_program_new(&program, &engine, p);
    if (err)
        return err;
    if (!pool_dirs_token(in->settings, invocation_value(in, "token"), token, NULL))
        config.token = token;
    config.world = world_uv_world(world);
    config.engine = engine_program_engine(engine);
    slot = slot_new(&config);
    if (!slot)
        return problem_set(p, TERN_ENOMEM, "no memory for a slot");
    handlers.context = slot_links(slot);
    world_uv_handlers(world, &handlers);
    slot_begin(slot, world_uv_adopt(world, SLOT_SOCKET_FD, "its node"));
    world_uv_run(world);
    return TERN_OK;
}

int cmd_slot(const struct invocation *in)
{
    struct chunks_store *store = NULL;
    struct tls *tls = NULL;
    struct problem p = {0};
    enum tern_err err;

    slots_uv_die_with_parent();
    signal(SIGPIPE, SIG_IGN);
    if (!invocation_value(in, "state")) {
        say("slot: this is for tern node to start");
        return CLI_USAGE;
    }
    err = tls_new(NULL, &tls, &p);
    if (!err)
        err = open_store_soon(in, &store, &p);
    if (!err)
        err = work(in, store, tls, &p);
    if (err)
        say("slot: %s", p.text);
    _exit(err ? CLI_FAILED : 0); /* what it runs ends with it; nothing here has to outlive it */
}
