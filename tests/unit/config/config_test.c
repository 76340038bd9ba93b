/* chancery.yaml: what is accepted, and each refusal at its line. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The example with one text put in place of another; NULL leaves it as it is. */
static struct view changed(struct arena *arena, const char *from, const char *to)
{
    const char *text = config_example();
    const char *at = from ? strstr(text, from) : text;
    assert_non_null(at);
    if (!from)
        return view_str(text);
    return view_str(arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)));
}

static struct config *parsed(const char *from, const char *to)
{
    struct arena *arena = arena_new(1 << 20);
    struct config *c = NULL;
    struct err *e = config_parse("/etc/chancery/chancery.yaml", changed(arena, from, to), &c);
    if (e)
        fail_msg("%s", err_detail(e));
    arena_free(arena);
    return c;
}

static void example_parses_and_has_safe_defaults(void **state)
{
    (void)state;
    struct config *c = parsed(NULL, NULL);
    assert_false(c->demo);
    assert_int_equal(c->isolation, CONFIG_ISOLATION_ANY);
    assert_string_equal(c->dir, "/etc/chancery");
    assert_string_equal(c->templates, "/etc/chancery/templates");
    assert_string_equal(c->control, "/etc/chancery/run/control.sock");
    assert_string_equal(c->tokens[0].pin_file, "/etc/chancery/secret/pin");
    assert_string_equal(c->tokens[0].writes.items[0], "/etc/chancery/token");
    assert_string_equal(c->tokens[0].env_names[0], "SOFTHSM2_CONF");
    assert_string_equal(c->names.items[0], "dns:ca.example.internal");
    assert_int_equal(c->issuers_n, 2);
    assert_false(c->issuers[0].issue);
    assert_int_equal(c->issuers[0].crl_lifetime_s, 30 * 86400);
    assert_true(c->issuers[1].issue);
    assert_null(c->issuers[1].alg);
    assert_string_equal(c->issuers[1].certificate, "/etc/chancery/issuers/issuing.pem");
    assert_int_equal(c->issuers[1].ocsp_lifetime_s, 86400);
    assert_int_equal(c->limits.idle_s, 60);
    assert_int_equal(c->https.n, 2);
    assert_int_equal(ntohs(c->https.items[1].to.v6.sin6_port), 8443);
    assert_false(c->https.items[0].loopback);
    config_free(c);
}

static void names_and_addresses_take_their_kind(void **state)
{
    (void)state;
    struct config *c = parsed("names: [ca.example.internal]",
                              "names: [ca.example.internal, 127.0.0.1, \"0::1\", \"dns:localhost\"]");
    assert_string_equal(c->names.items[1], "ip:127.0.0.1");
    assert_string_equal(c->names.items[2], "ip:::1");
    assert_string_equal(c->names.items[3], "dns:localhost");
    config_free(c);
}

static void validation_asks_who_is_named(void **state)
{
    (void)state;
    struct config *c = parsed(
        "users:",
        "acme: {validation: {resolvers: [\"10.0.0.53,[fd00::53]:5353\", \"10.1.0.53:53\", \"fd00::1\"], "
        "agree: 2, allow: [127.0.0.0/8], issuers: [ca.example]}}\nusers:");
    assert_int_equal(c->acme.validation.resolvers.n, 3);
    assert_int_equal(c->acme.validation.allow_nets.n, 1);
    assert_string_equal(c->acme.validation.issuers.items[0], "ca.example");
    config_free(c);
}

static void validation_is_strict_by_default(void **state)
{
    (void)state;
    struct config *c = parsed(NULL, NULL);
    const struct config_validation *v = &c->acme.validation;
    assert_false(v->trial);
    assert_int_equal(v->http_port, 80);
    assert_int_equal(v->tls_port, 443);
    assert_int_equal(v->resolvers.n + v->allow_nets.n + v->deny_nets.n, 0);
    assert_string_equal(v->issuers.items[0], "ca.example.internal");
    config_free(c);
}

