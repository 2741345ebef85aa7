/*
 * changes - whether a host call can change anything beneath the lent directories.
 *
 * So that the parent syncs their file systems for a checkpoint only if there is a reason. Says yes
 * rather too often: what comes of the call is not looked at.
 */
#ifndef TERN_RUNNER_CHANGES_H
#define TERN_RUNNER_CHANGES_H

#include "runner/host.h"

bool changes_files(const struct host *h, uint32_t number, const union tern_cell *args);

#endif
