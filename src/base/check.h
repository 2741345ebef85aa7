/*
 * check - assertions that stay on in every build.
 *
 * check(cond) is for our own mistakes only: what the world does is a returned enum tern_err,
 * what a peer or a file says is refused where it is decoded.
 */
#ifndef TERN_BASE_CHECK_H
#define TERN_BASE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *what);

#define check(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#endif
