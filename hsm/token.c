/*
 * The life of one token: found, logged in, used, brought back when it dies, let go. Signing itself is here
 * because it is the one call that must survive everything. Keys are in token_key.c, the PIN's rules in
 * login.c. Any thread; blocks.
 */
#include "token.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metric.h"
#include "token_state.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

/* No module's value: the key was not on the token when handles were last looked up. */
#define GONE (CKR_VENDOR_DEFINED | 0x43484e43UL)

bool token_is_lost(CK_RV rv)
{
    switch (rv) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
        return true;
    default:
        return false;
    }
}

static const char *trimmed(struct token *t, const CK_UTF8CHAR *text, size_t n)
{
    while (n && text[n - 1] == ' ')
        n--;
    return arena_str(t->arena, view_of(text, n));
}

/* New sessions, login where it is lost, every handle found again. Whatever sessions there were are ended
 * first, so that no handle of an older epoch can mean anything. The module is held alone. */
static struct err *attach(struct token *t)
{
    struct err *e = NULL;
    CK_RV rv;

    (void)MODULE_CALL(t->module, C_CloseAllSessions, t->slot);
    t->epoch++;
    rv = MODULE_CALL(t->module, C_OpenSession, t->slot, CKF_SERIAL_SESSION, NULL, NULL, &t->anchor);
    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_OpenSession", rv, "the token does not answer");
    TRY(login_user(t));
    TRY(token_key_refresh(t, &t->missing));
out:
    return e;
}

static struct err *find_and_attach(struct token *t)
{
    struct err *e = NULL;

    t->module_epoch = module_epoch(t->module); /* also where it is not found: then only a restart helps */
    TRY(module_find(t->module, &t->uri, &t->slot));
    TRY(attach(t));
out:
    return e;
}

static struct err *restart_and_attach(struct token *t)
{
    struct err *e = NULL;

    TRY(module_restart(t->module));
    TRY(find_and_attach(t));
    if (t->missing)
        log_error("token.keys.missing", log_num("count", t->missing));
    if (!t->missing)
        module_well(t->module);
out:
    return e;
}

struct err *token_attach_anew(struct token *t)
{
    return module_count_tokens(t->module, 0) == 1 ? restart_and_attach(t) : attach(t);
}

/* New sessions first; the module anew where they do not help. The module is held alone. */
static struct err *revive_gently(struct token *t)
{
    struct err *e = attach(t);

    t->lost = e != NULL;
    if (e ? err_code(e) != ERR_TOKEN_AWAY : !t->missing)
        return e;
    if (!module_is_rested(t->module))
        return e;
    err_free(e);
    e = restart_and_attach(t);
    t->lost = e != NULL;
    return e;
}

/* The module anew, where its back-off allows; where it does not, a token that works for others is left as it
 * is. */
static struct err *revive_hard(struct token *t)
{
    struct err *e = NULL;

    if (t->lost)
        TRY(pin_check(t->pin));
    if (!module_is_rested(t->module))
        return err_new(ERR_TOKEN_AWAY, "the token is away; it is tried again in some seconds");
    e = restart_and_attach(t);
    t->lost = e != NULL;
out:
    return e;
}

static struct err *revive_alone(struct token *t, bool hard)
{
    struct err *e;

    if (t->module_epoch == module_epoch(t->module))
        return hard || t->lost ? revive_hard(t) : revive_gently(t);
    e = find_and_attach(t); /* another token restarted the module */
    t->lost = e != NULL;
    return e;
}

/* Brings the token back for one who found it dead at `seen_epoch`. hard: new sessions did not help before. */
static struct err *revive(struct token *t, unsigned seen_epoch, bool hard)
{
    struct err *e = NULL;
    bool was_lost;

    module_enter_alone(t->module);
    was_lost = t->lost;
    if (was_lost || t->epoch == seen_epoch) /* else another thread was faster */
        e = revive_alone(t, hard);
    if (t->lost && !was_lost)
        log_error("token.lost", log_err(e));
    if (!t->lost && t->epoch != seen_epoch)
        log_info("token.sessions.renewed", log_num("epoch", t->epoch), log_num("missing", t->missing));
    module_leave(t->module);
    return e;
}

