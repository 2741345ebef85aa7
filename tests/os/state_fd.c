#include "state_fd.h"

#include "os/file.h"
#include "os/sys.h"
#include "wire/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int state_fd(const struct state *s)
{
    struct bytes encoded = {0};
    int fd = sys_memfd("state");

    assert_int_equal(state_encode(s, &encoded), TERN_OK);
    assert_int_equal(file_write_fd(fd, bytes_view(&encoded)), TERN_OK);
    bytes_release(&encoded);
    return fd;
}
