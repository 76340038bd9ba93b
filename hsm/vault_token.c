/*
 * The vault's tokens: brought up once at the start here, later by the asker with back-off; watched. A refused
 * PIN is not tried again until the file's content changes or a person says so (pin.h keeps that rule). Never
 * signs. The vault's loop, but for vault_token_open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/world.h"
#include "keygen.h"
#include "token_make.h"
#include "vault.h"

enum {
    WATCH_MS = 10000,
    WAIT_LEAST_MS = 500,
    WAIT_MOST_MS = 30000,
    SO_PIN_MAX = 255,
    WORKER_QUEUE = 64,
    HANG_MS = 30000
};

struct bringing {
    struct hsm_vault *v;
    struct vault_token *t;
    struct token *token;
    bool probe;      /* the token is there: only ask it */
    struct pin *pin; /* first give it this one; NULL: none */
    struct err *e;
};

const char *vault_token_state_name(enum vault_state state)
{
    static const char *const names[] = {"starting", "ready", "away", "pin-refused"};
    return names[state];
}

/* init: the token itself, where there is none of that label yet. */
static struct err *make_token(const struct vault_setup *setup, const struct vault_token_setup *which,
                              struct module *m)
{
    struct err *e = NULL;
    struct secret *so_pin = NULL, *pin = NULL;
    TRY(secret_read(setup->make_so_pin_fd, SO_PIN_MAX, &so_pin));
    TRY(secret_read(which->pin_fd, SO_PIN_MAX, &pin));
    struct token_make_spec spec = {
        .label = setup->make_label, .so_pin = so_pin, .pin = pin, .sync_path = which->sync_path};
    e = token_make(m, &spec);
    if (e && err_code(e) == ERR_WRONG_STATE) { /* there already: init takes up where it was */
        err_free(e);
        e = NULL;
    }
out:
    secret_free(so_pin);
    secret_free(pin);
    return e;
}

struct err *vault_token_open(const struct vault_setup *setup, const struct vault_token_setup *which,
                             struct module **module, struct token **ret)
{
    struct err *e = NULL;
    struct pin *pin = NULL;
    struct module_config config = {.path = setup->module, .init_args = setup->init_args, .env = setup->env};
    struct token_options options = {.uri = which->uri,
                                    .lock_path = which->lock_path,
                                    .lock_hint = "stop chanceryd first, or ask it over its control socket",
                                    .sync_path = which->sync_path,
                                    .unsaid = which->unsaid};
    if (!*module)
        TRY(module_open(&config, module));
    if (setup->make_label)
        TRY(make_token(setup, which, *module));
    TRY(pin_read(which->pin_fd, which->pin_state_path, &pin));
    TRY(token_open(*module, &options, &pin, ret));
out:
    pin_free(pin);
    return e;
}

static void set_state(struct vault_token *t, enum vault_state state, const char *detail)
{
    if (t->state != state) {
        struct log_field name = log_text("token", t->setup->name), why = log_text("detail", detail);
        if (state == VAULT_READY)
            log_info("token.ready", name, why);
        else
            log_error("token.away", name, log_text("state", vault_token_state_name(state)), why);
    }
    t->state = state;
    (void)snprintf(t->detail, sizeof t->detail, "%s", detail);
}

static void set_trouble(struct vault_token *t, const struct err *e)
{
    set_state(t, err_code(e) == ERR_PIN_REFUSED ? VAULT_PIN_REFUSED : VAULT_AWAY, err_detail(e));
}

struct vault_token *vault_token_any(struct hsm_vault *v)
{
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].state == VAULT_READY)
            return &v->tokens[i];
    return NULL;
}

struct token *vault_token_first(const struct hsm_vault *v)
{
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].token)
            return v->tokens[i].token;
    return NULL;
}

struct err *vault_token_check(const struct hsm_vault *v)
{
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].state == VAULT_READY)
            return NULL;
    if (v->tokens[0].state == VAULT_PIN_REFUSED)
        return err_new(ERR_PIN_REFUSED, "the token refused its PIN; it is not tried again until it changes");
    return err_new(ERR_TOKEN_AWAY, "the token is not available");
}

