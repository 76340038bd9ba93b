/* Loading: what is written is what is in force; what is wrong is named with its place. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "judge.h"

/* A whole template; the cases change one piece of it. */
#define TOP   "description: test\n"
#define LIFE  "validity: {default: 90d, max: 398d}\n"
#define NAMES "subject: {allow: [CN]}\nsans: {kinds: [dns]}\n"
#define EKU   "extended_key_usage: {usages: [serverAuth]}\n"
#define KU    "key_usage: {usages: [digitalSignature]}\n"

static void the_builtin_templates_load(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    static const struct {
        const char *name;
        bool internal, ca;
    } want[] = {
        {"admin", true, false},        {"client", false, false},       {"code-signing", false, false},
        {"cross-ca", true, true},      {"device", false, false},       {"email", false, false},
        {"matter-dac", false, false},  {"matter-pai", true, true},     {"mdl-iaca", true, true},
        {"mdl-signer", false, false},  {"ocsp-signing", true, false},  {"root", true, true},
        {"root-offline", true, true},  {"self", true, false},          {"server", false, false},
        {"short-lived", false, false}, {"smartcard", false, false},    {"sub-ca", true, true},
        {"sub-ca-policy", true, true}, {"timestamping", false, false},
    };
    assert_int_equal(templates_count(f->set), sizeof(want) / sizeof(want[0]));
    for (size_t i = 0; i < templates_count(f->set); i++) {
        const struct template *t = templates_at(f->set, i);
        assert_string_equal(templates_name(t), want[i].name);
        assert_int_equal(templates_internal(t), want[i].internal);
        assert_int_equal(templates_is_ca(t), want[i].ca);
        assert_ptr_equal(templates_find(f->set, view_str(want[i].name)), t);
    }
    assert_null(templates_find(f->set, view_str("serve")));
    assert_null(templates_find(f->set, view_of("server\0x", 8)));
    assert_null(templates_find(f->set, view_str("")));
    assert_null(templates_at(f->set, sizeof(want) / sizeof(want[0])));
    fixture_free(f);
}

static void no_request_can_have_an_internal_template(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    for (unsigned who = TEMPLATES_BY_TOKEN; who <= TEMPLATES_BY_OPERATOR; who <<= 1) {
        fixture_refused(templates_may_ask(fixture_template(f, "sub-ca"), who), ERR_FORBIDDEN, "internal");
        fixture_refused(templates_may_ask(fixture_template(f, "self"), who), ERR_FORBIDDEN, "internal");
        fixture_ok(templates_may_ask(fixture_template(f, "server"), who));
    }
    fixture_refused(templates_may_ask(fixture_template(f, "code-signing"), TEMPLATES_BY_CERTIFICATE),
                    ERR_FORBIDDEN, "kind of asker");
    fixture_free(f);
}

#define CA_TOP                                                                                               \
    TOP "internal: true\n" LIFE "subject: {allow: [CN], require: [CN], cn: free}\n"                          \
        "key_usage: {usages: [keyCertSign]}\nbasic_constraints: {ca: true}\n"

