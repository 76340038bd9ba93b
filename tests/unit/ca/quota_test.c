/*
 * How often: buckets by themselves; and issuances against a template's limits, each with the one that lets it
 * pass.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/world.h"
#include "house_scene.h"
#include "quota.h"

/* --- buckets --- */

static const struct templates_rate three = {3, 60};

static void a_bucket_holds_so_many_and_fills_up_again(void **state)
{
    (void)state;
    struct quota *l = quota_new();
    struct quota_id id = quota_id_of("asker", "server", "token:1");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(quota_wait_ms(l, id, three, 1000), 0);
        quota_take(l, id, three, 1000);
    }
    assert_int_equal(quota_wait_ms(l, id, three, 1000), 20000);
    assert_int_equal(quota_wait_ms(l, id, three, 20999), 1);
    assert_int_equal(quota_wait_ms(l, id, three, 21000), 0);
    quota_take(l, id, three, 21000);
    assert_int_equal(quota_wait_ms(l, id, three, 21000), 20000);
    assert_int_equal(quota_wait_ms(l, id, three, 21000 + 60000), 0);
    quota_free(l);
}

static void buckets_are_apart_and_forgotten_when_full(void **state)
{
    (void)state;
    struct quota *l = quota_new();
    char who[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(who, sizeof who, "token:%d", i);
        struct quota_id id = quota_id_of("asker", "server", who);
        assert_int_equal(quota_wait_ms(l, id, (struct templates_rate){1, 60}, 1000), 0);
        quota_take(l, id, (struct templates_rate){1, 60}, 1000);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(who, sizeof who, "token:%d", i);
        assert_true(
            quota_wait_ms(l, quota_id_of("asker", "server", who), (struct templates_rate){1, 60}, 1000) > 0);
    }
    assert_int_equal(quota_count(l), 5000);
    for (int i = 0; i < 5000; i++) {
        snprintf(who, sizeof who, "later:%d", i);
        quota_take(l, quota_id_of("asker", "server", who), (struct templates_rate){1, 60}, 90000);
    }
    assert_true(quota_count(l) < 8000); /* those of the first minute went when there was need of room */
    quota_free(l);
}

/* --- issuances --- */

struct scene {
    struct house *h;
    struct ca_asker *ann, *bob;
};

static struct ca_asker *asker(struct house *h)
{
    static const char *const templates[] = {"per-asker",    "per-template", "per-name", "keys-once",
                                            "keys-renewal", "renew-within", NULL};
    static const char *const names[] = {"dns:**.example.internal", NULL};
    return house_token(h, templates, names, 0);
}

static int setup(void **state)
{
    static struct scene s;
    if (house_setup(state) != 0)
        return 1;
    s.h = *state;
    s.ann = asker(s.h);
    s.bob = asker(s.h);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    *state = ((struct scene *)*state)->h;
    return house_teardown(state);
}

static enum err_code ask(struct scene *s, struct ca_asker *who, const char *template, EVP_PKEY *key,
                         const char *sans, struct house_issued *to)
{
    EVP_PKEY *own = key ? key : house_key();
    struct ca_request r = house_request(s->h, who, template, house_csr(s->h, own, NULL, sans));
    if (!key)
        EVP_PKEY_free(own);
    return house_issue(s->h, &r, to);
}

