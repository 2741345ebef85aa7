/*
 * world_uv - struct world on libuv: the kernel's sockets, its clock and its dice.
 *
 * Does     Unix sockets, of which the kernel says who is at the other end (SO_PEERCRED); TLS over
 *          TCP (tls.h); descriptors that were handed down. What is sent in one turn of the loop goes
 *          out in one write. Everything is close-on-exec: no child keeps a connection alive.
 * Loop     Its own, or one of the caller's, who runs that. world_uv_run: its own, until
 *          world_uv_stop.
 * Time     CLOCK_BOOTTIME: it goes on while the machine sleeps.
 * Handlers world_uv_handlers before the loop runs; they are called from it alone.
 * Closing  A link that is closed lasts until what was not sent yet is, or a second passes in which
 *          nothing of it goes.
 * Errors   Of a link: told by `closed`, with a sentence. SIGPIPE has to be ignored, or blocked while
 *          the loop runs: libuv writes to sockets whose other end is gone.
 */
#ifndef TERN_OS_POOL_WORLD_UV_H
#define TERN_OS_POOL_WORLD_UV_H

#include "drive/world.h"
#include "message/limits.h"
#include "os/pool/tls.h"

#include <uv.h>

struct world_uv;

/* loop NULL: its own. tls NULL: no TCP; borrowed. */
enum tern_err world_uv_new(uv_loop_t *loop, struct tls *tls, struct world_uv **out,
                           struct problem *p);
/* Closes all at once. A loop of the caller's has to run once more, or be closed, afterwards. */
void world_uv_free(struct world_uv *w);

void world_uv_handlers(struct world_uv *w, const struct handlers *handlers);
struct world *world_uv_world(struct world_uv *w);
uv_loop_t *world_uv_loop(struct world_uv *w);

/*
 * at: the endpoint as others may dial it, with the port that it was given (of port 0) and its own
 * pin. Those who dial are `opened`. TERN_EBUSY: somebody listens there already.
 */
enum tern_err world_uv_listen(struct world_uv *w, const char *endpoint,
                              char at[LIMIT_ENDPOINT + 1], struct problem *p);
/* A stream socket of our own (one of a pair) becomes a link; fd is taken. `opened` is told. */
link_id world_uv_adopt(struct world_uv *w, int fd, const char *text);

void world_uv_run(struct world_uv *w);
void world_uv_stop(struct world_uv *w);

#endif
