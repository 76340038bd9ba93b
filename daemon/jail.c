/*
 * Enters the jail, in the order in which each step is still possible: privileges, user, what the kernel
 * remembers of the process, files, system calls. Never reads input and never opens anything for the caller.
 * One thread, once in a process's life.
 */
#include "jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "seccomp.h"

static struct err *no_privileges(void)
{
    struct rlimit none = {0, 0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_sys(ERR_IO, errno, "no_new_privs");
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return err_sys(ERR_IO, errno, "RLIMIT_CORE");
    umask(077);
    return NULL;
}

static struct err *take_user(const struct jail *j)
{
    if (!j->drop)
        return NULL;
    if (setgroups(0, NULL) != 0 || setresgid(j->gid, j->gid, j->gid) != 0 ||
        setresuid(j->uid, j->uid, j->uid) != 0)
        return err_sys(ERR_CONFIG, errno, "taking user %u", (unsigned)j->uid);
    if (j->uid != 0 && setuid(0) == 0)
        return err_new(ERR_INTERNAL, "root can be had back");
    return NULL;
}

/* A process that stays root keeps the uid but none of its powers. */
static struct err *no_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};

    if (syscall(SYS_capset, &head, data) != 0)
        return err_sys(ERR_IO, errno, "capset");
    return NULL;
}

/* After the change of user, which resets both. */
static struct err *unseen(const struct jail *j)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(ERR_IO, errno, "PR_SET_DUMPABLE");
    if (j->parent == 0)
        return NULL;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return err_sys(ERR_IO, errno, "PR_SET_PDEATHSIG");
    if (getppid() != j->parent) /* it died before the line above */
        return err_new(ERR_CANCELLED, "the parent is gone");
    return NULL;
}

struct err *jail_enter(const struct jail *j, struct jail_state *ret)
{
    struct err *e = NULL;
    struct jail_state s = {.own_user = j->own_user, .connects = j->connects};

    TRY(no_privileges());
    TRY(take_user(j));
    TRY(no_capabilities());
    TRY(unseen(j));
    TRY(landlock_enter(j->paths, j->n, &s));
    TRY(seccomp_enter(&s));
    *ret = s;
out:
    return err_wrap(e, "jail");
}

const char *jail_text(const struct jail_state *s, struct arena *arena)
{
    const char *user = s->own_user ? "own user" : "shared user";
    static const char *const connects[] = {"", ", connects on this machine", ", connects to the network"};
    const char *filter = s->seccomp ? "seccomp" : "no seccomp";

    if (s->landlock == 0)
        return arena_printf(arena, "%s, no landlock, %s%s", user, filter, connects[s->connects]);
    return arena_printf(arena, "%s, landlock %d%s%s, %s%s", user, s->landlock, s->net ? " +net" : "",
                        s->scope ? " +scope" : "", filter, connects[s->connects]);
}

enum jail_level jail_level(const struct jail_state *s)
{
    if (s->landlock > 0)
        return s->own_user ? JAIL_FULL : JAIL_LANDLOCK;
    return s->own_user ? JAIL_USERS : JAIL_NONE;
}

const char *jail_level_text(enum jail_level level)
{
    static const char *const texts[] = {"none", "landlock", "users", "full"};
    return texts[level];
}

const char *jail_refusal(enum jail_level level, int least, bool demo)
{
    if (level == JAIL_NONE && !demo)
        return "nothing keeps the token from the other processes: start as root with `users`, or use a "
               "kernel with "
               "Landlock; only `demo: true` accepts this";
    if (least == JAIL_NONE || level == JAIL_FULL || (int)level == least)
        return NULL;
    return "the processes are less isolated than `isolation` demands";
}