struct refusal {
    const char *from, *to;
    const char *place, *says;
};

static const struct refusal refusals[] = {
    {"names:", "nmaes:", "chancery.yaml:3:", "names"},
    {"http://pki", "ftp://pki", "chancery.yaml:1:", "not an http URL"},
    {"http://pki", "https://pki", "chancery.yaml:1:", "RFC 5280"},
    {"pki.example.internal", "pki.example.internal/", "chancery.yaml:1:", "end slash"},
    {"pki.example.internal", "pki.example.internal/?a=b", "chancery.yaml:1:", "query"},
    {"https://ca.example.internal", "https://other.example", "chancery.yaml:2:", "not among names"},
    {"names: [ca.example.internal]", "names: [Ca.example.internal]", "chancery.yaml:3:", "lower case"},
    {"names: [ca.example.internal]", "names: [ca.example.internal, \"*.x\"]", "chancery.yaml:3:", "DNS name"},
    {"names: [ca.example.internal]", "names: []", "chancery.yaml:3:", "at least one name"},
    {"0.0.0.0:8443", "0.0.0.0", "chancery.yaml:5:", "ADDRESS:PORT"},
    {"0.0.0.0:8443", "localhost:8443", "chancery.yaml:5:", "in numbers"},
    {"0.0.0.0:8443", "0.0.0.0:0", "chancery.yaml:5:", "ADDRESS:PORT"},
    {"0.0.0.0:8443", "0.0.0.0:65536", "chancery.yaml:5:", "ADDRESS:PORT"},
    {"[::]:8443", "[::]8443", "chancery.yaml:5:", "ADDRESS:PORT"},
    {"public_url", "demo: true\npublic_url", "chancery.yaml:6:", "not a loopback address"},
    {"uri: pkcs11:token=chancery", "uri: token=chancery", "chancery.yaml:10:", "RFC 7512"},
    {"issuers:\n", "  - {name: main, module: m, uri: \"pkcs11:token=b\", pin_file: p}\nissuers:\n",
     "chancery.yaml:", "a second token named"},
    {"issuers:\n", "  - {name: two, module: m, uri: \"pkcs11:token=b\", pin_file: secret/pin}\nissuers:\n",
     "chancery.yaml:", "a file of its own"},
    {"issuers:\n", "  - {name: Two, module: m, uri: \"pkcs11:token=b\", pin_file: p}\nissuers:\n",
     "chancery.yaml:", "lower-case"},
    {"SOFTHSM2_CONF:", "LD_PRELOAD:", "chancery.yaml:12:", "may not be set"},
    {"SOFTHSM2_CONF: /etc/chancery/softhsm2.conf", "SOFTHSM2_CONF: 12", "chancery.yaml:12:", "text"},
    {"name: root", "name: Root", "chancery.yaml:15:", "lower-case"},
    {"name: root", "name: issuing", "chancery.yaml:20:", "second issuer"},
    {"    issue: false\n", "    token: other\n", "chancery.yaml:18:", "no token is named"},
    {"key: pkcs11:object=root", "key: root", "chancery.yaml:16:", "RFC 7512"},
    {"lifetime: 30d", "lifetime: 7d", "chancery.yaml:15:", "longer than crl.every"},
    {"lifetime: 30d", "lifetime: 30", "chancery.yaml:19:", "lifetime"},
    {"    certificate: issuers/issuing.pem\n", "    certificate: issuers/issuing.pem\n    issue: false\n",
     "chancery.yaml:15:", "issue: true"},
    {"responder: chancery-responder", "responder: chancery-front", "chancery.yaml:23:", "four different"},
    {", responder: chancery-responder", "", "chancery.yaml:23:", "all four or none"},
    {"users:", "responders: 0\nusers:", "chancery.yaml:23:", "responders"},
    {"users:", "paths: {roll: x, ledger: x}\nusers:", "chancery.yaml:23:", "two folders"},
    {"users:", "isolation: none\nusers:", "chancery.yaml:23:", "isolation"},
    {"users:", "acme: {validation: {http_port: 5002}}\nusers:", "chancery.yaml:23:", "for a trial"},
    {"users:", "acme: {validation: {tls_port: 443}}\nusers:", "chancery.yaml:23:", "for a trial"},
    {"users:", "acme: {validation: {allow: [10.0.0.1/8]}}\nusers:", "chancery.yaml:23:", "not a network"},
    {"users:", "acme: {validation: {deny: [localhost]}}\nusers:", "chancery.yaml:23:", "not a network"},
    {"users:", "acme: {validation: {resolvers: [dns.example]}}\nusers:", "chancery.yaml:23:",
     "of a resolver"},
    {"users:", "acme: {validation: {resolvers: [\"10.0.0.1,\"]}}\nusers:", "chancery.yaml:23:",
     "of a resolver"},
    {"users:", "acme: {validation: {resolvers: [10.0.0.1], agree: 2}}\nusers:", "chancery.yaml:23:",
     "more than there are"},
    {"users:", "acme: {validation: {issuers: [Ca.example]}}\nusers:", "chancery.yaml:23:", "lower case"},
    {"users:", "acme: {validation: {issuers: [127.0.0.1]}}\nusers:", "chancery.yaml:23:", "DNS name"},
};

