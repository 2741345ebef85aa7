/*
 * record_names - WASI's names for numbers: error numbers, flags, clocks, types of files.
 */
#ifndef TERN_CLI_RECORD_NAMES_H
#define TERN_CLI_RECORD_NAMES_H

#include "base/bytes.h"
#include "wire/call.h"

/* "ENOENT"; 0: "0". */
const char *record_errno_name(uint32_t number);
const char *record_filetype_name(uint32_t type);
/* Of what poll_oneoff waits for. */
const char *record_event_name(uint32_t type);
/* One of a list: its name, else its number. */
void record_code_name(struct bytes *out, enum call_names list, uint64_t value);
/* Any of a list, with '|' in between; "0" for none; many, or unknown ones: hexadecimal. */
void record_flag_names(struct bytes *out, enum call_names list, uint64_t value);

#endif
