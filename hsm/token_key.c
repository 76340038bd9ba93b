/*
 * The keys of a token: found by label or id, judged (a CA's key that could leave the token, or do more than
 * sign, is refused), their public half read as SubjectPublicKeyInfo. Each is looked up once and kept until
 * the token is closed. Looking up holds the module alone, for some milliseconds; a second look-up asks
 * nobody. Any thread; blocks.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "token_state.h"

enum { KEY_ARENA_BYTES = 64 * 1024 };

/* One object under scrutiny. */
struct object {
    struct token *t;
    CK_OBJECT_HANDLE handle;
    struct arena *arena; /* where what is read of it is put */
};

/* What a CA's key must say of itself: attribute, the value it must have, what an attribute that the module
 * does not know counts as, and the words for it. */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    bool must_be, otherwise;
    const char *text;
    const char *unsaid; /* by this name the configuration may say that the library does not keep it */
} demands[] = {
    {CKA_TOKEN, true, false, "is not a token object", NULL},
    {CKA_PRIVATE, true, false, "can be used without a login", NULL},
    {CKA_SENSITIVE, true, false, "is not sensitive: its value can be read", NULL},
    {CKA_EXTRACTABLE, false, true, "is extractable: it can leave the token", NULL},
    {CKA_ALWAYS_SENSITIVE, true, false, "was not always sensitive", "always_sensitive"},
    {CKA_NEVER_EXTRACTABLE, true, false, "was extractable once", "never_extractable"},
    {CKA_LOCAL, true, false, "was not generated in this token", "local"},
    {CKA_SIGN, true, false, "may not sign", NULL},
    {CKA_DECRYPT, false, false, "may decrypt: a key of ours signs and nothing else", NULL},
    {CKA_UNWRAP, false, false, "may unwrap keys: a key of ours signs and nothing else", NULL},
    {CKA_DERIVE, false, false, "may derive keys: a key of ours signs and nothing else", NULL},
    {CKA_SIGN_RECOVER, false, false, "may sign with recovery: a key of ours signs and nothing else", NULL},
    {CKA_ALWAYS_AUTHENTICATE, false, false, "wants its PIN for each signature, which a server cannot give",
     NULL},
};

static CK_RV bytes_of(const struct object *o, CK_ATTRIBUTE_TYPE type, struct view *ret)
{
    return token_attr_bytes(o->t->module, o->t->anchor, o->handle, type, o->arena, ret);
}

static bool is_unsaid(const struct token *t, const char *name)
{
    for (const char *const *p = t->unsaid; name && p && *p; p++)
        if (strcmp(*p, name) == 0)
            return true;
    return false;
}

struct err *token_key_check_unsaid(const char *const *names)
{
    for (; names && *names; names++) {
        bool known = false;
        for (size_t i = 0; i < sizeof demands / sizeof demands[0]; i++)
            known |= demands[i].unsaid && strcmp(demands[i].unsaid, *names) == 0;
        if (!known)
            return err_new(ERR_CONFIG, "unsaid: '%s' is none of always_sensitive, never_extractable, local",
                           *names);
    }
    return NULL;
}

static struct err *judge(const struct object *o)
{
    for (size_t i = 0; i < sizeof demands / sizeof demands[0]; i++) {
        bool is =
            token_attr_flag(o->t->module, o->t->anchor, o->handle, demands[i].type, demands[i].otherwise);

        if (is != demands[i].must_be && !is_unsaid(o->t, demands[i].unsaid))
            return err_new(ERR_CONFIG, "the private key %s", demands[i].text);
    }
    return NULL;
}

/* The public half: the public object with the private one's id. */
static struct err *public_object(const struct object *private, struct view id, struct object *ret)
{
    struct token *t = private->t;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_OBJECT_HANDLE found[TOKEN_FOUND_MAX];
    CK_ULONG n = 0;
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_ID, (void *)(uintptr_t)id.p, id.n},
    };
    CK_RV rv = token_attr_find(t->module, t->anchor, wanted, 2, found, &n);

    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_FindObjects", rv, "the public key cannot be looked for");
    if (n != 1)
        return err_new(ERR_CONFIG, "%lu public keys on the token have the private key's id, not one", n);
    *ret = (struct object){t, found[0], private->arena};
    return NULL;
}

