/* The ACME door: accounts, bindings, orders and certificates move as RFC 8555 7.1.6 draws them, and no other
 * way; each refusal has its type. */
#include "acme_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cert/jose.h"

static const char *text_at(const struct said *s, const char *member)
{
    const char *text = json_string_value(json_object_get(s->json, member));
    return text ? text : "";
}

/* A pre-approved key for names under example.internal. */
static const char *eab_of(struct door *d, struct acme_client *c, const char *more, const char *directory)
{
    struct said s =
        door_post(d, LOCAL, "/v1/acme/eab",
                  arena_printf(d->h->arena,
                               "{\"templates\":[\"server\"],\"names\":[\"**.example.internal\"]%s}", more));
    struct view secret;
    assert_int_equal(s.status, 201);
    OK(base64url_parse(d->h->arena, view_str(said_text(&s, "hmac_key")), &secret));
    const char *binding = client_binding(c, directory, said_text(&s, "kid"), secret);
    said_free(&s);
    return binding;
}

static struct acme_client approved(struct door *d)
{
    struct acme_client c = client_new(d);
    struct said s = client_register(&c, "/acme", eab_of(d, &c, ",\"preapproved\":true", "/acme"));
    assert_int_equal(s.status, 201);
    said_free(&s);
    return c;
}

static struct acme_client stranger(struct door *d)
{
    struct acme_client c = client_new(d);
    struct said s = client_register(&c, "/acme", "");
    assert_int_equal(s.status, 201);
    said_free(&s);
    return c;
}

/* --- directory and nonces --- */

static void the_directory_names_what_there_is(void **state)
{
    struct door *d = *state;
    struct said s = door_get(d, NOBODY, "/acme/directory");
    assert_int_equal(s.status, 200);
    assert_string_equal(said_text(&s, "newOrder"), ACME_URL "/acme/new-order");
    const json_t *meta = json_object_get(s.json, "meta");
    assert_false(json_is_true(json_object_get(meta, "externalAccountRequired")));
    assert_non_null(json_object_get(json_object_get(meta, "profiles"), "client"));
    said_free(&s);
    s = door_get(d, NOBODY, "/acme/client/directory");
    assert_string_equal(said_text(&s, "newAccount"), ACME_URL "/acme/client/new-account");
    assert_true(json_is_true(json_object_get(json_object_get(s.json, "meta"), "externalAccountRequired")));
    said_free(&s);
    door_expect(door_get(d, NOBODY, "/acme/admin/directory"), 404, NULL);
}

static void a_nonce_comes_with_head_and_get_and_every_answer(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d);
    struct said s = door_get(d, NOBODY, "/acme/new-nonce");
    assert_int_equal(s.status, 204);
    assert_string_equal(web_header(&s.raw, "Cache-Control"), "no-store");
    said_free(&s);
    c.kid = ACME_URL "/acme/account/00";
    client_expect(&c, "/acme/new-order", "{}", 400, "accountDoesNotExist");
    assert_true(c.nonce[0]); /* with the refusal */
    client_free(&c);
}

static void a_nonce_is_taken_once(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d);
    char used[sizeof c.nonce];
    memcpy(used, c.nonce, sizeof used);
    client_expect(&c, "/acme/new-order", "{}", 400, "malformed");
    memcpy(c.nonce, used, sizeof used);
    struct said s = client_post(&c, "/acme/new-order", "{}");
    assert_string_equal(s.type, "badNonce");
    assert_non_null(strstr(s.detail, "JWS has an invalid anti-replay nonce"));
    said_free(&s);
    c.nonce[0] = 0;
    client_expect(&c, "/acme/new-order", "{}", 400, "badNonce");
    snprintf(c.nonce, sizeof c.nonce, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    client_expect(&c, "/acme/new-order", "{}", 400, "badNonce");
    client_free(&c);
}

/* --- the gate --- */

