/* The other paths: one certificate, the search, revoking, tokens, the log, the clock, the state of the house.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "door.h"

static const char *path_of(struct door *d, const char *serial, const char *rest)
{
    return arena_printf(d->h->arena, "/v1/certificates/%s%s", serial, rest);
}

/* --- one certificate --- */

static void one_certificate_and_what_the_books_say(void **state)
{
    struct door *d = *state;
    const char *serial = door_issue(d, REQUESTER, "one.example.internal");
    struct said s = door_get(d, REQUESTER, path_of(d, serial, ""));
    assert_int_equal(s.status, 200);
    assert_string_equal(said_text(&s, "serial"), serial);
    assert_string_equal(said_text(&s, "status"), "valid");
    assert_string_equal(said_text(&s, "door"), "rest");
    assert_string_equal(json_string_value(json_array_get(json_object_get(s.json, "names"), 0)),
                        "dns:one.example.internal");
    assert_true(json_integer_value(json_object_get(s.json, "seal")) > 0);
    assert_true(json_integer_value(json_object_get(s.json, "entry")) > 0);
    assert_null(json_object_get(s.json, "revoked_at"));
    said_free(&s);
    s = door_ask(d, REQUESTER, "GET", path_of(d, serial, ""), "Accept: application/pem-certificate-chain\r\n",
                 view_of(NULL, 0));
    assert_int_equal(s.status, 200);
    assert_memory_equal(s.raw.body, "-----BEGIN CERTIFICATE-----", 27);
    said_free(&s);
    door_expect(
        door_ask(d, REQUESTER, "GET", path_of(d, serial, ""), "Accept: image/png\r\n", view_of(NULL, 0)), 406,
        "not-acceptable");
    s = door_ask(d, REQUESTER, "HEAD", path_of(d, serial, ""), NULL, view_of(NULL, 0));
    assert_int_equal(s.status, 200);
    assert_int_equal(s.raw.n, 0);
    said_free(&s);
}

static void serials_that_are_none(void **state)
{
    static const char *const serials[] = {"1",
                                          "zz",
                                          "4000000000000000000000000000000",
                                          "ABCDEF00000000000000000000000000",
                                          "40:00:00:00",
                                          "400000000000000000000000000000000000000000000000"};
    struct door *d = *state;
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++)
        door_expect(door_get(d, ADMIN, path_of(d, serials[i], "")), 404, "not-found");
    const char *serial = door_issue(d, REQUESTER, "one.example.internal");
    door_expect(door_get(d, ADMIN, path_of(d, serial, "?issuer=issuing")), 200, NULL);
    door_expect(door_get(d, ADMIN, path_of(d, serial, "?issuer=root")), 404, "not-found");
    door_expect(door_get(d, ADMIN, path_of(d, serial, "?isuer=issuing")), 400, "bad-request");
}

/* --- revoking --- */

static void revoking_says_what_stands(void **state)
{
    struct door *d = *state;
    const char *serial = door_issue(d, REQUESTER, "r.example.internal");
    struct said s = door_post(d, REQUESTER, path_of(d, serial, "/revoke"), "{\"reason\": \"superseded\"}");
    assert_int_equal(s.status, 200);
    assert_string_equal(said_text(&s, "reason"), "superseded");
    assert_true(json_is_false(json_object_get(s.json, "already")));
    const char *at = arena_str(d->h->arena, view_str(said_text(&s, "revoked_at")));
    said_free(&s);
    s = door_ask(d, REQUESTER, "POST", path_of(d, serial, "/revoke?issuer=issuing"), NULL, view_of(NULL, 0));
    assert_int_equal(s.status, 200);
    assert_true(json_is_true(json_object_get(s.json, "already")));
    assert_string_equal(said_text(&s, "reason"), "superseded");
    assert_string_equal(said_text(&s, "revoked_at"), at);
    said_free(&s);
    s = door_get(d, REQUESTER, path_of(d, serial, ""));
    assert_string_equal(said_text(&s, "status"), "revoked");
    assert_string_equal(said_text(&s, "reason"), "superseded");
    said_free(&s);
}