void vault_token_trouble(struct hsm_vault *v, const struct token *token, const struct err *e)
{
    if (v->closing || (err_code(e) != ERR_TOKEN_AWAY && err_code(e) != ERR_PIN_REFUSED))
        return;
    for (size_t i = 0; i < v->n_tokens; i++) {
        struct vault_token *t = &v->tokens[i];
        if (t->token != token || t->state != VAULT_READY)
            continue;
        set_trouble(t, e);
        t->wait_ms = WAIT_LEAST_MS;
        loop_timer_set(t->timer, t->wait_ms);
    }
}

/* --- coming and going --- */

static void find_all(struct hsm_vault *v)
{
    struct house *houses[] = {v->house, v->previous, v->prepared};
    for (size_t i = 0; i < sizeof houses / sizeof *houses; i++)
        if (houses[i])
            err_free(vault_key_find_all(v, houses[i], false));
}

static struct err *came_up(struct vault_token *t, struct token *token)
{
    struct err *e = NULL;
    struct hsm_vault *v = t->v;
    t->token = token;
    if (!v->signer)
        TRY(signer_start(v->loop, v->setup.threads, VAULT_SEALS_MAX, 0, &v->signer));
    find_all(v);
    set_state(t, VAULT_READY, "");
out:
    return e;
}

static void bring(void *arg)
{
    struct bringing *b = arg;
    struct hsm_vault *v = b->v;
    if (b->pin)
        token_pin_replace(b->token, &b->pin);
    b->e = b->probe ? token_probe(b->token) : vault_token_open(&v->setup, b->t->setup, &v->module, &b->token);
}

static void again(struct vault_token *t, bool well)
{
    t->wait_ms = t->wait_ms * 2 < WAIT_MOST_MS ? t->wait_ms * 2 : WAIT_MOST_MS;
    if (well)
        t->wait_ms = WAIT_LEAST_MS;
    loop_timer_set(t->timer, well ? WATCH_MS : t->wait_ms);
}

static void brought(void *arg)
{
    struct bringing *b = arg;
    struct hsm_vault *v = b->v;
    struct vault_token *t = b->t;
    t->busy = false;
    if (v->closing) {
        if (!b->probe)
            token_close(b->token);
        err_free(b->e);
    } else {
        if (!b->e && !t->token)
            b->e = came_up(t, b->token);
        else if (!b->e && t->state != VAULT_READY)
            set_state(t, VAULT_READY, "");
        if (!b->e)
            find_all(v);
        else
            set_trouble(t, b->e);
        again(t, b->e == NULL);
        err_free(b->e);
    }
    free(b);
    vault_release(v);
}

/* A software token's folder as it was when the vault was jailed: another one in its place cannot be opened
 * from in here, however long one waits. */
static struct vault_folder folder_of(const char *path)
{
    struct stat st;
    if (!path || stat(path, &st) != 0)
        return (struct vault_folder){0};
    return (struct vault_folder){st.st_dev, st.st_ino};
}

static void look_at_folder(const struct vault_token *t)
{
    struct vault_folder now = folder_of(t->setup->sync_path);
    if (t->state == VAULT_READY || !now.inode ||
        (now.inode == t->folder.inode && now.device == t->folder.device))
        return;
    log_error("token.folder.replaced", log_text("token", t->setup->name),
              log_text("do", "this vault ends; the next one may open it"));
    _exit(EXIT_FAILURE);
}

/* A job that does not come back from the module: as with the signers (signer.h) only another process helps.
 */
static void look_at_job(struct vault_token *t)
{
    int64_t left_ms = t->busy_since_ms + HANG_MS - world_mono_ms();
    if (left_ms <= 0) {
        log_error("module.hangs", log_num("ms", HANG_MS));
        _exit(EXIT_FAILURE);
    }
    loop_timer_set(t->timer, left_ms);
}

