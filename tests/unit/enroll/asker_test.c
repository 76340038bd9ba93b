/* Who asks: every kind of credentials, spoiled in every way, and that requesters do not see each other. */
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/world.h"
#include "door.h"

/* --- credentials that are none --- */

static void authorization_that_is_no_token(void **state)
{
    static const char *const lines[] = {
        "Authorization: Basic YTpi\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer x\r\n",
        "Authorization: Bearer chancery_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "Authorization: Bearer "
        "chancery_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "",
    };
    struct door *d = *state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct said s = door_ask(d, NOBODY, "GET", "/v1/issuers", lines[i], view_of(NULL, 0));
        if (s.status != 401 || strcmp(s.type, "unauthenticated") != 0)
            fail_msg("%s: %d %s", lines[i], s.status, s.type);
        assert_non_null(strstr(web_header(&s.raw, "WWW-Authenticate"), "Bearer"));
        said_free(&s);
    }
}

static void the_scheme_is_read_without_case(void **state)
{
    struct door *d = *state;
    const char *token = strstr(d->authorization[REQUESTER], "chancery_");
    const char *line = arena_printf(d->h->arena, "Authorization: bEARER %s", token);
    door_expect(door_ask(d, NOBODY, "GET", "/v1/issuers", line, view_of(NULL, 0)), 200, NULL);
}

/* What is refused before anyone asks who asks stands in the ledger too. */
static void refusals_of_nobody_stand_in_the_ledger(void **state)
{
    struct door *d = *state;
    struct ledger_entry entry;
    door_expect(door_get(d, NOBODY, "/v1/issuers"), 401, "unauthenticated");
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_DENY, &entry));
    assert_string_equal(entry.body.deny.type, "unauthenticated");
    assert_string_equal(entry.actor, "");
    assert_string_equal(entry.peer, "127.0.0.1");
}

/* --- tokens --- */

static struct said new_token(struct door *d, const char *more)
{
    return door_post(d, LOCAL, "/v1/tokens",
                     arena_printf(d->h->arena,
                                  "{\"templates\": [\"server\"], \"names\": [\"dns:**.example.internal\"]%s}",
                                  more));
}

static void use_token(struct door *d, const struct said *s)
{
    d->authorization[OTHER] =
        arena_printf(d->h->arena, "Authorization: Bearer %s\r\n", said_text(s, "token"));
}

static void a_lapsed_token(void **state)
{
    struct door *d = *state;
    const char *kept = d->authorization[OTHER];
    struct said s = new_token(d, ", \"ttl\": \"1h\"");
    use_token(d, &s);
    said_free(&s);
    door_expect(door_get(d, OTHER, "/v1/issuers"), 200, NULL);
    house_pass(d->h, 3601);
    struct said late = door_get(d, OTHER, "/v1/issuers");
    assert_non_null(web_header(&late.raw, "WWW-Authenticate"));
    door_expect(late, 401, "token-expired");
    d->authorization[OTHER] = kept;
}

static void a_revoked_token(void **state)
{
    struct door *d = *state;
    const char *kept = d->authorization[OTHER];
    struct said s = new_token(d, "");
    const char *id = arena_str(d->h->arena, view_str(said_text(&s, "id")));
    use_token(d, &s);
    said_free(&s);
    door_expect(door_get(d, OTHER, "/v1/issuers"), 200, NULL);
    const char *path = arena_printf(d->h->arena, "/v1/tokens/%.10s", id);
    s = door_ask(d, OPERATOR, "DELETE", path, NULL, view_of(NULL, 0));
    assert_int_equal(s.status, 200);
    assert_string_equal(said_text(&s, "id"), id);
    said_free(&s);
    door_expect(door_get(d, OTHER, "/v1/issuers"), 401, "unauthenticated");
    s = door_ask(d, OPERATOR, "DELETE", path, NULL, view_of(NULL, 0)); /* once more: no error */
    assert_int_equal(s.status, 200);
    assert_true(json_is_true(json_object_get(s.json, "already")));
    said_free(&s);
    d->authorization[OTHER] = kept;
}

