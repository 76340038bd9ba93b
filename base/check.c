/*
 * Our own bugs: the panic report, then abort(). Keeps what each thread is working on (thread-local,
 * borrowed). Never judges input, never returns from a failed check, allocates nothing. Any thread.
 */
#include "base/check.h"
#include "panic.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local const char *working_request;
static _Thread_local const char *working_step;

void check_working_on(const char *request_id, const char *step)
{
    working_request = request_id;
    working_step = step;
}

const char *check_request(void)
{
    return working_request;
}

static void say(const char *text, int n, size_t cap)
{
    if (n <= 0)
        return;
    size_t len = (size_t)n < cap ? (size_t)n : cap - 1;
    if (write(STDERR_FILENO, text, len) < 0)
        return; /* nowhere left to say it */
}

_Noreturn void check_failed(const char *file, int line, const char *func, const char *what)
{
    char text[1024];
    int n = snprintf(text, sizeof text,
                     "PANIC check failed: %s\n"
                     "  at %s:%d in %s\n"
                     "  pid %d request %s step %s\n"
                     "  last log lines:\n",
                     what, file, line, func, (int)getpid(), working_request ? working_request : "-",
                     working_step ? working_step : "-");
    say(text, n, sizeof text);
    log_dump(STDERR_FILENO);
    say("PANIC end\n", 10, 11);
    abort();
}
