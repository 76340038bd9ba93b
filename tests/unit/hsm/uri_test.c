/* Tests of hsm/uri.c: what RFC 7512 lets one say about a token and a key, and what is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "uri.h"

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct uri good(void **state, const char *text)
{
    struct uri uri;

    assert_null(uri_parse(text, *state, &uri));
    return uri;
}

static void refused(void **state, const char *text, const char *word)
{
    struct uri uri;
    struct err *e = uri_parse(text, *state, &uri);

    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_CONFIG);
    if (!strstr(err_detail(e), word))
        fail_msg("\"%s\" does not name \"%s\"", err_detail(e), word);
    err_free(e);
}

static void reads_every_attribute(void **state)
{
    struct uri u = good(state, "pkcs11:token=my%20token;manufacturer=SoftHSM%20project;serial=0a1b;model=v2;"
                               "object=root;id=%00%ffA;type=private;slot-id=12?module-path=/usr/lib/a.so");

    assert_string_equal(u.token, "my token");
    assert_string_equal(u.manufacturer, "SoftHSM project");
    assert_string_equal(u.serial, "0a1b");
    assert_string_equal(u.model, "v2");
    assert_string_equal(u.object, "root");
    assert_true(view_eq(u.id, view_of("\0\xff"
                                      "A",
                                      3)));
    assert_int_equal(u.type, URI_PRIVATE);
    assert_true(u.has_slot_id);
    assert_int_equal(u.slot_id, 12);
    assert_string_equal(u.module_path, "/usr/lib/a.so");
}

static void names_nothing(void **state)
{
    struct uri u = good(state, "PKCS11:");
    struct uri_token t = {"a", "b", "c", "d", 7};

    assert_true(uri_match_token(&u, &t));
    assert_true(uri_match_object(&u, view_str("x"), view_str("y")));
}

static void empty_value_matches_empty_only(void **state)
{
    struct uri u = good(state, "pkcs11:token=;id=");
    struct uri_token named = {"a", "", "", "", 0}, unnamed = {"", "", "", "", 0};

    assert_false(uri_match_token(&u, &named));
    assert_true(uri_match_token(&u, &unnamed));
    assert_true(uri_match_object(&u, view_str("x"), view_of("", 0)));
    assert_false(uri_match_object(&u, view_str("x"), view_str("y")));
}

static void every_named_attribute_must_agree(void **state)
{
    struct uri u = good(state, "pkcs11:token=a;serial=c;slot-id=7");

    assert_true(uri_match_token(&u, &(struct uri_token){"a", "b", "c", "d", 7}));
    assert_false(uri_match_token(&u, &(struct uri_token){"A", "b", "c", "d", 7}));
    assert_false(uri_match_token(&u, &(struct uri_token){"a", "b", "cc", "d", 7}));
    assert_false(uri_match_token(&u, &(struct uri_token){"a", "b", "c", "d", 8}));
}

static void matches_objects_by_label_and_id(void **state)
{
    struct uri u = good(state, "pkcs11:object=root;id=%01");

    assert_true(uri_match_object(&u, view_str("root"), view_str("\1")));
    assert_false(uri_match_object(&u, view_str("root"), view_str("\2")));
    assert_false(uri_match_object(&u, view_str("roo"), view_str("\1")));
}

static void refuses_what_is_not_a_uri(void **state)
{
    char big[URI_MAX_BYTES + 64];

    refused(state, "", "pkcs11:");
    refused(state, "pkcs12:token=a", "pkcs11:");
    refused(state, "pkcs11", "pkcs11:");
    refused(state, "pkcs11:token", "name=value");
    refused(state, "pkcs11:=a", "name=value");
    refused(state, "pkcs11:token=a;;serial=b", "name=value");
    memset(big, 'a', sizeof big);
    memcpy(big, "pkcs11:token=", 13);
    big[sizeof big - 1] = 0;
    refused(state, big, "longer");
}

static void refuses_bad_encoding(void **state)
{
    refused(state, "pkcs11:token=a b", "token");
    refused(state, "pkcs11:token=a%2", "token");
    refused(state, "pkcs11:token=a%zz", "token");
    refused(state, "pkcs11:token=a%", "token");
    refused(state, "pkcs11:token=a%00b", "NUL");
    refused(state, "pkcs11:token=\xc3\xa9", "token");
}

static void refuses_doubles(void **state)
{
    refused(state, "pkcs11:token=a;token=a", "twice");
    refused(state, "pkcs11:id=a;id=a", "twice");
    refused(state, "pkcs11:type=cert;type=cert", "twice");
    refused(state, "pkcs11:slot-id=1;slot-id=1", "twice");
}

static void refuses_what_it_does_not_know(void **state)
{
    refused(state, "pkcs11:tokn=a", "tokn");
    refused(state, "pkcs11:x-vendor=a", "x-vendor");
    refused(state, "pkcs11:library-version=3", "library-version");
    refused(state, "pkcs11:type=key", "type");
    refused(state, "pkcs11:slot-id=1x", "slot-id");
    refused(state, "pkcs11:slot-id=99999999999999999999", "slot-id");
}

static void a_pin_has_no_place_in_it(void **state)
{
    refused(state, "pkcs11:token=a?pin-value=1234", "pin-value");
    refused(state, "pkcs11:token=a?pin-source=file:/x", "pin-source");
    refused(state, "pkcs11:token=a;pin-value=1234", "pin-value");
}

static void other_query_attributes_do_not_count(void **state)
{
    struct uri u = good(state, "pkcs11:token=a?module-name=x&vendor=y");

    assert_string_equal(u.token, "a");
    assert_null(u.module_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_attribute, setup, teardown),
        cmocka_unit_test_setup_teardown(names_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_value_matches_empty_only, setup, teardown),
        cmocka_unit_test_setup_teardown(every_named_attribute_must_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(matches_objects_by_label_and_id, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_not_a_uri, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_bad_encoding, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_doubles, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_it_does_not_know, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pin_has_no_place_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(other_query_attributes_do_not_count, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
