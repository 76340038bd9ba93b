/*
 * Generates key pairs in the token and makes them durable. The private half never leaves: it is born
 * sensitive, not extractable, and with the one use of signing. Nothing is given back before it would survive
 * a power cut. Blocks; any thread but the loop's.
 */
#include "keygen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "token_state.h"

enum { LABEL_MAX = 63, TREE_DEPTH_MAX = 4, ATTRIBUTES_MAX = 16, ARENA_BYTES = 64 * 1024 };

/* A template of attributes as it grows. */
struct template
{
    CK_ATTRIBUTE a[ATTRIBUTES_MAX];
    CK_ULONG n;
};

/* One key on its way through the token. */
struct making {
    const struct keygen_spec *spec;
    struct module *m;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE public, private;
    uint8_t id[SHA1_BYTES];
};

static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void put(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t n)
{
    CHECK(t->n < ATTRIBUTES_MAX);
    t->a[t->n++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, n};
}

static void put_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
    put(t, type, value ? &yes : &no, sizeof yes);
}

/* What both halves say. The id is a stand-in until the public key is known. */
static void put_both(struct template *t, const struct making *k)
{
    put_flag(t, CKA_TOKEN, true);
    put(t, CKA_LABEL, k->spec->label, strlen(k->spec->label));
    put(t, CKA_ID, k->id, sizeof k->id);
}

static void put_private(struct template *t, const struct making *k)
{
    put_both(t, k);
    put_flag(t, CKA_PRIVATE, true);
    put_flag(t, CKA_SENSITIVE, true);
    put_flag(t, CKA_EXTRACTABLE, false);
    put_flag(t, CKA_SIGN, true);
    put_flag(t, CKA_DECRYPT, false);
    put_flag(t, CKA_UNWRAP, false);
    put_flag(t, CKA_SIGN_RECOVER, false);
    if (k->spec->kind != CERT_KEY_RSA)
        put_flag(t, CKA_DERIVE, false);
}

/* No word of encrypting: a TPM takes it for one of the pair's. Whoever has a public key does with it what he
 * likes anyway; what the private one may do is what counts. */
static void put_public(struct template *t, const struct making *k, struct view curve)
{
    static const CK_BYTE f4[] = {1, 0, 1};

    put_both(t, k);
    put_flag(t, CKA_PRIVATE, false);
    put_flag(t, CKA_VERIFY, true);
    if (curve.p) {
        put(t, CKA_EC_PARAMS, curve.p, curve.n);
        return;
    }
    put(t, CKA_PUBLIC_EXPONENT, f4, sizeof f4);
}

static CK_MECHANISM_TYPE generator_of(enum cert_key_kind kind)
{
    switch (kind) {
    case CERT_KEY_RSA:
        return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case CERT_KEY_ED25519:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    default:
        return CKM_EC_KEY_PAIR_GEN;
    }
}

/* One try, the curve written in this way (empty for RSA). */
static CK_RV generate_with(struct making *k, struct view curve)
{
    struct template public = {.n = 0}, private = {.n = 0};
    CK_ULONG bits = k->spec->bits;
    CK_MECHANISM mechanism = {generator_of(k->spec->kind), NULL, 0};

    put_public(&public, k, curve);
    put_private(&private, k);
    if (k->spec->kind == CERT_KEY_RSA)
        put(&public, CKA_MODULUS_BITS, &bits, sizeof bits);
    return MODULE_CALL(k->m, C_GenerateKeyPair, k->session, &mechanism, public.a, public.n, private.a,
                       private.n, &k->public, &k->private);
}

static struct err *generate(struct making *k)
{
    struct view curve = token_spki_curve(k->spec->kind, 0);
    CK_RV rv;

    for (unsigned nth = 1;; nth++) {
        rv = generate_with(k, curve);
        curve = token_spki_curve(k->spec->kind, nth);
        if (rv == CKR_OK || token_is_lost(rv) || !curve.p)
            break;
    }
    if (rv == CKR_OK)
        return NULL;
    return module_err(token_is_lost(rv) ? ERR_TOKEN_AWAY : ERR_CONFIG, "C_GenerateKeyPair", rv,
                      "the token does not generate such a key");
}

/* CKA_ID of both halves = the subject key identifier that certificates will carry. */
static struct err *set_id(struct making *k)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(ARENA_BYTES);
    struct view spki;
    struct cert_key key;
    CK_ATTRIBUTE id = {CKA_ID, k->id, sizeof k->id};
    CK_RV rv;

    TRY(token_spki_read(k->m, k->session, k->public, arena, &spki));
    TRY(cert_key_parse(spki, &key));
    cert_key_sha1(&key, k->id);
    rv = MODULE_CALL(k->m, C_SetAttributeValue, k->session, k->public, &id, 1);
    if (rv == CKR_OK)
        rv = MODULE_CALL(k->m, C_SetAttributeValue, k->session, k->private, &id, 1);
    if (rv != CKR_OK)
        e = module_err(ERR_CONFIG, "C_SetAttributeValue", rv, "the token does not let a key's id be set");
