/*
 * Folders: made by the warden before any child is started, each for the one user that may enter it; and
 * looked at for owner and mode, with plain words for what is wrong. Never changes what is there already.
 */
#include "folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "process.h"

enum { OF_WARDEN = MESSAGE_PROCESSES };

static const struct row {
    size_t path; /* in struct config_paths */
    int owner;   /* enum message_process, or OF_WARDEN */
    unsigned mode;
    bool shared;     /* where users are own: the responder's group reads it */
    bool responders; /* of use where only responders run */
} rows[] = {
    {offsetof(struct config_paths, run), OF_WARDEN, 0755, false, true},
    {offsetof(struct config_paths, ledger), MESSAGE_FRONT, 0700, false, false},
    {offsetof(struct config_paths, front), MESSAGE_FRONT, 0700, false, false},
    {offsetof(struct config_paths, shelf), MESSAGE_FRONT, 0700, true, true},
    {offsetof(struct config_paths, lock), MESSAGE_VAULT, 0700, false, false},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* One for each vault, and none may look into another's. */
static const struct row roll = {0, MESSAGE_VAULT, 0700, false, false};

static const char *path_of(const struct config *c, const struct row *r)
{
    return *(const char *const *)((const char *)&c->paths + r->path);
}

static uid_t owner_of(const struct users *u, int owner)
{
    return owner == OF_WARDEN ? geteuid() : u->of[owner].uid;
}

static bool wanted(const struct config *c, const struct row *r)
{
    return r->responders || !c->responders_only;
}

static struct err *make(const char *path, const struct users *u, const struct row *r)
{
    struct err *e = NULL;
    bool shared = r->shared && u->own;
    unsigned mode = shared ? 02770 : r->mode;
    struct stat st;

    if (lstat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? NULL : err_new(ERR_CONFIG, "%s is not a folder", path);
    TRY(file_mkdir(path, 0700));
    if (u->drop && r->owner != OF_WARDEN) {
        gid_t gid = shared ? u->of[MESSAGE_RESPONDER].gid : u->of[r->owner].gid;
        if (chown(path, u->of[r->owner].uid, gid) != 0)
            return err_sys(ERR_IO, errno, "%s", path);
    }
    if (chmod(path, mode) != 0)
        e = err_sys(ERR_IO, errno, "%s", path);
out:
    return e;
}

/* Into which lists are written, for others to read. One that is there is somebody's, and stays as it is. */
static struct err *make_for_lists(const char *path, const struct users *u)
{
    struct err *e = NULL;
    const struct users_one *front = &u->of[MESSAGE_FRONT];
    struct stat st;
    if (!path || lstat(path, &st) == 0)
        return NULL;
    TRY(file_mkdir(path, 0755));
    if (u->drop && chown(path, front->uid, front->gid) != 0)
        return err_sys(ERR_IO, errno, "%s", path);
out:
    return e;
}

struct err *folders_make(const struct config *c, const struct users *u)
{
    struct err *e = NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (wanted(c, &rows[i]))
            TRY(make(path_of(c, &rows[i]), u, &rows[i]));
    for (size_t i = 0; i < process_count(MESSAGE_VAULT, c); i++)
        TRY(make(c->vaults[i].roll, u, &roll));
    for (size_t i = 0; i < c->issuers_n; i++)
        TRY(make_for_lists(c->issuers[i].crl_directory, u));
    TRY(make_for_lists(c->heads.directory, u));
out:
    return e;
}

/* --- looking --- */

struct look {
    folders_finding *fn;
    void *arg;
    bool wrong;
};

static void __attribute__((format(printf, 3, 4))) say(struct look *l, bool wrong, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->wrong = l->wrong || wrong;
    l->fn(l->arg, wrong, text);
}

/* type: S_IFDIR or S_IFREG. forbidden: mode bits that must not be set. or_root: root may own it too. */
static void look_at(struct look *l, const char *path, mode_t type, uid_t owner, bool or_root,
                    mode_t forbidden)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        say(l, true, "%s: %s", path, strerror(errno));
        return;
    }
    if ((st.st_mode & S_IFMT) != type) {
        say(l, true, "%s: is not a %s", path, type == S_IFDIR ? "folder" : "plain file");
        return;
    }
    if (st.st_uid != owner && !(or_root && st.st_uid == 0)) {
        say(l, true, "%s: belongs to user %u; it must belong to user %u", path, (unsigned)st.st_uid,
            (unsigned)owner);
        return;
    }
    if (st.st_mode & forbidden) {
        say(l, true, "%s: mode %04o lets others in: chmod %04o", path, (unsigned)(st.st_mode & 07777),
            (unsigned)(st.st_mode & 07777 & ~forbidden));
        return;
    }
    say(l, false, "%s: owner and mode", path);
}

static void look_for(struct look *l, const char *key, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        say(l, true, "tokens, %s: %s: %s", key, path, strerror(errno));
}

static void look_at_token(struct look *l, const struct config_token *t, uid_t vault)
{
    look_for(l, "module", t->module);
    for (size_t i = 0; i < t->reads.n; i++)
        look_for(l, "reads", t->reads.items[i]);
    look_at(l, t->pin_file, S_IFREG, vault, true, 0077);
    for (size_t i = 0; i < t->writes.n; i++)
        look_at(l, t->writes.items[i], S_IFDIR, vault, false, 0077);
}

/* What lies on the shelf is public; who could write it could withhold it. */
static mode_t forbidden_of(const struct row *r, const struct users *u)
{
    if (r->owner == OF_WARDEN)
        return 0022;
    if (r->shared)
        return u->own ? 0007 : 0027;
    return 0077;
}

static void look_at_row(struct look *l, const char *path, const struct users *u, const struct row *r)
{
    struct stat st;
    if (lstat(path, &st) == 0) /* else it will be made */
        look_at(l, path, S_IFDIR, owner_of(u, r->owner), false, forbidden_of(r, u));
}

bool folders_check(const struct config *c, const struct users *u, folders_finding *fn, void *arg)
{
    struct look l = {fn, arg, false};

    for (size_t i = 0; i < ROWS; i++)
        if (wanted(c, &rows[i]))
            look_at_row(&l, path_of(c, &rows[i]), u, &rows[i]);
    for (size_t i = 0; i < process_count(MESSAGE_VAULT, c); i++)
        look_at_row(&l, c->vaults[i].roll, u, &roll);
    for (size_t i = 0; !c->responders_only && i < c->tokens_n; i++)
        look_at_token(&l, &c->tokens[i], u->of[MESSAGE_VAULT].uid);
    return !l.wrong;
}
