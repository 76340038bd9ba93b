/* Renewal by the certificate itself, over REST and EST: when, for which names, and what a second key means.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/pem.h"
#include "door.h"

enum { DAY_S = 86400 };

/* What a device holds. */
struct device {
    EVP_PKEY *key;
    const char *name;
    const char *serial;
    struct view der;
};

static struct view csr_of(struct door *d, EVP_PKEY *key, const char *name)
{
    return house_csr(d->h, key, name, arena_printf(d->h->arena, "DNS:%s", name));
}

/* A token for this template, whose text goes into OTHER's header. */
static void new_token(struct door *d, const char *template, int uses)
{
    struct said s =
        door_post(d, LOCAL, "/v1/tokens",
                  arena_printf(d->h->arena,
                               "{\"templates\": [\"%s\"], \"names\": [\"dns:**.example.internal\"], "
                               "\"uses\": %d, \"ttl\": \"900d\"}",
                               template, uses));
    assert_int_equal(s.status, 201);
    d->authorization[OTHER] =
        arena_printf(d->h->arena, "Authorization: Bearer %s\r\n", said_text(&s, "token"));
    said_free(&s);
}

/* Serial and certificate of an answer that must have this status. */
static void take(struct door *d, struct said s, int status, struct device *to)
{
    struct view *ders;
    size_t n;
    if (s.status != status)
        fail_msg("%d: %s", s.status, (char *)s.raw.body);
    to->serial = arena_str(d->h->arena, view_str(said_text(&s, "serial")));
    OK(cert_pem_read_all(view_str(said_text(&s, "certificate")), "CERTIFICATE", 1, d->h->arena, &ders, &n));
    to->der = ders[0];
    said_free(&s);
}

static struct device bootstrap(struct door *d, const char *name)
{
    struct device dev = {.key = house_key(), .name = name};
    new_token(d, "fleet", 1);
    take(d, door_post(d, OTHER, "/v1/certificates", door_body(d, "fleet", csr_of(d, dev.key, name), "")), 201,
         &dev);
    door_show(d, dev.der, dev.key);
    return dev;
}

static struct said renew_for(struct door *d, const struct device *dev, EVP_PKEY *key, const char *name)
{
    return door_ask(d, HOLDER, "POST", arena_printf(d->h->arena, "/v1/certificates/%s/renew", dev->serial),
                    "Content-Type: application/pkcs10\r\n", csr_of(d, key, name));
}

static struct said renew(struct door *d, const struct device *dev, EVP_PKEY *key)
{
    return renew_for(d, dev, key, dev->name);
}

static void in_its_window_and_not_before(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "a.example.internal"), next = dev;
    struct said s = renew(d, &dev, dev.key);
    assert_true(atoi(web_header(&s.raw, "Retry-After")) > 59 * DAY_S);
    door_expect(s, 429, "rate");
    house_pass(d->h, 61 * DAY_S);
    next.key = house_key();
    s = renew(d, &dev, next.key);
    assert_non_null(web_header(&s.raw, "Renew-After"));
    take(d, s, 201, &next);
    assert_string_not_equal(next.serial, dev.serial);

    /* The line goes on with the new key, and stands on record. */
    door_show(d, next.der, next.key);
    s = door_get(d, HOLDER, arena_printf(d->h->arena, "/v1/certificates/%s", next.serial));
    assert_string_equal(said_text(&s, "replaces"), dev.serial);
    said_free(&s);
    house_pass(d->h, 61 * DAY_S);
    take(d, renew(d, &next, next.key), 201, &dev);
    EVP_PKEY_free(dev.key);
    EVP_PKEY_free(next.key);
}

static void a_lost_answer_comes_again(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "b.example.internal"), first = dev, again = dev;
    EVP_PKEY *key = house_key();
    house_pass(d->h, 61 * DAY_S);
    take(d, renew(d, &dev, key), 201, &first);
    take(d, renew(d, &dev, key), 200, &again); /* signed anew: the same all the same */
    assert_string_equal(first.serial, again.serial);
    EVP_PKEY_free(key);
    EVP_PKEY_free(dev.key);
}

