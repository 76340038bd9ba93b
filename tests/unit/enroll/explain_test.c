/* POST /v1/templates/{name}/explain: the verdict is that of an issuance, and nothing is left behind. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"

static struct said explain(struct door *d, enum door_who who, const char *template, struct view csr,
                           const char *more)
{
    json_t *body = json_loads(door_body(d, "x", csr, more), 0, NULL);
    json_object_del(body, "template");
    char *text = json_dumps(body, 0);
    const char *path = arena_printf(d->h->arena, "/v1/templates/%s/explain", template);
    struct said s = door_post(d, who, path, text);
    free(text);
    json_decref(body);
    return s;
}

static const char *of_rule(const struct said *s, const char *rule, const char *member)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(s->json, "rules"), i, row)
    {
        const char *text = json_string_value(json_object_get(row, member));
        if (strcmp(json_string_value(json_object_get(row, "rule")), rule) == 0)
            return text ? text : "";
    }
    fail_msg("no rule %s", rule);
    return NULL;
}

static bool issued(const struct said *s)
{
    assert_int_equal(s->status, 200);
    return json_is_true(json_object_get(s->json, "issued"));
}

static struct view csr_of(struct door *d, const char *cn, const char *sans)
{
    EVP_PKEY *key = house_key();
    struct view csr = house_csr(d->h, key, cn, sans);
    EVP_PKEY_free(key);
    return csr;
}

static void a_good_request_is_explained_and_nothing_is_written(void **state)
{
    struct door *d = *state;
    struct ledger_head before, after;
    house_quiet(d->h);
    OK(ledger_head(d->h->ledger, &before));
    house_run(d->h, 1500); /* the status is asked for each second */
    uint64_t roll = hsm_status(d->h->hsm)->roll_n;
    struct said s = explain(d, REQUESTER, "server", csr_of(d, NULL, "DNS:a.example.internal"), "");
    assert_true(issued(&s));
    assert_string_equal(said_text(&s, "template"), "server");
    assert_string_equal(said_text(&s, "issuer"), "issuing");
    assert_memory_equal(said_text(&s, "asker"), "token:", 6);
    assert_string_equal(of_rule(&s, "vault", "verdict"), "kept");
    assert_string_equal(of_rule(&s, "vault", "judge"), "vault");
    assert_string_equal(of_rule(&s, "admit.possession", "judge"), "front");
    assert_string_equal(of_rule(&s, "sans.kinds", "judge"), "both");
    said_free(&s);
    house_quiet(d->h);
    OK(ledger_head(d->h->ledger, &after));
    assert_int_equal(before.entries + 1, after.entries); /* house_quiet writes one */
    house_run(d->h, 1500);
    assert_int_equal(roll, hsm_status(d->h->hsm)->roll_n);
}

/* The same answer as from an issuance, over requests good and bad. */
static void it_agrees_with_issuing(void **state)
{
    static const struct {
        const char *template, *cn, *sans, *more;
    } cases[] = {
        {"server", NULL, "DNS:a.example.internal", ""},
        {"server", "b.example.internal", NULL, ""},
        {"server", NULL, "DNS:a.elsewhere.internal", ""},
        {"server", NULL, "DNS:*.example.internal", ""},
        {"server", NULL, NULL, ""},
        {"server", NULL, "DNS:a.example.internal", ",\"validity\": \"4000d\""},
        {"server", NULL, "DNS:a.example.internal", ",\"issuer\": \"root\""},
        {"server", NULL, "DNS:a.example.internal", ",\"issuer\": \"nobody\""},
        {"server", NULL, "DNS:a.example.internal", ",\"sans\": [\"dns:c.example.internal\"]"},
        {"client", "a.example.internal", NULL, ""},
        {"client", "Somebody Else", NULL, ""},
    };
    struct door *d = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view csr = csr_of(d, cases[i].cn, cases[i].sans);
        struct said x = explain(d, REQUESTER, cases[i].template, csr, cases[i].more);
        struct said s =
            door_post(d, REQUESTER, "/v1/certificates", door_body(d, cases[i].template, csr, cases[i].more));
        if (issued(&x) != (s.status == 201))
            fail_msg("case %zu: explained as %d, issued with %d %s", i, issued(&x), s.status, s.detail);
        said_free(&x);
        said_free(&s);
    }
}

