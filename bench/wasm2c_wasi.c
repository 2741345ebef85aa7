/*
 * wasm2c_wasi - the least of WASI that the benchmark programs need, for wabt's wasm2c.
 *
 * Arguments, writing to standard output and error, leaving. Compiled together with program.c
 * (wasm2c -n program) and wabt's own wasm-rt-impl.c.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, BAD_FD = 8, IO_ERROR = 29, CANNOT_SEEK = 70, CHARACTER_DEVICE = 2 };

struct Z_wasi_snapshot_preview1_instance_t {
    wasm_rt_memory_t *memory;
    int argc;
    char **argv;
};

static void put32(wasm_rt_memory_t *m, u32 at, u32 value)
{
    memcpy(m->data + at, &value, sizeof value);
}

static u32 get32(const wasm_rt_memory_t *m, u32 at)
{
    u32 value;

    memcpy(&value, m->data + at, sizeof value);
    return value;
}

u32 Z_wasi_snapshot_preview1Z_args_sizes_get(struct Z_wasi_snapshot_preview1_instance_t *w,
                                             u32 count, u32 size)
{
    u32 bytes = 0;

    for (int i = 0; i < w->argc; i++)
        bytes += (u32)strlen(w->argv[i]) + 1;
    put32(w->memory, count, (u32)w->argc);
    put32(w->memory, size, bytes);
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_args_get(struct Z_wasi_snapshot_preview1_instance_t *w, u32 argv,
                                       u32 text)
{
    for (int i = 0; i < w->argc; i++) {
        size_t size = strlen(w->argv[i]) + 1;

        put32(w->memory, argv + 4 * (u32)i, text);
        memcpy(w->memory->data + text, w->argv[i], size);
        text += (u32)size;
    }
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(struct Z_wasi_snapshot_preview1_instance_t *w, u32 fd,
                                       u32 vectors, u32 count, u32 written)
{
    u32 total = 0;

    if (fd != 1 && fd != 2)
        return BAD_FD;
    for (u32 i = 0; i < count; i++) {
        u32 at = get32(w->memory, vectors + 8 * i);
        u32 size = get32(w->memory, vectors + 8 * i + 4);
        ssize_t n = write((int)fd, w->memory->data + at, size);

        if (n < 0)
            return IO_ERROR;
        total += (u32)n;
        if ((u32)n < size)
            break;
    }
    put32(w->memory, written, total);
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_fdstat_get(struct Z_wasi_snapshot_preview1_instance_t *w, u32 fd,
                                            u32 out)
{
    if (fd > 2)
        return BAD_FD;
    memset(w->memory->data + out, 0, 24);
    w->memory->data[out] = CHARACTER_DEVICE;
    return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(struct Z_wasi_snapshot_preview1_instance_t *w, u32 fd,
                                      u64 offset, u32 whence, u32 out)
{
    (void)w, (void)offset, (void)whence, (void)out;
    return fd > 2 ? BAD_FD : CANNOT_SEEK;
}

u32 Z_wasi_snapshot_preview1Z_fd_close(struct Z_wasi_snapshot_preview1_instance_t *w, u32 fd)
{
    (void)w;
    return fd > 2 ? BAD_FD : SUCCESS;
}

void Z_wasi_snapshot_preview1Z_proc_exit(struct Z_wasi_snapshot_preview1_instance_t *w, u32 code)
{
    (void)w;
    exit((int)code);
}

int main(int argc, char **argv)
{
    static Z_program_instance_t program;
    struct Z_wasi_snapshot_preview1_instance_t wasi = {.argc = argc, .argv = argv};

    wasm_rt_init();
    Z_program_init_module();
    Z_program_instantiate(&program, &wasi);
    wasi.memory = Z_programZ_memory(&program);
    Z_programZ__start(&program);
    return 0;
}
