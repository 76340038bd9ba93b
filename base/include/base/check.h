/*
 * Our own bugs. These checks stay on in production; they never judge input. A check that fails prints a panic
 * report (place, condition, request in hand, the last log lines) to stderr and aborts; the warden starts the
 * process anew.
 */
#ifndef CHANCERY_BASE_CHECK_H
#define CHANCERY_BASE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *func, const char *what);

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #cond))

/* For the branch that cannot be. */
#define UNREACHABLE() check_failed(__FILE__, __LINE__, __func__, "unreachable")

/* What this thread is working on, for the panic report and the log: a request id and a step, or NULL.
 * Borrowed until set anew. */
void check_working_on(const char *request_id, const char *step);

#endif
