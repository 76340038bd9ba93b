/*
 * Root's orders: a freeze left as a file in the roll's folder, for the day when no front answers. The folder
 * is the vault's alone, so whoever can write there is the vault's own user or root. Takes nothing but
 * freezes: never a thaw. The vault's loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "vault_act.h"

enum { LOOK_MS = 250, ORDER_MAX = 2048, ORDER_PATH_MAX = 4096 };

static void path_of(const char *dir, char to[ORDER_PATH_MAX])
{
    CHECK((size_t)snprintf(to, ORDER_PATH_MAX, "%s/" HSM_ORDER_FILE, dir) < ORDER_PATH_MAX);
}

struct err *hsm_order_write(const char *roll_dir, const struct hsm_freeze *what, const char *by,
                            const char *reason)
{
    char path[ORDER_PATH_MAX];
    struct der_out out;
    struct view body;
    struct arena *arena = arena_new(64 * 1024);
    path_of(roll_dir, path);
    der_out_init(&out, arena, ORDER_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_enum(&out, what->what);
    der_put_text(&out, what->name);
    der_put_text(&out, by);
    der_put_text(&out, reason);
    der_finish(&out, m);
    struct err *e = der_out_done(&out, &body);
    if (!e)
        e = file_write(path, body, 0600);
    arena_free(arena);
    return e;
}

static void drop(const char *path)
{
    if (unlink(path) != 0)
        log_error("order.unlink", log_num("errno", errno));
}

static void taken(void *arg)
{
    const struct hsm_vault *v = arg;
    char path[ORDER_PATH_MAX];
    path_of(v->setup.roll_dir, path);
    drop(path);
}

/* Whether root or our own user left it. */
static bool is_ours(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid());
}

static struct err *take(struct hsm_vault *v, int fd)
{
    struct err *e = NULL;
    struct view body;
    struct arena *arena = arena_new(64 * 1024);
    if (!is_ours(fd))
        TRY(err_new(ERR_FORBIDDEN, "an order that neither root nor the vault's own user left"));
    TRY(file_read_fd(fd, ORDER_MAX, arena, &body));
    TRY(vault_freeze_order(v, body, taken, v));
out:
    arena_free(arena);
    return e;
}

/* What is under way is taken away when it is durable: until then the next look finds it again, and freezing
 * what is frozen changes nothing. */
static void look(void *arg)
{
    struct hsm_vault *v = arg;
    char path[ORDER_PATH_MAX];
    path_of(v->setup.roll_dir, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct err *e = fd >= 0 ? take(v, fd) : NULL;
    if (fd >= 0)
        close(fd);
    if (e) {
        log_error("order.refused", log_err(e));
        err_free(e);
        drop(path);
    }
    loop_timer_set(v->order, LOOK_MS);
}

void vault_order_start(struct hsm_vault *v)
{
    v->order = loop_timer_new(v->loop, look, v);
    loop_timer_set(v->order, 0);
}

void vault_order_stop(struct hsm_vault *v)
{
    loop_timer_free(v->order);
    v->order = NULL;
}
