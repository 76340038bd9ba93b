/*
 * The vault's token: brought up once at the start here, later by the worker with back-off; watched; the keys
 * of a generation found. A refused PIN is not tried again until the file's content changes or a person says
 * so (pin.h keeps that rule). Never signs. The vault's loop, but for vault_token_open.
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
    struct module *module;
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
static struct err *make_token(const struct vault_setup *setup, struct module *m)
{
    struct err *e = NULL;
    struct secret *so_pin = NULL, *pin = NULL;
    TRY(secret_read(setup->make_so_pin_fd, SO_PIN_MAX, &so_pin));
    TRY(secret_read(setup->pin_fd, SO_PIN_MAX, &pin));
    struct token_make_spec spec = {
        .label = setup->make_label, .so_pin = so_pin, .pin = pin, .sync_path = setup->sync_path};
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

struct err *vault_token_open(const struct vault_setup *setup, struct module **module, struct token **ret)
{
    struct err *e = NULL;
    struct pin *pin = NULL;
    struct module_config config = {.path = setup->module, .init_args = setup->init_args, .env = setup->env};
    struct token_options options = {.uri = setup->token_uri,
                                    .lock_path = setup->lock_path,
                                    .lock_hint = "stop chanceryd first, or ask it over its control socket",
                                    .sync_path = setup->sync_path,
                                    .unsaid = setup->unsaid};
    if (!*module)
        TRY(module_open(&config, module));
    if (setup->make_label)
        TRY(make_token(setup, *module));
    TRY(pin_read(setup->pin_fd, setup->pin_state_path, &pin));
    TRY(token_open(*module, &options, &pin, ret));
out:
    pin_free(pin);
    return e;
}

static void set_state(struct hsm_vault *v, enum vault_state state, const char *detail)
{
    if (v->t.state != state) {
        struct log_field why = log_text("detail", detail);
        if (state == VAULT_READY)
            log_info("token.ready", why);
        else
            log_error("token.away", log_text("state", vault_token_state_name(state)), why);
    }
    v->t.state = state;
    (void)snprintf(v->t.detail, sizeof v->t.detail, "%s", detail);
}

static void set_trouble(struct hsm_vault *v, const struct err *e)
{
    set_state(v, err_code(e) == ERR_PIN_REFUSED ? VAULT_PIN_REFUSED : VAULT_AWAY, err_detail(e));
}

struct err *vault_token_check(const struct hsm_vault *v)
{
    if (v->t.state == VAULT_READY)
        return NULL;
    if (v->t.state == VAULT_PIN_REFUSED)
        return err_new(ERR_PIN_REFUSED, "the token refused its PIN; it is not tried again until it changes");
    return err_new(ERR_TOKEN_AWAY, "the token is not available");
}

void vault_token_trouble(struct hsm_vault *v, const struct err *e)
{
    if (err_code(e) != ERR_TOKEN_AWAY && err_code(e) != ERR_PIN_REFUSED)
        return;
    if (v->t.state != VAULT_READY || v->closing)
        return;
    set_trouble(v, e);
    v->t.wait_ms = WAIT_LEAST_MS;
    loop_timer_set(v->t.timer, v->t.wait_ms);
}

/* --- keys --- */

static struct err *find_key(struct token *t, const struct house_issuer *issuer, const struct token_key **ret)
{
    const struct token_key *key;
    struct err *e = token_key_find_uri(t, issuer->key_uri, &key);
    if (e)
        return e;
    if (memcmp(key->spki_sha256, issuer->spki_sha256, SHA256_BYTES) != 0)
        return err_new(ERR_CONFIG, "the key in the token is not the one in the certificate");
    *ret = key;
    return NULL;
}

