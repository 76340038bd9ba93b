/* EST: the forms of its paths and bodies, who may ask with what, and what it answers. */
#include <openssl/cms.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/pem.h"
#include "door.h"

#define PKCS10     "Content-Type: application/pkcs10\r\n"
#define USER_AGENT "User-Agent: a device\r\n"

/* "Authorization: Basic ..." with this requester's token as the password. */
static const char *basic(struct door *d, enum door_who who)
{
    const char *token = strstr(d->authorization[who], "chancery_");
    const char *pair = arena_printf(d->h->arena, "dev1:%.*s", (int)strcspn(token, "\r"), token);
    return arena_printf(d->h->arena, "Authorization: Basic %s\r\n", base64_of(d->h->arena, view_str(pair)));
}

static const char *csr_base64(struct door *d, const char *name)
{
    return base64_of(d->h->arena, house_csr_for(d->h, name));
}

static struct said enrol(struct door *d, const char *path, const char *headers, const char *body)
{
    return door_ask(d, NOBODY, "POST", path, headers, view_str(body));
}

/* The certificates of a certs-only answer, PEM or not. */
static size_t certs_of(struct door *d, const struct said *s, struct view *ders, size_t max)
{
    struct view der;
    char *text = arena_str(d->h->arena, view_of(s->raw.body, s->raw.n)), *to = text;
    for (const char *p = text; *p; p++)
        if (*p != '\n')
            *to++ = *p;
    OK(base64_parse(d->h->arena, view_of(text, (size_t)(to - text)), &der));
    const unsigned char *p = der.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    assert_non_null(cms);
    STACK_OF(X509) *certs = CMS_get1_certs(cms);
    size_t n = (size_t)sk_X509_num(certs);
    for (size_t i = 0; i < n && i < max; i++) {
        unsigned char *out = NULL;
        int out_n = i2d_X509(sk_X509_value(certs, (int)i), &out);
        ders[i] = arena_dup(d->h->arena, view_of(out, (size_t)out_n));
        OPENSSL_free(out);
    }
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
    return n;
}

/* --- cacerts --- */

static void cacerts_at_every_path(void **state)
{
    static const char *const paths[] = {"/.well-known/est/cacerts", "/.well-known/est/server/cacerts",
                                        "/server/.well-known/est/cacerts"};
    struct door *d = *state;
    for (size_t i = 0; i < 3; i++) {
        struct view ders[4];
        struct said s = door_ask(d, NOBODY, "GET", paths[i], NULL, view_of(NULL, 0));
        assert_int_equal(s.status, 200);
        assert_string_equal(web_header(&s.raw, "Content-Type"),
                            "application/pkcs7-mime; smime-type=certs-only");
        assert_string_equal(web_header(&s.raw, "Content-Transfer-Encoding"), "base64");
        assert_int_equal(certs_of(d, &s, ders, 4), 2);
        assert_true(view_eq(ders[0], d->h->root) || view_eq(ders[1], d->h->root));
        assert_true(view_eq(ders[0], d->h->issuing) || view_eq(ders[1], d->h->issuing));
        said_free(&s);
    }
}

static void base64_in_lines_for_who_says_who_it_is(void **state)
{
    struct door *d = *state;
    struct said s = door_get(d, NOBODY, "/.well-known/est/cacerts");
    assert_null(memchr(s.raw.body, '\n', s.raw.n));
    said_free(&s);
    s = door_ask(d, NOBODY, "GET", "/.well-known/est/cacerts", USER_AGENT, view_of(NULL, 0));
    const char *body = arena_str(d->h->arena, view_of(s.raw.body, s.raw.n));
    while (*body) {
        assert_true(strcspn(body, "\n") <= 76);
        body += strcspn(body, "\n") + 1;
    }
    said_free(&s);
}

/* --- csrattrs --- */

static void csrattrs_of_a_template(void **state)
{
    static const uint8_t p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    struct door *d = *state;
    struct view der;
    struct said s = door_get(d, NOBODY, "/.well-known/est/device/csrattrs");
    assert_int_equal(s.status, 200);
    assert_string_equal(web_header(&s.raw, "Content-Type"), "application/csrattrs");
    OK(base64_parse(d->h->arena, view_of(s.raw.body, s.raw.n), &der));
    assert_int_equal(der.p[0], 0x30);
    assert_non_null(memmem(der.p, der.n, p256, sizeof p256));
    said_free(&s);
    door_expect(door_get(d, NOBODY, "/.well-known/est/nothing/csrattrs"), 404, "template-unknown");
    door_expect(door_get(d, NOBODY, "/.well-known/est/self/csrattrs"), 404, "template-unknown");
}

