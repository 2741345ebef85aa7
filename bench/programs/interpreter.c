/* interpreter - a register machine in a switch, running a program that counts Collatz steps. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum opcode {
    SET,
    MOVE,
    ADD,
    ADD_SMALL,
    MULTIPLY,
    SHIFT_RIGHT,
    AND_SMALL,
    JUMP,
    JUMP_IF_ZERO,
    JUMP_IF_LESS,
    LOAD,
    STORE,
    HALT
};

struct instruction {
    uint8_t op;
    uint8_t a;
    uint8_t b;
    int32_t value;
};

enum { N, LIMIT, X, STEPS, ODD, THREE, TOTAL, BEST, T, REGISTERS };

/* for n in 1..limit: steps of n until 1; keeps a sum, the longest, and a small histogram */
static const struct instruction program[] = {
    /* 0 */ {SET, N, 0, 1},
    /* 1 */ {SET, TOTAL, 0, 0},
    /* 2 */ {SET, BEST, 0, 0},
    /* 3 */ {SET, THREE, 0, 3},
    /* 4 */ {MOVE, X, N, 0},
    /* 5 */ {SET, STEPS, 0, 0},
    /* 6 */ {MOVE, T, X, 0},
    /* 7 */ {ADD_SMALL, T, 0, -1},
    /* 8 */ {JUMP_IF_ZERO, T, 0, 18},
    /* 9 */ {ADD_SMALL, STEPS, 0, 1},
    /* 10 */ {MOVE, ODD, X, 0},
    /* 11 */ {AND_SMALL, ODD, 0, 1},
    /* 12 */ {JUMP_IF_ZERO, ODD, 0, 16},
    /* 13 */ {MULTIPLY, X, THREE, 0},
    /* 14 */ {ADD_SMALL, X, 0, 1},
    /* 15 */ {JUMP, 0, 0, 6},
    /* 16 */ {SHIFT_RIGHT, X, 0, 1},
    /* 17 */ {JUMP, 0, 0, 6},
    /* 18 */ {ADD, TOTAL, STEPS, 0},
    /* 19 */ {MOVE, T, STEPS, 0},
    /* 20 */ {AND_SMALL, T, 0, 63},
    /* 21 */ {LOAD, ODD, T, 0},
    /* 22 */ {ADD_SMALL, ODD, 0, 1},
    /* 23 */ {STORE, ODD, T, 0},
    /* 24 */ {JUMP_IF_LESS, STEPS, BEST, 26},
    /* 25 */ {MOVE, BEST, STEPS, 0},
    /* 26 */ {ADD_SMALL, N, 0, 1},
    /* 27 */ {JUMP_IF_LESS, N, LIMIT, 4},
    /* 28 */ {HALT, 0, 0, 0},
};

static uint64_t run(const struct instruction *code, int64_t *r, int64_t *memory)
{
    uint64_t executed = 0;

    for (int at = 0;;) {
        const struct instruction *i = &code[at++];

        executed++;
        switch ((enum opcode)i->op) {
        case SET: r[i->a] = i->value; break;
        case MOVE: r[i->a] = r[i->b]; break;
        case ADD: r[i->a] += r[i->b]; break;
        case ADD_SMALL: r[i->a] += i->value; break;
        case MULTIPLY: r[i->a] *= r[i->b]; break;
        case SHIFT_RIGHT: r[i->a] >>= i->value; break;
        case AND_SMALL: r[i->a] &= i->value; break;
        case JUMP: at = i->value; break;
        case JUMP_IF_ZERO:
            if (r[i->a] == 0)
                at = i->value;
            break;
        case JUMP_IF_LESS:
            if (r[i->a] < r[i->b])
                at = i->value;
            break;
        case LOAD: r[i->a] = memory[r[i->b] & 63]; break;
        case STORE: memory[r[i->b] & 63] = r[i->a]; break;
        case HALT: return executed;
        }
    }
}

int main(int argc, char **argv)
{
    int64_t r[REGISTERS] = {0}, memory[64] = {0};
    uint64_t executed, sum = 0;

    r[LIMIT] = argc > 1 ? atol(argv[1]) : 1000;
    executed = run(program, r, memory);
    for (int i = 0; i < 64; i++)
        sum = sum * 31 + (uint64_t)memory[i];
    printf("interpreter %lld: %llu instructions, %lld steps, longest %lld, sum %016llx\n",
           (long long)r[LIMIT], (unsigned long long)executed, (long long)r[TOTAL],
           (long long)r[BEST], (unsigned long long)sum);
    return 0;
}
