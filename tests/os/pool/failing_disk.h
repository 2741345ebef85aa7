/*
 * failing_disk - SQLite's way to the disk, whose n-th write, sync, truncation or deletion fails, and
 *                all behind it.
 */
#ifndef TERN_TESTS_OS_POOL_FAILING_DISK_H
#define TERN_TESTS_OS_POOL_FAILING_DISK_H

#include <stdbool.h>

void failing_disk_install(void); /* as SQLite's default, once */
void failing_disk_at(unsigned n); /* 0: nothing fails */
bool failing_disk_failed(void);   /* since failing_disk_at */

#endif
