/* Clocks, randomness, yielding, raising. */
#include "check.h"

int32_t raise_raw(uint32_t signal)
    __attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise")));

static uint64_t now(__wasi_clockid_t id)
{
    __wasi_timestamp_t t;

    IS(SUCCESS, __wasi_clock_time_get(id, 0, &t));
    return t;
}

static void test_clocks(void)
{
    const uint64_t year_2020 = (uint64_t)1577836800 * 1000000000;
    volatile uint32_t work = 0;
    __wasi_timestamp_t t;
    uint64_t before;

    for (__wasi_clockid_t id = 0; id <= __WASI_CLOCKID_THREAD_CPUTIME_ID; id++) {
        IS(SUCCESS, __wasi_clock_res_get(id, &t));
        CHECK(t > 0 && t <= 1000000000);
        before = now(id);
        CHECK(now(id) >= before);
    }
    CHECK(now(__WASI_CLOCKID_REALTIME) > year_2020);
    before = now(__WASI_CLOCKID_PROCESS_CPUTIME_ID);
    CHECK(before < (uint64_t)60 * 1000000000); /* the program's own */
    while (now(__WASI_CLOCKID_PROCESS_CPUTIME_ID) == before)
        work++;
    IS(INVAL, __wasi_clock_time_get(4, 0, &t));
    IS(INVAL, __wasi_clock_res_get(UINT32_MAX, &t));
}

static void test_randomness(void)
{
    static uint8_t bytes[100000];
    uint8_t again[32];
    size_t zeros = 0;

    IS(SUCCESS, __wasi_random_get(bytes, 0));
    CHECK(bytes[0] == 0);
    IS(SUCCESS, __wasi_random_get(bytes, sizeof bytes));
    IS(SUCCESS, __wasi_random_get(again, sizeof again));
    CHECK(memcmp(bytes, again, sizeof again) != 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    CHECK(zeros > 100 && zeros < 1000); /* 391 are expected; it is filled to the end */
}

int main(void)
{
    test_clocks();
    test_randomness();
    IS(SUCCESS, __wasi_sched_yield());
    IS(NOTSUP, raise_raw(2));
    return done();
}
