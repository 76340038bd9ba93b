/*
 * Expressions: what each gives, what is refused at load with its place, and that nothing costs more than was
 * promised.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "expr.h"

static struct expr_value text(const char *s)
{
    return (struct expr_value){.s = view_str(s)};
}

/* The facts that all cases look at. */
static void facts_of(struct expr_facts *f)
{
    static struct expr_value sans[2], subject[6], names[1];
    memset(f, 0, sizeof(*f));
    sans[0] = text("dns:a.pay.example");
    sans[1] = text("ip:10.0.0.7");
    subject[0] = text("CN");
    subject[1] = text("a.pay.example");
    subject[2] = text("OU");
    subject[3] = text("B\303\274ro");
    subject[4] = text("O");
    subject[5] = text("");
    names[0] = text("dns:**.pay.example");
    f->v[EXPR_VAR_ASKER_ROLE] = text("requester");
    f->v[EXPR_VAR_ASKER_ID] = text("token:6f1c");
    f->v[EXPR_VAR_ASKER_NAMES] = (struct expr_value){.list = names, .n_list = 1};
    f->v[EXPR_VAR_CSR_SUBJECT] = (struct expr_value){.list = subject, .n_list = 6};
    f->v[EXPR_VAR_CERT_SANS] = (struct expr_value){.list = sans, .n_list = 2};
    f->v[EXPR_VAR_CERT_KEY_BITS].n = 256;
    f->v[EXPR_VAR_CERT_NOT_BEFORE].n = FIXTURE_NOW;
    f->v[EXPR_VAR_CERT_NOT_AFTER].n = FIXTURE_NOW + 90 * 86400;
    f->v[EXPR_VAR_NOW].n = FIXTURE_NOW; /* 2026-11-21T06:20:00Z, a Saturday */
}

