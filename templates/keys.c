/*
 * Public keys: which kinds, and how large an RSA modulus. That a key is sound at all is cert's affair
 * (cert/key.h).
 *
 * Any thread.
 */
#include "judge.h"
#include "load.h"

struct err *keys_load(struct load *l)
{
    struct err *e = NULL;
    struct template_keys *keys = &l->t->keys;
    static const char *const names[] = {"rsa", "p256", "p384", "p521", "ed25519"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == CERT_KEY__COUNT, "a name for each kind");
    TRY(load_mask(l, load_node(l, GROUP_KEYS), "allow", &keys->allow_texts, names, CERT_KEY__COUNT,
                  (1u << CERT_KEY__COUNT) - 1, &keys->allow));
    if (keys->allow_texts.n == 0)
        keys->allow_texts = (struct conf_texts){CERT_KEY__COUNT, names};
    bool rsa = keys->allow & (1u << CERT_KEY_RSA);
    for (size_t i = 0; !rsa && i < 2; i++) {
        const char *key = i ? "rsa_max" : "rsa_min";
        if (load_given(l, GROUP_KEYS, key))
            return load_error(l, GROUP_KEYS, key, "'%s' without rsa among the allowed kinds", key);
    }
    if (keys->rsa_min > keys->rsa_max)
        return load_error(l, GROUP_KEYS, "rsa_min", "rsa_min is larger than rsa_max");
out:
    return e;
}

static bool is_rsa(const struct judged *j)
{
    return j->key.kind == CERT_KEY_RSA;
}

struct err *keys_rule_kind(const struct judged *j)
{
    if (j->t->keys.allow & (1u << j->key.kind))
        return NULL;
    return err_at(
        err_new(ERR_POLICY, "a key of kind %s is not among those allowed", cert_key_kind_name(j->key.kind)),
        "/csr");
}

struct err *keys_rule_rsa_min(const struct judged *j)
{
    if (!is_rsa(j) || j->key.bits >= j->t->keys.rsa_min)
        return NULL;
    return err_at(
        err_new(ERR_POLICY, "an RSA key of %u bits; at least %d", j->key.bits, (int)j->t->keys.rsa_min),
        "/csr");
}

struct err *keys_rule_rsa_max(const struct judged *j)
{
    if (!is_rsa(j) || j->key.bits <= j->t->keys.rsa_max)
        return NULL;
    return err_at(
        err_new(ERR_POLICY, "an RSA key of %u bits; at most %d", j->key.bits, (int)j->t->keys.rsa_max),
        "/csr");
}