static void headers_that_do_not_fit_are_refused(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d);
    struct arena *a = d->h->arena;
    const struct {
        const char *header;
        int status;
        const char *type;
    } bad[] = {
        {"{\"alg\":\"none\",\"url\":\"%s/acme/new-order\",\"kid\":\"%s\",\"nonce\":\"%s\"}", 400,
         "badSignatureAlgorithm"},
        {"{\"alg\":\"HS256\",\"url\":\"%s/acme/new-order\",\"kid\":\"%s\",\"nonce\":\"%s\"}", 400,
         "badSignatureAlgorithm"},
        {"{\"alg\":\"RS256\",\"url\":\"%s/acme/new-order\",\"kid\":\"%s\",\"nonce\":\"%s\"}", 400,
         "badSignatureAlgorithm"},
        {"{\"alg\":\"ES256\",\"url\":\"%s/acme/new-authz\",\"kid\":\"%s\",\"nonce\":\"%s\"}", 403,
         "unauthorized"},
        {"{\"alg\":\"ES256\",\"url\":\"%s/acme/new-order\",\"kid\":\"%s0\",\"nonce\":\"%s\"}", 400,
         "accountDoesNotExist"},
        {"{\"alg\":\"ES256\",\"url\":\"%s/acme/new-order?x\",\"kid\":\"%s\",\"nonce\":\"%s\"}", 403,
         "unauthorized"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char header[2048];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(header, sizeof header, bad[i].header, ACME_URL, c.kid, c.nonce);
#pragma GCC diagnostic pop
        c.header = header;
        client_expect(&c, "/acme/new-order", "{}", bad[i].status, bad[i].type);
    }
    const char *jwk = client_jwk(&c);
    c.header = arena_printf(a,
                            "{\"alg\":\"ES256\",\"url\":\"" ACME_URL
                            "/acme/new-order\",\"kid\":\"%s\",\"jwk\":%s,\"nonce\":\"%s\"}",
                            c.kid, jwk, c.nonce);
    client_expect(&c, "/acme/new-order", "{}", 400, "malformed");
    c.header = arena_printf(a, "{\"alg\":\"ES256\",\"url\":\"" ACME_URL "/acme/new-order\",\"nonce\":\"%s\"}",
                            c.nonce);
    client_expect(&c, "/acme/new-order", "{}", 400, "malformed");
    c.header = NULL;
    c.kid = NULL; /* a key where an account is needed */
    client_expect(&c, "/acme/new-order", "{}", 400, "malformed");
    client_free(&c);
}

static void a_signature_of_another_key_is_refused(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d), other = client_new(d);
    other.kid = c.kid;
    client_expect(&other, "/acme/new-order", "{}", 400, "malformed");
    client_free(&other);
    client_free(&c);
}

static void a_body_of_another_form_is_refused(void **state)
{
    struct door *d = *state;
    char *deep = arena_alloc(d->h->arena, 100001);
    memset(deep, '[', 100000);
    struct said s =
        door_ask(d, NOBODY, "POST", "/acme/new-order", "Content-Type: application/json\r\n", view_str("{}"));
    assert_int_equal(s.status, 415);
    said_free(&s);
    s = door_ask(d, NOBODY, "POST", "/acme/new-order", "Content-Type: application/jose+json\r\n",
                 view_str(deep));
    assert_int_equal(s.status, 400);
    assert_non_null(strstr(s.detail, "32 levels"));
    said_free(&s);
    s = door_ask(d, NOBODY, "POST", "/acme/new-order", "Content-Type: application/jose+json\r\n",
                 view_of(arena_alloc(d->h->arena, 1 << 20), 1 << 20));
    assert_int_equal(s.status, 413);
    said_free(&s);
}

/* --- accounts --- */

static void an_account_is_made_once(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d);
    client_expect(&c, "/acme/new-account", "{\"onlyReturnExisting\":true}", 400, "accountDoesNotExist");
    struct said s = client_register(&c, "/acme", "");
    assert_int_equal(s.status, 201);
    assert_string_equal(text_at(&s, "status"), "valid");
    const char *location = client_location(&c, &s);
    said_free(&s);
    c.kid = NULL;
    s = client_post(&c, "/acme/new-account", "{\"onlyReturnExisting\":true,\"status\":\"\"}");
    assert_int_equal(s.status, 200);
    assert_string_equal(client_location(&c, &s), location);
    said_free(&s);
    client_free(&c);
}

