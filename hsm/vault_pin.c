/*
 * Another PIN for the vault's token, by the warden's word: the token is asked by the worker, and whoever
 * asked is told how it ended. The new PIN is read here and nowhere else. The vault's loop, but for
 * change_run.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "vault.h"

struct changing {
    struct hsm_vault *v;
    struct vault_token *t;
    int fd;
    bool taken;
    hsm_pin_changed_fn *done;
    void *arg;
    struct err *e;
};

static struct err *change(struct changing *c)
{
    struct err *e = NULL;
    struct pin *pin = NULL;
    TRY(pin_read(c->fd, c->t->setup->pin_state_path, &pin));
    TRY(token_pin_change(c->t->token, &pin, &c->taken));
out:
    pin_free(pin);
    return e;
}

static void change_run(void *arg)
{
    struct changing *c = arg;
    c->e = change(c);
}

static void changed(void *arg)
{
    struct changing *c = arg;
    struct hsm_vault *v = c->v;
    const char *why = c->e ? err_detail(c->e) : "";
    enum hsm_pin_change outcome = !c->e ? HSM_PIN_CHANGED : c->taken ? HSM_PIN_UNPROVEN : HSM_PIN_AS_IT_WAS;
    if (c->e)
        log_error("pin.change", log_err(c->e));
    c->t->pin_change = arena_str(v->arena, view_str(c->e ? why : "changed"));
    if (!v->closing) {
        if (c->e)
            vault_token_trouble(v, c->t->token, c->e);
        c->done(c->arg, (size_t)(c->t - v->tokens), outcome, why);
    }
    err_free(c->e);
    close(c->fd);
    free(c);
    vault_release(v);
}

void hsm_vault_change_pin(struct hsm_vault *v, size_t token, int fd, hsm_pin_changed_fn *done, void *arg)
{
    CHECK(token < v->n_tokens);
    struct vault_token *t = &v->tokens[token];
    struct err *e = t->state == VAULT_READY ? NULL : err_new(ERR_TOKEN_AWAY, "the token is not available");
    struct changing *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    *c = (struct changing){.v = v, .t = t, .fd = fd, .done = done, .arg = arg};
    vault_hold(v);
    if (!e)
        e = worker_submit(v->asker, change_run, v->loop, changed, c);
    if (!e)
        return;
    c->e = e;
    changed(c);
}
