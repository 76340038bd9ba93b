/*
 * Objects of a token and what they say of themselves: finding by template, reading one attribute. Changes
 * nothing. Whoever calls holds the module.
 */
#include "base/check.h"
#include "token_state.h"

enum { ATTRIBUTE_MAX_BYTES = 4 * 1024 };

CK_RV token_attr_find(struct module *m, CK_SESSION_HANDLE s, CK_ATTRIBUTE *wanted, CK_ULONG n,
                      CK_OBJECT_HANDLE ret[TOKEN_FOUND_MAX], CK_ULONG *ret_n)
{
    CK_ULONG got = 0;
    CK_RV rv = MODULE_CALL(m, C_FindObjectsInit, s, wanted, n), done;

    if (rv != CKR_OK)
        return rv;
    rv = MODULE_CALL(m, C_FindObjects, s, ret, TOKEN_FOUND_MAX, &got);
    done = MODULE_CALL(m, C_FindObjectsFinal, s);
    *ret_n = got;
    return rv != CKR_OK ? rv : done;
}

CK_RV token_attr_bytes(struct module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
                       struct arena *arena, struct view *ret)
{
    CK_ATTRIBUTE a = {type, NULL, 0};
    CK_RV rv = MODULE_CALL(m, C_GetAttributeValue, s, o, &a, 1);

    if (rv != CKR_OK)
        return rv;
    if (a.ulValueLen == CK_UNAVAILABLE_INFORMATION || a.ulValueLen > ATTRIBUTE_MAX_BYTES)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    a.pValue = arena_alloc(arena, a.ulValueLen);
    rv = MODULE_CALL(m, C_GetAttributeValue, s, o, &a, 1);
    *ret = view_of(a.pValue, a.ulValueLen);
    return rv;
}

bool token_attr_flag(struct module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type,
                     bool otherwise)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE a = {type, &value, sizeof value};
    CK_RV rv = MODULE_CALL(m, C_GetAttributeValue, s, o, &a, 1);

    if (rv != CKR_OK || a.ulValueLen != sizeof value)
        return otherwise;
    return value != CK_FALSE;
}