static const struct {
    const char *yaml, *error;
} bad[] = {
    {TOP "validty: {default: 90d, max: 398d}\n" NAMES EKU,
     "templates/x.yaml:2:1: unknown key 'validty'; did you mean 'validity'?"},
    {TOP "validity: {default: 90d, maks: 398d}\n" NAMES EKU, "templates/x.yaml:2:26: unknown key 'maks'"},
    {TOP LIFE NAMES "key_usage:\n  usages: [digitalSignatur]\n" EKU,
     "templates/x.yaml:6:12: unknown value 'digitalSignatur'; did you mean 'digitalSignature'?"},
    {TOP LIFE NAMES "key_usage: [digitalSignature]\n" EKU, "templates/x.yaml:5:12: "},
    {TOP NAMES EKU, "templates/x.yaml:1:1: validity needs both"},
    {TOP "validity: {default: 0d, max: 398d}\n" NAMES EKU, "templates/x.yaml:2:21: "},
    {TOP "validity: {default: 399d, max: 398d}\n" NAMES EKU,
     "templates/x.yaml:2:21: the default is longer than the maximum"},
    {TOP "validity: {default: 90d}\n" NAMES EKU, "templates/x.yaml:2:11: validity needs both"},
    {TOP "validity: {default: 90d, max: 398d, backdate: 3d}\n" NAMES EKU, "templates/x.yaml:2:47: "},
    {TOP LIFE "subject: {allow: []}\n" EKU, "templates/x.yaml:3:18: 'allow' is an empty list"},
    {TOP LIFE "subject: {allow: [CN, O, CN], cn: free}\n" EKU,
     "templates/x.yaml:3:26: 'allow' names this twice"},
    {TOP LIFE "subject: {allow: [cn]}\n" EKU,
     "templates/x.yaml:3:19: unknown value 'cn'; did you mean 'CN'?"},
    {TOP LIFE "subject: {allow: [CN]}\n" EKU, "templates/x.yaml:3:10: 'cn: san' without sans.kinds"},
    {TOP LIFE "subject: {allow: [O], cn: free}\n" EKU, "templates/x.yaml:3:27: 'cn' without CN"},
    {TOP LIFE "subject: {allow: [O], require: [CN]}\n" EKU,
     "templates/x.yaml:3:32: an attribute is required"},
    {TOP LIFE "subject: {allow: [O], fixed: {O: X}}\n" EKU, "templates/x.yaml:3:18: an attribute is both"},
    {TOP LIFE "subject: {fixed: {C: Germany}}\n" EKU, "templates/x.yaml:3:22: "},
    {TOP LIFE "subject: {fixed: {Org: X}}\n" EKU, "unknown attribute 'Org'"},
    {TOP LIFE "subject: {fixed: {O: 7}}\n" EKU, "templates/x.yaml:3:22: the value of 'O' is a text"},
    {TOP LIFE "subject: {fixed: [O]}\n" EKU, "templates/x.yaml:3:18: 'fixed' is a mapping"},
    {TOP LIFE "subject: {allow: [CN], cn: free, patterns: {O: [a]}}\n" EKU,
     "templates/x.yaml:3:48: patterns for 'O', which is not under 'allow'"},
    {TOP LIFE "subject: {allow: [CN], cn: free, patterns: {CN: a}}\n" EKU,
     "templates/x.yaml:3:49: the patterns of 'CN'"},
    {TOP LIFE "subject: {allow: [CN], cn: free, other: ignore}\n" EKU, "templates/x.yaml:3:41: "},
    {TOP LIFE "subject: {allow: [CN], cn: free, from: {CN: [template]}}\n" EKU,
     "templates/x.yaml:3:46: an attribute comes from 'request' or 'csr'"},
    {TOP LIFE "subject: {allow: [CN], cn: free, from: {CN: csr}}\n" EKU,
     "templates/x.yaml:3:45: the sources of an attribute"},
    {TOP LIFE "subject: {allow: [CN], cn: free, from: {O: [csr]}}\n" EKU,
     "templates/x.yaml:3:44: a source for 'O', which is not under 'allow'"},
    {TOP LIFE "subject: {allow: [CN], cn: free, from: [csr]}\n" EKU,
     "templates/x.yaml:3:40: 'from' is a mapping"},
    {TOP LIFE "subject: {allow: [CN], cn: free, forbid: [CN]}\n" EKU,
     "templates/x.yaml:3:42: an attribute is forbidden, and allowed or set too"},
    {TOP LIFE "subject: {allow: [CN], cn: free, order: [XY]}\n" EKU,
     "templates/x.yaml:3:42: unknown attribute 'XY'"},
    {TOP LIFE "subject: {allow: [CN], cn: free, order: [CN, CN]}\n" EKU,
     "templates/x.yaml:3:46: 'order' names this twice"},
    {TOP LIFE EKU, "templates/x.yaml:1:1: neither a subject nor sans"},
    {TOP LIFE "sans: {min: 1}\n" EKU, "templates/x.yaml:3:7: sans without kinds"},
    {TOP LIFE "sans: {kinds: [dns, x400]}\n" EKU, "templates/x.yaml:3:21: unknown value 'x400'"},
    {TOP LIFE "sans: {kinds: [ip], wildcard: true}\n" EKU,
     "templates/x.yaml:3:31: 'wildcard: true' without dns"},
    {TOP LIFE "sans: {kinds: [uri], from_cn: true}\n" EKU, "templates/x.yaml:3:31: 'from_cn: true' without"},
    {TOP LIFE "sans: {kinds: [dns], min: 3, max: 2}\n" EKU, "templates/x.yaml:3:27: min is larger than max"},
    {TOP LIFE "sans: {kinds: [dns], max: 101}\n" EKU, "templates/x.yaml:3:27: "},
    {TOP LIFE "sans: {kinds: [dns], allow: ['a.*.b']}\n" EKU, "templates/x.yaml:3:30: a host pattern"},
    {TOP LIFE "sans: {kinds: [dns], allow: ['10.0.0.0/8']}\n" EKU,
     "templates/x.yaml:3:30: a pattern for ip names"},
    {TOP LIFE "sans: {kinds: [dns, ip], allow: ['**.a']}\n" EKU,
     "templates/x.yaml:3:33: ip is among the kinds"},
    {TOP LIFE "sans: {kinds: [ip], deny: ['10.0.0.1/8']}\n" EKU, "templates/x.yaml:3:28: "},
    {TOP LIFE NAMES "limits: {per_asker: '20'}\n" EKU,
     "templates/x.yaml:5:21: a number and a duration: 20/1h"},
    {TOP LIFE NAMES "limits: {per_asker: 0/1h}\n" EKU, "templates/x.yaml:5:21: a number and a duration"},
    {TOP LIFE NAMES "limits: {per_asker: 20/1x}\n" EKU, "templates/x.yaml:5:21: "},
    {TOP LIFE NAMES "limits: {per_asker: 20/90y}\n" EKU,
     "templates/x.yaml:5:21: a period of more than a year"},
    {TOP LIFE NAMES "limits: {per_name: 1001/1h}\n" EKU, "templates/x.yaml:5:20: 1001; at most 1000"},
    {TOP LIFE NAMES "limits: {keys: twice}\n" EKU, "templates/x.yaml:5:16: "},
    {TOP LIFE NAMES "keys: {allow: [p256], rsa_min: 3072}\n" EKU,
     "templates/x.yaml:5:32: 'rsa_min' without rsa"},
    {TOP LIFE NAMES "keys: {rsa_min: 4096, rsa_max: 3072}\n" EKU, "templates/x.yaml:5:17: rsa_min is larger"},
    {TOP LIFE NAMES "keys: {rsa_min: 1024}\n" EKU, "templates/x.yaml:5:17: "},
    {TOP LIFE NAMES "keys: {allow: [dsa]}\n" EKU, "templates/x.yaml:5:16: unknown value 'dsa'"},
    {TOP LIFE NAMES "key_usage: {usages: [keyCertSign]}\n" EKU,
     "templates/x.yaml:5:21: keyCertSign and cRLSign"},
    {TOP LIFE NAMES "key_usage: {usages: [cRLSign]}\n" EKU, "templates/x.yaml:5:21: keyCertSign and cRLSign"},
    {TOP LIFE NAMES "key_usage: {usages: [keyEncipherment]}\n" EKU,
     "templates/x.yaml:5:21: keyEncipherment and"},
    {TOP LIFE NAMES "key_usage: {usages: [keyAgreement]}\n" EKU,
     "templates/x.yaml:5:21: keyAgreement is for EC"},
    {TOP LIFE NAMES "keys: {allow: [p256]}\nkey_usage: {usages: [encipherOnly]}\n" EKU,
     "templates/x.yaml:6:21: encipherOnly"},
    {TOP LIFE NAMES
     "keys: {allow: [p256]}\nkey_usage: {usages: [digitalSignature], rsa: [keyEncipherment]}\n" EKU,
     "templates/x.yaml:6:46: usages for RSA keys"},
    {TOP LIFE NAMES "key_usage: {usages: [digitalSignature], rsa: [keyCertSign]}\n" EKU,
     "templates/x.yaml:5:46: only key"},
    {TOP LIFE NAMES "key_usage: {critical: true}\n" EKU, "templates/x.yaml:5:12: key_usage without usages"},
    {TOP LIFE NAMES KU, "templates/x.yaml:1:1: extended_key_usage.usages is missing"},
    {TOP LIFE NAMES "extended_key_usage: {usages: [OCSPSigning]}\n",
     "templates/x.yaml:5:31: OCSPSigning is not for"},
    {TOP LIFE NAMES "extended_key_usage: {usages: [anyExtendedKeyUsage]}\n",
     "templates/x.yaml:5:31: anyExtended"},
    {TOP LIFE NAMES "extended_key_usage: {usages: [webserver]}\n",
     "templates/x.yaml:5:31: 'webserver' is neither"},
    {TOP LIFE NAMES "extended_key_usage: {usages: [serverAuth, 1.3.6.1.5.5.7.3.1]}\n",
     "templates/x.yaml:5:43: 'usages' names this twice"},
    {TOP LIFE NAMES EKU "basic_constraints: {ca: true}\n",
     "templates/x.yaml:6:25: CA certificates are not for requests"},
    {TOP "internal: true\n" LIFE "subject: {allow: [CN], cn: free}\nbasic_constraints: {ca: true}\n",
     "templates/x.yaml:1:1: a CA certificate needs key_usage"},
    {TOP "internal: true\n" LIFE "subject: {allow: [CN], require: [CN], cn: free}\n" KU
         "basic_constraints: {ca: true}\n",
     "templates/x.yaml:5:21: a CA certificate needs keyCertSign"},
    {TOP "internal: true\n" LIFE "subject: {allow: [CN], cn: free}\nkey_usage: {usages: [keyCertSign]}\n"
         "basic_constraints: {ca: true, critical: false}\n",
     "templates/x.yaml:6:41: a CA certificate carries basicConstraints, critical"},
    {TOP "internal: true\n" LIFE "subject: {allow: [CN], cn: free}\nkey_usage: {usages: [keyCertSign]}\n"
         "basic_constraints: {ca: true}\n",
     "templates/x.yaml:4:10: a CA certificate needs a subject"},
    {TOP LIFE NAMES EKU "basic_constraints: {path_len: 0}\n",
     "templates/x.yaml:6:31: path_len without 'ca: true'"},
    {TOP LIFE NAMES EKU "basic_constraints: {present: false, critical: true}\n",
     "templates/x.yaml:6:47: 'critical' for"},
    {TOP LIFE NAMES EKU "pointers: {ocsp_nocheck: true}\n",
     "templates/x.yaml:6:26: ocsp_nocheck says not to ask"},
    {TOP LIFE NAMES EKU "pointers: {ocsp_nocheck: true, ocsp: false, crl: false}\n",
     "templates/x.yaml:6:26: ocsp_nocheck is for OCSPSigning"},
    {TOP "internal: true\naskers: [token]\n" LIFE NAMES EKU,
     "templates/x.yaml:3:9: an internal template has no askers"},
    {TOP "askers: [tokens]\n" LIFE NAMES EKU,
     "templates/x.yaml:2:10: unknown value 'tokens'; did you mean 'token'?"},
    {TOP "issuers: [Issuing]\n" LIFE NAMES EKU, "templates/x.yaml:2:11: an issuer's name"},
    {TOP "issuers: []\n" LIFE NAMES EKU, "templates/x.yaml:2:10: 'issuers' is an empty list"},
    {TOP "ceiling_per_hour: -1\n" LIFE NAMES EKU, "templates/x.yaml:2:19: "},
    {TOP LIFE NAMES EKU "key_usage: {usages: [digitalSignature], from: [csr]}\n",
     "templates/x.yaml:6:21: the template comes first"},
    {TOP LIFE NAMES EKU "key_usage: {usages: [digitalSignature], allow: [digitalSignature]}\n",
     "templates/x.yaml:6:48: 'allow' without request or csr"},
    {TOP LIFE NAMES EKU "key_usage: {from: [csr], allow: [keyCertSign]}\n",
     "templates/x.yaml:6:33: keyCertSign and cRLSign"},
    {TOP LIFE NAMES EKU "key_usage: {from: [issuer]}\n", "templates/x.yaml:6:19: 'issuer' cannot say this"},
    {TOP LIFE NAMES "extended_key_usage: {usages: [serverAuth], from: [csr]}\n",
     "templates/x.yaml:5:30: the template comes first"},
    {TOP LIFE NAMES "extended_key_usage: {from: [csr], allow: [OCSPSigning]}\n",
     "templates/x.yaml:5:43: OCSPSigning is not for"},
    {TOP LIFE NAMES EKU "pointers: {crl_from: [template]}\n",
     "templates/x.yaml:6:22: 'template' cannot say this"},
    {TOP LIFE NAMES EKU "custom: {values: {oid: 1.2.3}}\n", "templates/x.yaml:6:18: 'values' is a list"},
    {TOP LIFE NAMES EKU "custom: {values: [{value: 'utf8:x'}]}\n",
     "templates/x.yaml:6:19: an OID in dotted form"},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3}]}\n",
     "templates/x.yaml:6:19: an extension has a value"},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3, value: 'der:0500ff'}]}\n", "templates/x.yaml:6:39: "},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3, value: 'der:xx'}]}\n", "templates/x.yaml:6:39: "},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3, value: 'float:1'}]}\n", "templates/x.yaml:6:39: "},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3, utf8: x}]}\n",
     "templates/x.yaml:6:38: unknown key 'utf8'"},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 2.5.29.19, value: 'utf8:x'}]}\n",
     "templates/x.yaml:6:25: basicConstraints has fields of its own"},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 2.5.29.32, value: 'utf8:x'}]}\n",
     "templates/x.yaml:6:25: certificatePolicies has fields of its own"},
    {TOP LIFE NAMES EKU "custom: {from: [csr], allow: [2.5.29.19]}\n",
     "templates/x.yaml:6:31: basicConstraints has fields of its own"},
    {TOP LIFE NAMES EKU "custom: {values: [{oid: 1.2.3, value: 'null'}, {oid: 1.2.3, value: 'ia5:x'}]}\n",
     "templates/x.yaml:6:54: the same OID twice"},
    {TOP "validity: {default: 90d, max: 398d, jitter: 46d}\n" NAMES EKU, "templates/x.yaml:2:"},
    {TOP "validity: {default: 90d, max: 398d, until: soon}\n" NAMES EKU, "templates/x.yaml:2:"},
    {TOP LIFE EKU "sans: {kinds: [dns], wildcard_labels: 2}\n", "'wildcard_labels' without 'wildcard: true'"},
    {TOP LIFE NAMES EKU "policies: {critical: true}\n", "templates/x.yaml:6:11: policies without values"},
    {TOP LIFE NAMES EKU "policies: {values: []}\n", "templates/x.yaml:6:20: 'values' is an empty list"},
    {TOP LIFE NAMES EKU "policies: {values: [1.2.3]}\n", "templates/x.yaml:6:21: a policy is a mapping"},
    {TOP LIFE NAMES EKU "policies: {values: [{oid: 1.2.3}, {oid: 1.2.3, notice: x}]}\n",
     "templates/x.yaml:6:20: "},
    {TOP LIFE NAMES EKU "policies: {values: [{oid: 1.2.3, cps: x}]}\n",
     "templates/x.yaml:6:39: 'cps' is a list"},
    {TOP LIFE NAMES EKU "policies: {values: [{oid: 1.2.3, notice: [x]}]}\n",
     "templates/x.yaml:6:42: 'notice' is a text"},
    {TOP LIFE NAMES EKU "policies: {values: [{oid: x}]}\n", "templates/x.yaml:6:27: "},
    {TOP LIFE NAMES EKU "policy_constraints: {inhibit_any: 0}\n",
     "templates/x.yaml:6:21: policy constraints are for CA"},
    {TOP LIFE NAMES EKU "name_constraints: {permitted: ['dns:a']}\n",
     "templates/x.yaml:6:19: name constraints are for CA"},
    {CA_TOP "name_constraints: {}\n", "templates/x.yaml:7:19: name_constraints without"},
    {CA_TOP "name_constraints: {permitted: ['dns:a b']}\n", "templates/x.yaml:7:32: "},
    {CA_TOP "name_constraints: {excluded: ['10.0.0.0/8']}\n", "templates/x.yaml:7:31: "},
    {CA_TOP "name_constraints: {excluded: []}\n", "templates/x.yaml:7:30: 'excluded' is an empty list"},
    {CA_TOP "custom: {values: [{oid: 2.5.29.30, value: 'null'}]}\n",
     "templates/x.yaml:7:25: nameConstraints has fields of its own"},
    {TOP LIFE "sans: {kinds: [upn], allow: ['ann@a.example']}\n" EKU,
     "templates/x.yaml:3:30: a pattern for email names"},
    {TOP LIFE "sans: {kinds: [dir], allow: ['dir:CN']}\n" EKU, "templates/x.yaml:3:30: a dir pattern"},
    {TOP LIFE "sans: {kinds: [rid], allow: ['rid:1.2*']}\n" EKU, "templates/x.yaml:3:30: a rid pattern"},
    {TOP LIFE "sans: {kinds: [other], allow: ['other:1.*;00']}\n" EKU,
     "templates/x.yaml:3:32: a pattern of an otherName"},
    {TOP LIFE NAMES EKU "pointers: {no_rev_avail: true}\n",
     "templates/x.yaml:6:26: no_rev_avail beside a place"},
    {TOP LIFE NAMES EKU "pointers: {freshest_crl: [x]}\n", "templates/x.yaml:6:26: "},
    {TOP LIFE NAMES EKU "info_access: {}\n", "info_access without values"},
    {TOP LIFE NAMES EKU "info_access: {values: [{method: caRepository}]}\n",
     "templates/x.yaml:6:24: a mapping of method and uri"},
    {TOP LIFE NAMES EKU "info_access: {values: [{method: x, uri: 'http://a.example'}]}\n",
     "templates/x.yaml:6:33: "},
    {TOP LIFE NAMES EKU "tls_feature: {features: [staple]}\n", "templates/x.yaml:6:26: "},
    {TOP LIFE NAMES EKU "tls_feature: {features: [status_request_v2, status_request]}\n",
     "templates/x.yaml:6:45: features stand in the order"},
    {TOP LIFE NAMES EKU "tls_feature: {}\n", "tls_feature without features"},
    {TOP LIFE NAMES EKU "directory: {values: {gender: F}}\n",
     "templates/x.yaml:6:30: an attribute has a list"},
    {TOP LIFE NAMES EKU "directory: {values: {height: ['null']}}\n", "templates/x.yaml:6:30: "},
    {TOP LIFE NAMES EKU "directory: {values: {gender: [x]}}\n", "templates/x.yaml:6:31: "},
    {TOP LIFE NAMES EKU "microsoft: {major: 1}\n", "templates/x.yaml:6:20: a version without"},
    {TOP LIFE NAMES EKU "microsoft: {template_oid: x}\n", "templates/x.yaml:6:27: "},
    {TOP LIFE NAMES EKU "microsoft: {sid: me}\n", "templates/x.yaml:6:18: "},
    {TOP LIFE NAMES EKU "custom: {allow: [1.2.3]}\n",
     "templates/x.yaml:6:17: 'allow' without request or csr"},
    {TOP "name: aws/x\n" LIFE NAMES EKU, "templates/x.yaml:2:7: a name is one word"},
    {TOP "name: A\n" LIFE NAMES EKU, "templates/x.yaml:2:7: a name is one word"},
    {TOP "name: aws//V1\n" LIFE NAMES EKU, "templates/x.yaml:2:7: a name is one word"},
    {"description: &d test\n" LIFE NAMES EKU, "templates/x.yaml:1:14: anchors are not used here"},
    {TOP LIFE NAMES "extended_key_usage: *d\n", "templates/x.yaml:5:21: aliases are not used here"},
    {TOP LIFE NAMES EKU "enabled: !!bool true\n", "templates/x.yaml:6:10: tags are not used here"},
    {TOP LIFE NAMES EKU LIFE, "templates/x.yaml:6:1: "},
    {TOP LIFE NAMES EKU "<<: {enabled: true}\n", "templates/x.yaml:6:1: "},
    {TOP LIFE NAMES EKU
     "policies: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
     "templates/x.yaml:6:"},
    {TOP LIFE NAMES EKU "---\ndescription: another\n", "templates/x.yaml:6:"},
    {"- a\n", "templates/x.yaml:1:1: "},
    {"", "templates/x.yaml"},
};

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct templates *set = NULL;
        struct err *e = fixture_load(bad[i].yaml, &set);
        if (!e)
            print_error("case %zu was let in: %s\n", i, bad[i].error);
        fixture_refused(e, ERR_CONFIG, bad[i].error);
        assert_null(set);
    }
}