static void each_broken_rule_has_its_row(void **state)
{
    struct door *d = *state;
    struct said s =
        explain(d, REQUESTER, "server",
                csr_of(d, "other.example.internal", "DNS:*.elsewhere.internal,DNS:a.elsewhere.internal"),
                ",\"validity\": \"4000d\"");
    assert_false(issued(&s));
    assert_string_equal(of_rule(&s, "admit.names", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "sans.wildcard", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "validity.max", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "subject.cn", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "vault", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "validity.max", "pointer"), "/validity");
    assert_string_equal(of_rule(&s, "validity.max", "type"), "urn:chancery:error:policy");
    said_free(&s);
}

static void a_key_in_use_is_told(void **state)
{
    struct door *d = *state;
    EVP_PKEY *key = house_key();
    struct view csr = house_csr(d->h, key, NULL, "DNS:k.example.internal");
    EVP_PKEY_free(key);
    door_expect(door_post(d, OTHER, "/v1/certificates", door_body(d, "server", csr, "")), 201, NULL);
    struct said s = explain(d, REQUESTER, "server", csr, "");
    assert_string_equal(of_rule(&s, "admit.key", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "admit.names", "verdict"), "kept");
    said_free(&s);
}

/* What cannot be gone on without is said, and everything behind it stays open. */
static void without_a_csr_nothing_is_judged(void **state)
{
    struct door *d = *state;
    struct said s = explain(d, REQUESTER, "server", view_str("no csr"), "");
    assert_false(issued(&s));
    assert_string_equal(of_rule(&s, "admit.csr", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "admit.possession", "verdict"), "open");
    assert_string_equal(of_rule(&s, "vault", "verdict"), "open");
    assert_int_equal(json_array_size(json_object_get(s.json, "fields")), 0);
    said_free(&s);
}

static void staff_may_ask_for_others(void **state)
{
    struct door *d = *state;
    struct view csr = csr_of(d, NULL, "DNS:a.elsewhere.internal");
    struct said s = explain(d, REQUESTER, "server", csr, "");
    const char *more = arena_printf(d->h->arena, ",\"asker\": \"%s\"", said_text(&s, "asker"));
    said_free(&s);
    s = explain(d, OPERATOR, "server", csr, "");
    assert_true(issued(&s)); /* an operator has every name */
    said_free(&s);
    s = explain(d, AUDITOR, "server", csr, more);
    assert_string_equal(of_rule(&s, "admit.names", "verdict"), "broken");
    assert_memory_equal(said_text(&s, "asker"), "token:", 6);
    said_free(&s);
    s = explain(d, OPERATOR, "server", csr, ",\"asker\": \"roster:the-auditor\"");
    assert_string_equal(of_rule(&s, "admit.template", "verdict"), "broken");
    said_free(&s);
    door_expect(explain(d, OTHER, "server", csr, more), 403, "forbidden");
    door_expect(explain(d, ADMIN, "server", csr, ",\"asker\": \"token:00000000\""), 422, "bad-field");
    door_expect(explain(d, ADMIN, "server", csr, ",\"asker\": \"cert:issuing/00\""), 422, "bad-field");
    door_expect(explain(d, ADMIN, "server", csr, ",\"asker\": \"somebody\""), 422, "bad-field");
    door_expect(explain(d, ADMIN, "bogus", csr, ""), 404, "template-unknown");
    door_expect(door_post(d, ADMIN, "/v1/templates/server/explain", door_body(d, "client", csr, "")), 422,
                "bad-field");
}

static void with_the_vault_away_its_row_is_open(void **state)
{
    struct door *d = *state;
    house_drop(d->h);
    struct said s = explain(d, REQUESTER, "server", csr_of(d, NULL, "DNS:a.example.internal"), "");
    house_attach(d->h);
    assert_false(issued(&s));
    assert_string_equal(of_rule(&s, "admit.ready", "verdict"), "broken");
    assert_string_equal(of_rule(&s, "admit.names", "verdict"), "kept");
    assert_string_equal(of_rule(&s, "vault", "verdict"), "open");
    said_free(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_request_is_explained_and_nothing_is_written),
        cmocka_unit_test(it_agrees_with_issuing),
        cmocka_unit_test(each_broken_rule_has_its_row),
        cmocka_unit_test(a_key_in_use_is_told),
        cmocka_unit_test(without_a_csr_nothing_is_judged),
        cmocka_unit_test(staff_may_ask_for_others),
        cmocka_unit_test(with_the_vault_away_its_row_is_open),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