static void reasons_and_bodies_of_revoking(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *type;
    } rows[] = {
        {"{\"reason\": \"cACompromise\"}", 422, "bad-field"},
        {"{\"reason\": \"removeFromCRL\"}", 422, "bad-field"},
        {"{\"reason\": \"because\"}", 422, "bad-field"},
        {"{\"reason\": 1}", 422, "bad-field"},
        {"{\"reason\": \"\"}", 422, "bad-field"},
        {"{\"why\": \"superseded\"}", 422, "bad-field"},
        {"superseded", 400, "bad-json"},
    };
    struct door *d = *state;
    const char *serial = door_issue(d, REQUESTER, "r.example.internal");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        door_expect(door_post(d, REQUESTER, path_of(d, serial, "/revoke"), rows[i].body), rows[i].status,
                    rows[i].type);
    door_expect(door_ask(d, REQUESTER, "POST", path_of(d, serial, "/revoke"), "Content-Type: text/plain\r\n",
                         view_str("superseded")),
                415, "bad-media-type");
    door_expect(door_ask(d, REQUESTER, "POST", path_of(d, serial, "/revoke?x=y"), NULL, view_of(NULL, 0)),
                400, "bad-request");
    struct said s = door_get(d, REQUESTER, path_of(d, serial, ""));
    assert_string_equal(said_text(&s, "status"), "valid");
    said_free(&s);
}

/* --- the search --- */

static void the_search_goes_on_where_it_stopped(void **state)
{
    struct door *d = *state;
    struct said s = door_post(d, LOCAL, "/v1/tokens",
                              "{\"templates\": [\"server\"], \"names\": [\"dns:**.pages.internal\"]}");
    const char *kept = d->authorization[OTHER];
    d->authorization[OTHER] =
        arena_printf(d->h->arena, "Authorization: Bearer %s\r\n", said_text(&s, "token"));
    said_free(&s);
    for (int i = 0; i < 5; i++)
        (void)door_issue(d, OTHER, arena_printf(d->h->arena, "n%d.pages.internal", i));
    const char *query = "/v1/certificates?limit=2";
    size_t seen = 0;
    for (int pages = 0; query && pages < 20; pages++) {
        s = door_get(d, OTHER, query);
        assert_int_equal(s.status, 200);
        json_t *list = json_object_get(s.json, "certificates");
        assert_true(json_array_size(list) <= 2);
        seen += json_array_size(list);
        const char *next = json_string_value(json_object_get(s.json, "next"));
        query = next ? arena_printf(d->h->arena, "/v1/certificates?limit=2&cursor=%s", next) : NULL;
        said_free(&s);
    }
    assert_null(query);
    assert_int_equal(seen, 5);
    d->authorization[OTHER] = kept;
}

static size_t found(struct door *d, const char *query)
{
    struct said s = door_get(d, AUDITOR, arena_printf(d->h->arena, "/v1/certificates?%s", query));
    if (s.status != 200)
        fail_msg("%s: %s", query, (char *)s.raw.body);
    size_t n = json_array_size(json_object_get(s.json, "certificates"));
    said_free(&s);
    return n;
}

static void conditions_hold_together(void **state)
{
    struct door *d = *state;
    const char *a = door_issue(d, REQUESTER, "a.find.example.internal");
    (void)door_issue(d, REQUESTER, "b.find.example.internal");
    door_expect(door_post(d, REQUESTER, path_of(d, a, "/revoke"), "{}"), 200, NULL);
    assert_int_equal(found(d, "under=dns:find.example.internal"), 2);
    assert_int_equal(found(d, "name=dns:b.find.example.internal"), 1);
    assert_int_equal(found(d, "under=dns:find.example.internal&status=valid"), 1);
    assert_int_equal(found(d, "under=dns:find.example.internal&status=revoked"), 1);
    assert_int_equal(found(d, "under=dns:find.example.internal&status=expired"), 0);
    assert_int_equal(found(d, "under=dns:find.example.internal&template=client"), 0);
    assert_int_equal(found(d, "under=dns:find.example.internal&issuer=root"), 0);
    assert_int_equal(found(d, "under=dns:find.example.internal&not_after_till=2027-01-01T00:00:00Z"), 0);
    assert_int_equal(found(d, "under=dns:find.example.internal&not_after_from=2027-01-01T00:00:00Z"), 2);
}

