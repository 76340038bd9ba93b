/*
 * Makes a token for `chancery init`: C_InitToken in the first free slot, then the user's PIN. A token of the
 * same label is never overwritten. One thread, nothing else open on the module.
 */
#include "token_make.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "keygen.h"

enum { LABEL_BYTES = 32, SLOTS_MAX = 256 };

static struct err *refuse_second(struct module *m, const char *label)
{
    struct uri uri = {.token = label};
    CK_SLOT_ID slot;
    struct err *e = module_find(m, &uri, &slot);

    if (!e || err_code(e) == ERR_CONFIG) {
        err_free(e);
        return err_new(ERR_WRONG_STATE, "there is a token \"%s\" already", label);
    }
    err_free(e); /* none: as it should be */
    return NULL;
}

static struct err *free_slot(struct module *m, CK_SLOT_ID *ret)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    CK_RV rv = MODULE_CALL(m, C_GetSlotList, CK_TRUE, slots, &n);
    CK_TOKEN_INFO info;

    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_GetSlotList", rv, "the slots cannot be listed");
    for (CK_ULONG i = 0; i < n; i++)
        if (MODULE_CALL(m, C_GetTokenInfo, slots[i], &info) == CKR_OK &&
            !(info.flags & CKF_TOKEN_INITIALIZED)) {
            *ret = slots[i];
            return NULL;
        }
    return err_new(ERR_CONFIG, "no slot holds a token that is not yet initialised");
}

static CK_UTF8CHAR *pin_bytes(const struct secret *s)
{
    return (CK_UTF8CHAR *)(uintptr_t)secret_view(s).p;
}

static struct err *init_token(struct module *m, const struct token_make_spec *spec, CK_SLOT_ID slot)
{
    CK_UTF8CHAR label[LABEL_BYTES];
    size_t n = strlen(spec->label);
    CK_RV rv;

    if (n == 0 || n > LABEL_BYTES)
        return err_new(ERR_CONFIG, "a token's label has 1 to %d octets", LABEL_BYTES);
    memset(label, ' ', sizeof label);
    memcpy(label, spec->label, n);
    rv = MODULE_CALL(m, C_InitToken, slot, pin_bytes(spec->so_pin), secret_view(spec->so_pin).n, label);
    return rv == CKR_OK ? NULL : module_err(ERR_CONFIG, "C_InitToken", rv, "the token cannot be initialised");
}

static struct err *init_pin(struct module *m, const struct token_make_spec *spec, CK_SLOT_ID slot)
{
    struct err *e = NULL;
    CK_SESSION_HANDLE s;
    CK_RV rv = MODULE_CALL(m, C_OpenSession, slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s);

    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_OpenSession", rv, "the new token does not answer");
    rv = MODULE_CALL(m, C_Login, s, CKU_SO, pin_bytes(spec->so_pin), secret_view(spec->so_pin).n);
    if (rv == CKR_OK)
        rv = MODULE_CALL(m, C_InitPIN, s, pin_bytes(spec->pin), secret_view(spec->pin).n);
    if (rv != CKR_OK)
        e = module_err(ERR_CONFIG, "C_InitPIN", rv, "the new token does not take the user's PIN");
    (void)MODULE_CALL(m, C_Logout, s);
    (void)MODULE_CALL(m, C_CloseSession, s);
    return e;
}

struct err *token_make(struct module *m, const struct token_make_spec *spec)
{
    struct err *e = NULL;
    CK_SLOT_ID slot = 0;

    module_enter_alone(m);
    TRY(refuse_second(m, spec->label));
    TRY(free_slot(m, &slot));
    TRY(init_token(m, spec, slot));
    TRY(init_pin(m, spec, slot));
    if (spec->sync_path)
        TRY(keygen_sync(spec->sync_path));
    log_info("token.made", log_text("label", spec->label));
out:
    module_leave(m);
    return e;
}
