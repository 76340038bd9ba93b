/* base/conf: strict trees, exact places, rows; files and API bodies by the same rules. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* The text in memory of its own size, so that reading past it is seen. */
static struct err *parse(const char *text, size_t n, bool json, struct conf **ret)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    struct err *e =
        json ? conf_parse_json(view_of(copy, n), ret) : conf_parse("f.yaml", view_of(copy, n), ret);
    free(copy);
    return e;
}

static struct conf *yaml(const char *text)
{
    struct conf *c = NULL;
    EXPECT_OK(parse(text, strlen(text), false, &c));
    return c;
}

static struct conf *json(const char *text)
{
    struct conf *c = NULL;
    EXPECT_OK(parse(text, strlen(text), true, &c));
    return c;
}

static void refused(const char *text, const char *part)
{
    struct conf *c = NULL;
    EXPECT_ERR(parse(text, strlen(text), false, &c), ERR_CONFIG, part);
    assert_null(c);
}

static void json_refused(const char *text, const char *part)
{
    struct conf *c = NULL;
    EXPECT_ERR(parse(text, strlen(text), true, &c), ERR_BAD_JSON, part);
    assert_null(c);
}

/* --- trees --- */

static void yaml_becomes_plain_data(void **state)
{
    (void)state;
    struct conf *c = yaml("# comment\n"
                          "a: text\n"
                          "b: [1, -7, true, false, null, 'true', \"7\"]\n"
                          "c:\n"
                          "  d: |\n"
                          "    line one\n"
                          "    line two\n"
                          "e: 0x10\n"
                          "f: 010\n"
                          "g: yes\n"
                          "h: 9223372036854775807\n"
                          "i: 9223372036854775808\n"
                          "j: -9223372036854775808\n"
                          "k:\n"
                          "l: 1.5\n");
    char *text = json_dumps(conf_root(c), JSON_COMPACT);
    assert_string_equal(text,
                        "{\"a\":\"text\",\"b\":[1,-7,true,false,null,\"true\",\"7\"],"
                        "\"c\":{\"d\":\"line one\\nline two\\n\"},\"e\":\"0x10\",\"f\":\"010\",\"g\":\"yes\","
                        "\"h\":9223372036854775807,\"i\":\"9223372036854775808\",\"j\":-9223372036854775808,"
                        "\"k\":null,\"l\":\"1.5\"}");
    free(text);
    conf_free(c);
    conf_free(NULL);
}

static void every_node_has_its_place(void **state)
{
    (void)state;
    struct conf *c = yaml("\xef\xbb\xbf"
                          "a: true\n"
                          "list:\n"
                          "  - true\n"
                          "  - {x: null, y: \xc3\xa4, z: 1}\n");
    const json_t *root = conf_root(c);
    const json_t *list = json_object_get(root, "list");
    const json_t *map = json_array_get(list, 1);
    EXPECT_ERR(conf_error(c, root, "r"), ERR_CONFIG, "f.yaml:1:1: r");
    EXPECT_ERR(conf_error(c, json_object_get(root, "a"), "a"), ERR_CONFIG, "f.yaml:1:4: a");
    EXPECT_ERR(conf_error(c, json_array_get(list, 0), "0"), ERR_CONFIG, "f.yaml:3:5: 0");
    EXPECT_ERR(conf_error(c, map, "m"), ERR_CONFIG, "f.yaml:4:5: m");
    EXPECT_ERR(conf_error(c, json_object_get(map, "x"), "x"), ERR_CONFIG, "f.yaml:4:9: x");
    EXPECT_ERR(conf_error(c, json_object_get(map, "y"), "y"), ERR_CONFIG, "f.yaml:4:18: y");
    EXPECT_ERR(conf_error(c, json_object_get(map, "z"), "z"), ERR_CONFIG, "f.yaml:4:24: z");
    EXPECT_ERR(conf_error(c, NULL, "none"), ERR_CONFIG, "f.yaml: none");
    conf_free(c);
}