/* --- simpleenroll --- */

static void a_token_as_password(void **state)
{
    struct door *d = *state;
    struct view ders[2], chain[3];
    struct ledger_entry entry;
    struct said s =
        enrol(d, "/.well-known/est/simpleenroll", arena_printf(d->h->arena, PKCS10 "%s", basic(d, REQUESTER)),
              csr_base64(d, "dev1.example.internal"));
    assert_int_equal(s.status, 200);
    assert_string_equal(web_header(&s.raw, "Content-Type"), "application/pkcs7-mime; smime-type=certs-only");
    assert_int_equal(certs_of(d, &s, ders, 2), 1);
    chain[0] = ders[0];
    chain[1] = d->h->issuing;
    chain[2] = d->h->root;
    OK(cert_chain_verify(chain, 3, world_now_s(), d->h->arena));
    said_free(&s);
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_INTENT, &entry));
    assert_string_equal(entry.door, "est");
    assert_string_equal(entry.body.intent.template, "device");
    assert_int_equal(entry.body.intent.token.n, 32);
}

static void the_label_is_the_template(void **state)
{
    static const char *const paths[] = {"/.well-known/est/server/simpleenroll",
                                        "/server/.well-known/est/simpleenroll"};
    struct door *d = *state;
    struct ledger_entry entry;
    for (size_t i = 0; i < 2; i++) {
        door_expect(enrol(d, paths[i], arena_printf(d->h->arena, PKCS10 "%s", basic(d, REQUESTER)),
                          csr_base64(d, "www.example.internal")),
                    200, NULL);
        house_quiet(d->h);
        assert_true(house_last(d->h, LEDGER_INTENT, &entry));
        assert_string_equal(entry.body.intent.template, "server");
    }
    door_expect(enrol(d, "/.well-known/est/nothing/simpleenroll",
                      arena_printf(d->h->arena, PKCS10 "%s", basic(d, REQUESTER)),
                      csr_base64(d, "www.example.internal")),
                404, "template-unknown");
    door_expect(enrol(d, "/.well-known/est/email/simpleenroll",
                      arena_printf(d->h->arena, PKCS10 "%s", basic(d, REQUESTER)),
                      csr_base64(d, "www.example.internal")),
                403, "forbidden");
}

static const char *broken(struct door *d, const char *text, const char *line_end)
{
    const char *out = "";
    for (size_t n; *text; text += n) {
        n = strlen(text) < 64 ? strlen(text) : 64;
        out = arena_printf(d->h->arena, "%s%.*s%s", out, (int)n, text, line_end);
    }
    return out;
}

static void base64_with_and_without_breaks(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", " \t\r\n"};
    struct door *d = *state;
    for (size_t i = 0; i < 4; i++)
        door_expect(enrol(d, "/.well-known/est/simpleenroll",
                          arena_printf(d->h->arena, PKCS10 "%s", basic(d, REQUESTER)),
                          broken(d, csr_base64(d, "dev2.example.internal"), ends[i])),
                    200, NULL);
}

static void refuses(struct door *d, const char *type, struct view body, int status, const char *error,
                    const char *text)
{
    const char *headers = arena_printf(d->h->arena, "Content-Type: %s\r\n%s", type, basic(d, REQUESTER));
    struct said s = door_ask(d, NOBODY, "POST", "/.well-known/est/simpleenroll", headers, body);
    if (!strstr(s.detail, text))
        fail_msg("'%s' does not say '%s'", s.detail, text);
    door_expect(s, status, error);
}

static void other_bodies_are_named(void **state)
{
    struct door *d = *state;
    struct view csr = house_csr_for(d->h, "dev3.example.internal");
    const char *pem = cert_pem_write("CERTIFICATE REQUEST", csr, d->h->arena);
    const char *base64 = base64_of(d->h->arena, csr);
    refuses(d, "application/pkcs10", view_str(pem), 400, "bad-request", "this is PEM");
    refuses(d, "application/pkcs10", csr, 400, "bad-request", "this is DER");
    refuses(d, "application/pkcs10", view_str(""), 400, "bad-request", "RFC 8951");
    refuses(d, "application/pkcs10", view_str("!!"), 400, "bad-request", "RFC 8951");
    refuses(d, "application/pkcs10", view_of(base64, strlen(base64) - 3), 400, "bad-request", "RFC 8951");
    refuses(d, "application/pkcs10", view_str("MAA="), 400, "bad-der", "");
    refuses(d, "application/json", view_str(base64), 415, "bad-media-type", "pkcs10");
}