static void a_used_up_token(void **state)
{
    struct door *d = *state;
    const char *kept = d->authorization[OTHER];
    struct said s = new_token(d, ", \"uses\": 1");
    use_token(d, &s);
    said_free(&s);
    (void)door_issue(d, OTHER, "once.example.internal");
    door_expect(door_post(d, OTHER, "/v1/certificates",
                          door_body(d, "server", house_csr_for(d->h, "twice.example.internal"), "")),
                403, "token-used");
    d->authorization[OTHER] = kept;
}

/* --- requesters and each other's certificates --- */

static bool lists(struct door *d, enum door_who who, const char *query, const char *serial)
{
    struct said s = door_get(d, who, arena_printf(d->h->arena, "/v1/certificates%s", query));
    size_t i;
    json_t *row;
    bool found = false;
    assert_int_equal(s.status, 200);
    json_array_foreach(json_object_get(s.json, "certificates"), i, row)
    {
        found = found || strcmp(json_string_value(json_object_get(row, "serial")), serial) == 0;
    }
    said_free(&s);
    return found;
}

/* The same answer as for a serial that nobody has. */
static void not_there(struct door *d, enum door_who who, const char *method, const char *serial,
                      const char *rest)
{
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s%s", serial, rest);
    const char *none =
        arena_printf(d->h->arena, "/v1/certificates/4000000000000000000000000000000000000001%s", rest);
    struct said a = door_ask(d, who, method, path, NULL, view_of(NULL, 0));
    struct said b = door_ask(d, who, method, none, NULL, view_of(NULL, 0));
    assert_int_equal(a.status, 404);
    assert_int_equal(b.status, 404);
    assert_string_equal(a.type, b.type);
    assert_string_equal(a.detail, b.detail);
    said_free(&a);
    said_free(&b);
}

static void requesters_do_not_see_each_other(void **state)
{
    struct door *d = *state;
    const char *serial = door_issue(d, REQUESTER, "mine.example.internal");
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s", serial);
    struct said mine = door_get(d, REQUESTER, path);
    assert_int_equal(mine.status, 200);
    const char *owner = arena_str(d->h->arena, view_str(said_text(&mine, "owner")));
    said_free(&mine);
    assert_true(lists(d, REQUESTER, "", serial));
    assert_true(lists(d, AUDITOR, "?under=dns:example.internal", serial));
    assert_false(lists(d, OTHER, "", serial));
    assert_false(lists(d, OTHER, arena_printf(d->h->arena, "?owner=%s", owner), serial));
    assert_false(lists(d, OTHER, "?name=dns:mine.example.internal", serial));
    not_there(d, OTHER, "GET", serial, "");
    not_there(d, OTHER, "GET", serial, "?issuer=issuing");
    not_there(d, OTHER, "POST", serial, "/revoke");
    door_expect(door_get(d, REQUESTER, path), 200, NULL);
}

static void a_requester_sees_the_templates_of_its_grant(void **state)
{
    struct door *d = *state;
    struct said s = door_get(d, REQUESTER, "/v1/templates");
    assert_int_equal(json_array_size(json_object_get(s.json, "templates")), 3);
    said_free(&s);
    s = door_get(d, AUDITOR, "/v1/templates");
    assert_true(json_array_size(json_object_get(s.json, "templates")) > 3);
    said_free(&s);
    door_expect(door_get(d, REQUESTER, "/v1/templates/server"), 200, NULL);
    door_expect(door_get(d, REQUESTER, "/v1/templates/self"), 404, "template-unknown");
    door_expect(door_get(d, REQUESTER, "/v1/templates/nothing"), 404, "template-unknown");
    door_expect(door_get(d, AUDITOR, "/v1/templates/self"), 200, NULL);
}

/* --- certificates --- */

static void roster_keys_have_their_roles(void **state)
{
    struct door *d = *state;
    struct ledger_entry entry;
    struct said s = door_post(d, OPERATOR, "/v1/certificates",
                              door_body(d, "client", house_csr(d->h, d->held_key, "x", NULL), ""));
    door_expect(s, 400, "bad-key"); /* the key is the holder's */
    (void)door_issue(d, OPERATOR, "anything.else");
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_RECORD, &entry));
    assert_string_equal(entry.actor, "roster:the-operator");
}