static void searches_that_are_none(void **state)
{
    static const struct {
        const char *query;
        int status;
        const char *type, *pointer;
    } rows[] = {
        {"limit=0", 422, "bad-field", "/limit"},
        {"limit=1001", 422, "bad-field", "/limit"},
        {"limit=-1", 422, "bad-field", "/limit"},
        {"limit=5x", 422, "bad-field", "/limit"},
        {"limit=99999999999999999999999", 422, "bad-field", "/limit"},
        {"cursor=x", 422, "bad-field", "/cursor"},
        {"status=lost", 422, "bad-field", "/status"},
        {"name=plain", 422, "bad-field", "/name"},
        {"not_after_from=now", 422, "bad-field", "/not_after_from"},
        {"who=me", 400, "bad-request", ""},
        {"limit=1&limit=2", 400, "bad-request", ""},
        {"name=%zz", 400, "bad-request", ""},
    };
    struct door *d = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct said s = door_get(d, AUDITOR, arena_printf(d->h->arena, "/v1/certificates?%s", rows[i].query));
        if (s.status != rows[i].status || strcmp(s.type, rows[i].type) != 0 ||
            strcmp(s.pointer, rows[i].pointer) != 0)
            fail_msg("%s: %d %s at '%s': %s", rows[i].query, s.status, s.type, s.pointer, s.detail);
        said_free(&s);
    }
}

/* --- tokens --- */

static void a_token_s_text_is_shown_once(void **state)
{
    struct door *d = *state;
    struct said s = door_post(d, OPERATOR, "/v1/tokens",
                              "{\"templates\": [\"server\"], \"names\": [\"dns:t.example\"], \"uses\": 7, "
                              "\"ttl\": \"2h\", \"label\": \"for tests\"}");
    assert_int_equal(s.status, 201);
    assert_string_equal(web_header(&s.raw, "Cache-Control"), "no-store");
    const char *text = arena_str(d->h->arena, view_str(said_text(&s, "token")));
    const char *id = arena_str(d->h->arena, view_str(said_text(&s, "id")));
    said_free(&s);
    s = door_get(d, AUDITOR, "/v1/tokens");
    assert_int_equal(s.status, 200);
    assert_null(strstr((char *)s.raw.body, text));
    assert_non_null(strstr((char *)s.raw.body, id));
    assert_non_null(strstr((char *)s.raw.body, "for tests"));
    said_free(&s);
    s = door_get(d, AUDITOR, "/v1/log?limit=1000");
    assert_null(strstr((char *)s.raw.body, text));
    said_free(&s);
}

static void grants_that_are_none(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *type, *pointer;
    } rows[] = {
        {"{}", 422, "bad-field", NULL},
        {"{\"templates\": [\"server\"]}", 422, "bad-field", NULL},
        {"{\"templates\": [], \"names\": [\"dns:a\"]}", 422, "bad-field", NULL},
        {"{\"templates\": [\"server\"], \"names\": []}", 422, "bad-field", NULL},
        {"{\"templates\": [\"nothing\"], \"names\": [\"dns:a\"]}", 422, "bad-field", "/templates/0"},
        {"{\"templates\": [\"server\", \"self\"], \"names\": [\"dns:a\"]}", 422, "bad-field", "/templates/1"},
        {"{\"templates\": [\"admin\"], \"names\": [\"dns:a\"]}", 422, "bad-field", "/templates/0"},
        {"{\"templates\": [\"server\"], \"names\": [\"dns:a\", \"dns:a.*.b\"]}", 422, "bad-field",
         "/names/1"},
        {"{\"templates\": [\"server\"], \"names\": [\"ip:10.0.0.0/99\"]}", 422, "bad-field", "/names/0"},
        {"{\"templates\": [\"server\"], \"names\": [\"dns:a\"], \"uses\": -1}", 422, "bad-field", "/uses"},
        {"{\"templates\": [\"server\"], \"names\": [\"dns:a\"], \"ttl\": \"0d\"}", 422, "bad-field", "/ttl"},
        {"{\"templates\": [\"server\"], \"names\": [\"dns:a\"], \"role\": \"admin\"}", 422, "bad-field",
         NULL},
    };
    struct door *d = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct said s = door_post(d, ADMIN, "/v1/tokens", rows[i].body);
        if (s.status != rows[i].status || strcmp(s.type, rows[i].type) != 0 ||
            (rows[i].pointer && strcmp(s.pointer, rows[i].pointer) != 0))
            fail_msg("%s: %d %s at '%s': %s", rows[i].body, s.status, s.type, s.pointer, s.detail);
        said_free(&s);
    }
    door_expect(door_ask(d, ADMIN, "POST", "/v1/tokens", "Content-Type: text/plain\r\n", view_str("{}")), 415,
                "bad-media-type");
}