/* Logged where it is news. */
static void say_reason(struct house_issuer *issuer, const struct err *e)
{
    char was[sizeof issuer->reason];
    memcpy(was, issuer->reason, sizeof was);
    (void)snprintf(issuer->reason, sizeof issuer->reason, "%s",
                   err_code(e) == ERR_NOT_FOUND ? "its key is not in the token" : err_detail(e));
    if (strcmp(was, issuer->reason) != 0)
        log_error("issuer.key", log_text("issuer", issuer->name), log_err(e));
}

struct err *vault_token_find_keys(struct hsm_vault *v, struct house *house, bool strict)
{
    for (size_t i = 0; i < house->n_issuers && v->t.token; i++) {
        struct house_issuer *issuer = &house->issuers[i];
        if (issuer->token_key || !issuer->key_uri)
            continue;
        struct err *e = find_key(v->t.token, issuer, &issuer->token_key);
        if (!e) {
            issuer->reason[0] = '\0';
            continue;
        }
        if (strict)
            return err_wrap(e, "issuer %s", issuer->name);
        say_reason(issuer, e);
        err_free(e);
    }
    return NULL;
}

static void find_responders(struct hsm_vault *v)
{
    for (size_t i = 0; i < responder_count(v->responders); i++) {
        struct responder_key *key = responder_at(v->responders, i);
        const struct token_key *found;
        if (key->token_key)
            continue;
        struct err *e = token_key_find(v->t.token, key->label, (struct view){NULL, 0}, &found);
        if (!e && memcmp(found->spki_sha256, key->spki_sha256, SHA256_BYTES) == 0)
            key->token_key = found;
        if (!key->token_key && v->t.state == VAULT_STARTING)
            log_warn("responder.key", log_text("label", key->label), log_err(e));
        err_free(e);
    }
}

static void find_all(struct hsm_vault *v)
{
    struct house *houses[] = {v->house, v->previous, v->prepared};
    for (size_t i = 0; i < sizeof houses / sizeof *houses; i++)
        if (houses[i])
            err_free(vault_token_find_keys(v, houses[i], false));
    find_responders(v);
}

/* --- coming and going --- */

static struct err *came_up(struct hsm_vault *v, struct token *token)
{
    struct err *e = NULL;
    v->t.token = token;
    if (!v->t.signer)
        TRY(signer_start(v->loop, v->setup.threads, VAULT_SEALS_MAX, 0, &v->t.signer));
    find_all(v);
    set_state(v, VAULT_READY, "");
out:
    return e;
}

static void bring(void *arg)
{
    struct bringing *b = arg;
    if (b->pin)
        token_pin_replace(b->token, &b->pin);
    b->e = b->probe ? token_probe(b->token) : vault_token_open(&b->v->setup, &b->module, &b->token);
}

static void again(struct hsm_vault *v, bool well)
{
    v->t.wait_ms = v->t.wait_ms * 2 < WAIT_MOST_MS ? v->t.wait_ms * 2 : WAIT_MOST_MS;
    if (well)
        v->t.wait_ms = WAIT_LEAST_MS;
    loop_timer_set(v->t.timer, well ? WATCH_MS : v->t.wait_ms);
}

