/*
 * runner - where the tern-runner executable is, and what it is told.
 */
#ifndef TERN_OS_RUNNER_H
#define TERN_OS_RUNNER_H

#include "base/bytes.h"
#include "base/error.h"
#include "os/settings.h"
#include "os/words.h"
#include "wire/ticket.h"

/*
 * settings->runner with its arguments, else tern-runner beside this executable or in libexec.
 * TERN_EMISSING: nowhere.
 */
enum tern_err runner_find(const struct settings *settings, struct words *out, struct problem *p);

/*
 * The system call filter for the runner of this object, or empty for an object of another
 * processor.
 */
enum tern_err runner_filter(int object, struct bytes *out);

#endif
