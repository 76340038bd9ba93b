/*
 * JSON web tokens (RFC 7519): believed for what a configured issuer has signed for us, as long as it holds,
 * and no longer than its key stands in the issuer's set. On the front's loop.
 */
#include "asker_jwt.h"

#include "base/conf.h"
#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/jose.h"
#include "templates_claims.h"

enum { TEXT_MAX = 16 * 1024, SLACK_S = 60, SUBJECT_MAX = 128, KEYS_MAX = 64 };

/* --- reading the configuration --- */

static bool is_for_signing(const json_t *jwk)
{
    const char *use = json_string_value(json_object_get(jwk, "use"));
    return json_is_object(jwk) && (!use || strcmp(use, "sig") == 0);
}

static struct err *read_keys(const struct conf *c, struct arena *arena, struct enroll_jwt *to)
{
    const json_t *list = json_object_get(conf_root(c), "keys"), *jwk;
    size_t most = json_array_size(list), i;
    if (!json_is_array(list) || most > KEYS_MAX)
        return err_new(ERR_CONFIG, "not a JSON web key set of at most %d keys (RFC 7517 5)", KEYS_MAX);
    struct enroll_jwt_key *keys = arena_array(arena, most, sizeof *keys);
    json_array_foreach(list, i, jwk)
    {
        struct cert_key *key = ARENA_NEW(arena, struct cert_key);
        struct err *e = is_for_signing(jwk) ? cert_jwk_read(jwk, arena, key) : NULL;
        const char *kid = json_string_value(json_object_get(jwk, "kid"));
        if (!e && is_for_signing(jwk))
            keys[to->keys_n++] = (struct enroll_jwt_key){kid ? arena_str(arena, view_str(kid)) : NULL, key};
        err_free(e); /* RFC 7517 5: keys that are not understood are ignored */
    }
    to->keys = keys;
    return to->keys_n ? NULL : err_new(ERR_CONFIG, "none of its %zu keys can be used here", most);
}

struct err *enroll_jwt_read(const struct enroll_jwt_texts *from, struct arena *arena, struct enroll_jwt *ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct enroll_jwt jwt = {.name = from->name, .issuer = from->issuer, .audience = from->audience};
    TRY(conf_parse_json(from->keys, &c));
    TRY(read_keys(c, arena, &jwt));
    TRY(templates_claims_compile(from->when, from->template, from->names, arena, &jwt.claims));
    *ret = jwt;
out:
    conf_free(c);
    if (!e || err_code(e) == ERR_CONFIG)
        return err_wrap(e, "jwt %s", from->name);
    struct err *config = err_new(ERR_CONFIG, "jwt %s: %s", from->name, err_detail(e));
    err_free(e);
    return config;
}

/* --- a token --- */

bool asker_jwt_is(struct view text)
{
    size_t dots = 0;
    for (size_t i = 0; i < text.n; i++)
        dots += text.p[i] == '.';
    return dots == 2;
}

static const char *text_claim(const json_t *claims, const char *name)
{
    const char *text = json_string_value(json_object_get(claims, name));
    return text ? text : "";
}

static const struct enroll_jwt *issuer_of(const struct enroll *en, const json_t *claims)
{
    const char *iss = text_claim(claims, "iss");
    for (size_t i = 0; i < en->config.jwts_n; i++)
        if (strcmp(en->config.jwts[i].issuer, iss) == 0)
            return &en->config.jwts[i];
    return NULL;
}

static struct err *check_signature(const struct enroll_jwt *jwt, const struct cert_jws *jws)
{
    for (size_t i = 0; i < jwt->keys_n; i++) {
        const struct enroll_jwt_key *k = &jwt->keys[i];
        if (jws->kid && k->kid && strcmp(jws->kid, k->kid) != 0)
            continue;
        struct err *e = cert_jws_verify(jws, k->key);
        if (!e)
            return NULL;
        err_free(e);
    }
    return err_new(ERR_UNAUTHENTICATED, "no key of this token's issuer has signed it (RFC 7519 7.2)");
}