static void contacts_are_checked_and_changed(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d);
    client_expect(&c, "/acme/new-account", "{\"contact\":[\"tel:1\"]}", 400, "unsupportedContact");
    client_expect(&c, "/acme/new-account", "{\"contact\":[\"mailto:a,b@c.example\"]}", 400, "invalidContact");
    client_expect(&c, "/acme/new-account", "{\"contact\":[\"mailto:nobody\"]}", 400, "invalidContact");
    struct said s = client_register(&c, "/acme", "");
    const char *path = client_location(&c, &s);
    said_free(&s);
    s = client_post(&c, path, "{\"contact\":[\"mailto:b@c.example\"],\"other\":1}");
    assert_int_equal(s.status, 200);
    assert_string_equal(json_string_value(json_array_get(json_object_get(s.json, "contact"), 0)),
                        "mailto:b@c.example");
    said_free(&s);
    client_free(&c);
}

static void an_account_that_is_ended_stays_so(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d);
    const char *path = c.kid + strlen(ACME_URL);
    client_expect(&c, path, "{\"status\":\"deactivated\"}", 200, NULL);
    client_expect(&c, path, "", 401, "unauthorized");
    client_expect(&c, "/acme/new-order", "{}", 401, "unauthorized");
    c.kid = NULL;
    client_expect(&c, "/acme/new-account", "{}", 401, "unauthorized");
    client_free(&c);
}

static const char *key_change(struct acme_client *c, struct acme_client *to, const char *account,
                              const char *old)
{
    struct arena *a = c->d->h->arena;
    const char *header = arena_printf(
        a, "{\"alg\":\"ES256\",\"url\":\"" ACME_URL "/acme/key-change\",\"jwk\":%s}", client_jwk(to));
    const char *payload = arena_printf(a, "{\"account\":\"%s\",\"oldKey\":%s}", account, old);
    return client_sign(to, header, view_str(payload));
}

static void an_account_gets_another_key(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d), to = client_new(d), third = stranger(d);
    const char *old = client_jwk(&c);
    client_expect(&c, "/acme/key-change", key_change(&c, &to, third.kid, old), 400, "malformed");
    client_expect(&c, "/acme/key-change", key_change(&c, &to, c.kid, client_jwk(&to)), 400, "malformed");
    client_expect(&c, "/acme/key-change", key_change(&c, &third, c.kid, old), 409, NULL);
    client_expect(&c, "/acme/key-change", key_change(&c, &to, c.kid, old), 200, NULL);
    to.kid = c.kid;
    client_expect(&to, to.kid + strlen(ACME_URL), "", 200, NULL);
    client_expect(&c, c.kid + strlen(ACME_URL), "", 400, "malformed"); /* the old key no longer verifies */
    client_free(&third);
    client_free(&to);
    client_free(&c);
}

/* --- bindings --- */

static void a_directory_may_want_a_binding(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d);
    client_expect(&c, "/acme/client/new-account", "{}", 403, "externalAccountRequired");
    struct said s = client_register(&c, "/acme", "");
    assert_int_equal(s.status, 201);
    said_free(&s);
    client_expect(&c, "/acme/client/new-order",
                  "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example.internal\"}]}", 403,
                  "externalAccountRequired");
    client_expect(
        &c, "/acme/new-order",
        "{\"profile\":\"client\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example.internal\"}]}", 403,
        "externalAccountRequired");
    client_free(&c);
}