/* One try. The module is held shared, so nobody finalises it under the call. */
static CK_RV sign_once(struct token *t, const struct token_entry *k, CK_MECHANISM *mechanism, struct view in,
                       uint8_t *to, size_t *ret_n, unsigned *ret_epoch)
{
    struct session *s = NULL;
    CK_ULONG n = *ret_n;
    CK_RV rv = CKR_TOKEN_NOT_PRESENT;

    module_enter(t->module);
    *ret_epoch = t->epoch;
    if (!t->lost)
        rv = k->handle == CK_INVALID_HANDLE ? GONE : session_take(t, &s);
    if (rv == CKR_OK)
        rv = MODULE_CALL(t->module, C_SignInit, s->handle, mechanism, k->handle);
    if (rv == CKR_OK)
        rv = MODULE_CALL(t->module, C_Sign, s->handle, (CK_BYTE *)(uintptr_t)in.p, in.n, to, &n);
    if (s)
        session_give(t, s, rv == CKR_OK);
    module_leave(t->module);
    if (rv == CKR_OK)
        *ret_n = n;
    return rv;
}

struct err *token_sign(const struct token_key *key, CK_MECHANISM *mechanism, struct view in, uint8_t *to,
                       size_t *ret_n)
{
    struct err *e = NULL;
    struct token *t = key->token;
    const struct token_entry *k = (const struct token_entry *)key;
    unsigned epoch = 0;
    CK_RV rv;

    for (int try = 0;; try++) {
        rv = sign_once(t, k, mechanism, in, to, ret_n, &epoch);
        if (rv == CKR_OK)
            break;
        if (rv == CKR_SESSION_COUNT)
            return err_new(ERR_BUSY, "the token has no session left");
        if (!token_is_lost(rv) && rv != GONE)
            return module_err(ERR_INTERNAL, "C_Sign", rv, "the token does not sign");
        if (try == 2)
            return module_err(ERR_TOKEN_AWAY, "C_Sign", rv, "the token does not sign");
        TRY(revive(t, epoch, try > 0 || rv == GONE));
    }
    metric_add(METRIC_SIGNATURES, 1);
out:
    return e;
}

static CK_RV probe_once(struct token *t, unsigned *ret_epoch)
{
    struct session *s = NULL;
    CK_SESSION_INFO session;
    CK_TOKEN_INFO token;
    CK_RV rv = CKR_TOKEN_NOT_PRESENT;

    module_enter(t->module);
    *ret_epoch = t->epoch;
    if (!t->lost)
        rv = MODULE_CALL(t->module, C_GetTokenInfo, t->slot, &token);
    if (rv == CKR_OK)
        rv = session_take(t, &s);
    if (rv == CKR_OK)
        rv = MODULE_CALL(t->module, C_GetSessionInfo, s->handle, &session);
    if (rv == CKR_OK && session.state != CKS_RO_USER_FUNCTIONS)
        rv = CKR_USER_NOT_LOGGED_IN;
    if (rv == CKR_OK && t->missing)
        rv = GONE;
    if (s)
        session_give(t, s, rv == CKR_OK);
    module_leave(t->module);
    return rv;
}

struct err *token_probe(struct token *t)
{
    struct err *e = NULL;
    unsigned epoch = 0;
    CK_RV rv;

    for (int try = 0; (rv = probe_once(t, &epoch)) != CKR_OK; try++) {
        if (try == 2)
            return err_new(ERR_TOKEN_AWAY,
                           rv == GONE ? "keys are missing on the token" : "the token does not answer");
        TRY(revive(t, epoch, try > 0 || rv == GONE));
    }
out:
    return e;
}

static CK_RV with_session_once(struct token *t, struct err *(*fn)(void *, struct module *, CK_SESSION_HANDLE),
                               void *arg, unsigned *ret_epoch, struct err **ret_e)
{
    CK_SESSION_HANDLE s = 0;
    CK_RV rv = CKR_TOKEN_NOT_PRESENT;

    module_enter(t->module);
    *ret_epoch = t->epoch;
    if (!t->lost)
        rv = MODULE_CALL(t->module, C_OpenSession, t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                         &s);
    if (rv == CKR_OK) {
        *ret_e = fn(arg, t->module, s);
        (void)MODULE_CALL(t->module, C_CloseSession, s);
    }
    module_leave(t->module);
    return rv;
}