static void a_second_key_is_an_alarm(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "c.example.internal"), next = dev;
    EVP_PKEY *key = house_key(), *thief = house_key();
    struct ledger_entry entry;
    house_pass(d->h, 61 * DAY_S);
    house_quiet(d->h);
    size_t alarms = house_entries(d->h, LEDGER_ALARM);
    take(d, renew(d, &dev, key), 201, &next);
    struct said s = renew(d, &dev, thief);
    assert_non_null(strstr(s.detail, next.serial));
    door_expect(s, 409, "renewed");
    house_quiet(d->h);
    assert_int_equal(house_entries(d->h, LEDGER_ALARM), alarms + 1);
    assert_true(house_last(d->h, LEDGER_ALARM, &entry));
    assert_non_null(strstr(entry.body.note.what, dev.serial));
    assert_true(house_last(d->h, LEDGER_DENY, &entry));
    assert_string_equal(entry.body.deny.type, "renewed");
    EVP_PKEY_free(key);
    EVP_PKEY_free(thief);
    EVP_PKEY_free(dev.key);
}

static void the_names_stay(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "d.example.internal"), next;
    house_pass(d->h, 61 * DAY_S);
    door_expect(renew_for(d, &dev, dev.key, "e.example.internal"), 403, "name-forbidden");
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s/renew", dev.serial);
    struct view more =
        house_csr(d->h, dev.key, dev.name, "DNS:d.example.internal,DNS:d.example.internal,DNS:www.d.example");
    door_expect(door_ask(d, HOLDER, "POST", path, "Content-Type: application/pkcs10\r\n", more), 403,
                "name-forbidden");
    struct view fewer = house_csr(d->h, dev.key, dev.name, NULL);
    door_expect(door_ask(d, HOLDER, "POST", path, "Content-Type: application/pkcs10\r\n", fewer), 403,
                "name-forbidden");
    take(d, renew(d, &dev, dev.key), 201, &next);
    EVP_PKEY_free(dev.key);
}

static void past_its_end_for_as_long_as_the_template_says(void **state)
{
    struct door *d = *state;
    struct device late = bootstrap(d, "f.example.internal"), next;
    house_pass(d->h, 95 * DAY_S);
    door_expect(door_get(d, HOLDER, "/v1/issuers"), 401, "unauthenticated");
    take(d, renew(d, &late, late.key), 201, &next);
    EVP_PKEY_free(late.key);
    late = bootstrap(d, "g.example.internal");
    house_pass(d->h, 101 * DAY_S);
    struct said s = renew(d, &late, late.key);
    assert_non_null(strstr(s.detail, "10d"));
    door_expect(s, 409, "renewed");
    EVP_PKEY_free(late.key);
}

static void a_revoked_one_does_not(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "h.example.internal");
    house_pass(d->h, 61 * DAY_S);
    door_expect(door_post(d, OPERATOR, arena_printf(d->h->arena, "/v1/certificates/%s/revoke", dev.serial),
                          "{\"reason\": \"superseded\"}"),
                200, NULL);
    door_expect(renew(d, &dev, dev.key), 401, "unauthenticated");
    EVP_PKEY_free(dev.key);
}

static void nobody_renews_for_others(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "i.example.internal"), other;
    const char *path = arena_printf(d->h->arena, "/v1/certificates/%s/renew", dev.serial);
    struct view csr = csr_of(d, dev.key, dev.name);
    house_pass(d->h, 61 * DAY_S);
    door_expect(door_ask(d, NOBODY, "POST", path, "Content-Type: application/pkcs10\r\n", csr), 401,
                "unauthenticated");
    door_expect(door_ask(d, OTHER, "POST", path, "Content-Type: application/pkcs10\r\n", csr), 403,
                "forbidden");
    door_expect(door_ask(d, OPERATOR, "POST", path, "Content-Type: application/pkcs10\r\n", csr), 403,
                "forbidden");
    other = bootstrap(d, "j.example.internal");
    door_expect(door_ask(d, HOLDER, "POST", path, "Content-Type: application/pkcs10\r\n", csr), 403,
                "forbidden");
    EVP_PKEY_free(dev.key);
    EVP_PKEY_free(other.key);
}