static void what_makes_yaml_surprising_is_refused(void **state)
{
    (void)state;
    refused("a: &x 1\n", "f.yaml:1:4: anchors");
    refused("a: &x {b: 1}\n", "f.yaml:1:4: anchors");
    refused("a: &x [1]\n", "anchors");
    refused("a: 1\nb: *x\n", "f.yaml:2:4: aliases");
    refused("*x : 1\n", "aliases");
    refused("a: !!str 1\n", "f.yaml:1:4: tags");
    refused("a: !x {}\n", "tags");
    refused("a: ! 1\n", "tags");
    refused("- !!seq []\n", "tags");
    refused("%YAML 1.1\n---\na: 1\n", "directives");
    refused("%TAG ! tag:x,2026:\n---\na: 1\n", "directives");
    refused("a: 1\n<<: {b: 2}\n", "f.yaml:2:1: merge");
    refused("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a', first given on line 1");
    refused("x: {a: 1, \"a\": 3}\n", "f.yaml:1:11: duplicate key 'a'");
    refused("a: 1\n---\nb: 1\n", "f.yaml:2:1: more than one document");
    refused("a: 1\n...\nb: 1\n", "document");
    refused("? [a]\n: 1\n", "f.yaml:1:3: a key must be text");
    refused("? {a: 1}\n: 1\n", "a key must be text");
    refused("a: \"x\\0y\"\n", "f.yaml:1:4: text with a NUL");
    refused("", "f.yaml:1:1: nothing in it");
    refused("# only this\n", "nothing in it");
}

static void what_is_not_yaml_is_refused_with_its_place(void **state)
{
    (void)state;
    refused("a: [1, 2\nb: 3\n", "f.yaml:2:");
    refused("a: 1\n\tb: 2\n", "f.yaml:2:1: not YAML");
    refused("a: \"open\n", "not YAML");
    refused("a: 1\n b: 2\n", "f.yaml:2:");
    refused("a: '\xff'\n", "f.yaml:1:5: not UTF-8");
    refused("a: 1\nb: \x01\n", "f.yaml:2:4: character U+0001");
    refused("a: 1\xef\xbb\xbf\n", "U+FEFF");
    refused("a: \"\\ud800\"\n", "not YAML");
    struct conf *c = NULL;
    EXPECT_ERR(parse("a: 1\0b", 6, false, &c), ERR_CONFIG, "f.yaml:1:5: character U+0000");
    EXPECT_ERR(parse("a\0:\0 \0", 6, false, &c), ERR_CONFIG, "U+0000"); /* UTF-16 */
}

static char *repeat(const char *unit, size_t n, const char *tail)
{
    size_t len = strlen(unit);
    char *to = arena_alloc(arena, n * len + strlen(tail) + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * len, unit, len);
    memcpy(to + n * len, tail, strlen(tail));
    return to;
}

static void depth_count_and_size_are_bounded(void **state)
{
    (void)state;
    conf_free(yaml(repeat("[", 32, repeat("]", 32, ""))));
    conf_free(json(repeat("[", 32, repeat("]", 32, ""))));
    refused(repeat("[", 33, repeat("]", 33, "")), "f.yaml:1:33: nested deeper than 32");
    refused(repeat("[", 100000, ""), "nested deeper than 32");
    refused(repeat("- ", 1000, "a\n"), "nested deeper than 32");
    json_refused(repeat("[", 33, repeat("]", 33, "")), "nested deeper than 32");
    json_refused(repeat("{\"a\":", 100000, ""), "nested deeper than 32");
    conf_free(json("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\"]"));
    conf_free(yaml(repeat("- true\n", 99999, "")));
    refused(repeat("- true\n", 100000, ""), "more than 100000 values");
    json_refused(arena_printf(arena, "[%s", repeat("true,", 100000, "true]")), "more than 100000 values");
    struct conf *c = NULL;
    size_t n = 4 * 1024 * 1024 + 1;
    char *big = repeat("#", n, "");
    EXPECT_ERR(parse(big, n, false, &c), ERR_CONFIG, "f.yaml: larger than");
    EXPECT_ERR(parse(big, n, true, &c), ERR_TOO_LARGE, "larger than");
}