static void each_refusal_names_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct arena *arena = arena_new(1 << 20);
        struct config *c = NULL;
        struct err *e = config_parse("/etc/chancery/chancery.yaml", changed(arena, r->from, r->to), &c);
        if (!e)
            fail_msg("accepted: %s", r->to);
        if (err_code(e) != ERR_CONFIG || !strstr(err_detail(e), r->place) || !strstr(err_detail(e), r->says))
            fail_msg("'%s': wanted '%s' and '%s', got: %s", r->to, r->place, r->says, err_detail(e));
        err_free(e);
        arena_free(arena);
    }
}

#define SECOND                                                                                               \
    "  - {name: second, module: /usr/lib/other.so, uri: \"pkcs11:token=b\", pin_file: secret/pin-b}\n"

static void each_library_has_a_vault_with_a_roll_of_its_own(void **state)
{
    (void)state;
    struct config *c = parsed("issuers:\n", SECOND "issuers:\n"
                                                   "  - {name: b, key: \"pkcs11:token=b;object=b\", "
                                                   "certificate: b.pem}\n"
                                                   "  - {name: c, token: second, key: \"pkcs11:object=c\", "
                                                   "certificate: c.pem}\n");
    assert_int_equal(c->tokens_n, 2);
    assert_int_equal(c->vaults_n, 2);
    assert_string_equal(c->vaults[0].roll, "/etc/chancery/roll");
    assert_string_equal(c->vaults[1].roll, "/etc/chancery/roll-second");
    assert_string_equal(c->vaults[1].name, "second");
    assert_int_equal(c->vaults[1].tokens[0], 1);
    assert_int_equal(c->issuers[0].vault, 1); /* by its key's URI */
    assert_int_equal(c->issuers[1].vault, 1); /* by its token's name */
    assert_int_equal(c->issuers[2].vault, 0);
    config_free(c);
}

static void another_vault_for_an_issuer_wants_a_restart(void **state)
{
    (void)state;
    const char *plain = SECOND "issuers:\n";
    struct config *now = parsed("issuers:\n", plain);
    struct arena *arena = arena_new(1 << 20);
    struct config *next = NULL;
    const char *text = arena_printf(arena, "%s", (const char *)changed(arena, "issuers:\n", plain).p);
    const char *key = strstr(text, "pkcs11:object=issuing");
    assert_non_null(key);
    text = arena_printf(arena, "%.*s\"pkcs11:token=b;object=issuing\"%s", (int)(key - text), text,
                        key + strlen("pkcs11:object=issuing"));
    assert_null(config_parse("/etc/chancery/chancery.yaml", view_str(text), &next));
    assert_string_equal(config_needs_restart(now, next), "issuers[].token");
    config_free(now);
    config_free(next);
    arena_free(arena);
}

