/*
 * poison - forced into every source of the pure rings: a call to one of these is an error.
 *
 * Pure code takes the time from its events, draws from its own streams and writes nothing. The
 * system headers come first, since they may mention the names.
 */
#ifndef TERN_BASE_POISON_H
#define TERN_BASE_POISON_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison time clock clock_gettime gettimeofday nanosleep usleep sleep localtime gmtime
#pragma GCC poison rand srand random srandom drand48 getrandom arc4random
#pragma GCC poison printf fprintf vprintf vfprintf puts putchar fputs fputc fwrite perror
#pragma GCC poison fopen fread fgets scanf fscanf open openat read write close
#pragma GCC poison pthread_create pthread_mutex_lock fork getenv setenv getpid signal
#pragma GCC poison exp log log2 log10 pow sin cos tan exp2 cbrt expf logf powf

#endif
