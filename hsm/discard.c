/*
 * Finds both halves of one key by label and id, and deletes them. Never touches a key of another label: an
 * issuer's key is never deleted by a program. Any thread but the loop's.
 */
#include "discard.h"

#include <string.h>

#include "base/log.h"
#include "token_state.h"

#define PREFIX "ocsp-"

struct discarding {
    const char *label;
    struct view id;
};

static struct err *discard_half(const struct discarding *d, struct module *m, CK_SESSION_HANDLE session,
                                CK_OBJECT_CLASS class)
{
    CK_OBJECT_HANDLE found[TOKEN_FOUND_MAX];
    CK_ULONG n = 0;
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_LABEL, (void *)(uintptr_t)d->label, strlen(d->label)},
        {CKA_ID, (void *)(uintptr_t)d->id.p, d->id.n},
    };
    CK_RV rv = token_attr_find(m, session, wanted, 3, found, &n);
    for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
        rv = MODULE_CALL(m, C_DestroyObject, session, found[i]);
    return rv == CKR_OK ? NULL
                        : module_err(token_is_lost(rv) ? ERR_TOKEN_AWAY : ERR_CONFIG, "C_DestroyObject", rv,
                                     "a responder key that has had its time stays in the token");
}

static struct err *discard(void *arg, struct module *m, CK_SESSION_HANDLE session)
{
    struct err *e = discard_half(arg, m, session, CKO_PRIVATE_KEY);
    return e ? e : discard_half(arg, m, session, CKO_PUBLIC_KEY);
}

struct err *discard_key(struct token *t, const char *label, struct view id)
{
    struct err *e = NULL;
    struct discarding d = {label, id};
    if (strncmp(label, PREFIX, strlen(PREFIX)) != 0 || id.n != SHA1_BYTES)
        return err_new(ERR_CONFIG, "'%s' is not the label of a responder's key: it stays", label);
    TRY(token_with_session(t, discard, &d));
    log_info("token.key.discarded", log_text("label", label));
out:
    return e;
}