/* Conditions that hold. */
static const char *const true_ones[] = {
    "true",
    "!false",
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "7 / 2 == 3 && 7 % 2 == 1 && -7 / 2 == -3",
    "10 - 3 - 2 == 5",
    "1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2 && 1 != 2",
    "true || false && false",
    "false ? false : true",
    "1 == 1 ? true : 1 / 0 == 1",
    "'a' + \"b\" == 'ab'",
    "'a\\'b\\n\\u00fc' == \"a'b\\n\303\274\"",
    "'b' > 'a'",
    "'' == ''",
    /* either side decides, also where the other has no value */
    "1 / 0 == 1 || true",
    "!(csr.subject.L == 'x' && false)",
    /* facts */
    "asker.role == 'requester'",
    "asker.role in ['operator', 'requester']",
    "!(asker.role in [])",
    "3 in [1, 2, 3]",
    "'CN' in csr.subject && !('L' in csr.subject)",
    "csr.subject.CN == 'a.pay.example'",
    "csr.subject['OU'] == 'B\303\274ro'",
    "has(csr.subject.CN) && !has(csr.subject.L)",
    "size(csr.subject) == 3",
    "size(cert.sans) == 2 && cert.sans.size() == 2",
    "cert.sans[1] == 'ip:10.0.0.7'",
    "cert.key.bits >= 256",
    /* texts */
    "size(csr.subject.OU) == 4",
    "csr.subject.OU.substring(1) == '\303\274ro'",
    "csr.subject.OU.substring(1, 2) == '\303\274'",
    "csr.subject.OU.substring(4) == ''",
    "csr.subject.CN.startsWith('a.') && csr.subject.CN.endsWith('.example')",
    "csr.subject.CN.contains('pay') && !csr.subject.CN.contains('gap') && ''.contains('')",
    "csr.subject.CN.like('a.*.example') && !csr.subject.CN.like('b*')",
    "'AbC'.lowerAscii() == 'abc' && 'AbC'.upperAscii() == 'ABC'",
    "' a '.trim() == 'a' && '  '.trim() == ''",
    "'a.b.c'.replace('.', '-') == 'a-b-c' && 'aaa'.replace('aa', 'b') == 'ba'",
    "'a,b,,c'.split(',') == ['a', 'b', '', 'c'] && ''.split(',') == ['']",
    "['a', 'b'].join('-') == 'a-b' && [].join('-') == ''",
    "csr.subject.CN.split('.')[0] == 'a'",
    /* lists */
    "cert.sans.all(n, n != '') && cert.sans.exists(n, n.startsWith('ip:'))",
    "!cert.sans.all(n, n.startsWith('dns:')) && [].all(n, n == 'x') && ![].exists(n, true)",
    "cert.sans.exists(n, n.coveredBy(asker.names))",
    "[1, 2, 3].all(i, i < 4)",
    /* names and networks */
    "cert.sans.coveredBy(['**.pay.example', '10.0.0.0/8'])",
    "!cert.sans.coveredBy(asker.names)",
    "cert.sans[0].coveredBy(asker.names)",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP('11.0.0.1')",
    "cidr('fd00::/8').containsIP('fd00::1') && !cidr('10.0.0.0/8').containsIP('fd00::1')",
    "isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0.0/8') && !isIP('a')",
    "cert.sans.exists(n, n.startsWith('ip:') && cidr('10.0.0.0/24').containsIP(n.substring(3)))",
    /* times */
    "now == timestamp('2026-11-21T06:20:00Z')",
    "cert.not_after - cert.not_before == duration('90d')",
    "now + duration('1h') > now && now - duration('1h') < now",
    "now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 21",
    "now.getDayOfWeek() == 6 && now.getHours() == 6 && now.getMinutes() == 20",
    "timestamp('1969-12-31T00:00:00Z').getDayOfWeek() == 3",
    "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90",
    "duration('1m').getSeconds() == 60",
    "duration('1h') + duration('30m') == duration('90m')",
    /* conversions */
    "int('-12') == -12 && string(12) == '12' && string(true) == 'true'",
    "string(now) == '2026-11-21T06:20:00Z' && int(timestamp('1970-01-01T00:00:10Z')) == 10",
    "int('-9223372036854775808') < 0",
};

static void each_holds(void **state)
{
    (void)state;
    struct expr_facts facts;
    struct arena *arena = arena_new(1 << 20);
    facts_of(&facts);
    for (size_t i = 0; i < sizeof(true_ones) / sizeof(true_ones[0]); i++) {
        struct expr x;
        struct expr_value yes = {.n = 0};
        arena_reset(arena);
        struct err *e = expr_compile(true_ones[i], EXPR_BOOL, ~0u, arena, &x);
        e = e ? e : expr_eval(&x, &facts, arena, &yes);
        if (e || !yes.n)
            print_error("%s: %s\n", true_ones[i], e ? err_detail(e) : "false");
        assert_null(e);
        assert_int_equal(yes.n, 1);
    }
    arena_free(arena);
}

