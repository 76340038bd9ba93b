/*
 * What a token says of itself, as the groups of frames.def's INFO: the module, the token, its mechanisms, the
 * private keys on it and how well they are kept. Asks only; judges nothing, logs in nowhere, reads no value
 * of a key. Blocks; any thread but the loop's.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/hex.h"
#include "token_info.h"
#include "token_state.h"

enum { MECHANISMS_MAX = 512, KEYS_MAX = 1024, TEXT_MAX = 256, ARENA_BYTES = 4 * 1024 * 1024 };

struct asking {
    bool whole;
    const struct token *t;
    struct module *m;
    CK_SESSION_HANDLE session;
    struct der_out *out;
    struct arena *arena;
};

/* --- one field, one group --- */

void token_info_put_text(struct der_out *out, const char *name, const char *text)
{
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_text(out, name);
    der_put_text(out, text);
    der_finish(out, m);
}

static void put_flag(struct der_out *out, const char *name, bool flag)
{
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_text(out, name);
    der_put_bool(out, flag);
    der_finish(out, m);
}

void token_info_put_number(struct der_out *out, const char *name, uint64_t n)
{
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_text(out, name);
    der_put_uint(out, n);
    der_finish(out, m);
}

size_t token_info_begin(struct der_out *out, const char *group, size_t *ret_fields)
{
    size_t m = der_begin(out, DER_SEQUENCE);
    der_put_text(out, group);
    *ret_fields = der_begin(out, DER_SEQUENCE);
    return m;
}

void token_info_end(struct der_out *out, size_t m, size_t fields)
{
    der_finish(out, fields);
    der_finish(out, m);
}

/* Blank-padded text of a module: without the blanks, what is no plain ASCII as '?'. */
static void put_padded(struct der_out *out, const char *name, const CK_UTF8CHAR *text, size_t n)
{
    char plain[TEXT_MAX];
    while (n && (text[n - 1] == ' ' || text[n - 1] == 0))
        n--;
    n = n < sizeof plain ? n : sizeof plain - 1;
    for (size_t i = 0; i < n; i++)
        plain[i] = text[i] >= ' ' && text[i] < 0x7f ? (char)text[i] : '?';
    plain[n] = '\0';
    token_info_put_text(out, name, plain);
}

static void put_version(struct der_out *out, const char *name, CK_VERSION v)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u.%u", v.major, v.minor);
    token_info_put_text(out, name, text);
}

/* What the token does not know is left out; 0 of a bound is none. */
static void put_count(struct der_out *out, const char *name, CK_ULONG n, bool is_bound)
{
    if (n == CK_UNAVAILABLE_INFORMATION)
        return;
    if (is_bound && n == CK_EFFECTIVELY_INFINITE)
        token_info_put_text(out, name, "unbounded");
    else
        token_info_put_number(out, name, n);
}

/* --- module and token --- */

static CK_RV put_module(struct asking *a)
{
    CK_INFO info;
    size_t fields, m;
    CK_RV rv = MODULE_CALL(a->m, C_GetInfo, &info);
    if (rv != CKR_OK)
        return rv;
    m = token_info_begin(a->out, "module", &fields);
    put_padded(a->out, "manufacturer", info.manufacturerID, sizeof info.manufacturerID);
    put_padded(a->out, "description", info.libraryDescription, sizeof info.libraryDescription);
    put_version(a->out, "version", info.libraryVersion);
    put_version(a->out, "cryptoki", info.cryptokiVersion);
    token_info_end(a->out, m, fields);
    return CKR_OK;
}

static void put_pin(struct der_out *out, const CK_TOKEN_INFO *info)
{
    put_count(out, "pin_min", info->ulMinPinLen, false);
    put_count(out, "pin_max", info->ulMaxPinLen, false);
    put_flag(out, "pin_count_low", info->flags & CKF_USER_PIN_COUNT_LOW);
    put_flag(out, "pin_final_try", info->flags & CKF_USER_PIN_FINAL_TRY);
    put_flag(out, "pin_locked", info->flags & CKF_USER_PIN_LOCKED);
    put_flag(out, "pin_to_be_changed", info->flags & CKF_USER_PIN_TO_BE_CHANGED);
}

static CK_RV put_token(struct asking *a)
{
    CK_TOKEN_INFO info;
    size_t fields, m;
    CK_RV rv = MODULE_CALL(a->m, C_GetTokenInfo, a->t->slot, &info);
    if (rv != CKR_OK)
        return rv;
    m = token_info_begin(a->out, "token", &fields);
    put_padded(a->out, "label", info.label, sizeof info.label);
    put_padded(a->out, "manufacturer", info.manufacturerID, sizeof info.manufacturerID);
    put_padded(a->out, "model", info.model, sizeof info.model);
    put_padded(a->out, "serial", info.serialNumber, sizeof info.serialNumber);
    put_version(a->out, "hardware", info.hardwareVersion);
    put_version(a->out, "firmware", info.firmwareVersion);
    put_count(a->out, "sessions", info.ulSessionCount, false);
    put_count(a->out, "sessions_max", info.ulMaxSessionCount, true);
    put_count(a->out, "rw_sessions", info.ulRwSessionCount, false);
    put_count(a->out, "rw_sessions_max", info.ulMaxRwSessionCount, true);
    put_count(a->out, "public_free", info.ulFreePublicMemory, false);
    put_count(a->out, "public_total", info.ulTotalPublicMemory, false);
    put_count(a->out, "private_free", info.ulFreePrivateMemory, false);
    put_count(a->out, "private_total", info.ulTotalPrivateMemory, false);
    put_pin(a->out, &info);
    token_info_end(a->out, m, fields);
    return CKR_OK;
}

/* --- mechanisms --- */

