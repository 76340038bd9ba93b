/*
 * Raw PKCS#11 signatures: a session and a key handle of its own, found once. Uses nothing of room hsm, so
 * that what it measures owes nothing to it. Each struct on one thread.
 */
#include "sign_raw.h"

#include <dlfcn.h>
#include <string.h>

#include "pace.h"

static void must(CK_RV rv, const char *what)
{
    if (rv != CKR_OK)
        pace_die("%s: %#lx", what, rv);
}

static CK_FUNCTION_LIST *functions(const char *module_path)
{
    void *library = dlopen(module_path, RTLD_NOW);
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *f = NULL;

    if (!library)
        pace_die("%s", dlerror());
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (!get)
        pace_die("%s has no C_GetFunctionList", module_path);
    must(get(&f), "C_GetFunctionList");
    return f;
}

/* The slot with a token that is set up: the bench has one only. */
static CK_SLOT_ID slot_of(CK_FUNCTION_LIST *f)
{
    CK_SLOT_ID slots[8];
    CK_ULONG n = 8;

    must(f->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO info;

        must(f->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if (info.flags & CKF_USER_PIN_INITIALIZED)
            return slots[i];
    }
    pace_die("no token in %lu slots", n);
}

static CK_OBJECT_HANDLE find(struct sign_raw *r, const char *label)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE want[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG n = 0;

    must(r->f->C_FindObjectsInit(r->session, want, 2), "C_FindObjectsInit");
    must(r->f->C_FindObjects(r->session, &key, 1, &n), "C_FindObjects");
    must(r->f->C_FindObjectsFinal(r->session), "C_FindObjectsFinal");
    if (n != 1)
        pace_die("no key %s", label);
    return key;
}

void sign_raw_open(struct sign_raw *r, const char *module_path, enum sign_kind kind)
{
    r->f = functions(module_path);
    r->kind = kind;
    must(r->f->C_OpenSession(slot_of(r->f), CKF_SERIAL_SESSION, NULL, NULL, &r->session), "C_OpenSession");
    r->key = find(r, sign_kind_name[kind]);
}

void sign_raw_close(struct sign_raw *r)
{
    must(r->f->C_CloseSession(r->session), "C_CloseSession");
}

void sign_raw_once(struct sign_raw *r)
{
    /* A DigestInfo for RSA (RFC 8017 9.2), of which the last 32 octets alone are what ECDSA takes. */
    static CK_BYTE input[51] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20, 0x5a};
    bool rsa = r->kind == SIGN_RSA2048;
    CK_MECHANISM mechanism = {rsa ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0};
    CK_BYTE sig[512];
    CK_ULONG n = sizeof sig;

    must(r->f->C_SignInit(r->session, &mechanism, r->key), "C_SignInit");
    must(r->f->C_Sign(r->session, rsa ? input : input + 19, rsa ? 51 : 32, sig, &n), "C_Sign");
}