static const struct {
    const char *text, *error;
} refused[] = {
    {"", "1 to 1000 octets"},
    {" ", "character 2: the expression ends too early"},
    {"1", "gives int; bool is wanted"},
    {"true true", "character 6: the expression should end here"},
    {"(true", "character 6: ')' is missing"},
    {"true &", "character 6: '&' is no part"},
    {"a\001", "character 2: an octet 0x01"},
    {"'abc", "character 1: a string without its end"},
    {"'\\q'", "character 3: escapes are"},
    {"'\\u0000' == ''", "character 3: escapes are"},
    {"'\\ud800' == ''", "character 3: escapes are"},
    {"1.5 > 1", "character 1: integers are decimal"},
    {"0x10 > 1", "character 1: integers are decimal"},
    {"99999999999999999999 > 1", "character 1: an integer of more than 64 bits"},
    {"nope", "character 1: unknown 'nope'"},
    {"asker.rol == 'x'", "character 7: unknown 'asker.rol'; did you mean 'asker.role'?"},
    {"csr.subjec.CN == 'x'", "did you mean 'csr.subject'?"},
    {"asker == 'x'", "character 1: unknown 'asker'"},
    {"asker.role.x == 'y'", "string stands here; a mapping"},
    {"asker.role == 1", "character 12: string and int do not go together"},
    {"1 + 'a' == 2", "int and string do not go together"},
    {"now + now == now", "timestamp and timestamp"},
    {"csr.subject == csr.subject", "map(string, string) and map(string, string)"},
    {"!1", "int stands here; bool is wanted"},
    {"-'a' == 1", "string stands here; int is wanted"},
    {"1 ? true : false", "int stands here; bool"},
    {"true ? 1 : 'a'", "string stands here; int is wanted"},
    {"[1, 'a'] == []", "the type of the elements before"},
    {"[true] == []", "a list is of strings or of integers"},
    {"cert.sans['a'] == 'x'", "string stands here; int"},
    {"csr.subject[0] == 'x'", "int stands here; string"},
    {"frob('a')", "character 1: no function 'frob'"},
    {"size(1) == 1", "character 1: 'size' does not take int"},
    {"'a'.size(1) == 1", "'size' does not take string, int"},
    {"'a'.matches('a')", "no function 'matches'"},
    {"has(csr.subject)", "has() is about an attribute"},
    {"has(cert.sans[0])", "has() is about an attribute"},
    {"cert.sans.all(n)", "all and exists take a name and a condition"},
    {"cert.sans.all('n', true)", "all and exists take a name and a condition"},
    {"cert.sans.all(n, 1)", "int stands here; bool"},
    {"asker.role.all(n, true)", "string stands here; a list"},
    {"cert.sans.map(n, n) == []", "unknown 'n'"},
    {"n == 'a' || cert.sans.all(n, true)", "character 1: unknown 'n'"},
    /* what is constant is worked out at load */
    {"cidr('10.0.0.1/8').containsIP('10.0.0.1')", "character 1: a network is written"},
    {"timestamp('soon') < now", "character 1: "},
    {"duration('1 day') > duration('1h')", "character 1: "},
    {"cert.sans.coveredBy(['a.*.b'])", "character 11: a host pattern"},
    {"cert.sans[0].coveredBy(['ip:10.0.0.1/8'])", "an ip pattern"},
    {"int('12a') == 1", "character 1: int() of what is no decimal number"},
    {"'a'.replace('', 'b') == ''", "replace() of the empty text"},
    /* too dear */
    {"cert.sans.all(a, cert.sans.all(b, cert.sans.all(c, true)))", "more than 2 deep"},
    {"cert.sans.all(a, cert.sans.all(b, a.like(b) && b.like(a)))", "the expression can cost"},
    {"cert.sans.all(a, cert.sans.coveredBy(asker.names))", "the expression can cost"},
    {"((((((((((((((((((((((((((true))))))))))))))))))))))))))", "nested deeper than 24"},
    {"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!true", "nested deeper than 24"},
};

static void what_is_wrong_is_found_at_load(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct expr x;
        arena_reset(arena);
        struct err *e = expr_compile(refused[i].text, EXPR_BOOL, ~0u, arena, &x);
        if (!e)
            print_error("let in: %s\n", refused[i].text);
        fixture_refused(e, ERR_BAD_FIELD, refused[i].error);
    }
    arena_free(arena);
}

