/*
 * measure - is everything in a message within its limit? By walking over it as the schema says.
 */
#ifndef TERN_MESSAGE_MEASURE_H
#define TERN_MESSAGE_MEASURE_H

#include "base/error.h"

#include <protobuf-c/protobuf-c.h>

/* TERN_ETOOBIG; TERN_EPROTO: bytes that cannot be of that field (a name of a chunk of 31). */
enum tern_err measure(const ProtobufCMessage *m);

#endif
