/* What check.c and log.c tell each other; seen by these two alone. */
#ifndef CHANCERY_PANIC_H
#define CHANCERY_PANIC_H

/* What this thread is working on, or NULL. */
const char *check_request(void);

/* Writes the last log lines to fd, oldest first. Fit for a process that is about to abort: takes no lock that
 * the failing thread may hold, allocates nothing. */
void log_dump(int fd);

#endif
