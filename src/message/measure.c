#include "message/measure.h"

#include "message/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Limits of fields by their names, which mean the same wherever they stand. */
struct rule {
    const char *field;
    size_t most;  /* entries of a list, bytes of a text or of bytes */
    size_t exact; /* 0, or what bytes must have if there are any */
};

static const struct rule rules[] = {
    {"alternatives", 8, 0},
    {"at", LIMIT_ENDPOINTS, 0},
    {"args", LIMIT_ARGS, 0},
    {"env", LIMIT_ARGS, 0},
    {"copies", LIMIT_COPIES, 0},
    {"depots", LIMIT_LIST, 0},
    {"files", LIMIT_FILES, 0},
    {"here", LIMIT_HERE, 0},
    {"inputs", LIMIT_FILES, 0},
    {"outputs", LIMIT_FILES, 0},
    {"kinds", LIMIT_PROBED, 0},
    {"labels", LIMIT_LABELS, 0},
    {"missing", LIMIT_PROBED, 0},
    {"names", LIMIT_PROBED * 32, 0},
    {"roots", LIMIT_PROBED, 0},
    {"tasks", LIMIT_TASKS, 0},
    {"holdings", LIMIT_LIST, 0},
    {"sha256", 32, 32},
    {"mac", 32, 32},
    {"key", 32, 32},
    {"token", 32, 32},
    {"pool", 16, 16},
    {"like", 32, 32},
    {"has", 32, 32},
};

static const struct rule *rule_of(const char *field)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].field[0] == field[0] && strcmp(rules[i].field, field) == 0)
            return &rules[i];
    return NULL;
}

/* Entries of a list of texts have a limit of their own: a rule bounds how many there are. */
static size_t text_limit(const ProtobufCFieldDescriptor *field, const struct rule *rule)
{
    if (!rule)
        return LIMIT_TEXT;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return rule->most;
    return rule->most == LIMIT_ARGS ? LIMIT_ARGS : LIMIT_TEXT;
}

static enum tern_err measure_bytes(const struct rule *rule, size_t size)
{
    if (size > (rule ? rule->most : LIMIT_TEXT))
        return TERN_ETOOBIG;
    return rule && rule->exact && size && size != rule->exact ? TERN_EPROTO : TERN_OK;
}

static enum tern_err measure_one(const ProtobufCFieldDescriptor *field, const struct rule *rule,
                                 const void *value)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)value;

        return inner ? measure(inner) : TERN_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)value;
        const size_t most = text_limit(field, rule);

        return text && strnlen(text, most + 1) > most ? TERN_ETOOBIG : TERN_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return measure_bytes(rule, ((const ProtobufCBinaryData *)value)->len);
    return TERN_OK;
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM: break;
    }
    return 4;
}

static enum tern_err measure_list(const ProtobufCFieldDescriptor *field, const struct rule *rule,
                                  const char *entries, size_t count)
{
    enum tern_err err = count > (rule && rule->most < LIMIT_LIST ? rule->most : LIMIT_LIST)
                            ? TERN_ETOOBIG
                            : TERN_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = measure_one(field, rule, entries + i * size_of(field->type));
    return err;
}

/* Most fields of most messages: no rule can be broken by nothing, or by a number. */
static bool nothing_to_measure(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)m;
    const void *value = at + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(at + field->quantifier_offset) == 0;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)(at + field->quantifier_offset) != field->id)
        return true;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)value == NULL;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return !*(char *const *)value || !**(char *const *)value;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)value)->len == 0;
    return true;
}

static enum tern_err measure_field(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)m;
    const struct rule *rule;

    if (nothing_to_measure(m, field))
        return TERN_OK;
    rule = rule_of(field->name);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return measure_list(field, rule, *(char *const *)(at + field->offset),
                            *(const size_t *)(at + field->quantifier_offset));
    return measure_one(field, rule, at + field->offset);
}

enum tern_err measure(const ProtobufCMessage *m)
{
    enum tern_err err = TERN_OK;

    for (unsigned i = 0; i < m->descriptor->n_fields && !err; i++)
        err = measure_field(m, &m->descriptor->fields[i]);
    return err;
}
