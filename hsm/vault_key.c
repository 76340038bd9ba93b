/*
 * The keys of the vault's tokens: of issuers and responders, found anew whenever a token comes or a
 * generation. A key may be in two tokens: then either signs, the issuer's own token first. Which copy is a
 * copy is seen by the public key alone. The vault's loop.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "vault.h"

const struct token_key *vault_key_usable(const struct hsm_vault *v, const struct token_key *key,
                                         const struct token_key *spare)
{
    const struct token_key *const keys[] = {key, spare};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; keys[k] && i < v->n_tokens; i++)
            if (v->tokens[i].token == keys[k]->token && v->tokens[i].state == VAULT_READY)
                return keys[k];
    return NULL;
}

struct err *vault_key_find(struct hsm_vault *v, const char *label, const struct token_key **ret)
{
    struct err *e = err_new(ERR_TOKEN_AWAY, "the token is not available");
    for (size_t i = 0; i < v->n_tokens && e; i++) {
        if (!v->tokens[i].token)
            continue;
        err_free(e);
        e = token_key_find(v->tokens[i].token, label, (struct view){NULL, 0}, ret);
    }
    return e;
}

struct err *vault_key_check(const struct hsm_vault *v, const struct house_issuer *issuer)
{
    if (vault_key_usable(v, issuer->token_key, issuer->spare))
        return NULL;
    return err_new(ERR_TOKEN_AWAY, "the key of %s is not available: %s", issuer->name,
                   issuer->reason[0] ? issuer->reason : "its token is away");
}

/* --- issuers --- */

/* Logged where it is news. */
static void say_reason(struct house_issuer *issuer, const struct err *e)
{
    char was[sizeof issuer->reason];
    memcpy(was, issuer->reason, sizeof was);
    (void)snprintf(issuer->reason, sizeof issuer->reason, "%s",
                   err_code(e) == ERR_NOT_FOUND ? "its key is not in the token" : err_detail(e));
    if (strcmp(was, issuer->reason) != 0)
        log_error("issuer.key", log_text("issuer", issuer->name), log_err(e));
}

/* The worst of what the tokens say: that a key is wrong tells more than that it is not there. */
static void keep_worse(struct err **kept, struct err *e)
{
    bool better = *kept && (!e || err_code(*kept) != ERR_NOT_FOUND);
    err_free(better ? e : *kept);
    *kept = better ? *kept : e;
}

/* The key that its URI names. */
static struct err *find_own(struct hsm_vault *v, const struct house_issuer *issuer,
                            const struct token_key **ret)
{
    struct err *worst = NULL;
    for (size_t i = 0; i < v->n_tokens; i++) {
        const struct token_key *key = NULL;
        if (!v->tokens[i].token)
            continue;
        struct err *e = token_key_find_uri(v->tokens[i].token, issuer->key_uri, &key);
        if (!e && memcmp(key->spki_sha256, issuer->spki_sha256, SHA256_BYTES) != 0)
            e = err_new(ERR_CONFIG, "the key in the token is not the one in the certificate");
        if (!e) {
            err_free(worst);
            *ret = key;
            return NULL;
        }
        keep_worse(&worst, e);
    }
    return worst;
}

/* The same key, by its public half, in a token besides this one (NULL: in any). */
static const struct token_key *find_copy(struct hsm_vault *v, const char *label, struct view id,
                                         const uint8_t sha256[SHA256_BYTES], const struct token *but)
{
    for (size_t i = 0; i < v->n_tokens; i++) {
        const struct token_key *key = NULL;
        if (!v->tokens[i].token || v->tokens[i].token == but)
            continue;
        struct err *e = token_key_find(v->tokens[i].token, label, id, &key);
        bool same = !e && memcmp(key->spki_sha256, sha256, SHA256_BYTES) == 0;
        err_free(e);
        if (same)
            return key;
    }
    return NULL;
}

/* By the object of its URI, whichever token that names. */
static const struct token_key *find_spare(struct hsm_vault *v, const struct house_issuer *issuer)
{
    struct arena *arena = arena_new(16 * 1024);
    const struct token *but = issuer->token_key ? issuer->token_key->token : NULL;
    const struct token_key *found = NULL;
    struct uri uri;
    struct err *e = uri_parse(issuer->key_uri, arena, &uri);
    if (!e && (uri.object || uri.id.p))
        found = find_copy(v, uri.object, uri.id, issuer->spki_sha256, but);
    err_free(e);
    arena_free(arena);
    return found;
}

/* Where its own token has not come up yet a copy alone signs. */
static struct err *find_issuer(struct hsm_vault *v, struct house_issuer *issuer)
{
    struct err *e = issuer->token_key ? NULL : find_own(v, issuer, &issuer->token_key);
    if (v->n_tokens == 1)
        return e;
    if (!issuer->spare) {
        issuer->spare = find_spare(v, issuer);
        if (issuer->spare)
            log_info("issuer.copy", log_text("issuer", issuer->name),
                     log_text("token", token_label(issuer->spare->token)));
    }
    if (!issuer->spare)
        return e;
    err_free(e);
    return NULL;
}

static bool any_token(const struct hsm_vault *v)
{
    for (size_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].token)
            return true;
    return false;
}

static void find_responder(struct hsm_vault *v, struct responder_key *key)
{
    if (!key->token_key)
        key->token_key = find_copy(v, key->label, (struct view){NULL, 0}, key->spki_sha256, NULL);
    if (key->token_key && !key->spare && v->n_tokens > 1)
        key->spare =
            find_copy(v, key->label, (struct view){NULL, 0}, key->spki_sha256, key->token_key->token);
}

struct err *vault_key_find_all(struct hsm_vault *v, struct house *house, bool strict)
{
    for (size_t i = 0; i < house->n_issuers && any_token(v); i++) {
        struct house_issuer *issuer = &house->issuers[i];
        if (!issuer->key_uri)
            continue;
        struct err *e = find_issuer(v, issuer);
        if (!e) {
            issuer->reason[0] = '\0';
            continue;
        }
        if (strict)
            return err_wrap(e, "issuer %s", issuer->name);
        say_reason(issuer, e);
        err_free(e);
    }
    for (size_t i = 0; i < responder_count(v->responders) && any_token(v); i++)
        find_responder(v, responder_at(v->responders, i));
    return NULL;
}