static void json_is_strict(void **state)
{
    (void)state;
    json_refused("", "line 1");
    json_refused("{\"a\":1,\"a\":2}", "duplicate");
    json_refused("{\"a\":1}x", "line 1 column 8");
    json_refused("{\"a\":\"\\u0000\"}", "line 1");
    json_refused("{\"a\":\"\xff\"}", "line 1");
    json_refused("{a:1}", "line 1");
    json_refused("{\"a\":99999999999999999999}", "line 1");
    json_refused("\"text\"", "line 1");
    json_refused("{\"a\":\"\\", "line 1");
    struct conf *c = NULL;
    EXPECT_ERR(parse("{\"a\0\":1}", 8, true, &c), ERR_BAD_JSON, "line 1");
}

static void json_errors_name_the_pointer(void **state)
{
    (void)state;
    struct conf *c = json("{\"a\":true,\"b/~\":[true,{\"c\":true}]}");
    const json_t *list = json_object_get(conf_root(c), "b/~");
    static const char *const pointers[] = {"", "/a", "/b~1~0/0", "/b~1~0/1/c"};
    const json_t *nodes[] = {conf_root(c), json_object_get(conf_root(c), "a"), json_array_get(list, 0),
                             json_object_get(json_array_get(list, 1), "c")};
    for (size_t i = 0; i < 4; i++) {
        struct err *e = conf_error(c, nodes[i], "wrong");
        assert_string_equal(err_pointer(e), pointers[i]);
        EXPECT_ERR(e, ERR_BAD_FIELD, "wrong");
    }
    conf_free(c);
}

/* --- rows --- */

enum colour { RED, GREEN, BLUE };
static const char *const colours[] = {"red", "green", "blue", NULL};

struct settings {
    const char *name;
    bool on;
    int64_t count, life_s, bytes;
    int colour;
    struct conf_texts hosts;
    const json_t *tree;
    int64_t untouched;
};

static const struct conf_row rows[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), true, 1, 8, NULL, NULL, "A name."},
    {"on", CONF_BOOL, offsetof(struct settings, on), false, 0, 0, "true", NULL, "On."},
    {"count", CONF_INT, offsetof(struct settings, count), false, -5, 0, "-1", NULL, "Count."},
    {"validity", CONF_DURATION, offsetof(struct settings, life_s), false, 3600, 86400, "12h", NULL, "Life."},
    {"body", CONF_SIZE, offsetof(struct settings, bytes), false, 1024, 4194304, "64KiB", NULL, "Size."},
    {"colour", CONF_CHOICE, offsetof(struct settings, colour), false, 0, 0, "green", colours, "Colour."},
    {"hosts", CONF_TEXTS, offsetof(struct settings, hosts), false, 0, 3, "[a, b]", NULL, "Hosts."},
    {"tree", CONF_TREE, offsetof(struct settings, tree), false, 0, 0, NULL, NULL, "Anything."},
    {"untouched", CONF_INT, offsetof(struct settings, untouched), false, 1, 0, NULL, NULL, "No default."},
};
enum { ROWS = sizeof rows / sizeof *rows };

static struct err *fill(struct conf *c, struct settings *to)
{
    return conf_fill(c, conf_root(c), rows, ROWS, arena, to);
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct settings s = {.untouched = 77};
    struct conf *c = yaml("name: x\n");
    EXPECT_OK(fill(c, &s));
    conf_free(c);
    assert_string_equal(s.name, "x"); /* lives in the arena, not in the tree */
    assert_true(s.on);
    assert_int_equal(s.count, -1);
    assert_int_equal(s.life_s, 43200);
    assert_int_equal(s.bytes, 65536);
    assert_int_equal(s.colour, GREEN);
    assert_int_equal(s.hosts.n, 2);
    assert_string_equal(s.hosts.items[0], "a");
    assert_string_equal(s.hosts.items[1], "b");
    assert_null(s.tree);
    assert_int_equal(s.untouched, 77);
}

