/* insn: every instruction of the table, and everything that is not in it. */
#include "wasm_build.h"

#include "wasm/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct coded {
    enum wasm_op op;
    uint8_t prefix;
    uint32_t code;
    const char *text;
} coded[] = {
#define CODED(name, prefix, code, text, imm, sig, access) {WASM_OP_##name, prefix, code, text},
    WASM_OPCODES(CODED)
#undef CODED
};

/* Immediates whose bytes differ enough to be told apart when read. */
static const char *immediate_hex(enum wasm_immediate immediate)
{
    switch (immediate) {
    case WASM_IMM_NONE: return "";
    case WASM_IMM_BLOCK: return "40";
    case WASM_IMM_LABEL:
    case WASM_IMM_FUNC:
    case WASM_IMM_LOCAL:
    case WASM_IMM_GLOBAL:
    case WASM_IMM_TABLE:
    case WASM_IMM_DATA:
    case WASM_IMM_ELEM: return "85 01";
    case WASM_IMM_LABELS: return "02 03 81 00 05";
    case WASM_IMM_CALL_INDIRECT:
    case WASM_IMM_TABLE_INIT:
    case WASM_IMM_TABLE_COPY: return "85 01 07";
    case WASM_IMM_MEMARG: return "02 85 01";
    case WASM_IMM_MEMARG_LANE: return "02 85 01 09";
    case WASM_IMM_MEMORY: return "00";
    case WASM_IMM_MEMORY_INIT: return "85 01 00";
    case WASM_IMM_MEMORY_COPY: return "00 00";
    case WASM_IMM_I32: return "7f";
    case WASM_IMM_I64: return "7e";
    case WASM_IMM_F32: return "01 02 03 84";
    case WASM_IMM_F64: return "01 02 03 04 05 06 07 88";
    case WASM_IMM_V128:
    case WASM_IMM_SHUFFLE: return "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e ff";
    case WASM_IMM_LANE: return "09";
    case WASM_IMM_REFTYPE: return "6f";
    case WASM_IMM_SELECT_T: return "01 7b";
    }
    return "";
}

static void assert_immediate(const struct wasm_insn *i, enum wasm_immediate immediate)
{
    struct wasm_reader labels = i->labels;

    switch (immediate) {
    case WASM_IMM_NONE:
    case WASM_IMM_MEMORY:
    case WASM_IMM_MEMORY_COPY: break;
    case WASM_IMM_BLOCK: assert_int_equal(i->block_kind, WASM_BLOCK_EMPTY); break;
    case WASM_IMM_CALL_INDIRECT:
    case WASM_IMM_TABLE_INIT:
    case WASM_IMM_TABLE_COPY: assert_int_equal(i->index2, 7); /* fall through */
    case WASM_IMM_LABEL:
    case WASM_IMM_FUNC:
    case WASM_IMM_LOCAL:
    case WASM_IMM_GLOBAL:
    case WASM_IMM_TABLE:
    case WASM_IMM_DATA:
    case WASM_IMM_MEMORY_INIT:
    case WASM_IMM_ELEM: assert_int_equal(i->index, 133); break;
    case WASM_IMM_LABELS:
        assert_int_equal(i->label_count, 2);
        assert_int_equal(insn_next_label(&labels), 3);
        assert_int_equal(insn_next_label(&labels), 1);
        assert_int_equal(insn_next_label(&labels), 5);
        assert_true(reader_done(&labels));
        break;
    case WASM_IMM_MEMARG_LANE: assert_int_equal(i->lane, 9); /* fall through */
    case WASM_IMM_MEMARG:
        assert_int_equal(i->align, 2);
        assert_int_equal(i->address, 133);
        break;
    case WASM_IMM_I32: assert_true(i->bits[0] == UINT32_MAX); break;
    case WASM_IMM_I64: assert_true(i->bits[0] == UINT64_MAX - 1); break;
    case WASM_IMM_F32: assert_true(i->bits[0] == 0x84030201); break;
    case WASM_IMM_F64: assert_true(i->bits[0] == 0x8807060504030201); break;
    case WASM_IMM_V128:
        assert_true(i->bits[0] == 0x0706050403020100);
        assert_true(i->bits[1] == 0xff0e0d0c0b0a0908);
        break;
    case WASM_IMM_SHUFFLE:
        assert_int_equal(i->lanes[0], 0);
        assert_int_equal(i->lanes[15], 255);
        break;
    case WASM_IMM_LANE: assert_int_equal(i->lane, 9); break;
    case WASM_IMM_REFTYPE: assert_int_equal(i->valtype, WASM_EXTERNREF); break;
    case WASM_IMM_SELECT_T:
        assert_int_equal(i->label_count, 1);
        assert_int_equal(i->valtype, WASM_V128);
        break;
    }
}

static void build_op(struct bytes *b, uint8_t prefix, uint32_t code)
{
    if (prefix) {
        bytes_append_byte(b, prefix);
        build_u32(b, code);
    } else {
        bytes_append_byte(b, (uint8_t)code);
    }
}

static enum tern_err decode(const struct bytes *b, struct wasm_insn *insn, struct wasm_fault *fault,
                            uint32_t *at)
{
    struct wasm_reader r = reader_of(bytes_view(b), 0, (uint32_t)b->size);
    enum tern_err err = insn_decode(&r, insn, fault);

    *at = r.at;
    return err;
}