/* The control to the table above: the pieces its cases are made of load. */
static void the_pieces_of_the_cases_are_sound(void **state)
{
    (void)state;
    struct templates *set = NULL;
    fixture_ok(fixture_load(TOP LIFE NAMES KU EKU, &set));
    templates_free(set);
}

static struct err *load_named(const char *a, const char *b)
{
    struct templates_file files[] = {{a, view_str(TOP LIFE NAMES EKU)}, {b, view_str(TOP LIFE NAMES EKU)}};
    struct templates *set = NULL;
    struct err *e = templates_load(files, 2, &set);
    templates_free(set);
    return e;
}

static void a_file_gives_its_name_to_the_template(void **state)
{
    (void)state;
    fixture_ok(load_named("templates/a.yaml", "b.yaml"));
    fixture_refused(load_named("templates/a.yaml", "other/a.yaml"), ERR_CONFIG, "two files are named a.yaml");
    fixture_refused(load_named("a.yaml", "b.yml"), ERR_CONFIG, "ends in .yaml");
    fixture_refused(load_named("a.yaml", "B.yaml"), ERR_CONFIG, "made of a-z");
    fixture_refused(load_named("a.yaml", "../.yaml"), ERR_CONFIG, "1 to 63");
}

static void a_template_may_have_a_name_of_its_own(void **state)
{
    (void)state;
    struct templates *set = NULL;
    fixture_ok(fixture_load("name: aws/End_Entity/V1\n" LIFE NAMES EKU, &set));
    const struct template *t = templates_find(set, view_str("aws/End_Entity/V1"));
    assert_non_null(t);
    json_t *json = templates_to_json(t);
    assert_string_equal(json_string_value(json_object_get(json, "name")), "aws/End_Entity/V1");
    json_decref(json);
    templates_free(set);
}

