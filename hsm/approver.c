/*
 * An approver's own token: opened, one key of it found, statements signed with it. Keeps no PIN, remembers no
 * refusal: a person is there to say so. Blocking; one thread.
 */
#include "hsm_approver.h"

#include <stdlib.h>

#include "base/check.h"
#include "signer.h"

struct hsm_approver {
    struct module *module;
    struct token *token;
    const struct token_key *key;
};

void hsm_approver_close(struct hsm_approver *a)
{
    if (!a)
        return;
    token_close(a->token);
    module_close(a->module);
    free(a);
}

struct err *hsm_approver_open(const struct hsm_approver_setup *setup, struct hsm_approver **ret)
{
    struct err *e = NULL;
    struct pin *pin = NULL;
    struct hsm_approver *a = calloc(1, sizeof *a);
    const struct module_config config = {.path = setup->module};
    const struct token_options options = {.uri = setup->token_uri};
    CHECK(a != NULL);
    TRY(module_open(&config, &a->module));
    TRY(pin_of(setup->pin, NULL, &pin));
    TRY(token_open(a->module, &options, &pin, &a->token));
    TRY(token_key_find_uri(a->token, setup->key_uri, &a->key));
    *ret = a;
    a = NULL;
out:
    pin_free(pin);
    hsm_approver_close(a);
    return e;
}

struct view hsm_approver_spki(const struct hsm_approver *a)
{
    return a->key->spki;
}

struct err *hsm_approver_sign(struct hsm_approver *a, struct view bytes, struct arena *arena,
                              enum cert_alg *ret_alg, struct view *ret)
{
    size_t n = 0;
    uint8_t *to = arena_alloc(arena, SIGNER_MAX_BYTES);
    enum cert_alg alg = cert_alg_default(a->key->kind);
    struct err *e = signer_sign(a->key, alg, &bytes, 1, SIGNER_VERIFY, to, &n);
    if (e)
        return e;
    *ret_alg = alg;
    *ret = view_of(to, n);
    return NULL;
}
