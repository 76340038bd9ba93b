/* Time and cores for the programs of the bench: seconds as double, of the wall and of this thread. */
#ifndef CHANCERY_TESTS_BENCH_PACE_H
#define CHANCERY_TESTS_BENCH_PACE_H

#include <stdint.h>

int64_t pace_ns(void);     /* CLOCK_MONOTONIC */
int64_t pace_cpu_ns(void); /* CPU time of the calling thread, the kernel's share included */

/* Keeps the calling thread on this core; core < 0: anywhere. Ends the program where there is no such core. */
void pace_pin(int core);

/* Prints to stderr and ends the program with 1. */
_Noreturn void pace_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