static void a_binding_is_for_so_many_accounts(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d), other = client_new(d), third = client_new(d);
    struct said made =
        door_post(d, LOCAL, "/v1/acme/eab",
                  "{\"templates\":[\"server\"],\"names\":[\"**.example.internal\"],\"accounts\":2}");
    struct view secret;
    OK(base64url_parse(d->h->arena, view_str(said_text(&made, "hmac_key")), &secret));
    const char *kid = arena_str(d->h->arena, view_str(said_text(&made, "kid")));
    struct acme_client *all[] = {&c, &other, &third};
    said_free(&made);
    for (size_t i = 0; i < 3; i++) {
        struct said s = client_register(all[i], "/acme", client_binding(all[i], "/acme", kid, secret));
        assert_int_equal(s.status, i < 2 ? 201 : 403);
        said_free(&s);
        client_free(all[i]);
    }
}

static void a_binding_that_does_not_hold_is_refused(void **state)
{
    struct door *d = *state;
    struct acme_client c = client_new(d), other = client_new(d);
    struct said made =
        door_post(d, LOCAL, "/v1/acme/eab",
                  "{\"templates\":[\"server\"],\"names\":[\"**.example.internal\"],\"accounts\":0}");
    struct view secret;
    OK(base64url_parse(d->h->arena, view_str(said_text(&made, "hmac_key")), &secret));
    const char *kid = arena_str(d->h->arena, view_str(said_text(&made, "kid")));
    const char *const bad[] = {
        client_binding(&c, "/acme", kid, view_of(secret.p, secret.n - 1)),      /* another key */
        client_binding(&c, "/acme/client", kid, secret),                        /* another url */
        client_binding(&other, "/acme", kid, secret),                           /* another account's key */
        client_binding(&c, "/acme", "00112233445566778899aabbccddeeff", secret) /* another kid */
    };
    said_free(&made);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct said s = client_register(&c, "/acme", bad[i]);
        assert_true(s.status == 403 || s.status == 400);
        said_free(&s);
    }
    door_expect(door_ask(d, LOCAL, "DELETE", arena_printf(d->h->arena, "/v1/acme/eab/%s", kid), NULL,
                         view_of(NULL, 0)),
                200, NULL);
    struct said s = client_register(&c, "/acme", client_binding(&c, "/acme", kid, secret));
    assert_int_equal(s.status, 403);
    assert_non_null(strstr(s.detail, "revoked"));
    said_free(&s);
    client_free(&other);
    client_free(&c);
}

/* --- orders --- */

static void what_is_approved_needs_no_challenge(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    const char *order = client_order(&c, "A.Example.internal,b.example.internal,a.example.internal");
    struct said s = client_post(&c, order, "");
    assert_string_equal(text_at(&s, "status"), "ready");
    assert_int_equal(json_array_size(json_object_get(s.json, "identifiers")), 2);
    said_free(&s);
    s = client_finalize(&c, order, "DNS:a.example.internal,DNS:b.example.internal");
    assert_int_equal(s.status, 200);
    assert_string_equal(text_at(&s, "status"), "valid");
    assert_string_equal(client_location(&c, &s), order);
    const char *cert = arena_str(d->h->arena, view_str(said_text(&s, "certificate") + strlen(ACME_URL)));
    said_free(&s);
    s = client_post(&c, cert, "");
    assert_int_equal(s.status, 200);
    assert_string_equal(web_header(&s.raw, "Content-Type"), "application/pem-certificate-chain");
    said_free(&s);
    client_expect(&c, arena_printf(d->h->arena, "%s/1", cert), "", 404, "malformed");
    client_free(&c);
}

static void an_order_names_its_certificate(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    const char *order = client_order(&c, "r.example.internal");
    struct said s = client_finalize(&c, order, "DNS:r.example.internal");
    assert_int_equal(s.status, 200);
    said_free(&s);
    struct ledger_entry entry;
    assert_true(house_last(d->h, LEDGER_ACME_ORDER, &entry));
    assert_int_equal(entry.body.acme_order.serial.n, SERIAL_BYTES);
    assert_string_equal(entry.body.acme_order.issuer, "issuing");
    client_free(&c);
}