out:
    arena_free(arena);
    return e;
}

static void destroy(struct making *k)
{
    (void)MODULE_CALL(k->m, C_DestroyObject, k->session, k->private);
    (void)MODULE_CALL(k->m, C_DestroyObject, k->session, k->public);
}

static struct err *make(void *arg, struct module *m, CK_SESSION_HANDLE session)
{
    struct err *e = NULL;
    struct making *k = arg;

    k->m = m;
    k->session = session;
    world_random(k->id, sizeof k->id);
    TRY(generate(k));
    e = set_id(k);
    if (e)
        destroy(k);
out:
    return e;
}

static struct err *check_spec(const struct keygen_spec *spec)
{
    size_t n = strlen(spec->label);

    if (n == 0 || n > LABEL_MAX)
        return err_new(ERR_CONFIG, "a key's label has 1 to %d octets", LABEL_MAX);
    if (spec->kind == CERT_KEY_RSA && spec->bits != 2048 && spec->bits != 3072 && spec->bits != 4096)
        return err_new(ERR_CONFIG, "an RSA key has 2048, 3072 or 4096 bits");
    if (spec->kind != CERT_KEY_RSA && !token_spki_curve(spec->kind, 0).p)
        return err_new(ERR_CONFIG, "keys of this kind are not made in tokens");
    return NULL;
}

struct err *keygen_pair(struct token *t, const struct keygen_spec *spec, const struct token_key **ret)
{
    struct err *e = NULL;
    struct making k = {.spec = spec};
    bool taken = false;

    TRY(check_spec(spec));
    TRY(token_label_taken(t, spec->label, &taken));
    if (taken)
        return err_new(ERR_WRONG_STATE, "the token holds a key \"%s\" already", spec->label);
    TRY(token_with_session(t, make, &k));
    if (token_sync_path(t))
        TRY(keygen_sync(token_sync_path(t)));
    TRY(token_key_find(t, spec->label, view_of(k.id, sizeof k.id), ret));
    log_info("token.key.generated", log_text("label", spec->label),
             log_text("kind", cert_key_kind_name(spec->kind)), log_num("bits", (*ret)->bits));
out:
    return e;
}

struct offer {
    struct token *t;
    enum cert_key_kind kind;
    bool offered;
};

static struct err *ask_offer(void *arg, struct module *m, CK_SESSION_HANDLE session)
{
    struct offer *o = arg;
    CK_MECHANISM_INFO info;

    (void)session;
    o->offered = MODULE_CALL(m, C_GetMechanismInfo, o->t->slot, generator_of(o->kind), &info) == CKR_OK &&
                 (info.flags & CKF_GENERATE_KEY_PAIR);
    return NULL;
}

struct err *keygen_offers(struct token *t, enum cert_key_kind kind, bool *ret)
{
    struct err *e = NULL;
    struct offer o = {t, kind, false};

    TRY(token_with_session(t, ask_offer, &o));
    *ret = o.offered;
out:
    return e;
}

static struct err *sync_fd(int fd, const char *name)
{
    return world_fsync(fd) == 0 ? NULL : err_sys(ERR_IO, errno, "%s cannot be synced", name);
}

static struct err *sync_tree(int fd, const char *name, int depth);

static struct err *sync_entry(int parent, const char *name, int depth)
{
    struct err *e = NULL;
    struct stat st;
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) /* a lock file of the token's that has just gone, a link, a socket: nothing of a key's */
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ? NULL
                                                                   : err_sys(ERR_IO, errno, "%s", name);
    if (fstat(fd, &st) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", name));
    if (S_ISREG(st.st_mode))
        TRY(sync_fd(fd, name));
    if (S_ISDIR(st.st_mode)) {
        e = sync_tree(fd, name, depth + 1);
        fd = -1;
    }
out:
    if (fd >= 0)
        close(fd);
    return e;
}

/* Takes fd. What is in the folder first, then the folder. */
static struct err *sync_tree(int fd, const char *name, int depth)
{
    struct err *e = NULL;
    struct dirent *entry;
    DIR *dir = depth <= TREE_DEPTH_MAX ? fdopendir(fd) : NULL;

    if (!dir) {
        close(fd);
        return err_new(ERR_IO, "%s: not a token's folder, or nested too deeply", name);
    }
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            TRY(sync_entry(dirfd(dir), entry->d_name, depth));
    TRY(sync_fd(dirfd(dir), name));
out:
    closedir(dir);
    return e;
}

struct err *keygen_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(ERR_IO, errno, "the token's folder %s", path);
    return sync_tree(fd, path, 0);
}