static void values_are_filled_from_files_and_bodies_alike(void **state)
{
    (void)state;
    struct conf *trees[] = {
        yaml("name: host\non: false\ncount: -5\nvalidity: 1d\nbody: 4MiB\ncolour: blue\nhosts: [h1]\n"
             "tree: {any: [1]}\nuntouched: 9\n"),
        json("{\"name\":\"host\",\"on\":false,\"count\":-5,\"validity\":\"24h\",\"body\":4194304,"
             "\"colour\":\"blue\",\"hosts\":[\"h1\"],\"tree\":{\"any\":[1]},\"untouched\":9}"),
    };
    for (size_t i = 0; i < 2; i++) {
        struct settings s = {.on = true};
        EXPECT_OK(fill(trees[i], &s));
        assert_string_equal(s.name, "host");
        assert_false(s.on);
        assert_int_equal(s.count, -5);
        assert_int_equal(s.life_s, 86400);
        assert_int_equal(s.bytes, 4194304);
        assert_int_equal(s.colour, BLUE);
        assert_int_equal(s.hosts.n, 1);
        assert_string_equal(s.hosts.items[0], "h1");
        assert_true(json_is_object(s.tree));
        assert_int_equal(s.untouched, 9);
        conf_free(trees[i]);
    }
}

static void wrong_values_are_refused_at_their_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"x: 1\n", "f.yaml:1:1: unknown key 'x'"},
        {"name: a\nvalidty: 1d\n", "f.yaml:2:1: unknown key 'validty'; did you mean 'validity'?"},
        {"on: true\n", "f.yaml:1:1: missing key 'name'"},
        {"name: 12\n", "f.yaml:1:7: 'name': expected text (in quotes where it is digits), found a number"},
        {"name:\n", "'name': expected text, found nothing"},
        {"name: [a]\n", "'name': expected text, found a list"},
        {"name: ''\n", "'name': length 0 is not between 1 and 8"},
        {"name: 123456789x\n", "f.yaml:1:7: 'name': length 10 is not between 1 and 8"},
        {"name: a\non: yes\n", "f.yaml:2:5: 'on': expected true or false, found 'yes'"},
        {"name: a\non: null\n", "'on': expected true or false, found nothing"},
        {"name: a\ncount: 1\n", "'count': value 1 is not between -5 and 0"},
        {"name: a\ncount: '0'\n", "'count': expected a whole number, found '0'"},
        {"name: a\ncount: 0.5\n", "'count': expected a whole number, found '0.5'"},
        {"name: a\nuntouched: 0\n", "'untouched': value 0 is below the least, 1"},
        {"name: a\nvalidity: 59m\n", "'validity': value 59m is not between 1h and 1d"},
        {"name: a\nvalidity: 3600\n", "'validity': expected a duration like 90d"},
        {"name: a\nvalidity: 1x\n", "f.yaml:2:11: 'validity': '1x' is: not a duration"},
        {"name: a\nbody: 1\n", "'body': value 1 is not between 1KiB and 4MiB"},
        {"name: a\nbody: 64KB\n",
         "'body': expected a size in octets, like 4096, 64KiB or 4MiB, found '64KB'"},
        {"name: a\nbody: -1\n", "expected a size"},
        {"name: a\nbody: 99999999999999GiB\n", "expected a size"},
        {"name: a\nbody: KiB\n", "expected a size"},
        {"name: a\ncolour: blu\n",
         "'colour': expected one of red, green, blue, found 'blu'; did you mean 'blue'?"},
        {"name: a\ncolour: 1\n", "'colour': expected one of red, green, blue, found a number"},
        {"name: a\nhosts: h\n", "'hosts': expected a list of texts, found 'h'"},
        {"name: a\nhosts: [a, b, c, d]\n", "'hosts': number of elements 4 is not between 0 and 3"},
        {"name: a\nhosts:\n  - a\n  - 2\n", "f.yaml:4:5: 'hosts': expected text, found a number"},
        {"- a\n", "f.yaml:1:1: expected a mapping"},
        {"text\n", "f.yaml:1:1: expected a mapping"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings s = {0};
        struct conf *c = yaml(cases[i][0]);
        EXPECT_ERR(fill(c, &s), ERR_CONFIG, cases[i][1]);
        conf_free(c);
    }
}