static void names_are_checked_one_by_one(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    static const char *const bad[][3] = {
        {"dns", "a.example.internal.", "rejectedIdentifier"},
        {"dns",
         "b\xc3\xbc"
         "cher.example.internal",
         "rejectedIdentifier"},
        {"dns", "a.elsewhere.example", "rejectedIdentifier"},
        {"dns", "10.0.0.1", "rejectedIdentifier"},
        {"ip", "10.0.0.256", "rejectedIdentifier"},
        {"dns", "*.a.example.internal", "rejectedIdentifier"},
        {"email", "a@example.internal", "unsupportedIdentifier"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct said s =
            client_post(&c, "/acme/new-order",
                        arena_printf(d->h->arena, "{\"identifiers\":[{\"type\":\"%s\",\"value\":\"%s\"}]}",
                                     bad[i][0], bad[i][1]));
        assert_true(s.status == 400 || s.status == 403);
        assert_string_equal(s.type, bad[i][2]);
        said_free(&s);
    }
    struct said s = client_post(
        &c, "/acme/new-order",
        "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"ok.example.internal\"},"
        "{\"type\":\"dns\",\"value\":\"a.elsewhere.example\"},{\"type\":\"dns\",\"value\":\"x y\"}]}");
    assert_int_equal(json_array_size(json_object_get(s.json, "subproblems")), 2);
    said_free(&s);
    client_expect(&c, "/acme/new-order", "{\"identifiers\":[]}", 400, "malformed");
    client_expect(&c, "/acme/new-order", "{\"identifiers\":\"a\"}", 400, "malformed");
    client_free(&c);
}

static void a_csr_has_exactly_the_names_of_the_order(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    const char *order = client_order(&c, "a.example.internal,b.example.internal");
    static const char *const bad[] = {"DNS:a.example.internal",
                                      "DNS:a.example.internal,DNS:b.example.internal,DNS:c.example.internal",
                                      "DNS:a.example.internal,DNS:b.example.internal,email:a@b.example",
                                      "DNS:a.example.internal,DNS:b.example.internal,IP:10.0.0.1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct said s = client_finalize(&c, order, bad[i]);
        assert_int_equal(s.status, 400);
        assert_string_equal(s.type, "badCSR");
        said_free(&s);
    }
    struct view csr = house_csr(d->h, c.key, NULL, "DNS:a.example.internal,DNS:b.example.internal");
    client_expect(&c, arena_printf(d->h->arena, "%s/finalize", order),
                  arena_printf(d->h->arena, "{\"csr\":\"%s\"}", base64url_of(d->h->arena, csr)), 400,
                  "badCSR");
    client_expect(&c, arena_printf(d->h->arena, "%s/finalize", order), "{\"csr\":\"!\"}", 400, "badCSR");
    client_expect(&c, arena_printf(d->h->arena, "%s/finalize", order), "{}", 400, "malformed");
    struct said s =
        client_finalize(&c, order, "DNS:B.example.internal,DNS:a.example.internal"); /* it is ready still */
    assert_int_equal(s.status, 200);
    said_free(&s);
    client_free(&c);
}

static void an_order_moves_one_way_alone(void **state)
{
    struct door *d = *state;
    struct acme_client c = stranger(d), ready = approved(d);
    const char *order = client_order(&c, "a.example.internal");
    struct said s = client_post(&c, order, "");
    assert_string_equal(text_at(&s, "status"), "pending");
    const char *authz =
        arena_str(d->h->arena,
                  view_str(json_string_value(json_array_get(json_object_get(s.json, "authorizations"), 0)) +
                           strlen(ACME_URL)));
    said_free(&s);
    s = client_finalize(&c, order, "DNS:a.example.internal");
    assert_int_equal(s.status, 403);
    assert_string_equal(s.type, "orderNotReady");
    said_free(&s);
    s = client_post(&c, authz, "");
    assert_string_equal(text_at(&s, "status"), "pending");
    said_free(&s);
    client_expect(&c, authz, "{\"status\":\"deactivated\"}", 200, NULL);
    client_expect(&c, authz, "{\"status\":\"deactivated\"}", 400, "malformed");
    s = client_post(&c, order, "");
    assert_string_equal(text_at(&s, "status"), "invalid");
    assert_non_null(json_object_get(s.json, "error"));
    said_free(&s);
    order = client_order(&ready, "once.example.internal");
    s = client_finalize(&ready, order, "DNS:once.example.internal");
    assert_int_equal(s.status, 200);
    said_free(&s);
    s = client_finalize(&ready, order, "DNS:once.example.internal"); /* another CSR */
    assert_string_equal(s.type, "orderNotReady");
    said_free(&s);
    client_free(&ready);
    client_free(&c);
}

static void what_is_anothers_is_not_shown(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d), other = stranger(d);
    const char *order = client_order(&c, "mine.example.internal");
    client_expect(&other, order, "", 403, "unauthorized");
    client_expect(&other, arena_printf(d->h->arena, "%s/finalize", order), "{\"csr\":\"\"}", 403,
                  "unauthorized");
    client_expect(&other, c.kid + strlen(ACME_URL), "", 403, "unauthorized");
    client_expect(&other, "/acme/order/00112233445566778899aabbccddeeff", "", 404, "malformed");
    client_expect(&other, "/acme/order/xyz", "", 404, "malformed");
    client_expect(&c, order, "{}", 400, "malformed"); /* it is read with an empty payload */
    client_free(&other);
    client_free(&c);
}

