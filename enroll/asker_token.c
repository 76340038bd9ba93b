/*
 * Tokens as credentials: the bearer's of RFC 6750, and the password of RFC 7617 where a door takes it. Looked
 * up by their hash; the text itself is stored and logged nowhere, and what was decoded here is wiped.
 *
 * On the front's loop.
 */
#include "asker_token.h"

#include "base/digest.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/world.h"

static const char prefix[] =
    "chancery_"; /* of every token: no other text, of which a hash may be known, is one */

enum { TOKEN_TEXT_MAX = 128, TOKEN_ID_SHOWN = 8, PAIR_MAX = 1024 };

static struct err *check(const struct ledger_token_state *t)
{
    if (t->revoked_at)
        return err_new(ERR_UNAUTHENTICATED, "this bearer token has been revoked");
    if (t->token.expires && t->token.expires <= world_now_s())
        return err_new(ERR_TOKEN_EXPIRED, "this bearer token has expired");
    return NULL;
}

struct err *asker_token_find(struct http_request *r, struct view id, struct ca_asker **ret)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ledger_token_state *t = ARENA_NEW(r->arena, struct ledger_token_state);

    e = ledger_token_find(en->setup.ledger, id, r->arena, t);
    if (e && err_code(e) == ERR_NOT_FOUND) {
        err_free(e);
        return err_new(ERR_UNAUTHENTICATED, "this bearer token is not known here");
    }
    TRY(e);
    TRY(check(t));
    struct ca_asker *a = asker_new(
        r, CA_ROLE_REQUESTER,
        arena_printf(r->arena, "token:%s", hex_of(r->arena, view_of(t->token.id.p, TOKEN_ID_SHOWN))));
    a->token = t->token.id.p;
    a->bounded = t->token.uses > 0;
    a->grant = (struct ca_grant){
        .templates = t->token.templates.items,
        .templates_n = t->token.templates.n,
        .names = t->token.names.items,
        .names_n = t->token.names.n,
    };
    *ret = a;
out:
    return e;
}

struct err *asker_token_bearer(struct http_request *r, struct view text, struct ca_asker **ret)
{
    uint8_t id[SHA256_BYTES];
    if (text.n == 0 || text.n > TOKEN_TEXT_MAX)
        return err_new(ERR_UNAUTHENTICATED, "no bearer token of this authority has that length");
    if (!view_starts(text, view_str(prefix)))
        return err_new(ERR_UNAUTHENTICATED, "this bearer token is not known here");
    digest_sha256(text, id);
    return asker_token_find(r, view_of(id, sizeof id), ret);
}

struct err *asker_token_key(struct http_request *r, const uint8_t spki[SHA256_BYTES], struct ca_asker **ret)
{
    struct err *e = asker_token_find(r, view_of(spki, SHA256_BYTES), ret);
    if (!e)
        (*ret)->key = (*ret)->token;
    return e;
}

static struct err *by_pair(struct http_request *r, struct view pair, struct ca_asker **ret)
{
    struct view decoded;
    if (pair.n > PAIR_MAX)
        return err_new(ERR_UNAUTHENTICATED, "no name and token of this authority have that length");
    struct err *e = base64_parse(r->arena, pair, &decoded);
    if (e) {
        err_free(e);
        return err_new(ERR_UNAUTHENTICATED, "what follows `Basic` is not base64 (RFC 7617 2)");
    }
    size_t colon = view_find(decoded, ':');
    e = asker_token_bearer(r, view_from(decoded, colon + 1), ret);
    secret_wipe((void *)decoded.p, decoded.n);
    return e;
}

struct err *asker_token_basic(struct http_request *r, struct view pair, struct ca_asker **ret)
{
    struct enroll *en = r->app;
    struct err *e = by_pair(r, pair, ret), *many;
    if (!e || err_row(err_code(e))->http_status != 401)
        return e;
    many = guesses_count(&en->guesses, r->peer->address, world_mono_ms());
    if (!many)
        return e;
    err_free(e);
    return many;
}
