/* Arguments and environment: first, "second arg", an empty one; GREETING=hello, EMPTY=. */
#include "check.h"

static void test_raw(void)
{
    uint8_t *argv[8], *env[8], text[4096], env_text[4096];
    __wasi_size_t count, size;

    IS(SUCCESS, __wasi_args_sizes_get(&count, &size));
    CHECK(count == 4 && size > strlen("first") + strlen("second arg") + 4);
    memset(text, '#', sizeof text);
    IS(SUCCESS, __wasi_args_get(argv, text));
    CHECK(argv[0] == text && text[size - 1] == 0 && text[size] == '#');
    CHECK(strcmp((char *)argv[1], "first") == 0);
    CHECK(strcmp((char *)argv[2], "second arg") == 0);
    CHECK(strcmp((char *)argv[3], "") == 0);

    IS(SUCCESS, __wasi_environ_sizes_get(&count, &size));
    CHECK(count == 2 && size == strlen("GREETING=hello") + strlen("EMPTY=") + 2);
    IS(SUCCESS, __wasi_environ_get(env, env_text));
    CHECK(strcmp((char *)env[0], "GREETING=hello") == 0);
    CHECK(strcmp((char *)env[1], "EMPTY=") == 0);
}

int main(int argc, char **argv)
{
    test_raw();
    CHECK(argc == 4 && strcmp(argv[2], "second arg") == 0);
    CHECK(strcmp(getenv("GREETING"), "hello") == 0);
    CHECK(strcmp(getenv("EMPTY"), "") == 0);
    CHECK(!getenv("HOME") && !getenv("PATH")); /* nothing of the host's comes along */
    return done();
}
