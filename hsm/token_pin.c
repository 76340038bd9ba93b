/*
 * Another PIN for a token that is open: changed in the token by C_SetPIN and proven by a login, or only
 * exchanged here, where it was changed elsewhere. A PIN that the token would count as its last try is never
 * shown to it. Holds the module alone, for as long as the token takes. Any thread but the loop's.
 */
#include "base/check.h"
#include "base/log.h"
#include "keygen.h"
#include "token_state.h"

static struct err *check_length(const CK_TOKEN_INFO *info, const struct pin *fresh)
{
    size_t n = pin_view(fresh).n;
    if (n >= info->ulMinPinLen && (info->ulMaxPinLen == 0 || n <= info->ulMaxPinLen))
        return NULL;
    return err_new(ERR_CONFIG, "the token's PINs have %lu to %lu octets, not %zu", info->ulMinPinLen,
                   info->ulMaxPinLen, n);
}

static CK_RV set_pin(struct token *t, const struct pin *fresh)
{
    struct view from = pin_view(t->pin), to = pin_view(fresh);
    CK_SESSION_HANDLE s;
    CK_RV rv =
        MODULE_CALL(t->module, C_OpenSession, t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s);
    if (rv != CKR_OK)
        return rv;
    rv = MODULE_CALL(t->module, C_SetPIN, s, (CK_UTF8CHAR *)(uintptr_t)from.p, from.n,
                     (CK_UTF8CHAR *)(uintptr_t)to.p, to.n);
    (void)MODULE_CALL(t->module, C_CloseSession, s);
    return rv;
}

/* C_SetPIN shows the old PIN to the token: the rules of a login hold for it. */
static struct err *change(struct token *t, const struct pin *fresh)
{
    struct err *e = NULL;
    CK_TOKEN_INFO info;
    CK_RV rv;

    if (t->lost)
        return err_new(ERR_TOKEN_AWAY, "the token is away");
    TRY(pin_check(t->pin));
    rv = MODULE_CALL(t->module, C_GetTokenInfo, t->slot, &info);
    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_GetTokenInfo", rv, "the token does not answer");
    TRY(login_allowed(&info));
    TRY(check_length(&info, fresh));
    rv = set_pin(t, fresh);
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED)
        return login_refused(t, rv);
    if (rv != CKR_OK)
        e = module_err(ERR_CONFIG, "C_SetPIN", rv, "the token does not take the new PIN");
out:
    return e;
}

static void exchange(struct token *t, struct pin **pin)
{
    pin_free(t->pin);
    t->pin = *pin;
    *pin = NULL;
}

struct err *token_pin_change(struct token *t, struct pin **pin, bool *ret_taken)
{
    struct err *e = NULL;

    *ret_taken = false;
    module_enter_alone(t->module);
    TRY(change(t, *pin));
    *ret_taken = true;
    exchange(t, pin);
    if (t->sync_path)
        TRY(keygen_sync(t->sync_path));
    e = token_attach_anew(t);
    t->lost = e != NULL;
    if (e)
        TRY(err_wrap(e, "the token took the new PIN, but does not let us in with it"));
    log_info("token.pin.changed", log_text("label", t->label));
out:
    module_leave(t->module);
    pin_free(*pin);
    *pin = NULL;
    return e;
}

void token_pin_replace(struct token *t, struct pin **pin)
{
    module_enter_alone(t->module);
    exchange(t, pin);
    module_leave(t->module);
}