static void an_authorization_is_used_again(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    struct said s = client_post(&c, "/acme/new-authz",
                                "{\"identifier\":{\"type\":\"dns\",\"value\":\"z.example.internal\"}}");
    assert_int_equal(s.status, 201);
    assert_string_equal(text_at(&s, "status"), "valid");
    const char *authz = client_location(&c, &s);
    said_free(&s);
    s = client_post(&c, client_order(&c, "z.example.internal"), "");
    assert_non_null(strstr((char *)s.raw.body, authz));
    said_free(&s);
    client_expect(&c, "/acme/new-authz",
                  "{\"identifier\":{\"type\":\"dns\",\"value\":\"*.z.example.internal\"}}", 400, "malformed");
    client_free(&c);
}

static void orders_are_limited(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d);
    d->acme.orders_per_account = 2;
    client_order(&c, "l1.example.internal");
    client_order(&c, "l2.example.internal");
    struct said s = client_post(&c, "/acme/new-order",
                                "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"l3.example.internal\"}]}");
    assert_int_equal(s.status, 429);
    assert_string_equal(s.type, "rateLimited");
    assert_non_null(web_header(&s.raw, "Retry-After"));
    said_free(&s);
    d->acme.orders_per_account = 0;
    client_free(&c);
}

/* --- revocation, renewal --- */

static const char *issued(struct door *d, struct acme_client *c, const char *name)
{
    struct said s = client_finalize(c, client_order(c, name), arena_printf(d->h->arena, "DNS:%s", name));
    assert_int_equal(s.status, 200);
    said_free(&s);
    struct ledger_entry entry;
    struct ledger_cert *record = ARENA_NEW(d->h->arena, struct ledger_cert);
    struct ca_certificate cert;
    assert_true(house_last(d->h, LEDGER_ACME_ORDER, &entry));
    OK(ledger_find(d->h->ledger, "issuing", entry.body.acme_order.serial, d->h->arena, record));
    OK(ca_certificate_of(record, d->h->arena, &cert));
    return base64url_of(d->h->arena, cert.der);
}