static void demo_accepts_loopback(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct config *c = NULL;
    const char *text = config_example();
    const char *rest = strstr(text, "tokens:");
    const char *yaml =
        arena_printf(arena,
                     "demo: true\npublic_url: http://localhost:8080\nhttps_url: https://localhost:8443\n"
                     "names: [localhost]\nlisten: {https: [\"127.0.0.1:8443\", \"[::1]:8443\"], "
                     "http: [\"127.9.9.9:8080\"]}\n%s",
                     rest);
    struct err *e = config_parse("/x.yaml", view_str(yaml), &c);
    assert_null(e);
    assert_true(c->demo && c->http.items[0].loopback);
    assert_true(c->acme.validation.trial);
    assert_int_equal(c->acme.validation.http_port, 5002);
    assert_int_equal(c->acme.validation.tls_port, 5001);
    config_free(c);
    arena_free(arena);
}

struct change {
    const char *from, *to;
    const char *restart; /* NULL: a reload brings it */
};

static const struct change changes[] = {
    {NULL, NULL, NULL},
    {"names: [ca.example.internal]", "names: [ca.example.internal, other.example]", NULL},
    {"lifetime: 30d", "lifetime: 31d", NULL},
    {"users:", "log_level: debug\nusers:", NULL},
    {"0.0.0.0:8443", "0.0.0.0:9443", "listen.https"},
    {"0.0.0.0:80", "0.0.0.0:81", "listen.http"},
    {"users:", "responders: 2\nusers:", "responders"},
    {"users:", "log: json\nusers:", "log"},
    {"users:", "limits: {idle: 2m}\nusers:", "limits"},
    {"users:", "paths: {ledger: elsewhere}\nusers:", "paths"},
    {"front: chancery-front", "front: www-data", "users"},
    {"secret/pin", "secret/pin2", "tokens"},
    {"softhsm2.conf", "softhsm3.conf", "tokens"},
};

static void reload_names_what_only_a_restart_changes(void **state)
{
    (void)state;
    struct config *now = parsed(NULL, NULL);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct config *next = parsed(changes[i].from, changes[i].to);
        const char *key = config_needs_restart(now, next);
        if ((key == NULL) != (changes[i].restart == NULL) || (key && strcmp(key, changes[i].restart) != 0))
            fail_msg("%s: %s", changes[i].to ? changes[i].to : "nothing", key ? key : "no restart");
        config_free(next);
    }
    config_free(now);
}

static void every_row_is_documented(void **state)
{
    (void)state;
    size_t rows = 0;
    for (size_t i = 0; config_group(i); i++) {
        const struct config_group *g = config_group(i);
        assert_non_null(g->doc);
        for (size_t k = 0; k < g->n; k++, rows++)
            assert_true(g->rows[k].key && g->rows[k].doc && strlen(g->rows[k].doc) > 8);
    }
    assert_true(rows > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_parses_and_has_safe_defaults),
        cmocka_unit_test(names_and_addresses_take_their_kind),
        cmocka_unit_test(each_refusal_names_its_line),
        cmocka_unit_test(each_library_has_a_vault_with_a_roll_of_its_own),
        cmocka_unit_test(another_vault_for_an_issuer_wants_a_restart),
        cmocka_unit_test(demo_accepts_loopback),
        cmocka_unit_test(validation_asks_who_is_named),
        cmocka_unit_test(validation_is_strict_by_default),
        cmocka_unit_test(reload_names_what_only_a_restart_changes),
        cmocka_unit_test(every_row_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