static void look(void *arg)
{
    struct vault_token *t = arg;
    struct hsm_vault *v = t->v;
    look_at_folder(t);
    if (t->busy) {
        look_at_job(t);
        return;
    }
    struct bringing *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    *b = (struct bringing){.v = v, .t = t, .token = t->token, .probe = t->token != NULL};
    if (b->probe) {
        b->pin = t->fresh_pin;
        t->fresh_pin = NULL;
    }
    vault_hold(v);
    struct err *e = worker_submit(v->asker, bring, v->loop, brought, b);
    t->busy = e == NULL;
    if (!e) {
        t->busy_since_ms = world_mono_ms();
        loop_timer_set(t->timer, HANG_MS);
        return;
    }
    err_free(e);
    pin_free(b->pin);
    free(b);
    vault_release(v);
    loop_timer_set(t->timer, WAIT_LEAST_MS);
}

static struct err *start_one(struct hsm_vault *v, size_t i)
{
    struct err *e = NULL;
    struct token *token = NULL;
    struct vault_token *t = &v->tokens[i];
    *t = (struct vault_token){.v = v, .setup = &v->setup.tokens[i], .wait_ms = WAIT_LEAST_MS};
    v->n_tokens++;
    t->folder = folder_of(t->setup->sync_path);
    t->timer = loop_timer_new(v->loop, look, t);
    e = vault_token_open(&v->setup, t->setup, &v->module, &token);
    if (e && err_code(e) != ERR_TOKEN_AWAY && err_code(e) != ERR_PIN_REFUSED)
        goto out;
    if (e)
        set_trouble(t, e);
    bool well = e == NULL;
    err_free(e);
    e = NULL;
    v->setup.make_label = NULL; /* once */
    if (well)
        TRY(came_up(t, token));
    loop_timer_set(t->timer, well ? WATCH_MS : t->wait_ms);
out:
    return e;
}

struct err *vault_token_start(struct hsm_vault *v)
{
    struct err *e = NULL;
    for (size_t i = 0; i < v->setup.n_tokens; i++)
        TRY(start_one(v, i));
    TRY(worker_start("vault-token", WORKER_QUEUE,
                     &v->asker)); /* the timers come with the loop's first turn */
out:
    return e;
}

void vault_token_stop(struct hsm_vault *v)
{
    worker_stop(v->asker);
    v->asker = NULL;
    signer_stop(v->signer);
    v->signer = NULL;
    for (size_t i = 0; i < v->n_tokens; i++) {
        struct vault_token *t = &v->tokens[i];
        loop_timer_free(t->timer);
        t->timer = NULL;
        token_close(t->token);
        t->token = NULL;
        pin_free(t->fresh_pin);
        t->fresh_pin = NULL;
    }
}

const char *hsm_vault_token_state(const struct hsm_vault *v)
{
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].state == VAULT_READY)
            return vault_token_state_name(VAULT_READY);
    return vault_token_state_name(v->tokens[0].state);
}

/* Where the token never came up the next opening reads the descriptor of the setup; else the token is given
 * the PIN. */
static struct err *take_pin(struct vault_token *t, int fd)
{
    struct err *e = NULL;
    if (!t->token)
        return dup2(fd, t->setup->pin_fd) >= 0 ? NULL : err_sys(ERR_IO, errno, "dup2");
    pin_free(t->fresh_pin);
    t->fresh_pin = NULL;
    TRY(pin_read(fd, t->setup->pin_state_path, &t->fresh_pin));
out:
    return e;
}

void hsm_vault_retry_pin(struct hsm_vault *v, size_t token, int fd)
{
    CHECK(token < v->n_tokens);
    struct vault_token *t = &v->tokens[token];
    struct err *e = pin_forget(t->setup->pin_state_path);
    if (!e && fd >= 0)
        e = take_pin(t, fd);
    if (e)
        log_error("pin.retry", log_text("token", t->setup->name), log_err(e));
    err_free(e);
    if (fd >= 0)
        close(fd);
    loop_timer_set(t->timer, 0);
}
