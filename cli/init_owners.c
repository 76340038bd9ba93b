/*
 * Who owns what: where each process has its own user, the token, PIN and roll are the vault's, ledger and TLS
 * key the front's, the shelf the front's with the responders' group. Nothing to do where all run as one user.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static struct err *look_up(const char *user, struct passwd **ret)
{
    errno = 0;
    *ret = getpwnam(user);
    return *ret ? NULL : err_sys(ERR_CONFIG, errno ? errno : ENOENT, "there is no user '%s'", user);
}

struct err *init_user_become(const char *user)
{
    struct err *e = NULL;
    struct passwd *pw;
    if (!user || geteuid() != 0)
        return NULL;
    TRY(look_up(user, &pw));
    if (setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
        e = err_sys(ERR_IO, errno, "becoming '%s'", user);
out:
    return e;
}

struct err *init_owner_set(const char *path, const char *user, const char *group_of, unsigned mode)
{
    struct err *e = NULL;
    struct passwd *owner, *group;
    TRY(look_up(user, &owner));
    uid_t uid = owner->pw_uid; /* getpwnam has one answer at a time */
    TRY(look_up(group_of, &group));
    if (chown(path, uid, group->pw_gid) != 0 || chmod(path, mode) != 0)
        e = err_sys(ERR_IO, errno, "giving %s to '%s'", path, user);
out:
    return e;
}

/* A folder and the files right in it. */
static struct err *give(struct init *in, const char *path, const char *user, const char *group_of,
                        unsigned mode, unsigned file_mode)
{
    struct err *e = NULL;
    struct dirent *d;
    TRY(init_owner_set(path, user, group_of, mode));
    DIR *dir = opendir(path);
    while (dir && !e && (d = readdir(dir)))
        if (d->d_type == DT_REG)
            e = init_owner_set(arena_printf(in->cli->arena, "%s/%s", path, d->d_name), user, group_of,
                               file_mode);
    if (dir)
        closedir(dir);
out:
    return e;
}

struct err *init_owners(struct init *in)
{
    struct err *e = NULL;
    const struct config *c = in->config;
    const struct config_users *u = &c->users;
    if (geteuid() != 0 || !u->front || !u->vault || !u->responder)
        return NULL;
    TRY(give(in, c->paths.ledger, u->front, u->front, 0700, 0600));
    TRY(give(in, arena_printf(in->cli->arena, "%s/index", c->paths.ledger), u->front, u->front, 0700, 0600));
    TRY(give(in, c->paths.front, u->front, u->front, 0700, 0600));
    TRY(give(in, c->paths.shelf, u->front, u->responder, 02770, 0660));
    TRY(give(in, c->paths.roll, u->vault, u->vault, 0700, 0600));
    TRY(give(in, c->paths.lock, u->vault, u->vault, 0700, 0600));
    TRY(init_owner_set(c->tokens[0].pin_file, u->vault, u->vault, 0400));
out:
    return e;
}
