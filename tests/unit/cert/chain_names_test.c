/* Names under constraints: what OpenSSL refuses is refused; where we refuse more, the row says so. */
#include "fixture.h"

#include "cert/chain.h"
#include "cert/name.h"

enum verdict { TAKEN, REFUSED, STRICTER /* refused by us alone */, TAKEN_BY_US };

struct row {
    const char *subject, *sans; /* sans: texts with a blank between; "" for none */
    const char *permitted, *excluded;
    enum verdict verdict;
};

static const struct row rows[] = {
    /* dns */
    {"", "dns:a.example", "dns:example", "", TAKEN},
    {"", "dns:example", "dns:example", "", TAKEN},
    {"", "dns:A.EXAMPLE", "dns:example", "", TAKEN},
    {"", "dns:aexample", "dns:example", "", REFUSED},
    {"", "dns:a.example.com", "dns:example", "", REFUSED},
    {"", "dns:a.example", "", "dns:example", REFUSED},
    {"", "dns:a.example", "", "dns:b.example", TAKEN},
    {"", "dns:a.example", "dns:example", "dns:a.example", REFUSED},
    {"", "dns:b.a.example", "dns:example", "dns:a.example", REFUSED},
    {"", "dns:a.example dns:b.test", "dns:example", "", REFUSED},
    {"", "dns:a.example dns:b.test", "dns:example dns:test", "", TAKEN},
    {"", "dns:a.example", "dns:", "", TAKEN},
    {"", "dns:a.example", "", "dns:", REFUSED},
    {"", "dns:a.example", "dns:.example", "", TAKEN},
    {"", "dns:example", "dns:.example", "", REFUSED},
    {"", "dns:*.example", "dns:example", "", TAKEN},
    {"", "dns:*.example", "dns:a.example", "", REFUSED},
    {"", "dns:*.a.example", "dns:a.example", "", TAKEN},
    {"", "dns:*.example", "", "dns:a.example", STRICTER},
    {"", "dns:*.example", "", "dns:A.Example", STRICTER},
    {"", "dns:*.example", "", "dns:b.a.example", TAKEN},
    {"", "dns:*.example", "", "dns:.a.example", TAKEN},
    {"", "dns:*.example", "", "dns:example", REFUSED},
    {"", "dns:*.example", "", "dns:bexample", TAKEN},
    {"", "ip:10.0.0.1", "dns:example", "", TAKEN}, /* another kind */
    {"", "email:a@test", "dns:example", "dns:test", TAKEN},
    /* ip */
    {"", "ip:10.1.2.3", "ip:10.0.0.0/8", "", TAKEN},
    {"", "ip:11.1.2.3", "ip:10.0.0.0/8", "", REFUSED},
    {"", "ip:10.1.2.3", "", "ip:10.1.2.3/32", REFUSED},
    {"", "ip:10.1.2.4", "", "ip:10.1.2.3/32", TAKEN},
    {"", "ip:10.129.0.0", "ip:10.128.0.0/9", "", TAKEN},
    {"", "ip:10.127.0.0", "ip:10.128.0.0/9", "", REFUSED},
    {"", "ip:2001:db8::1", "ip:10.0.0.0/8", "", REFUSED},
    {"", "ip:2001:db8::1", "ip:10.0.0.0/8 ip:2001:db8::/32", "", TAKEN},
    {"", "ip:2001:db8::1", "", "ip:::/0", REFUSED},
    {"", "ip:10.0.0.1", "", "ip:::/0", TAKEN},
    {"", "ip:10.0.0.1", "ip:0.0.0.0/0", "", TAKEN},
    /* email */
    {"", "email:a@example.com", "email:example.com", "", TAKEN},
    {"", "email:a@EXAMPLE.com", "email:example.com", "", TAKEN},
    {"", "email:a@b.example.com", "email:example.com", "", REFUSED},
    {"", "email:a@b.example.com", "email:.example.com", "", TAKEN},
    {"", "email:a@example.com", "email:.example.com", "", REFUSED},
    {"", "email:a@example.com", "email:a@example.com", "", TAKEN},
    {"", "email:b@example.com", "email:a@example.com", "", REFUSED},
    {"", "email:A@example.com", "email:a@example.com", "", REFUSED},
    {"", "email:a@example.com", "", "email:a@Example.com", REFUSED},
    {"", "email:A@example.com", "", "email:a@example.com", STRICTER},
    {"", "email:a@example.com", "", "email:.com", REFUSED},
    {"CN=x,emailAddress=a@test", "", "email:example.com", "", REFUSED},
    {"CN=x,emailAddress=a@example.com", "", "email:example.com", "", TAKEN},
    {"CN=x,emailAddress=a@test", "", "", "email:test", REFUSED},
    {"CN=x,emailAddress=nobody", "", "email:example.com", "", REFUSED},
    /* uri */
    {"", "uri:https://a.example/x", "uri:a.example", "", TAKEN},
    {"", "uri:https://A.Example/x", "uri:a.example", "", TAKEN},
    {"", "uri:https://b.a.example/x", "uri:a.example", "", REFUSED},
    {"", "uri:https://b.a.example/x", "uri:.a.example", "", TAKEN},
    {"", "uri:https://a.example/x", "uri:.a.example", "", REFUSED},
    {"", "uri:https://a.example:8443", "uri:a.example", "", TAKEN},
    {"", "uri:https://a.example?x", "uri:a.example", "", TAKEN_BY_US}, /* RFC 3986 3.2: `?` ends a host */
    {"", "uri:https://b.test/x@a.example", "uri:a.example", "", REFUSED},
    {"", "uri:https://user@a.example/x", "", "uri:a.example", STRICTER},
    {"", "uri:https://a.example@b.test/", "uri:a.example", "", REFUSED},
    {"", "uri:https://a.example:b@c.test/", "uri:a.example", "", STRICTER},
    {"", "uri:spiffe://a.example/ns", "uri:a.example", "", TAKEN},
    {"", "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uri:a.example", "", REFUSED},
    {"", "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "", "uri:a.example", REFUSED},
    {"", "uri:https://10.0.0.1/", "", "uri:a.example", STRICTER},
    {"", "uri:https://[::1]/", "", "uri:a.example", STRICTER},
    {"", "uri:https:///x", "", "uri:a.example", REFUSED},
    /* directory names */
    {"CN=a,O=Acme,C=DE", "", "dir:O=Acme,C=DE", "", TAKEN},
    {"CN=a,O=acme,C=de", "", "dir:O=Acme,C=DE", "", TAKEN},
    {"CN=a,O=Acme  Inc,C=DE", "", "dir:O=acme inc,C=DE", "", TAKEN},
    {"CN=a,O=Acme,C=DE", "", "dir:O=Acme", "", REFUSED}, /* not from the top */
    {"CN=a,O=Other,C=DE", "", "dir:O=Acme,C=DE", "", REFUSED},
    {"O=Acme", "", "dir:O=Acme,C=DE", "", REFUSED},
    {"C=DE", "", "dir:O=Acme,C=DE", "", REFUSED},
    {"CN=a,O=Acme,C=DE", "", "", "dir:C=DE", REFUSED},
    {"CN=a,O=aCME,C=DE", "", "", "dir:O=Acme,C=DE", REFUSED},
    {"CN=a,O=Acme,C=DE", "", "", "dir:O=Acm,C=DE", TAKEN},
    {"CN=a", "", "dir:", "", TAKEN},
    {"CN=a", "", "", "dir:", REFUSED},
    {"", "dns:a", "dir:O=Acme", "dir:O=Acme", TAKEN}, /* an empty subject */
    {"O=Acme", "dir:CN=a,O=Acme", "dir:O=Acme", "", TAKEN},
    {"O=Acme", "dir:CN=a,O=Other", "dir:O=Acme", "", REFUSED},
    {"O=Acme", "dir:CN=a,O=Other", "", "dir:O=Other", REFUSED},
    /* a commonName that reads as a host */
    {"CN=a.test", "", "dns:example", "", REFUSED},
    {"CN=a.example", "", "dns:example", "", TAKEN},
    {"CN=a.test", "dns:a.example", "dns:example", "", TAKEN},
    {"CN=Ann of Test.", "", "dns:example", "", TAKEN},
    {"CN=test", "", "dns:example", "", TAKEN},
    /* kinds that have no constraints */
    {"", "upn:a@test", "email:example.com dns:example", "", TAKEN},
    {"", "rid:1.2.3", "dns:example", "", TAKEN},
    {"", "other:1.2.3;0500", "dns:example", "", TAKEN},
};

static struct cert_subtrees subtrees(const char *texts, struct arena *arena)
{
    struct cert_subtree *list = arena_array(arena, 8, sizeof *list);
    size_t n = 0;
    for (const char *p = texts; *p; p += strspn(p, " ")) {
        size_t length = p[0] == 'd' && p[1] == 'i' ? strlen(p) : strcspn(p, " ");
        assert_ok(cert_ext_subtree_of_text(view_of(p, length), arena, &list[n++]));
        p += length;
    }
    return (struct cert_subtrees){list, n};
}

static struct cert_tbs certificate(const struct row *row, struct arena *arena)
{
    struct cert_san *sans = arena_array(arena, 8, sizeof *sans);
    struct cert_ext *ext = arena_alloc(arena, sizeof *ext);
    struct cert_tbs tbs = fixture_tbs(arena);
    size_t n = 0;
    for (const char *p = row->sans; *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        assert_ok(cert_san_of_text(view_of(p, length), arena, &sans[n++]));
        p += length;
    }
    tbs.subject = fixture_name(row->subject, arena);
    if (n) {
        assert_ok(cert_ext_write_san(sans, n, true, arena, ext));
        tbs.exts = ext;
        tbs.ext_count = 1;
    }
    return tbs;
}

static int openssl_says(const struct cert_tbs *tbs, struct view constraints, struct arena *arena)
{
    X509 *x = fixture_x509(fixture_issue(tbs, "p256", arena));
    const uint8_t *p = constraints.p;
    NAME_CONSTRAINTS *nc =
        (NAME_CONSTRAINTS *)ASN1_item_d2i(NULL, &p, (long)constraints.n, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
    assert_non_null(nc);
    X509_check_purpose(x, -1, 0); /* reads its extensions */
    int says = NAME_CONSTRAINTS_check(x, nc);
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool has_dns = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        has_dns = has_dns || sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
    if (says == X509_V_OK && !has_dns)
        says = NAME_CONSTRAINTS_check_CN(x, nc);
    GENERAL_NAMES_free(names);
    NAME_CONSTRAINTS_free(nc);
    X509_free(x);
    return says;
}

static void verdicts_are_openssls_or_stricter(void **state)
{
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct arena *arena = arena_new(1 << 22);
        struct cert_constraints c = {subtrees(row->permitted, arena), subtrees(row->excluded, arena)};
        struct cert_tbs child = certificate(row, arena), issuer = fixture_tbs(arena);
        struct cert_ext ext;
        assert_ok(cert_ext_write_constraints(&c, true, arena, &ext));
        issuer.exts = &ext;
        issuer.ext_count = 1;
        struct err *e = cert_chain_names_under(&child, &issuer, arena);
        bool theirs = openssl_says(&child, ext.value, arena) != X509_V_OK;
        bool ours = row->verdict == REFUSED || row->verdict == STRICTER;
        if ((e != NULL) != ours || theirs != (row->verdict == REFUSED || row->verdict == TAKEN_BY_US)) {
            print_error("row %zu: %s | %s under %s but %s: we %s, OpenSSL %s\n", i, row->subject, row->sans,
                        row->permitted, row->excluded, e ? err_detail(e) : "take it",
                        theirs ? "refuses it" : "takes it");
            wrong++;
        }
        if (e)
            assert_true(err_code(e) == ERR_POLICY || err_code(e) == ERR_BAD_NAME);
        err_free(e);
        arena_free(arena);
    }
    assert_int_equal(wrong, 0);
    (void)state;
}

static void the_name_at_fault_is_pointed_at(void **state)
{
    struct cert_san sans[3];
    struct cert_chain_names names = {fixture_name("CN=x", *state), sans, 3, false};
    struct cert_constraints c = {subtrees("dns:example", *state), subtrees("dir:CN=y", *state)};
    assert_ok(cert_san_of_text(view_str("dns:a.example"), *state, &sans[0]));
    assert_ok(cert_san_of_text(view_str("ip:10.0.0.1"), *state, &sans[1]));
    assert_ok(cert_san_of_text(view_str("dns:a.test"), *state, &sans[2]));
    struct err *e = cert_chain_names_check(&names, &c, *state);
    assert_string_equal(err_pointer(e), "/sans/2");
    assert_refused(e, ERR_POLICY, "dns:a.test lies outside");
    names.subject = fixture_name("CN=Y,O=z", *state);
    names.n = 2;
    assert_ok(cert_chain_names_check(&names, &c, *state));
    names.subject = fixture_name("O=z,CN=Y", *state);
    e = cert_chain_names_check(&names, &c, *state);
    assert_string_equal(err_pointer(e), "/subject");
    assert_refused(e, ERR_POLICY, "dir:O=z,CN=Y is excluded");
}

static void an_authority_is_no_host(void **state)
{
    struct cert_constraints c = {.permitted = subtrees("dns:example", *state)};
    struct cert_chain_names names = {.subject = fixture_name("CN=ca.test", *state), .ca = true};
    assert_ok(cert_chain_names_check(&names, &c, *state));
    names.ca = false;
    assert_refused(cert_chain_names_check(&names, &c, *state), ERR_POLICY, "dns:ca.test");
}

/* Attributes of one RelativeDistinguishedName stand in the order of their octets, which letters' case
 * changes. */
static void names_with_several_attributes(void **state)
{
    struct view base = fixture_nest("30{31{30{06{550403} 0c{62}} 30{06{55040a} 0c{61}}}}", *state);
    struct view same = fixture_nest("30{31{30{06{550403} 13{42}} 30{06{55040a} 0c{41}}}}", *state);
    struct view fewer = fixture_nest("30{31{30{06{550403} 0c{62}}}}", *state);
    struct view more =
        fixture_nest("30{31{30{06{550403} 0c{62}} 30{06{55040a} 0c{61}} 30{06{55040b} 0c{61}}}}", *state);
    struct cert_subtree subtree = {CERT_SAN_DIRECTORY, base};
    struct cert_constraints c = {.permitted = {&subtree, 1}};
    struct cert_chain_names names = {.subject = same};
    assert_ok(cert_chain_names_check(&names, &c, *state));
    names.subject = fewer;
    assert_any_error(cert_chain_names_check(&names, &c, *state));
    names.subject = more;
    assert_any_error(cert_chain_names_check(&names, &c, *state));
}

static void what_cannot_be_read_is_refused(void **state)
{
    struct cert_tbs child = fixture_tbs(*state), issuer = fixture_tbs(*state);
    struct cert_ext nc = {.oid = cert_ext_oid(CERT_EXT_NAME_CONSTRAINTS),
                          .value = fixture_nest("30{a0{30{88{2a03}}}}", *state)};
    assert_ok(cert_chain_names_under(&child, &issuer, *state)); /* no constraints */
    issuer.exts = &nc;
    issuer.ext_count = 1;
    assert_refused(cert_chain_names_under(&child, &issuer, *state), ERR_BAD_EXTENSION, "other than of dns");
    nc.value = fixture_nest("30{a0{30{a4{30{}}}}}", *state);
    child.subject = fixture_nest("30{31{30{06{550403} 1e{0061}}}}", *state); /* BMPString */
    assert_refused(cert_chain_names_under(&child, &issuer, *state), ERR_BAD_NAME, "tag 1e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verdicts_are_openssls_or_stricter), TEST(the_name_at_fault_is_pointed_at),
        TEST(an_authority_is_no_host),           TEST(names_with_several_attributes),
        TEST(what_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