static void a_body_s_fields_are_pointed_at(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{\"name\":\"a\",\"hosts\":[\"b\",true]}", "/hosts/1", "expected text, found true"},
        {"{\"name\":\"a\",\"hots\":[]}", "/hots", "did you mean 'hosts'?"},
        {"{\"name\":1}", "/name", "'name': expected text, found a number"},
        {"{}", "", "missing key 'name'"},
        {"{\"name\":\"a\",\"count\":1.5}", "/count", "found a decimal number"},
        {"[]", "", "expected a mapping"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings s = {0};
        struct conf *c = json(cases[i][0]);
        struct err *e = fill(c, &s);
        assert_non_null(e);
        assert_string_equal(err_pointer(e), cases[i][1]);
        EXPECT_ERR(e, ERR_BAD_FIELD, cases[i][2]);
        conf_free(c);
    }
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    static const char *const names[] = {"validity", "subject", "san", "key_usage", "x"};
    static const char *const pairs[][2] = {{"validty", "validity"},
                                           {"vailidity", "validity"},
                                           {"subejct", "subject"},
                                           {"sans", "san"},
                                           {"key-usage", "key_usage"},
                                           {"san", "san"},
                                           {"nas", NULL},
                                           {"zzz", NULL},
                                           {"", NULL},
                                           {"y", NULL}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *near = conf_nearest(pairs[i][0], names, 5);
        if (!pairs[i][1])
            assert_null(near);
        if (pairs[i][1]) {
            assert_non_null(near);
            assert_string_equal(near, pairs[i][1]);
        }
    }
    assert_null(conf_nearest(repeat("a", 500, ""), names, 5));
}

/* --- hostile input --- */

static void no_truncation_or_change_does_harm(void **state)
{
    (void)state;
    static const char sample[] = "a: {b: [1, 'x', \"\\u00e4\"]}\n"
                                 "c: |\n  text\nd:\n  - e: true\n    f: null\n  - g\n";
    static const char body[] = "{\"a\":{\"b\":[1,\"x\",\"\\u00e4\"],\"c\":null},\"d\":[{\"e\":true}]}";
    static const char values[] = "\0\t\n !\"#%&'*,-:>?@[]{|}~\x80\xc3\xff";
    for (size_t which = 0; which < 2; which++) {
        const char *from = which ? body : sample;
        size_t n = strlen(from);
        conf_free(which ? json(from) : yaml(from)); /* it is good as it stands */
        for (size_t i = 0; i <= n; i++) {
            struct conf *c = NULL;
            err_free(parse(from, i, which, &c));
            conf_free(c);
        }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < sizeof values; j++) {
                char *copy = arena_str(arena, view_of(from, n));
                struct conf *c = NULL;
                struct settings s = {0};
                copy[i] = values[j];
                struct err *e = parse(copy, n, which, &c);
                if (!e)
                    e = fill(c, &s);
                assert_non_null(e);
                err_free(e);
                conf_free(c);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_becomes_plain_data),
        cmocka_unit_test(every_node_has_its_place),
        cmocka_unit_test(what_makes_yaml_surprising_is_refused),
        cmocka_unit_test(what_is_not_yaml_is_refused_with_its_place),
        cmocka_unit_test(depth_count_and_size_are_bounded),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(json_errors_name_the_pointer),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(values_are_filled_from_files_and_bodies_alike),
        cmocka_unit_test(wrong_values_are_refused_at_their_place),
        cmocka_unit_test(a_body_s_fields_are_pointed_at),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(no_truncation_or_change_does_harm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