static void over_est(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "k.example.internal");
    struct ledger_entry entry;
    const char *csr = base64_of(d->h->arena, csr_of(d, dev.key, dev.name));
    const char *other = base64_of(d->h->arena, csr_of(d, dev.key, "l.example.internal"));
    static const char type[] = "Content-Type: application/pkcs10\r\n";
    house_pass(d->h, 61 * DAY_S);
    door_expect(door_ask(d, HOLDER, "POST", "/.well-known/est/server/simplereenroll", type, view_str(csr)),
                403, "forbidden");
    door_expect(door_ask(d, HOLDER, "POST", "/.well-known/est/simplereenroll", type, view_str(other)), 403,
                "name-forbidden");
    door_expect(door_ask(d, OTHER, "POST", "/.well-known/est/simplereenroll", type, view_str(csr)), 403,
                "forbidden");
    door_expect(door_ask(d, HOLDER, "POST", "/fleet/.well-known/est/simplereenroll", type, view_str(csr)),
                200, NULL);
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_INTENT, &entry));
    assert_string_equal(entry.door, "est");
    assert_true(entry.body.intent.replaces > 0);
    EVP_PKEY_free(dev.key);
}

/* --- a token's use is bound to key and names --- */

static void the_same_csr_with_a_used_token(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "m.example.internal"), again;
    take(d, door_post(d, OTHER, "/v1/certificates", door_body(d, "fleet", csr_of(d, dev.key, dev.name), "")),
         200, &again);
    assert_string_equal(again.serial, dev.serial);
    EVP_PKEY *key = house_key();
    door_expect(door_post(d, OTHER, "/v1/certificates", door_body(d, "fleet", csr_of(d, key, dev.name), "")),
                429, "rate"); /* the window */
    door_expect(door_post(d, OTHER, "/v1/certificates",
                          door_body(d, "fleet", csr_of(d, key, "n.example.internal"), "")),
                403, "token-used");
    house_pass(d->h, DAY_S + 1);
    door_expect(door_post(d, OTHER, "/v1/certificates",
                          door_body(d, "fleet", csr_of(d, dev.key, "o.example.internal"), "")),
                403, "token-used");
    EVP_PKEY_free(key);
    EVP_PKEY_free(dev.key);
}

static void a_token_without_bound_makes_a_new_one_each_time(void **state)
{
    struct door *d = *state;
    struct device dev = {.key = house_key(), .name = "p.example.internal"}, one, two;
    new_token(d, "client", 0);
    const char *body = door_body(d, "client", csr_of(d, dev.key, dev.name), "");
    take(d, door_post(d, OTHER, "/v1/certificates", body), 201, &one);
    take(d, door_post(d, OTHER, "/v1/certificates", body), 201, &two);
    assert_string_not_equal(one.serial, two.serial);
    EVP_PKEY_free(dev.key);
}

/* The name of our issuer and the serial of a device of ours, and another's signature. */
static void a_forged_one_renews_nothing(void **state)
{
    struct door *d = *state;
    struct device dev = bootstrap(d, "r.example.internal");
    EVP_PKEY *key = house_key();
    unsigned char *der = NULL;
    const unsigned char *ours = d->h->issuing.p, *theirs = dev.der.p;
    X509 *ca = d2i_X509(NULL, &ours, (long)d->h->issuing.n);
    X509 *genuine = d2i_X509(NULL, &theirs, (long)dev.der.n), *forged = door_self_signed(key, "x");
    X509_set_issuer_name(forged, X509_get_subject_name(ca));
    X509_set_serialNumber(forged, X509_get_serialNumber(genuine));
    X509_set1_notAfter(forged, X509_get0_notAfter(genuine));
    assert_true(X509_sign(forged, key, EVP_sha256()) > 0);
    int n = i2d_X509(forged, &der);
    door_show(d, arena_dup(d->h->arena, view_of(der, (size_t)n)), key);
    house_pass(d->h, 61 * DAY_S);
    door_expect(renew(d, &dev, key), 401, "unauthenticated");
    door_expect(door_ask(d, HOLDER, "POST", "/.well-known/est/simplereenroll",
                         "Content-Type: application/pkcs10\r\n",
                         view_str(base64_of(d->h->arena, csr_of(d, key, dev.name)))),
                401, "unauthenticated");
    OPENSSL_free(der);
    X509_free(ca);
    X509_free(genuine);
    X509_free(forged);
    EVP_PKEY_free(key);
    EVP_PKEY_free(dev.key);
}