static void an_asker_has_a_bucket_of_its_own(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    assert_int_equal(ask(s, s->ann, "per-asker", NULL, "DNS:a.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "per-asker", NULL, "DNS:b.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "per-asker", NULL, "DNS:c.example.internal", &to), ERR_RATE);
    assert_non_null(strstr(to.detail, "2 certificates by template 'per-asker' in 1h"));
    assert_string_equal(to.pointer, "/template");
    assert_int_equal(ask(s, s->bob, "per-asker", NULL, "DNS:d.example.internal", &to), ERR__COUNT);
    house_pass(s->h, 1801);
    assert_int_equal(ask(s, s->ann, "per-asker", NULL, "DNS:e.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "per-asker", NULL, "DNS:f.example.internal", &to), ERR_RATE);
}

/* What is refused for another reason takes nothing. */
static void a_refusal_takes_nothing_from_the_bucket(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    struct ca_asker *carol = asker(s->h);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(s, carol, "per-asker", NULL, "DNS:a.elsewhere.internal", &to),
                         ERR_NAME_FORBIDDEN);
    assert_int_equal(ask(s, carol, "per-asker", NULL, "DNS:a.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, carol, "per-asker", NULL, "DNS:b.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, carol, "per-asker", NULL, "DNS:c.example.internal", &to), ERR_RATE);
}

static void a_template_has_one_bucket_for_all(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    assert_int_equal(ask(s, s->ann, "per-template", NULL, "DNS:a.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->bob, "per-template", NULL, "DNS:b.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "per-template", NULL, "DNS:c.example.internal", &to), ERR_RATE);
    assert_int_equal(ask(s, s->bob, "per-template", NULL, "DNS:d.example.internal", &to), ERR_RATE);
}

static void a_name_has_its_quota_on_record(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    assert_int_equal(ask(s, s->ann, "per-name", NULL, "DNS:n.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->bob, "per-name", NULL, "DNS:n.example.internal,DNS:m.example.internal", &to),
                     ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "per-name", NULL, "DNS:m.example.internal,DNS:n.example.internal", &to),
                     ERR_RATE);
    assert_string_equal(to.pointer, "/sans/1");
    assert_int_equal(ask(s, s->ann, "per-name", NULL, "DNS:m.example.internal", &to), ERR__COUNT);
    house_front_close(s->h);
    house_front_open(s->h);
    house_attach(s->h);
    assert_int_equal(ask(s, s->ann, "per-name", NULL, "DNS:n.example.internal", &to), ERR_RATE);
    house_pass(s->h, 7 * 86400 + 60);
    assert_int_equal(ask(s, s->ann, "per-name", NULL, "DNS:n.example.internal", &to), ERR__COUNT);
}

/* Five at once for one name: two pass. */
static void those_on_their_way_count(void **state)
{
    enum { N = 5 };
    struct scene *s = *state;
    struct house_issued to[N];
    int passed = 0;
    for (int i = 0; i < N; i++) {
        struct ca_request r =
            house_request(s->h, s->ann, "per-name", house_csr_for(s->h, "p.example.internal"));
        house_ask(s->h, &r, &to[i]);
    }
    for (int i = 0; i < N; i++) {
        house_await(s->h, &to[i].done);
        passed += to[i].code == ERR__COUNT;
    }
    assert_int_equal(passed, 2);
}

static void a_key_is_certified_once(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    EVP_PKEY *key = house_key();
    assert_int_equal(ask(s, s->ann, "keys-once", key, "DNS:k.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "keys-once", key, "DNS:k.example.internal", &to), ERR_BAD_KEY);
    assert_int_equal(ask(s, s->ann, "keys-once", NULL, "DNS:k.example.internal", &to), ERR__COUNT);
    EVP_PKEY_free(key);
}

static void a_key_is_renewed_for_its_names_alone(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    EVP_PKEY *key = house_key();
    assert_int_equal(ask(s, s->ann, "keys-renewal", key, "DNS:r.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "keys-renewal", key, "DNS:r.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "keys-renewal", key, "DNS:q.example.internal", &to), ERR_BAD_KEY);
    assert_int_equal(
        ask(s, s->ann, "keys-renewal", key, "DNS:r.example.internal,DNS:q.example.internal", &to),
        ERR_BAD_KEY);
    EVP_PKEY_free(key);
}

static void a_certificate_is_renewed_near_its_end(void **state)
{
    struct scene *s = *state;
    struct house_issued to;
    assert_int_equal(ask(s, s->ann, "renew-within", NULL, "DNS:w.example.internal", &to), ERR__COUNT);
    assert_int_equal(ask(s, s->ann, "renew-within", NULL, "DNS:w.example.internal", &to), ERR_RATE);
    assert_non_null(strstr(to.detail, "renews it from "));
    assert_int_equal(
        ask(s, s->ann, "renew-within", NULL, "DNS:w.example.internal,DNS:v.example.internal", &to),
        ERR__COUNT);
    assert_int_equal(ask(s, s->bob, "renew-within", NULL, "DNS:w.example.internal", &to), ERR__COUNT);
    house_pass(s->h, 60 * 86400 + 60);
    assert_int_equal(ask(s, s->ann, "renew-within", NULL, "DNS:w.example.internal", &to), ERR__COUNT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_so_many_and_fills_up_again),
        cmocka_unit_test(buckets_are_apart_and_forgotten_when_full),
        cmocka_unit_test(an_asker_has_a_bucket_of_its_own),
        cmocka_unit_test(a_refusal_takes_nothing_from_the_bucket),
        cmocka_unit_test(a_template_has_one_bucket_for_all),
        cmocka_unit_test(those_on_their_way_count),
        cmocka_unit_test(a_key_is_certified_once),
        cmocka_unit_test(a_key_is_renewed_for_its_names_alone),
        cmocka_unit_test(a_name_has_its_quota_on_record),
        cmocka_unit_test(a_certificate_is_renewed_near_its_end),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, teardown);
}
