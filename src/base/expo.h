/*
 * expo - exp and log that are the same on every machine: libm's are not.
 *
 * Only + - * / on doubles, in a fixed order: equal arguments give equal bits wherever there is
 * IEEE 754 and nothing is contracted (-ffp-contract=off). Errors are a few units in the last place.
 */
#ifndef TERN_BASE_EXPO_H
#define TERN_BASE_EXPO_H

double expo_exp(double x); /* 0 below -745, infinity above 709.78 */
double expo_log(double x); /* of what is above 0; -infinity of 0, NaN below */

#endif