static void tokens_page_by_page(void **state)
{
    struct door *d = *state;
    const char *path = "/v1/tokens?limit=2";
    char last[65] = "";
    size_t n = 0;
    for (int pages = 0; path && pages < 1000; pages++) {
        struct said s = door_get(d, OPERATOR, path);
        assert_int_equal(s.status, 200);
        json_t *list = json_object_get(s.json, "tokens");
        for (size_t i = 0; i < json_array_size(list); i++, n++) {
            const char *id = json_string_value(json_object_get(json_array_get(list, i), "id"));
            assert_true(strcmp(id, last) > 0);
            snprintf(last, sizeof last, "%s", id);
        }
        const char *next = json_string_value(json_object_get(s.json, "next"));
        path = next ? arena_printf(d->h->arena, "/v1/tokens?limit=2&after=%s", next) : NULL;
        said_free(&s);
    }
    assert_null(path);
    assert_int_equal(n, house_entries(d->h, LEDGER_TOKEN_CREATE));
    door_expect(door_get(d, OPERATOR, "/v1/tokens?after=xyz"), 422, "bad-field");
    door_expect(door_get(d, OPERATOR, "/v1/tokens?page=2"), 400, "bad-request");
}

static void tokens_are_named_by_the_beginning_of_their_id(void **state)
{
    static const char *const ids[] = {
        "1234", "zzzzzzzz", "0000000000000000",
        "00000000000000000000000000000000000000000000000000000000000000000000000000"};
    struct door *d = *state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct said s = door_ask(d, ADMIN, "DELETE", arena_printf(d->h->arena, "/v1/tokens/%s", ids[i]), NULL,
                                 view_of(NULL, 0));
        assert_in_range(s.status, 400, 422);
        said_free(&s);
    }
}

/* --- the log --- */

static void the_log_in_order(void **state)
{
    struct door *d = *state;
    struct ledger_head head;
    uint64_t expected = 1;
    const char *path = "/v1/log?limit=7";
    while (path) {
        struct said s = door_get(d, AUDITOR, path);
        assert_int_equal(s.status, 200);
        json_t *list = json_object_get(s.json, "entries"), *next = json_object_get(s.json, "next");
        for (size_t i = 0; i < json_array_size(list); i++, expected++) {
            json_t *row = json_array_get(list, i);
            assert_int_equal(json_integer_value(json_object_get(row, "entry")), expected);
            assert_int_equal(strlen(json_string_value(json_object_get(row, "leaf"))), 64);
            assert_true(json_is_object(json_object_get(row, "detail")));
        }
        path = json_is_integer(next) ? arena_printf(d->h->arena, "/v1/log?limit=7&from=%lld",
                                                    (long long)json_integer_value(next))
                                     : NULL;
        said_free(&s);
    }
    OK(ledger_head(d->h->ledger, &head));
    assert_int_equal(expected, head.entries + 1);
    struct said s = door_get(d, AUDITOR, "/v1/log?from=99999999999");
    assert_int_equal(json_array_size(json_object_get(s.json, "entries")), 0);
    assert_true(json_is_null(json_object_get(s.json, "next")));
    said_free(&s);
    door_expect(door_get(d, AUDITOR, "/v1/log?from=x"), 422, "bad-field");
    door_expect(door_get(d, AUDITOR, "/v1/log?from=-1"), 422, "bad-field");
    door_expect(door_get(d, AUDITOR, "/v1/log?limit=1001"), 422, "bad-field");
}

