/*
 * The one login of a token. The rule that matters: a PIN that was refused is never tried again, and none is
 * tried where the token says that a refusal would lock it. Other failures (SoftHSM gives CKR_GENERAL_ERROR
 * when two processes log in at once) are tried again a few times with back-off. Holds the module alone; may
 * sleep, so never on the loop.
 */
#include <time.h>

#include "base/log.h"
#include "token_state.h"

enum { TRIES = 6, FIRST_WAIT_MS = 20 };

/* What the token says before any PIN is shown to it. */
struct err *login_allowed(const CK_TOKEN_INFO *info)
{
    if (!(info->flags & CKF_TOKEN_INITIALIZED))
        return err_new(ERR_CONFIG, "the token is not initialised");
    if (!(info->flags & CKF_USER_PIN_INITIALIZED))
        return err_new(ERR_CONFIG, "the token has no user PIN yet");
    if (info->flags & CKF_USER_PIN_LOCKED)
        return err_new(ERR_PIN_REFUSED,
                       "the token's user PIN is locked: its security officer must set a new one");
    if (info->flags & CKF_USER_PIN_FINAL_TRY)
        return err_new(ERR_PIN_REFUSED,
                       "one more wrong PIN would lock the token: log in once by hand with the right "
                       "one, which resets the count");
    return NULL;
}

static bool is_refusal(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
           rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LOCKED;
}

static void wait_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&ts, &ts) != 0)
        ;
}

static CK_RV login_with_backoff(struct token *t)
{
    struct view pin = pin_view(t->pin);
    CK_RV rv = CKR_GENERAL_ERROR;
    long ms = FIRST_WAIT_MS;

    for (int i = 0; i < TRIES; i++, ms *= 2) {
        if (i > 0)
            wait_ms(ms);
        rv = MODULE_CALL(t->module, C_Login, t->anchor, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin.p, pin.n);
        if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN || is_refusal(rv))
            return rv;
        log_warn("token.login.again", log_num("rv", (long long)rv), log_text("name", module_rv_name(rv)));
    }
    return rv;
}

struct err *login_refused(struct token *t, CK_RV rv)
{
    struct err *e = pin_refused(t->pin);

    if (e) /* refused for as long as this process lives; the next one would try again */
        log_error("token.pin.not-remembered", log_err(e));
    err_free(e);
    log_error("token.pin.refused", log_text("name", module_rv_name(rv)));
    return module_err(
        ERR_PIN_REFUSED, "C_Login", rv,
        "the token refused its PIN, which is not tried again until it is another one or an operator "
        "says so");
}

static void accept(struct token *t)
{
    struct err *e = pin_accepted(t->pin);

    if (e)
        log_warn("token.pin.not-forgotten", log_err(e));
    err_free(e);
}

static bool is_logged_in(struct token *t)
{
    CK_SESSION_INFO info;
    CK_RV rv = MODULE_CALL(t->module, C_GetSessionInfo, t->anchor, &info);

    return rv == CKR_OK && (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

struct err *login_user(struct token *t)
{
    struct err *e = NULL;
    CK_TOKEN_INFO info;
    CK_RV rv;

    if (is_logged_in(t))
        return NULL;
    TRY(pin_check(t->pin));
    rv = MODULE_CALL(t->module, C_GetTokenInfo, t->slot, &info);
    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_GetTokenInfo", rv, "the token does not answer");
    TRY(login_allowed(&info));
    rv = login_with_backoff(t);
    if (is_refusal(rv))
        return login_refused(t, rv);
    if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
        return module_err(ERR_TOKEN_AWAY, "C_Login", rv, "the token does not let us log in");
    accept(t);
out:
    return e;
}
