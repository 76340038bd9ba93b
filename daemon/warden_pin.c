/*
 * The PIN file as the warden handles it: opened and passed on, never read. A new PIN stands beside it as
 * FILE.new until the token has it; then it takes the file's place in one rename. The warden's thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

#include "base/world.h"
#include "hsm_vault.h"
#include "ward.h"

static const char *fresh_path(struct warden *w)
{
    return arena_printf(w->turn, "%s" WARDEN_PIN_NEW, w->config->token->pin_file);
}

static void pass(struct warden *w, enum message kind, const char *path)
{
    if (!w->vault)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        struct err *e = err_sys(ERR_CONFIG, errno, "%s", path);
        log_error("pin.open", log_err(e));
        err_free(e);
        return;
    }
    ward_send(w->vault, kind, 0, (struct view){NULL, 0}, fd);
    close(fd);
}

void warden_retry_pin(struct warden *w)
{
    log_info("pin.retry");
    pass(w, MESSAGE_RETRY_PIN, w->config->token->pin_file);
}

void warden_change_pin(struct warden *w)
{
    arena_reset(w->turn);
    log_info("pin.change");
    pass(w, MESSAGE_CHANGE_PIN, fresh_path(w));
}

static struct err *sync_folder(struct warden *w)
{
    struct err *e = NULL;
    int fd = open(dirname(arena_str(w->turn, view_str(w->config->token->pin_file))),
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || world_fsync(fd) != 0)
        e = err_sys(ERR_IO, errno, "the PIN file's folder");
    if (fd >= 0)
        close(fd);
    return e;
}

/* The token has the new PIN, and a login proved it. */
static struct err *take(struct warden *w)
{
    struct err *e = NULL;
    if (world_rename(fresh_path(w), w->config->token->pin_file) != 0)
        return err_sys(ERR_IO, errno, "the token has a new PIN that cannot be put in place: move %s yourself",
                       fresh_path(w));
    TRY(sync_folder(w));
out:
    return e;
}

struct err *warden_pin_changed(struct warden *w, struct view body)
{
    struct err *e = NULL;
    unsigned outcome;
    const char *why;

    arena_reset(w->turn);
    TRY(message_pin_changed_read(body, w->turn, &outcome, &why));
    if (outcome == HSM_PIN_CHANGED)
        e = take(w);
    if (outcome == HSM_PIN_AS_IT_WAS && unlink(fresh_path(w)) != 0)
        e = err_sys(ERR_IO, errno, "%s", fresh_path(w));
    if (e || outcome != HSM_PIN_CHANGED)
        log_error("pin.not-changed", log_text("why", why), log_err(e));
    else
        log_info("pin.changed");
    err_free(e);
    return NULL;
out:
    return e;
}