/* --- the house --- */

static void issuers(void **state)
{
    struct door *d = *state;
    struct said s = door_get(d, REQUESTER, "/v1/issuers");
    json_t *list = json_object_get(s.json, "issuers"), *issuing = json_array_get(list, 1);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(issuing, "parent")), "root");
    assert_true(json_is_true(json_object_get(issuing, "issues")));
    assert_string_equal(json_string_value(json_object_get(issuing, "crl")),
                        "http://pki.example.internal/crl/issuing.crl");
    assert_null(json_object_get(json_array_get(list, 0), "parent"));
    said_free(&s);
    door_expect(door_get(d, REQUESTER, "/v1/issuers?x=y"), 400, "bad-request");
}

static void healthy_ready_and_counted(void **state)
{
    struct door *d = *state;
    struct said s = door_get(d, NOBODY, "/healthz");
    assert_int_equal(s.status, 200);
    assert_string_equal((char *)s.raw.body, "ok\n");
    said_free(&s);
    s = door_get(d, NOBODY, "/readyz");
    assert_int_equal(s.status, 200);
    assert_true(json_is_true(json_object_get(s.json, "ready")));
    assert_string_equal(said_text(&s, "isolation"), "none at all");
    said_free(&s);
    d->trouble = true; /* a probe that is shown, but does not stop issuance */
    s = door_get(d, NOBODY, "/readyz");
    assert_int_equal(s.status, 200);
    assert_non_null(strstr((char *)s.raw.body, "something is not well"));
    said_free(&s);
    d->trouble = false;
    house_drop(d->h);
    s = door_get(d, NOBODY, "/readyz");
    assert_int_equal(s.status, 503);
    assert_non_null(web_header(&s.raw, "Retry-After"));
    assert_non_null(strstr((char *)s.raw.body, "the vault is not there"));
    said_free(&s);
    house_attach(d->h);
    s = door_get(d, NOBODY, "/metrics"); /* over loopback */
    assert_int_equal(s.status, 200);
    assert_non_null(strstr((char *)s.raw.body, "chancery_certificates_issued_total"));
    said_free(&s);
}

static void a_person_confirms_the_clock(void **state)
{
    struct door *d = *state;
    struct ledger_entry entry;
    struct said s;
    house_leap(d->h, 7200 * 1000);
    door_expect(door_post(d, REQUESTER, "/v1/certificates",
                          door_body(d, "server", house_csr_for(d->h, "c.example.internal"), "")),
                503, "clock");
    s = door_get(d, NOBODY, "/readyz");
    assert_int_equal(s.status, 503);
    assert_non_null(strstr((char *)s.raw.body, "leapt"));
    said_free(&s);
    door_expect(door_post(d, OPERATOR, "/v1/clock/confirm", ""), 403, "forbidden");
    door_expect(door_post(d, LOCAL, "/v1/clock/confirm", ""), 200, NULL);
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_CLOCK, &entry));
    assert_int_equal(entry.body.note.number, CA_CLOCK_CONFIRMED);
    (void)door_issue(d, REQUESTER, "c.example.internal");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_certificate_and_what_the_books_say),
        cmocka_unit_test(serials_that_are_none),
        cmocka_unit_test(revoking_says_what_stands),
        cmocka_unit_test(reasons_and_bodies_of_revoking),
        cmocka_unit_test(the_search_goes_on_where_it_stopped),
        cmocka_unit_test(conditions_hold_together),
        cmocka_unit_test(searches_that_are_none),
        cmocka_unit_test(a_token_s_text_is_shown_once),
        cmocka_unit_test(grants_that_are_none),
        cmocka_unit_test(tokens_page_by_page),
        cmocka_unit_test(tokens_are_named_by_the_beginning_of_their_id),
        cmocka_unit_test(the_log_in_order),
        cmocka_unit_test(issuers),
        cmocka_unit_test(healthy_ready_and_counted),
        cmocka_unit_test(a_person_confirms_the_clock),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
