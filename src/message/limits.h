/*
 * limits - the largest of everything that a stranger can send. What passes one is refused whole.
 *
 * A torture build (-Dtorture=true) makes those that only cost speed as small as they can be.
 */
#ifndef TERN_MESSAGE_LIMITS_H
#define TERN_MESSAGE_LIMITS_H

enum {
    LIMIT_ENVELOPE = 4 << 20,   /* bytes */
    LIMIT_ATTACHMENT = 2 << 20, /* a chunk, stored, is at most a little over 1 MiB */
    LIMIT_DECODED = 64 << 20,   /* memory that one message may need */
    LIMIT_LIST = 65536,         /* entries of any list; those below are stricter */
    LIMIT_NAME = 64,            /* of a part */
    LIMIT_BLOB_NAME = 1024,     /* of a name that a user gave, of a path */
    LIMIT_TEXT = 4096,          /* for people; an item of a map */
    LIMIT_ARGS = 65536,
    LIMIT_HERE = 4096,     /* bytes of content that travel in a message */
    LIMIT_TASKS = 4096,    /* of one Submit, of one Seen */
    LIMIT_FILES = 1024,    /* inputs, outputs of a task */
    LIMIT_PROBED = 4096,   /* names */
    LIMIT_ROWS = 1000,     /* of one Query */
    LIMIT_ENDPOINTS = 16,  /* of one part */
    LIMIT_ENDPOINT = 256,  /* bytes */
    LIMIT_COPIES = 8,      /* depots of one task */
    LIMIT_LABELS = 64,     /* of a node, of requirements */
    LIMIT_OUTSTANDING = 64 /* requests of a session that are not answered yet */
};

#endif