static void brought(void *arg)
{
    struct bringing *b = arg;
    struct hsm_vault *v = b->v;
    v->t.busy = false;
    v->t.module = b->module;
    if (v->closing) {
        if (!b->probe)
            token_close(b->token);
        err_free(b->e);
    } else {
        if (!b->e && !v->t.token)
            b->e = came_up(v, b->token);
        else if (!b->e && v->t.state != VAULT_READY)
            set_state(v, VAULT_READY, "");
        if (!b->e)
            find_all(v);
        else
            set_trouble(v, b->e);
        again(v, b->e == NULL);
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

static void look_at_folder(const struct hsm_vault *v)
{
    struct vault_folder now = folder_of(v->setup.sync_path);
    if (v->t.state == VAULT_READY || !now.inode ||
        (now.inode == v->t.folder.inode && now.device == v->t.folder.device))
        return;
    log_error("token.folder.replaced", log_text("do", "this vault ends; the next one may open it"));
    _exit(EXIT_FAILURE);
}

/* A job that does not come back from the module: as with the signers (signer.h) only another process helps.
 */
static void look_at_job(struct hsm_vault *v)
{
    int64_t left_ms = v->t.busy_since_ms + HANG_MS - world_mono_ms();
    if (left_ms <= 0) {
        log_error("module.hangs", log_num("ms", HANG_MS));
        _exit(EXIT_FAILURE);
    }
    loop_timer_set(v->t.timer, left_ms);
}

static void look(void *arg)
{
    struct hsm_vault *v = arg;
    look_at_folder(v);
    if (v->t.busy) {
        look_at_job(v);
        return;
    }
    struct bringing *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    *b = (struct bringing){.v = v, .module = v->t.module, .token = v->t.token, .probe = v->t.token != NULL};
    if (b->probe) {
        b->pin = v->t.fresh_pin;
        v->t.fresh_pin = NULL;
    }
    vault_hold(v);
    struct err *e = worker_submit(v->t.worker, bring, v->loop, brought, b);
    v->t.busy = e == NULL;
    if (!e) {
        v->t.busy_since_ms = world_mono_ms();
        loop_timer_set(v->t.timer, HANG_MS);
        return;
    }
    err_free(e);
    pin_free(b->pin);
    free(b);
    vault_release(v);
    loop_timer_set(v->t.timer, WAIT_LEAST_MS);
}

struct err *vault_token_start(struct hsm_vault *v)
{
    struct err *e = NULL;
    struct token *token = NULL;
    v->t.state = VAULT_STARTING;
    v->t.wait_ms = WAIT_LEAST_MS;
    v->t.folder = folder_of(v->setup.sync_path);
    v->t.timer = loop_timer_new(v->loop, look, v);
    TRY(worker_start("vault-token", WORKER_QUEUE, &v->t.worker));
    e = vault_token_open(&v->setup, &v->t.module, &token);
    if (e && err_code(e) != ERR_TOKEN_AWAY && err_code(e) != ERR_PIN_REFUSED)
        goto out;
    if (e)
        set_trouble(v, e);
    bool well = e == NULL;
    err_free(e);
    e = NULL;
    v->setup.make_label = NULL; /* once */
    if (well)
        TRY(came_up(v, token));
    loop_timer_set(v->t.timer, well ? WATCH_MS : v->t.wait_ms);
out:
    return e;
}

void vault_token_stop(struct hsm_vault *v)
{
    loop_timer_free(v->t.timer);
    v->t.timer = NULL;
    worker_stop(v->t.worker);
    v->t.worker = NULL;
    signer_stop(v->t.signer);
    v->t.signer = NULL;
    token_close(v->t.token);
    v->t.token = NULL;
    pin_free(v->t.fresh_pin);
    v->t.fresh_pin = NULL;
}

const char *hsm_vault_token_state(const struct hsm_vault *v)
{
    return vault_token_state_name(v->t.state);
}

/* Where the token never came up the next opening reads the descriptor of the setup; else the token is given
 * the PIN. */
static struct err *take_pin(struct hsm_vault *v, int fd)
{
    struct err *e = NULL;
    if (!v->t.token)
        return dup2(fd, v->setup.pin_fd) >= 0 ? NULL : err_sys(ERR_IO, errno, "dup2");
    pin_free(v->t.fresh_pin);
    v->t.fresh_pin = NULL;
    TRY(pin_read(fd, v->setup.pin_state_path, &v->t.fresh_pin));
out:
    return e;
}

void hsm_vault_retry_pin(struct hsm_vault *v, int fd)
{
    struct err *e = pin_forget(v->setup.pin_state_path);
    if (!e && fd >= 0)
        e = take_pin(v, fd);
    if (e)
        log_error("pin.retry", log_err(e));
    err_free(e);
    if (fd >= 0)
        close(fd);
    loop_timer_set(v->t.timer, 0);
}