/* Read whole, it gives what was written; cut short anywhere, it is refused. */
static void test_each_instruction(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof coded / sizeof *coded; i++) {
        const struct wasm_op_info *info = wasm_op_info(coded[i].op);
        struct wasm_fault fault;
        struct wasm_insn insn;
        struct bytes b = {0};
        uint32_t at;

        build_op(&b, coded[i].prefix, coded[i].code);
        build_hex(&b, immediate_hex(info->immediate));
        assert_string_equal(info->text, coded[i].text);
        if (decode(&b, &insn, &fault, &at))
            fail_msg("%s: %s", info->text, fault.reason);
        assert_int_equal(insn.op, coded[i].op);
        assert_int_equal(at, b.size);
        assert_int_equal(insn.offset, 0);
        assert_immediate(&insn, info->immediate);
        while (b.size > 1) {
            b.size--;
            assert_int_equal(decode(&b, &insn, &fault, &at), TERN_EMALFORMED);
            assert_memory_equal(fault.reason, "unexpected end", 14);
            assert_int_equal(at, 0);
        }
        bytes_release(&b);
    }
}

static bool in_table(uint8_t prefix, uint32_t code)
{
    for (size_t i = 0; i < sizeof coded / sizeof *coded; i++)
        if (coded[i].prefix == prefix && coded[i].code == code)
            return true;
    return prefix == 0 && (code == 0xfc || code == 0xfd);
}

static void test_nothing_else(void **state)
{
    static const uint8_t prefixes[] = {0, 0xfc, 0xfd};

    (void)state;
    for (uint32_t n = 0; n < 3 * 400; n++) {
        uint8_t prefix = prefixes[n % 3];
        uint32_t code = n / 3, at;
        struct wasm_fault fault;
        struct wasm_insn insn;
        struct bytes b = {0};

        if ((prefix == 0 && code > 0xff) || in_table(prefix, code))
            continue;
        build_op(&b, prefix, code);
        build_hex(&b, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
        assert_int_equal(decode(&b, &insn, &fault, &at), TERN_EMALFORMED);
        assert_memory_equal(fault.reason, "illegal opcode", 14);
        bytes_release(&b);
    }
}

static const struct {
    const char *hex;
    const char *reason;
} bad[] = {
    {"12 00", "illegal opcode 0x12 (tail calls: not supported)"},
    {"06 40", "illegal opcode 0x06 (exception handling: not supported)"},
    {"fe 00 02 00", "illegal opcode 0xfe (threads: not supported)"},
    {"fd 80 02", "illegal opcode 0xfd 0x100 (relaxed SIMD: not supported)"},
    {"fb 00", "illegal opcode 0xfb (garbage collection: not supported)"},
    {"14 00", "illegal opcode 0x14 (typed function references: not supported)"},
    {"fc ff ff ff ff 7f", "integer too large"},
    {"02 6e", "malformed value type 0x6e (garbage collection: not supported)"},
    {"02 ff 7f", "malformed block type"},
    {"d0 7f", "malformed reference type 0x7f"},
    {"1c 02 7f 00", "malformed value type 0x00"},
    {"28 20 00", "malformed memop flags"},
    {"28 42 00 00", "malformed memop flags (multiple memories: not supported)"},
    {"3f 01", "zero byte expected"},
    {"40 80 00", "zero byte expected"},
    {"fc 08 00 01", "zero byte expected"},
    {"fc 0a 00 01", "zero byte expected"},
    {"0e 02 00 00", "unexpected end of section or function (more labels than bytes)"},
    {"0e ff ff ff ff 0f 00", "unexpected end of section or function (more labels than bytes)"},
    {"1c ff ff ff ff 0f 7f", "unexpected end of section or function (more types than bytes)"},
};

static void test_bad_immediates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wasm_fault fault = {0};
        struct wasm_insn insn;
        struct bytes b = {0};
        uint32_t at;

        build_hex(&b, bad[i].hex);
        assert_int_equal(decode(&b, &insn, &fault, &at), TERN_EMALFORMED);
        assert_string_equal(fault.reason, bad[i].reason);
        bytes_release(&b);
    }
}

static void test_block_types(void **state)
{
    struct wasm_fault fault;
    struct wasm_insn insn;
    struct bytes b = {0};
    uint32_t at;

    (void)state;
    build_hex(&b, "03 7b");
    assert_int_equal(decode(&b, &insn, &fault, &at), TERN_OK);
    assert_int_equal(insn.block_kind, WASM_BLOCK_VALUE);
    assert_int_equal(insn.valtype, WASM_V128);
    b.size = 0;
    build_hex(&b, "04 ff ff ff ff 0f");
    assert_int_equal(decode(&b, &insn, &fault, &at), TERN_OK);
    assert_int_equal(insn.block_kind, WASM_BLOCK_TYPE);
    assert_true(insn.index == UINT32_MAX);
    bytes_release(&b);
}

static void test_br_table_limit(void **state)
{
    struct wasm_fault fault;
    struct wasm_insn insn;
    struct bytes b = {0};
    uint32_t at;

    (void)state;
    for (uint32_t labels = WASM_BR_TABLE_MAX; labels <= WASM_BR_TABLE_MAX + 1; labels++) {
        b.size = 0;
        build_hex(&b, "0e");
        build_u32(&b, labels);
        for (uint32_t i = 0; i <= labels; i++)
            build_u32(&b, 0);
        if (labels == WASM_BR_TABLE_MAX) {
            assert_int_equal(decode(&b, &insn, &fault, &at), TERN_OK);
            assert_int_equal(insn.label_count, labels);
        } else {
            assert_int_equal(decode(&b, &insn, &fault, &at), TERN_EMALFORMED);
            assert_string_equal(fault.reason, "too many labels in br_table (limit 65520)");
        }
    }
    bytes_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_instruction), cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_bad_immediates),   cmocka_unit_test(test_block_types),
        cmocka_unit_test(test_br_table_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