static void a_certificate_is_revoked_once_by_its_account(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d), other = approved(d), third = client_new(d);
    const char *cert = issued(d, &c, "v.example.internal");
    const char *body = arena_printf(d->h->arena, "{\"certificate\":\"%s\",\"reason\":4}", cert);
    client_expect(&other, "/acme/revoke-cert", body, 403, "unauthorized");
    client_expect(&third, "/acme/revoke-cert", body, 403, "unauthorized"); /* a key of nobody's */
    client_expect(&c, "/acme/revoke-cert",
                  arena_printf(d->h->arena, "{\"certificate\":\"%s\",\"reason\":7}", cert), 400,
                  "badRevocationReason");
    client_expect(&c, "/acme/revoke-cert", "{\"certificate\":\"AAAA\"}", 400, "malformed");
    client_expect(&c, "/acme/revoke-cert", body, 200, NULL);
    client_expect(&c, "/acme/revoke-cert", body, 400, "alreadyRevoked");
    cert = issued(d, &c, "w.example.internal");
    client_order(&other, "w.example.internal"); /* authorized for all its names */
    client_expect(&other, "/acme/revoke-cert", arena_printf(d->h->arena, "{\"certificate\":\"%s\"}", cert),
                  200, NULL);
    client_free(&third);
    client_free(&other);
    client_free(&c);
}

static const char *renewal_id(struct door *d)
{
    struct ledger_entry entry;
    assert_true(house_last(d->h, LEDGER_ACME_ORDER, &entry));
    return arena_printf(d->h->arena, "%s.%s", base64url_of(d->h->arena, d->h->setup.issuers[1].facts.key_id),
                        base64url_of(d->h->arena, entry.body.acme_order.serial));
}

static void a_renewal_has_its_window_and_replaces_once(void **state)
{
    struct door *d = *state;
    struct acme_client c = approved(d), other = approved(d);
    issued(d, &c, "n.example.internal");
    const char *id = renewal_id(d);
    struct said s = door_get(d, NOBODY, arena_printf(d->h->arena, "/acme/renewal-info/%s", id));
    assert_int_equal(s.status, 200);
    assert_non_null(web_header(&s.raw, "Retry-After"));
    assert_non_null(json_object_get(json_object_get(s.json, "suggestedWindow"), "start"));
    said_free(&s);
    door_expect(door_get(d, NOBODY, "/acme/renewal-info/AAAA.AAAA"), 404, NULL);
    const char *body = arena_printf(
        d->h->arena,
        "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"n.example.internal\"}],\"replaces\":\"%s\"}", id);
    client_expect(&other, "/acme/new-order", body, 403, "unauthorized");
    client_expect(&c, "/acme/new-order", body, 201, NULL);
    client_expect(&c, "/acme/new-order", body, 409, "alreadyReplaced");
    client_free(&other);
    client_free(&c);
}

int main(int argc, char **argv)
{
    (void)argc;
    house_world(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_names_what_there_is),
        cmocka_unit_test(a_nonce_comes_with_head_and_get_and_every_answer),
        cmocka_unit_test(a_nonce_is_taken_once),
        cmocka_unit_test(headers_that_do_not_fit_are_refused),
        cmocka_unit_test(a_signature_of_another_key_is_refused),
        cmocka_unit_test(a_body_of_another_form_is_refused),
        cmocka_unit_test(an_account_is_made_once),
        cmocka_unit_test(contacts_are_checked_and_changed),
        cmocka_unit_test(an_account_that_is_ended_stays_so),
        cmocka_unit_test(an_account_gets_another_key),
        cmocka_unit_test(a_directory_may_want_a_binding),
        cmocka_unit_test(a_binding_is_for_so_many_accounts),
        cmocka_unit_test(a_binding_that_does_not_hold_is_refused),
        cmocka_unit_test(what_is_approved_needs_no_challenge),
        cmocka_unit_test(an_order_names_its_certificate),
        cmocka_unit_test(names_are_checked_one_by_one),
        cmocka_unit_test(a_csr_has_exactly_the_names_of_the_order),
        cmocka_unit_test(an_order_moves_one_way_alone),
        cmocka_unit_test(what_is_anothers_is_not_shown),
        cmocka_unit_test(an_authorization_is_used_again),
        cmocka_unit_test(orders_are_limited),
        cmocka_unit_test(a_certificate_is_revoked_once_by_its_account),
        cmocka_unit_test(a_renewal_has_its_window_and_replaces_once),
    };
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