static void a_template_that_is_off_is_for_nobody(void **state)
{
    (void)state;
    struct templates *set = NULL;
    fixture_ok(fixture_load("enabled: false\n" LIFE NAMES EKU, &set));
    fixture_refused(templates_may_ask(templates_at(set, 0), TEMPLATES_BY_OPERATOR), ERR_FORBIDDEN,
                    "switched off");
    templates_free(set);
}

static void custom_values_are_shown_as_they_were_written(void **state)
{
    (void)state;
    struct templates *set = NULL;
    fixture_ok(fixture_load(LIFE NAMES EKU "custom: {values: [{oid: 1.2.1, value: 'utf8:x'},\n"
                                           "  {oid: 1.2.8, critical: true, value: 'der:3003020105'}]}\n",
                            &set));
    json_t *json = templates_to_json(templates_at(set, 0));
    const json_t *values = json_object_get(json_object_get(json, "custom"), "values");
    assert_int_equal(json_array_size(values), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 0), "value")), "utf8:x");
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 1), "value")),
                        "der:3003020105");
    assert_true(json_is_true(json_object_get(json_array_get(values, 1), "critical")));
    json_decref(json);
    templates_free(set);
}

#define FULL                                                                                                 \
    LIFE NAMES EKU                                                                                           \
        "policies: {values: [{oid: 1.2.3, cps: ['https://a.example/cps'], notice: read}], critical: true}\n" \
        "pointers: {freshest_crl: ['http://a.example/d.crl']}\n"                                             \
        "info_access: {values: [{method: timeStamping, uri: 'http://a.example/tsa'}]}\n"                     \
        "tls_feature: {features: [status_request]}\n"                                                        \
        "directory: {values: {countryOfCitizenship: ['printable:DE']}}\n"                                    \
        "microsoft: {template_name: Web, template_oid: 1.3.6.1.4.1.311.21.8.1, major: 100, minor: 3}\n"

