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

size_t warden_tokens(const struct ward *vault)
{
    return vault->warden->config->vaults[vault->index].tokens_n;
}

const char *warden_pin_file(const struct ward *vault, size_t token)
{
    const struct config *c = vault->warden->config;
    return c->tokens[c->vaults[vault->index].tokens[token]].pin_file;
}

static const char *fresh_path(const struct ward *vault, size_t token)
{
    return arena_printf(vault->warden->turn, "%s" WARDEN_PIN_NEW, warden_pin_file(vault, token));
}

/* False where there is no such file. */
static bool pass(struct ward *vault, enum message kind, size_t token, const char *path)
{
    struct view body;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return false;
    struct err *e = fd < 0 ? err_sys(ERR_CONFIG, errno, "%s", path) : NULL;
    if (!e)
        e = message_pin_write((unsigned)token, vault->warden->turn, &body);
    if (e)
        log_error("pin.open", log_err(e));
    else
        ward_send(vault, kind, 0, body, fd);
    err_free(e);
    if (fd >= 0)
        close(fd);
    return true;
}

/* Each token's own: one whose PIN was not refused goes on with what it has. */
void warden_retry_pin(struct warden *w)
{
    log_info("pin.retry");
    arena_reset(w->turn);
    for (size_t i = 0; i < w->vaults_n; i++)
        for (size_t k = 0; k < warden_tokens(&w->wards[i]); k++)
            if (!pass(&w->wards[i], MESSAGE_RETRY_PIN, k, warden_pin_file(&w->wards[i], k)))
                log_error("pin.open", log_text("child", w->wards[i].name),
                          log_text("why", "there is no PIN file"));
}

/* Of the tokens beside whose PIN file another stands. */
void warden_change_pin(struct warden *w)
{
    bool any = false;
    log_info("pin.change");
    arena_reset(w->turn);
    for (size_t i = 0; i < w->vaults_n; i++)
        for (size_t k = 0; k < warden_tokens(&w->wards[i]); k++)
            any = pass(&w->wards[i], MESSAGE_CHANGE_PIN, k, fresh_path(&w->wards[i], k)) || any;
    if (!any)
        log_error("pin.open", log_text("why", "no new PIN stands beside a PIN file"));
}

static struct err *sync_folder(struct ward *vault, size_t token)
{
    struct err *e = NULL;
    int fd = open(dirname(arena_str(vault->warden->turn, view_str(warden_pin_file(vault, token)))),
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || world_fsync(fd) != 0)
        e = err_sys(ERR_IO, errno, "the PIN file's folder");
    if (fd >= 0)
        close(fd);
    return e;
}

/* The token has the new PIN, and a login proved it. */
static struct err *take(struct ward *vault, size_t token)
{
    struct err *e = NULL;
    if (world_rename(fresh_path(vault, token), warden_pin_file(vault, token)) != 0)
        return err_sys(ERR_IO, errno, "the token has a new PIN that cannot be put in place: move %s yourself",
                       fresh_path(vault, token));
    TRY(sync_folder(vault, token));
out:
    return e;
}

struct err *warden_pin_changed(struct ward *vault, struct view body)
{
    struct err *e = NULL;
    unsigned token, outcome;
    const char *why;

    arena_reset(vault->warden->turn);
    TRY(message_pin_changed_read(body, vault->warden->turn, &token, &outcome, &why));
    if (token >= warden_tokens(vault))
        TRY(err_new(ERR_PROTOCOL, "a vault without a token %u", token));
    if (outcome == HSM_PIN_CHANGED)
        e = take(vault, token);
    if (outcome == HSM_PIN_AS_IT_WAS && unlink(fresh_path(vault, token)) != 0)
        e = err_sys(ERR_IO, errno, "%s", fresh_path(vault, token));
    if (e || outcome != HSM_PIN_CHANGED)
        log_error("pin.not-changed", log_text("why", why), log_err(e));
    else
        log_info("pin.changed");
    err_free(e);
    return NULL;
out:
    return e;
}