static bool is_for(const json_t *aud, const char *audience)
{
    size_t i;
    json_t *one;
    if (json_is_string(aud))
        return strcmp(json_string_value(aud), audience) == 0;
    json_array_foreach(aud, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0)
            return true;
    }
    return false;
}

/* RFC 7519 4.1.4 to 4.1.6; a token without an end is not taken. */
static struct err *check_times(const json_t *claims, int64_t now, struct arena *arena)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    const json_t *iat = json_object_get(claims, "iat");
    if (!json_is_number(exp))
        return err_new(ERR_UNAUTHENTICATED, "a token without `exp` does not count (RFC 7519 4.1.4)");
    if (json_number_value(exp) <= (double)(now - SLACK_S))
        return err_new(ERR_TOKEN_EXPIRED, "it ended before now, which is %s here", when_text(arena, now));
    if (json_number_value(nbf) > (double)(now + SLACK_S) || json_number_value(iat) > (double)(now + SLACK_S))
        return err_new(ERR_UNAUTHENTICATED, "it begins after now, which is %s here: a clock is wrong",
                       when_text(arena, now));
    return NULL;
}

/* "jwt:ci:repo:example/app": what it says, where that is plain; else a hash of it. */
static const char *id_of(const struct enroll_jwt *jwt, const json_t *claims, struct arena *arena)
{
    const char *sub = text_claim(claims, "sub");
    bool plain = sub[0] && strlen(sub) <= SUBJECT_MAX;
    for (const char *p = sub; *p; p++)
        plain = plain && *p > ' ' && *p < 0x7f;
    if (!plain) {
        uint8_t hash[SHA256_BYTES];
        digest_sha256(view_str(sub), hash);
        sub = hex_of(arena, view_of(hash, sizeof hash));
    }
    return arena_printf(arena, "jwt:%s:%s", jwt->name, sub);
}

static struct err *believe(struct http_request *r, const struct cert_jws *jws, const json_t *claims,
                           struct ca_asker **ret)
{
    struct err *e = NULL;
    const struct enroll *en = r->app;
    const struct enroll_jwt *jwt = issuer_of(en, claims);
    struct templates_claims_grant grant;
    int64_t now = world_now_s();

    if (!jwt)
        return err_new(ERR_UNAUTHENTICATED, "this token's issuer is not one of those that count here");
    TRY(check_signature(jwt, jws));
    if (!is_for(json_object_get(claims, "aud"), jwt->audience))
        TRY(err_new(ERR_UNAUTHENTICATED, "this token is for another audience (RFC 7519 4.1.3)"));
    TRY(check_times(claims, now, r->arena));
    TRY(templates_claims_grant(jwt->claims, claims, now, r->arena, &grant));
    const char **templates = ARENA_NEW(r->arena, const char *);
    templates[0] = grant.template;
    struct ca_asker *a = asker_new(r, CA_ROLE_REQUESTER, id_of(jwt, claims, r->arena));
    a->bearer = true;
    a->grant = (struct ca_grant){
        .templates = templates, .templates_n = 1, .names = grant.names, .names_n = grant.names_n};
    *ret = a;
out:
    return e;
}

/* Whatever is wrong with its form is 401: it is a credential. */
static struct err *unreadable(struct err *e)
{
    struct err *said =
        err_new(ERR_UNAUTHENTICATED, "this bearer token does not read as a JWT: %s", err_detail(e));
    err_free(e);
    return said;
}

struct err *asker_jwt(struct http_request *r, struct view text, struct ca_asker **ret)
{
    struct cert_jws jws;
    struct conf *c = NULL;
    if (text.n > TEXT_MAX)
        return err_new(ERR_UNAUTHENTICATED, "a token of more than %d octets", TEXT_MAX);
    struct err *e = cert_jws_read_compact(text, r->arena, &jws);
    if (!e)
        e = conf_parse_json(jws.payload, &c);
    if (!e && !json_is_object(conf_root(c)))
        e = err_new(ERR_BAD_JSON, "its claims are no object");
    e = e ? unreadable(e) : believe(r, &jws, conf_root(c), ret);
    conf_free(c);
    return e;
}