/* Another roster for a while: every entry by our own uid, which control.sock sees. */
static void with_roster(struct door *d, const char *entry, struct hsm_roster **ret)
{
    uint8_t hash[SHA256_BYTES] = {1};
    const char *text =
        arena_printf(d->h->arena,
                     "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n"
                     "  - {name: desk, uid: %u, %s}\n",
                     hex_of(d->h->arena, view_of(hash, sizeof hash)), (unsigned)getuid(), entry);
    OK(hsm_roster_parse("roster.yaml", view_str(text), ret));
    d->config.roster = *ret;
    enroll_set(d->enroll, &d->config);
}

static void a_user_of_the_machine_has_the_rosters_role(void **state)
{
    struct door *d = *state;
    struct hsm_roster *r = NULL;
    with_roster(d, "role: auditor", &r);
    door_expect(door_get(d, LOCAL, "/v1/log"), 200, NULL);
    door_expect(door_post(d, LOCAL, "/v1/tokens", "{}"), 403, "forbidden");
    hsm_roster_free(r);
    with_roster(d, "role: operator, revoked: true", &r);
    door_expect(door_get(d, LOCAL, "/v1/log"), 401, "unauthenticated");
    hsm_roster_free(r);
    d->config.roster = d->roster;
    enroll_set(d->enroll, &d->config);
}

static void the_roster_holds_an_operator_to_a_scope(void **state)
{
    struct door *d = *state;
    struct hsm_roster *r = NULL;
    EVP_PKEY *key = house_key();
    struct view csr = house_csr(d->h, key, NULL, "DNS:scope.example.internal");
    const char *server = door_issue(d, REQUESTER, "server.example.internal");
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s", server);
    with_roster(d, "role: operator, templates: [device]", &r);
    door_expect(door_post(d, LOCAL, "/v1/certificates", door_body(d, "server", csr, "")), 403, "forbidden");
    door_expect(door_get(d, LOCAL, path), 404, "not-found");
    door_expect(door_post(d, LOCAL, arena_printf(d->h->arena, "%s/revoke", path), "{}"), 404, "not-found");
    hsm_roster_free(r);
    with_roster(d, "role: enroll-agent, issuers: [other]", &r);
    door_expect(door_post(d, LOCAL, "/v1/certificates", door_body(d, "server", csr, "")), 403, "forbidden");
    hsm_roster_free(r);
    with_roster(d, "role: enroll-agent, issuers: [issuing], templates: [server]", &r);
    door_expect(door_post(d, LOCAL, "/v1/certificates", door_body(d, "server", csr, "")), 201, NULL);
    door_expect(door_get(d, LOCAL, path), 404, "not-found"); /* another's */
    hsm_roster_free(r);
    d->config.roster = d->roster;
    enroll_set(d->enroll, &d->config);
    EVP_PKEY_free(key);
}

static void a_holder_renews_sees_and_revokes_its_own(void **state)
{
    struct door *d = *state;
    struct view same = house_csr(d->h, d->held_key, "held.example.internal", "DNS:held.example.internal");
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s", d->held.serial);
    for (int i = 0; i < 2; i++) /* with its own key, more than once */
        door_expect(door_post(d, HOLDER, "/v1/certificates", door_body(d, "client", same, "")), 201, NULL);
    door_expect(door_post(d, HOLDER, "/v1/certificates", door_body(d, "server", same, "")), 403, "forbidden");
    EVP_PKEY *key = house_key();
    struct view other_name = house_csr(d->h, key, "other.example.internal", "DNS:other.example.internal");
    door_expect(door_post(d, HOLDER, "/v1/certificates", door_body(d, "client", other_name, "")), 403,
                "name-forbidden");
    EVP_PKEY_free(key);
    door_expect(door_get(d, HOLDER, path), 200, NULL);
    struct said s =
        door_post(d, HOLDER, arena_printf(d->h->arena, "%s/revoke", path), "{\"reason\": \"keyCompromise\"}");
    assert_int_equal(s.status, 200);
    said_free(&s);
    s = door_get(d, HOLDER, path); /* and is nobody from now on */
    assert_non_null(strstr(s.detail, "revoked"));
    door_expect(s, 401, "unauthenticated");
}