static const struct {
    CK_MECHANISM_TYPE type;
    const char *name;
} mechanism_names[] = {
#define MECHANISM(name) {name, #name},
#include "mechanisms.def"
#undef MECHANISM
};

static const char *mechanism_name(CK_MECHANISM_TYPE type, char *to, size_t n)
{
    for (size_t i = 0; i < sizeof mechanism_names / sizeof *mechanism_names; i++)
        if (mechanism_names[i].type == type)
            return mechanism_names[i].name;
    (void)snprintf(to, n, "0x%08lx", type);
    return to;
}

static const struct {
    CK_FLAGS flag;
    const char *name;
} uses[] = {
    {CKF_HW, "hardware"},       {CKF_SIGN, "sign"},
    {CKF_VERIFY, "verify"},     {CKF_GENERATE_KEY_PAIR, "generate_key_pair"},
    {CKF_GENERATE, "generate"}, {CKF_ENCRYPT, "encrypt"},
    {CKF_DECRYPT, "decrypt"},   {CKF_DIGEST, "digest"},
    {CKF_WRAP, "wrap"},         {CKF_UNWRAP, "unwrap"},
    {CKF_DERIVE, "derive"},
};

static void put_mechanism(struct asking *a, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM_INFO info;
    char number[24], text[TEXT_MAX];
    size_t fields, m, n = 0;
    if (MODULE_CALL(a->m, C_GetMechanismInfo, a->t->slot, type, &info) != CKR_OK)
        return;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (info.flags & uses[i].flag)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", uses[i].name);
    m = token_info_begin(a->out, "mechanism", &fields);
    token_info_put_text(a->out, "name", mechanism_name(type, number, sizeof number));
    token_info_put_number(a->out, "min", info.ulMinKeySize);
    token_info_put_number(a->out, "max", info.ulMaxKeySize);
    token_info_put_text(a->out, "uses", text);
    token_info_end(a->out, m, fields);
}

static CK_RV put_mechanisms(struct asking *a)
{
    CK_MECHANISM_TYPE types[MECHANISMS_MAX];
    CK_ULONG n = MECHANISMS_MAX;
    CK_RV rv = MODULE_CALL(a->m, C_GetMechanismList, a->t->slot, types, &n);
    for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
        put_mechanism(a, types[i]);
    return rv;
}

/* --- keys --- */

static const char *key_type(struct asking *a, CK_OBJECT_HANDLE key)
{
    struct view v;
    CK_ULONG type = CK_UNAVAILABLE_INFORMATION;
    if (token_attr_bytes(a->m, a->session, key, CKA_KEY_TYPE, a->arena, &v) == CKR_OK && v.n == sizeof type)
        memcpy(&type, v.p, sizeof type);
    switch (type) {
    case CKK_RSA:
        return "rsa";
    case CKK_EC:
        return "ec";
    case CKK_EC_EDWARDS:
        return "edwards";
    default:
        return "other";
    }
}

static void put_key(struct asking *a, CK_OBJECT_HANDLE key)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *name;
    } flags[] = {
        {CKA_SENSITIVE, "sensitive"},
        {CKA_ALWAYS_SENSITIVE, "always_sensitive"},
        {CKA_EXTRACTABLE, "extractable"},
        {CKA_NEVER_EXTRACTABLE, "never_extractable"},
        {CKA_LOCAL, "local"},
        {CKA_SIGN, "sign"},
    };
    struct view label = {NULL, 0}, id = {NULL, 0};
    size_t fields, m = token_info_begin(a->out, "key", &fields);
    (void)token_attr_bytes(a->m, a->session, key, CKA_LABEL, a->arena, &label);
    (void)token_attr_bytes(a->m, a->session, key, CKA_ID, a->arena, &id);
    put_padded(a->out, "label", label.p, label.n);
    token_info_put_text(a->out, "token", token_label(a->t));
    char *hex = arena_alloc(a->arena, 2 * id.n + 1);
    hex_put(hex, id);
    token_info_put_text(a->out, "id", hex);
    token_info_put_text(a->out, "type", key_type(a, key));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        put_flag(a->out, flags[i].name,
                 token_attr_flag(a->m, a->session, key, flags[i].type, flags[i].type == CKA_EXTRACTABLE));
    token_info_end(a->out, m, fields);
}

static CK_RV put_keys(struct asking *a)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE *keys = arena_array(a->arena, KEYS_MAX, sizeof *keys);
    CK_ULONG n = 0;
    CK_RV rv = MODULE_CALL(a->m, C_FindObjectsInit, a->session, &wanted, 1), done;
    if (rv != CKR_OK)
        return rv;
    rv = MODULE_CALL(a->m, C_FindObjects, a->session, keys, KEYS_MAX, &n);
    done = MODULE_CALL(a->m, C_FindObjectsFinal, a->session);
    for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
        put_key(a, keys[i]);
    return rv != CKR_OK ? rv : done;
}

static struct err *ask(void *arg, struct module *m, CK_SESSION_HANDLE session)
{
    struct asking *a = arg;
    a->m = m;
    a->session = session;
    CK_RV rv = a->whole ? put_module(a) : CKR_OK;
    if (rv == CKR_OK)
        rv = put_token(a);
    if (rv == CKR_OK && a->whole)
        rv = put_mechanisms(a);
    if (rv == CKR_OK)
        rv = put_keys(a);
    return rv == CKR_OK ? NULL : module_err(ERR_TOKEN_AWAY, "C_Get...Info", rv, "the token does not answer");
}

struct err *token_info_put(struct token *t, bool whole, struct der_out *out)
{
    struct asking a = {.t = t, .whole = whole, .out = out, .arena = arena_new(ARENA_BYTES)};
    struct err *e = token_with_session(t, ask, &a);
    arena_free(a.arena);
    return e;
}
