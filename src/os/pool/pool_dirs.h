/*
 * pool_dirs - where the parts of a pool keep things, and find each other: the one place that knows.
 *
 * State    $XDG_STATE_HOME/tern/PART, else ~/.local/state/tern/PART: "agent", "depot-NAME", ...
 * Sockets  $XDG_RUNTIME_DIR/tern/agent. Where that is not set, /tmp/tern-UID/agent: the directory
 *          has to be ours and closed to others, or it is not used.
 * Agent    --agent, else $TERN_AGENT or $TERN_POOL, else the user's own socket if it is there, else the
 *          machine's, /run/tern/agent, if that is.
 * Token    --token, else $TERN_TOKEN, else "token" in the state directory of the agent (on its
 *          machine), else $XDG_CONFIG_HOME/tern/token, ~/.config/tern/token. 64 hexadecimal digits.
 */
#ifndef TERN_OS_POOL_POOL_DIRS_H
#define TERN_OS_POOL_POOL_DIRS_H

#include "os/dirs.h"
#include "os/settings.h"

#include <stdint.h>

enum { POOL_TOKEN_BYTES = 32, POOL_ENDPOINT_BYTES = 4100 };

/* Makes it (0700) if it is not there; chosen: what the user said, or NULL. */
enum tern_err pool_dirs_state(const struct settings *s, const char *chosen, const char *part,
                              char out[DIRS_PATH_MAX], struct problem *p);
/* "unix:..." for a part to listen at; makes the directory. */
enum tern_err pool_dirs_socket(const struct settings *s, const char *part,
                               char out[POOL_ENDPOINT_BYTES], struct problem *p);
/* Where the agent is; chosen: of --agent, or NULL. */
enum tern_err pool_dirs_agent(const struct settings *s, const char *chosen,
                              char out[POOL_ENDPOINT_BYTES], struct problem *p);

/* The pool's token; chosen: a file, or NULL. TERN_ENOENT: there is none in the usual places. */
enum tern_err pool_dirs_token(const struct settings *s, const char *chosen,
                              uint8_t token[POOL_TOKEN_BYTES], struct problem *p);
/* "token" in that directory, drawn if there is none (0600). */
enum tern_err pool_dirs_own_token(const char *state_dir, uint8_t token[POOL_TOKEN_BYTES],
                                  struct problem *p);

/*
 * Nobody else has this directory until the process ends: TERN_EBUSY, saying who (`what`: "agent").
 * The descriptor stays open.
 */
enum tern_err pool_dirs_lock(const char *state_dir, const char *what, struct problem *p);

#endif