static SSL_CTX *with(X509 *cert, EVP_PKEY *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    assert_true(SSL_CTX_use_certificate(ctx, cert) && SSL_CTX_use_PrivateKey(ctx, key));
    return ctx;
}

static void knock(struct door *d, X509 *cert, EVP_PKEY *key, int status, const char *says)
{
    SSL_CTX *kept = d->clients[NOBODY];
    d->clients[NOBODY] = with(cert, key);
    struct said s = door_get(d, NOBODY, "/v1/issuers");
    SSL_CTX_free(d->clients[NOBODY]);
    d->clients[NOBODY] = kept;
    if (s.status != status || !strstr(s.detail, says))
        fail_msg("%d: %s", s.status, (char *)s.raw.body);
    said_free(&s);
}

static X509 *x509_of(const struct house_issued *got)
{
    const unsigned char *p = got->der;
    return d2i_X509(NULL, &p, (long)got->der_n);
}

static void client_certificates_that_do_not_count(void **state)
{
    struct door *d = *state;
    struct house *h = d->h;
    struct house_issued got;
    EVP_PKEY *key = house_key();
    X509 *cert = X509_new(); /* nobody's: signed by its own key */
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(cert), -10);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    knock(d, cert, key, 401, "roster");
    X509_free(cert);

    struct ca_request r = house_request(h, house_requester(h), "server", view_of(NULL, 0));
    r.csr = house_csr(h, key, NULL, "DNS:s.example.internal");
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    cert = x509_of(&got); /* of this authority, but for servers */
    knock(d, cert, key, 401, "client authentication");
    X509_free(cert);
    EVP_PKEY_free(key);

    key = house_key();
    r = house_request(h, house_requester(h), "client", house_csr(h, key, "c.example.internal", NULL));
    r.validity_s = 600;
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    cert = x509_of(&got);
    knock(d, cert, key, 200, "");
    house_pass(h, 700); /* expired */
    knock(d, cert, key, 401, "at this time");
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Sealed by the vault but never recorded: nobody was handed it. */
static void a_certificate_that_is_not_on_record_does_not_count(void **state)
{
    struct door *d = *state;
    struct house *h = d->h;
    struct house_issued got;
    EVP_PKEY *key = house_key();
    struct ca_request r =
        house_request(h, house_requester(h), "client", house_csr(h, key, "n.example.internal", NULL));
    assert_int_equal(house_issue(h, &r, &got), ERR__COUNT);
    X509 *cert = x509_of(&got);
    knock(d, cert, key, 200, "");
    /* the same signature under an issuer whose records are elsewhere */
    struct ca_setup other = h->setup;
    struct ca_issuer issuers[2] = {h->issuers[0], h->issuers[1]};
    issuers[1].name = "elsewhere";
    other.issuers = issuers;
    other.default_issuer = "elsewhere";
    ca_setup_set(h->ca, &other);
    knock(d, cert, key, 401, "not on record");
    ca_setup_set(h->ca, &h->setup);
    X509_free(cert);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorization_that_is_no_token),
        cmocka_unit_test(the_scheme_is_read_without_case),
        cmocka_unit_test(refusals_of_nobody_stand_in_the_ledger),
        cmocka_unit_test(requesters_do_not_see_each_other),
        cmocka_unit_test(a_requester_sees_the_templates_of_its_grant),
        cmocka_unit_test(a_used_up_token),
        cmocka_unit_test(a_revoked_token),
        cmocka_unit_test(roster_keys_have_their_roles),
        cmocka_unit_test(a_user_of_the_machine_has_the_rosters_role),
        cmocka_unit_test(the_roster_holds_an_operator_to_a_scope),
        cmocka_unit_test(a_holder_renews_sees_and_revokes_its_own),
        cmocka_unit_test(client_certificates_that_do_not_count),
        cmocka_unit_test(a_certificate_that_is_not_on_record_does_not_count),
        cmocka_unit_test(a_lapsed_token),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