static const struct {
    const char *text, *error;
} valueless[] = {
    {"csr.subject.L == 'x'", "there is no 'L'"},
    {"csr.subject['L'] == 'x'", "there is no 'L'"},
    {"cert.sans[2] == 'x'", "no element 2 in a list of 2"},
    {"cert.sans[-1] == 'x'", "no element -1"},
    {"cert.key.bits / (cert.key.bits - 256) == 1", "a division by zero"},
    {"cert.key.bits % (cert.key.bits - 256) == 1", "a division by zero"},
    {"cert.key.bits * 9223372036854775807 == 1", "more than 64 bits"},
    {"csr.subject.CN.substring(99) == ''", "substring() from 99"},
    {"csr.subject.CN.substring(3, 1) == ''", "substring() from 3 to 1"},
    {"int(csr.subject.CN) == 1", "no decimal number"},
    {"timestamp(csr.subject.CN) < now", ""},
    {"cidr(csr.subject.CN).containsIP('10.0.0.1')", "a network is written"},
    {"cidr('10.0.0.0/8').containsIP(csr.subject.CN)", "containsIP() of what is no address"},
    {"cert.sans.coveredBy([csr.subject.OU])", "a host pattern"},
    {"csr.subject.CN.split('') == []", "split() by the empty text"},
};

static void an_evaluation_without_a_value_says_why(void **state)
{
    (void)state;
    struct expr_facts facts;
    struct arena *arena = arena_new(1 << 20);
    facts_of(&facts);
    for (size_t i = 0; i < sizeof(valueless) / sizeof(valueless[0]); i++) {
        struct expr x;
        struct expr_value value;
        arena_reset(arena);
        fixture_ok(expr_compile(valueless[i].text, EXPR_BOOL, ~0u, arena, &x));
        fixture_refused(expr_eval(&x, &facts, arena, &value), ERR_POLICY, valueless[i].error);
    }
    arena_free(arena);
}

/* Long names in long lists: refused for what they cost, and for what they make. */
static void the_bounds_hold_while_it_runs(void **state)
{
    (void)state;
    struct expr_facts facts;
    struct arena *arena = arena_new(1 << 20);
    struct expr_value long_ones[100];
    struct expr x;
    struct expr_value value;
    char *name = calloc(1, 4001);
    memset(name, 'a', 4000);
    for (size_t i = 0; i < 100; i++)
        long_ones[i] = text(name);
    facts_of(&facts);
    facts.v[EXPR_VAR_CERT_SANS] = (struct expr_value){.list = long_ones, .n_list = 100};
    fixture_ok(expr_compile("cert.sans.all(n, n.like('*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa*'))",
                            EXPR_BOOL, ~0u, arena, &x));
    fixture_refused(expr_eval(&x, &facts, arena, &value), ERR_POLICY, "costs more than");
    fixture_ok(expr_compile("cert.sans.all(n, n.lowerAscii() == n)", EXPR_BOOL, ~0u, arena, &x));
    fixture_refused(expr_eval(&x, &facts, arena, &value), ERR_POLICY, "makes more than");
    fixture_ok(expr_compile("cert.sans[0] + cert.sans[1] == ''", EXPR_BOOL, ~0u, arena, &x));
    fixture_refused(expr_eval(&x, &facts, arena, &value), ERR_POLICY, "a text of more than");
    free(name);
    arena_free(arena);
}

static void an_expression_says_what_it_looks_at(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 16);
    struct expr x;
    fixture_ok(expr_compile("size(cert.sans) < 3 && now > cert.not_before", EXPR_BOOL, ~0u, arena, &x));
    assert_int_equal(x.uses, EXPR_CERT | EXPR_CLOCK);
    fixture_ok(expr_compile("asker.id + csr.key.kind", EXPR_STRING, ~0u, arena, &x));
    assert_int_equal(x.uses, EXPR_ASKER | EXPR_CSR);
    fixture_refused(expr_compile("cert.sans == []", 0, EXPR_ASKER, arena, &x), ERR_BAD_FIELD,
                    "character 6: 'cert.sans' cannot be looked at here");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_holds),
        cmocka_unit_test(what_is_wrong_is_found_at_load),
        cmocka_unit_test(an_evaluation_without_a_value_says_why),
        cmocka_unit_test(the_bounds_hold_while_it_runs),
        cmocka_unit_test(an_expression_says_what_it_looks_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