struct err *token_with_session(struct token *t,
                               struct err *(*fn)(void *arg, struct module *m, CK_SESSION_HANDLE session),
                               void *arg)
{
    struct err *e = NULL;
    unsigned epoch = 0;
    CK_RV rv;

    TRY(token_probe(t));
    rv = with_session_once(t, fn, arg, &epoch, &e);
    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_OpenSession", rv, "the token does not answer");
out:
    return e;
}

static struct err *take_lock(struct token *t, const struct token_options *options)
{
    struct err *e = NULL;

    if (!options->lock_path)
        return NULL;
    e = file_lock(options->lock_path, &t->lock_fd);
    if (!e || err_code(e) != ERR_WRONG_STATE)
        return e;
    err_free(e);
    return err_new(ERR_WRONG_STATE, "the token is in use by a running vault%s%s",
                   options->lock_hint ? ": " : "", options->lock_hint ? options->lock_hint : "");
}

static struct err *read_info(struct token *t)
{
    CK_TOKEN_INFO info;
    CK_RV rv = MODULE_CALL(t->module, C_GetTokenInfo, t->slot, &info);

    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_GetTokenInfo", rv, "the token does not answer");
    t->label = trimmed(t, info.label, sizeof info.label);
    t->serial = trimmed(t, info.serialNumber, sizeof info.serialNumber);
    t->model = trimmed(t, info.model, sizeof info.model);
    return NULL;
}

/* A second chance where another process was just writing the token's files, or the token has come since:
 * SoftHSM reads them at C_Initialize only. Another token of the module comes back by itself, with the call
 * that next needs it. */
static struct err *first_attach(struct token *t)
{
    struct err *e = NULL;

    module_enter_alone(t->module);
    e = find_and_attach(t);
    if (e && err_code(e) == ERR_TOKEN_AWAY && module_is_rested(t->module)) {
        err_free(e);
        e = restart_and_attach(t);
    }
    TRY(e);
    TRY(read_info(t));
    module_count_tokens(t->module, 1);
    t->counted = true;
out:
    module_leave(t->module);
    return e;
}

struct err *token_open(struct module *m, const struct token_options *options, struct pin **pin,
                       struct token **ret)
{
    struct err *e = NULL;
    struct token *t = calloc(1, sizeof *t);

    if (!t) {
        pin_free(*pin);
        *pin = NULL;
        return err_new(ERR_NOMEM, "token");
    }
    t->module = m;
    t->pin = *pin;
    *pin = NULL;
    t->lock_fd = -1;
    t->arena = arena_new(ARENA_BYTES);
    CHECK(pthread_mutex_init(&t->pool_lock, NULL) == 0);
    t->sync_path = options->sync_path ? arena_str(t->arena, view_str(options->sync_path)) : NULL;
    t->unsaid = options->unsaid;
    TRY(token_key_check_unsaid(options->unsaid));
    TRY(uri_parse(options->uri, t->arena, &t->uri));
    if (t->uri.object || t->uri.id.p)
        TRY(err_new(ERR_CONFIG, "the token's URI names an object: name the token alone"));
    TRY(take_lock(t, options));
    TRY(first_attach(t));
    log_info("token.open", log_text("label", t->label), log_text("serial", t->serial),
             log_text("model", t->model));
    *ret = t;
    t = NULL;
out:
    token_close(t);
    return e;
}

void token_close(struct token *t)
{
    if (!t)
        return;
    if (t->epoch) {
        module_enter_alone(t->module);
        (void)MODULE_CALL(t->module, C_CloseAllSessions, t->slot);
        if (t->counted)
            module_count_tokens(t->module, -1);
        module_leave(t->module);
    }
    session_free_all(t);
    token_key_free_all(t);
    pthread_mutex_destroy(&t->pool_lock);
    pin_free(t->pin);
    if (t->lock_fd >= 0)
        close(t->lock_fd);
    arena_free(t->arena);
    free(t);
}

const char *token_label(const struct token *t)
{
    return t->label;
}

const char *token_serial(const struct token *t)
{
    return t->serial;
}

const char *token_model(const struct token *t)
{
    return t->model;
}

const char *token_sync_path(const struct token *t)
{
    return t->sync_path;
}