/* --- a key that was registered beforehand --- */

static const char *spki_of(struct door *d, EVP_PKEY *key, struct view *ret_der)
{
    unsigned char *der = NULL;
    uint8_t hash[SHA256_BYTES];
    int n = i2d_PUBKEY(key, &der);
    *ret_der = arena_dup(d->h->arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    digest_sha256(*ret_der, hash);
    return hex_of(d->h->arena, view_of(hash, sizeof hash));
}

static void show_self_signed(struct door *d, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    X509 *cert = door_self_signed(key, "anything at all");
    int n = i2d_X509(cert, &der);
    door_show(d, arena_dup(d->h->arena, view_of(der, (size_t)n)), key);
    OPENSSL_free(der);
    X509_free(cert);
}

static struct said register_key(struct door *d, const char *hash)
{
    return door_post(d, LOCAL, "/v1/tokens",
                     arena_printf(d->h->arena,
                                  "{\"templates\": [\"client\"], \"names\": [\"dns:q.example.internal\"], "
                                  "\"uses\": 1, \"spki_sha256\": \"%s\"}",
                                  hash));
}

static void a_registered_key_is_a_credential(void **state)
{
    struct door *d = *state;
    struct device dev = {.key = house_key(), .name = "q.example.internal"}, again;
    struct view der;
    const char *hash = spki_of(d, dev.key, &der), *text;
    const char *body = door_body(d, "client", house_csr(d->h, dev.key, NULL, "DNS:q.example.internal"), "");
    show_self_signed(d, dev.key);
    door_expect(door_post(d, HOLDER, "/v1/certificates", body), 401, "unauthenticated");
    struct said s = register_key(d, hash);
    assert_string_equal(said_text(&s, "id"), hash);
    assert_null(json_object_get(s.json, "token"));
    said_free(&s);
    door_expect(register_key(d, hash), 409, "state");

    /* What everybody may know of it opens nothing. */
    char *pair = arena_alloc(d->h->arena, der.n + 2);
    memcpy(pair, "x:", 2);
    memcpy(pair + 2, der.p, der.n);
    text = arena_printf(d->h->arena, "Authorization: Basic %s\r\n",
                        base64_of(d->h->arena, view_of(pair, der.n + 2)));
    door_expect(door_ask(d, NOBODY, "POST", "/.well-known/est/simpleenroll", text, view_str("AAAA")), 401,
                "unauthenticated");

    take(d, door_post(d, HOLDER, "/v1/certificates", body), 201, &dev);
    take(d, door_post(d, HOLDER, "/v1/certificates", body), 200, &again);
    assert_string_equal(again.serial, dev.serial);
    EVP_PKEY *other = house_key();
    door_expect(door_post(d, HOLDER, "/v1/certificates",
                          door_body(d, "client", house_csr(d->h, other, NULL, "DNS:q.example.internal"), "")),
                403, "token-used");
    show_self_signed(d, other);
    door_expect(door_post(d, HOLDER, "/v1/certificates", body), 401, "unauthenticated");

    /* From now on by what it was given. */
    door_show(d, dev.der, dev.key);
    s = door_get(d, HOLDER, arena_printf(d->h->arena, "/v1/certificates/%s", dev.serial));
    assert_int_equal(s.status, 200);
    said_free(&s);
    EVP_PKEY_free(other);
    EVP_PKEY_free(dev.key);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_its_window_and_not_before),
        cmocka_unit_test(a_lost_answer_comes_again),
        cmocka_unit_test(a_second_key_is_an_alarm),
        cmocka_unit_test(the_names_stay),
        cmocka_unit_test(past_its_end_for_as_long_as_the_template_says),
        cmocka_unit_test(a_revoked_one_does_not),
        cmocka_unit_test(nobody_renews_for_others),
        cmocka_unit_test(over_est),
        cmocka_unit_test(the_same_csr_with_a_used_token),
        cmocka_unit_test(a_token_without_bound_makes_a_new_one_each_time),
        cmocka_unit_test(a_forged_one_renews_nothing),
        cmocka_unit_test(a_registered_key_is_a_credential),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