/* RFC 7030 4.2.3: the same request, later. */
static void an_approval_is_waited_for(void **state)
{
    struct door *d = *state;
    struct said s = door_post(d, LOCAL, "/v1/tokens",
                              "{\"templates\": [\"approved\"], \"names\": [\"dns:**.example.internal\"]}");
    const char *kept = d->authorization[OTHER], *csr = csr_base64(d, "slow.example.internal");
    d->authorization[OTHER] =
        arena_printf(d->h->arena, "Authorization: Bearer %s\r\n", said_text(&s, "token"));
    said_free(&s);
    for (int i = 0; i < 2; i++) {
        s = enrol(d, "/.well-known/est/simpleenroll", arena_printf(d->h->arena, PKCS10 "%s", basic(d, OTHER)),
                  csr);
        assert_int_equal(s.status, 202);
        assert_non_null(web_header(&s.raw, "Retry-After"));
        said_free(&s);
    }
    d->authorization[OTHER] = kept;
}

/* --- who asks --- */

static struct said ask_as(struct door *d, const char *authorization)
{
    return enrol(d, "/.well-known/est/simpleenroll", arena_printf(d->h->arena, PKCS10 "%s", authorization),
                 csr_base64(d, "dev4.example.internal"));
}

static void nobody_is_challenged(void **state)
{
    struct door *d = *state;
    struct ledger_entry entry;
    struct said s = ask_as(d, "");
    assert_string_equal(web_header(&s.raw, "WWW-Authenticate"), "Basic realm=\"chancery\"");
    door_expect(s, 401, "unauthenticated");
    house_quiet(d->h);
    assert_true(house_last(d->h, LEDGER_DENY, &entry));
    assert_string_equal(entry.door, "est");
}

static void basic_counts_here_alone(void **state)
{
    struct door *d = *state;
    door_expect(door_ask(d, NOBODY, "GET", "/v1/issuers", basic(d, REQUESTER), view_of(NULL, 0)), 401,
                "unauthenticated");
    door_expect(ask_as(d, d->authorization[REQUESTER]), 200, NULL); /* a bearer's does too */
}

static void a_certificate_will_do(void **state)
{
    struct door *d = *state;
    struct view csr = house_csr(d->h, d->held_key, "held.example.internal", "DNS:held.example.internal");
    door_expect(door_ask(d, HOLDER, "POST", "/.well-known/est/simpleenroll", PKCS10,
                         view_str(base64_of(d->h->arena, csr))),
                200, NULL);
}

static void wrong_passwords_are_slowed_and_no_neighbour_is(void **state)
{
    static const char *const pairs[] = {"Authorization: Basic ZGV2MTpwYXNz\r\n", /* dev1:pass */
                                        "Authorization: Basic ZGV2MQ==\r\n",     /* dev1 */
                                        "Authorization: Basic !\r\n"};
    struct door *d = *state;
    for (int i = 0; i < 10; i++)
        door_expect(ask_as(d, pairs[i % 3]), 401, "unauthenticated");
    struct said s = ask_as(d, pairs[0]);
    assert_non_null(web_header(&s.raw, "Retry-After"));
    door_expect(s, 429, "rate");
    door_expect(ask_as(d, basic(d, REQUESTER)), 200, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cacerts_at_every_path),
        cmocka_unit_test(base64_in_lines_for_who_says_who_it_is),
        cmocka_unit_test(csrattrs_of_a_template),
        cmocka_unit_test(a_token_as_password),
        cmocka_unit_test(the_label_is_the_template),
        cmocka_unit_test(base64_with_and_without_breaks),
        cmocka_unit_test(other_bodies_are_named),
        cmocka_unit_test(an_approval_is_waited_for),
        cmocka_unit_test(nobody_is_challenged),
        cmocka_unit_test(basic_counts_here_alone),
        cmocka_unit_test(a_certificate_will_do),
        cmocka_unit_test(wrong_passwords_are_slowed_and_no_neighbour_is),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