/* What is shown loads again to the same, with every group there is. */
static void a_full_template_is_shown_and_loads_again(void **state)
{
    (void)state;
    struct templates *set = NULL, *again = NULL;
    fixture_ok(fixture_load(FULL, &set));
    json_t *json = templates_to_json(templates_at(set, 0));
    json_object_del(json, "name");
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    fixture_ok(fixture_load(text, &again));
    json_t *shown = templates_to_json(templates_at(again, 0));
    json_object_del(shown, "name");
    assert_true(json_equal(json, shown));
    assert_non_null(json_object_get(json_object_get(json, "policies"), "values"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "microsoft"), "major")), 100);
    json_decref(json);
    json_decref(shown);
    free(text);
    templates_free(set);
    templates_free(again);
}

static void ten_thousand_templates_are_found_by_name(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct templates_file *files = calloc(N, sizeof(*files));
    char(*names)[16] = calloc(N, sizeof(*names));
    struct templates *set = NULL;
    for (size_t i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "t%05zu.yaml", (i * 7919) % N);
        files[i] = (struct templates_file){names[i], view_str(TOP LIFE NAMES EKU)};
    }
    fixture_ok(templates_load(files, N, &set));
    for (size_t i = 0; i < N; i++)
        assert_non_null(templates_find(set, view_of(names[i], 6)));
    assert_null(templates_find(set, view_str("t10000")));
    templates_free(set);
    free(files);
    free(names);
}

