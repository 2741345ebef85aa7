/* fuzz_ticket - any bytes, as a ticket and as a report: what is taken can be written again. */
#include "wire/ticket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_ticket(struct view bytes)
{
    static struct ticket first, second; /* too large for a stack */
    struct bytes one = {0}, other = {0};

    if (ticket_decode(&first, bytes) == TERN_OK) {
        if (ticket_encode(&first, &one) || one.size != bytes.size)
            abort();
        if (ticket_decode(&second, bytes_view(&one)) || ticket_encode(&second, &other))
            abort();
        if (!view_equal(bytes_view(&one), bytes_view(&other)))
            abort();
    }
    bytes_release(&one);
    bytes_release(&other);
}

static void try_report(struct view bytes)
{
    uint8_t again[REPORT_BYTES];
    struct report r;

    if (report_decode(&r, bytes))
        return;
    report_encode(&r, again);
    if (memcmp(again, bytes.data, REPORT_BYTES - sizeof r.text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_ticket(view_of(data, size));
    try_report(view_of(data, size));
    return 0;
}