static struct err *read_public(const struct object *private, struct token_key *key)
{
    struct err *e = NULL;
    struct object public;
    struct cert_key parsed;

    TRY(public_object(private, key->id, &public));
    TRY(token_spki_read(private->t->module, private->t->anchor, public.handle, private->arena, &key->spki));
    TRY(cert_key_parse(key->spki, &parsed));
    key->kind = parsed.kind;
    key->bits = parsed.bits;
    cert_key_sha256(&parsed, key->spki_sha256);
out:
    return e;
}

static struct err *evp_of(struct view spki, EVP_PKEY **ret)
{
    const uint8_t *p = spki.p;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &p, (long)spki.n);

    if (!public)
        return err_new(ERR_CONFIG, "OpenSSL does not take the public key");
    *ret = public;
    return NULL;
}

static void entry_free(struct token_entry *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->public);
    arena_free(k->arena);
    free(k);
}

static struct err *entry_new(struct token *t, CK_OBJECT_HANDLE handle, struct token_entry **ret)
{
    struct err *e = NULL;
    struct token_entry *k = calloc(1, sizeof *k);
    struct view label = {NULL, 0};
    struct object private;

    if (!k)
        return err_new(ERR_NOMEM, "key");
    k->arena = arena_new(KEY_ARENA_BYTES);
    k->key.token = t;
    k->handle = handle;
    private = (struct object){t, handle, k->arena};
    if (bytes_of(&private, CKA_ID, &k->key.id) != CKR_OK || k->key.id.n == 0)
        TRY(err_new(ERR_CONFIG, "the private key has no CKA_ID"));
    (void)bytes_of(&private, CKA_LABEL, &label);
    k->key.label = arena_str(k->arena, label);
    TRY(judge(&private));
    TRY(read_public(&private, &k->key));
    TRY(evp_of(k->key.spki, &k->public));
    *ret = k;
    k = NULL;
out:
    entry_free(k);
    return e;
}

static CK_RV find_private(struct token *t, struct view label, struct view id,
                          CK_OBJECT_HANDLE ret[TOKEN_FOUND_MAX], CK_ULONG *ret_n)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
    CK_ULONG n = 1;

    if (label.p)
        wanted[n++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)label.p, label.n};
    if (id.p)
        wanted[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)id.p, id.n};
    return token_attr_find(t->module, t->anchor, wanted, n, ret, ret_n);
}

static struct token_entry *known(struct token *t, struct view label, struct view id)
{
    struct token_entry *k = t->keys;

    while (k && ((label.p && !view_eq_str(label, k->key.label)) || (id.p && !view_eq(id, k->key.id))))
        k = k->next;
    return k;
}

static struct err *look_up(struct token *t, struct view label, struct view id, struct token_entry **ret)
{
    struct err *e = NULL;
    CK_OBJECT_HANDLE found[TOKEN_FOUND_MAX];
    CK_ULONG n = 0;
    CK_RV rv;

    *ret = known(t, label, id);
    if (*ret)
        return NULL;
    if (t->lost)
        return err_new(ERR_TOKEN_AWAY, "the token is away");
    rv = find_private(t, label, id, found, &n);
    if (rv != CKR_OK)
        return module_err(ERR_TOKEN_AWAY, "C_FindObjects", rv, "the key cannot be looked for");
    if (n == 0)
        return err_new(ERR_NOT_FOUND, "no such private key on the token");
    if (n > 1)
        return err_new(ERR_CONFIG, "several private keys on the token have that label or id");
    TRY(entry_new(t, found[0], ret));
    (*ret)->next = t->keys;
    t->keys = *ret;
out:
    return e;
}