static void a_template_is_shown_with_all_values_in_force(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    json_t *json = templates_to_json(fixture_template(f, "server"));
    assert_string_equal(json_string_value(json_object_get(json, "name")), "server");
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "validity"), "max")), "398d");
    assert_int_equal(json_array_size(json_object_get(json_object_get(json, "keys"), "allow")), 5);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "keys"), "rsa_max")), 8192);
    assert_true(json_is_true(json_object_get(json_object_get(json, "key_usage"), "critical")));
    assert_null(json_object_get(json_object_get(json, "basic_constraints"), "path_len"));
    json_decref(json);
    json = templates_to_json(fixture_template(f, "root"));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "basic_constraints"), "path_len")), 1);
    assert_null(json_object_get(json, "sans"));
    json_decref(json);
    fixture_free(f);
}

/* What is shown can be written to a file again and is the same template. */
static void what_is_shown_loads_again(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < templates_count(f->set); i++) {
        const struct template *t = templates_at(f->set, i);
        json_t *json = templates_to_json(t);
        json_object_del(json, "name");
        char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENSURE_ASCII);
        if (templates_internal(t))
            assert_null(json_object_get(json, "askers"));
        struct templates *again = NULL;
        fixture_ok(fixture_load(text, &again));
        json_t *shown = templates_to_json(templates_at(again, 0));
        json_object_del(shown, "name");
        assert_true(json_equal(json, shown));
        json_decref(json);
        json_decref(shown);
        free(text);
        templates_free(again);
    }
    fixture_free(f);
}

