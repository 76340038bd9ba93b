/* Users of the processes: looked up once, by the warden, before anything is started. */
#include "users.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *look_up(const char *name, struct users_one *ret)
{
    errno = 0;
    const struct passwd *p = getpwnam(name);
    if (!p)
        return err_new(ERR_CONFIG, "users: there is no user '%s' on this machine", name);
    if (p->pw_uid == 0)
        return err_new(ERR_CONFIG, "users: '%s' is root; a process of its own needs a user of its own", name);
    *ret = (struct users_one){p->pw_uid, p->pw_gid};
    return NULL;
}

static struct err *own_users(const struct config *c, struct users *u)
{
    struct err *e = NULL;

    TRY(look_up(c->users.vault, &u->of[MESSAGE_VAULT]));
    TRY(look_up(c->users.front, &u->of[MESSAGE_FRONT]));
    TRY(look_up(c->users.responder, &u->of[MESSAGE_RESPONDER]));
    TRY(look_up(c->users.courier, &u->of[MESSAGE_COURIER]));
    for (int i = 0; i < MESSAGE_PROCESSES; i++)
        for (int k = 0; k < i; k++)
            if (u->of[i].uid == u->of[k].uid)
                return err_new(ERR_CONFIG, "users: two of them are the same (uid %u)",
                               (unsigned)u->of[i].uid);
    u->own = true;
out:
    return e;
}

static void all_as(struct users *u, uid_t uid, gid_t gid)
{
    for (int i = 0; i < MESSAGE_PROCESSES; i++)
        u->of[i] = (struct users_one){uid, gid};
}

/* Where only responders run, no other user need be known. */
static struct err *responders_user(const struct config *c, struct users *u)
{
    struct users_one one;
    struct err *e = look_up(c->users.responder, &one);
    if (e)
        return e;
    all_as(u, one.uid, one.gid);
    u->own = true;
    return NULL;
}

struct err *users_find(const struct config *c, struct users *ret)
{
    struct err *e = NULL;
    struct users u = {.drop = geteuid() == 0};
    struct stat st;

    if (stat(c->dir, &st) != 0)
        return err_sys(ERR_CONFIG, errno, "%s", c->dir);
    u.owner = st.st_uid;
    if (!u.drop) {
        all_as(&u, geteuid(), getegid());
        *ret = u;
        return NULL;
    }
    if (c->users.vault) {
        TRY(c->responders_only ? responders_user(c, &u) : own_users(c, &u));
        *ret = u;
        return NULL;
    }
    if (!c->demo)
        return err_new(ERR_CONFIG, "started as root: name a user of its own for each process under `users`");
    all_as(&u, st.st_uid, st.st_gid);
    *ret = u;
out:
    return e;
}