struct err *token_key_find(struct token *t, const char *label, struct view id, const struct token_key **ret)
{
    struct err *e = NULL;
    struct token_entry *k = NULL;

    CHECK(label || id.p);
    module_enter_alone(t->module);
    e = look_up(t, label ? view_str(label) : (struct view){NULL, 0}, id, &k);
    module_leave(t->module);
    if (e)
        return err_wrap(e, "key \"%s\"", label ? label : "(by id)");
    *ret = &k->key;
    return NULL;
}

struct err *token_key_find_uri(struct token *t, const char *text, const struct token_key **ret)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(16 * 1024);
    struct uri uri;
    struct uri_token self = {t->label, t->uri.manufacturer, t->serial, t->model, t->slot};

    TRY(uri_parse(text, arena, &uri));
    uri.manufacturer = NULL; /* the token was chosen when it was opened */
    if (!uri_match_token(&uri, &self))
        TRY(err_new(ERR_NOT_FOUND, "the URI names another token"));
    if (uri.type != URI_ANY && uri.type != URI_PRIVATE)
        TRY(err_new(ERR_NOT_FOUND, "only private keys are found here, not type=..."));
    if (!uri.object && !uri.id.p)
        TRY(err_new(ERR_CONFIG, "the URI names no key: object= or id="));
    TRY(token_key_find(t, uri.object, uri.id, ret));
out:
    arena_free(arena);
    return e;
}

struct err *token_key_refresh(struct token *t, unsigned *ret_missing)
{
    unsigned missing = 0;

    for (struct token_entry *k = t->keys; k; k = k->next) {
        CK_OBJECT_HANDLE found[TOKEN_FOUND_MAX];
        CK_ULONG n = 0;
        CK_RV rv = find_private(t, view_str(k->key.label), k->key.id, found, &n);

        if (rv != CKR_OK)
            return module_err(ERR_TOKEN_AWAY, "C_FindObjects", rv, "the keys cannot be looked for");
        k->handle = n == 1 ? found[0] : CK_INVALID_HANDLE;
        missing += n != 1;
    }
    *ret_missing = missing;
    return NULL;
}

struct label_query {
    const char *label;
    bool taken;
};

static struct err *label_query(void *arg, struct module *m, CK_SESSION_HANDLE s)
{
    struct label_query *q = arg;
    CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
    CK_OBJECT_HANDLE found[TOKEN_FOUND_MAX];
    CK_ULONG n = 0;

    for (size_t i = 0; i < 2 && !q->taken; i++) {
        CK_ATTRIBUTE wanted[] = {
            {CKA_CLASS, &classes[i], sizeof classes[i]},
            {CKA_LABEL, (void *)(uintptr_t)q->label, strlen(q->label)},
        };
        CK_RV rv = token_attr_find(m, s, wanted, 2, found, &n);

        if (rv != CKR_OK)
            return module_err(ERR_TOKEN_AWAY, "C_FindObjects", rv, "labels cannot be looked for");
        q->taken = n > 0;
    }
    return NULL;
}

struct err *token_label_taken(struct token *t, const char *label, bool *ret)
{
    struct err *e = NULL;
    struct label_query q = {label, false};

    TRY(token_with_session(t, label_query, &q));
    *ret = q.taken;
out:
    return e;
}

EVP_PKEY *token_key_public(const struct token_key *key)
{
    return ((const struct token_entry *)key)->public;
}

bool token_key_is_proven(const struct token_key *key)
{
    return atomic_load_explicit(&((const struct token_entry *)key)->proven, memory_order_acquire);
}

void token_key_proven(const struct token_key *key)
{
    atomic_store_explicit(&((struct token_entry *)(uintptr_t)key)->proven, true, memory_order_release);
}

void token_key_free_all(struct token *t)
{
    struct token_entry *next;

    for (struct token_entry *k = t->keys; k; k = next) {
        next = k->next;
        entry_free(k);
    }
    t->keys = NULL;
}