/* Cut short at each place, and with one octet changed: an error or a template, never a fall. */
static void spoil(struct arena *arena, struct templates_file file, struct view whole, size_t from,
                  size_t step)
{
    for (size_t at = from; at < whole.n; at += step) {
        struct templates *set = NULL;
        arena_reset(arena);
        uint8_t *bytes = (uint8_t *)arena_str(arena, whole);
        bytes[at] = "\0[]{}:,-#\x80 \n'0&*"[at % 17];
        file.bytes = at % 2 ? view_of(bytes, whole.n) : view_of(whole.p, at);
        struct err *e = templates_load(&file, 1, &set);
        assert_true(e ? err_code(e) == ERR_CONFIG && !set : set != NULL);
        err_free(e);
        templates_free(set);
    }
}

static void a_spoiled_file_takes_nothing_down(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct templates_file file;
    struct view whole;
    for (size_t i = 0; templates_builtin(i, &file.name, &whole); i++)
        spoil(arena, file, whole, i, 5);
    for (size_t i = 0; templates_aws(i, &file.name, &whole); i++)
        spoil(arena, file, whole, i, 101);
    file.name = "templates/full.yaml";
    spoil(arena, file, view_str(FULL), 0, 1);
    arena_free(arena);
}

/* A field that is judged on the bytes has a rule; a rule names a field that exists. */
static void each_tbs_field_has_a_rule(void **state)
{
    (void)state;
    static const char *const under_another[] = {"rsa",    "critical", "path_len",        "present",
                                                "issuer", "from",     "inhibit_mapping", "major",
                                                "minor",  "excluded", "computed",        "order"};
    struct templates_field field;
    for (size_t i = 0; templates_fields(i, &field); i++) {
        bool found = strcmp(field.judge, "tbs") != 0;
        for (size_t k = 0; k < judge_rows_count(); k++)
            found |=
                strcmp(judge_rows[k].group, field.group) == 0 && strcmp(judge_rows[k].key, field.key) == 0;
        for (size_t k = 0; k < sizeof(under_another) / sizeof(under_another[0]); k++)
            found |= strcmp(under_another[k], field.key) == 0;
        if (!found)
            print_error("no rule keeps %s.%s\n", field.group, field.key);
        assert_true(found);
        assert_true(strlen(field.doc) > 0);
    }
    for (size_t k = 0; k < judge_rows_count(); k++) {
        bool found = judge_rows[k].key[0] == 0;
        for (size_t i = 0; templates_fields(i, &field); i++)
            found |=
                strcmp(judge_rows[k].group, field.group) == 0 && strcmp(judge_rows[k].key, field.key) == 0;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_builtin_templates_load),
        cmocka_unit_test(no_request_can_have_an_internal_template),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(the_pieces_of_the_cases_are_sound),
        cmocka_unit_test(a_file_gives_its_name_to_the_template),
        cmocka_unit_test(a_template_may_have_a_name_of_its_own),
        cmocka_unit_test(a_template_that_is_off_is_for_nobody),
        cmocka_unit_test(custom_values_are_shown_as_they_were_written),
        cmocka_unit_test(a_full_template_is_shown_and_loads_again),
        cmocka_unit_test(ten_thousand_templates_are_found_by_name),
        cmocka_unit_test(a_template_is_shown_with_all_values_in_force),
        cmocka_unit_test(what_is_shown_loads_again),
        cmocka_unit_test(a_spoiled_file_takes_nothing_down),
        cmocka_unit_test(each_tbs_field_has_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
