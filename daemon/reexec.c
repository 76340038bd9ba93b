/*
 * Fork and re-exec. Between the two only what is safe after a fork. Runs the file this process was started
 * from, even where it has been replaced on disk meanwhile. The warden has one thread.
 */
#include "reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

void reexec_close_from(unsigned first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
#endif
    long max = sysconf(_SC_OPEN_MAX);
    for (long fd = (long)first; fd < max; fd++)
        close((int)fd);
}

/* First out of the way of all targets, then to its place. */
static bool place(const int *fds, size_t n)
{
    int aside[REEXEC_FDS_MAX];

    for (size_t i = 0; i < n; i++)
        if ((aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, REEXEC_FIRST_FD + REEXEC_FDS_MAX)) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        if (dup2(aside[i], REEXEC_FIRST_FD + (int)i) < 0)
            return false;
    reexec_close_from(REEXEC_FIRST_FD + (unsigned)n);
    return true;
}

static _Noreturn void become(const int *fds, size_t n, const char *const argv[])
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
        dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO && place(fds, n))
        execv("/proc/self/exe", (char *const *)argv); /* it changes nothing */
    _exit(127);
}

struct err *reexec(const int *fds, size_t n, const char *const argv[], pid_t *ret)
{
    CHECK(n <= REEXEC_FDS_MAX);
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(ERR_NOMEM, errno, "fork");
    if (pid == 0)
        become(fds, n, argv);
    *ret = pid;
    return NULL;
}
