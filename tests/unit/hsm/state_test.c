/* The states of an issuer: every cell, in the code and in the manual; and what an issuer is on which day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hsm_state.h"

static const char *const worths[] = {[HSM_NO] = "no", [HSM_YES] = "yes", [HSM_LAST] = "last"};

static const char *doc_text(void)
{
    static char text[65536];
    FILE *f = fopen(DOC_DIR "/HIERARCHY.md", "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void every_cell_stands_in_the_manual(void **state)
{
    const char *doc = doc_text();
    char row[256];
    (void)state;
    for (enum hsm_state s = HSM_STATE_PENDING; s < HSM_STATE__COUNT; s++) {
        snprintf(row, sizeof row, "| %s | %s | %s | %s | %s | %s | %s |", hsm_state_name(s),
                 worths[hsm_state_works(s, HSM_WORKS_ISSUE)], worths[hsm_state_works(s, HSM_WORKS_REVOKE)],
                 worths[hsm_state_works(s, HSM_WORKS_CRL)], worths[hsm_state_works(s, HSM_WORKS_OCSP)],
                 worths[hsm_state_works(s, HSM_WORKS_RENEW)], hsm_state_what(s));
        if (!strstr(doc, row))
            print_error("doc/HIERARCHY.md lacks: %s\n", row);
        assert_non_null(strstr(doc, row));
    }
}

static void what_does_not_work_is_refused_by_name(void **state)
{
    (void)state;
    for (enum hsm_state s = HSM_STATE_PENDING; s < HSM_STATE__COUNT; s++)
        for (enum hsm_works w = 0; w < HSM_WORKS__COUNT; w++) {
            struct err *e = hsm_state_check("issuing", s, w);
            assert_int_equal(e == NULL, hsm_state_works(s, w) != HSM_NO);
            if (e) {
                assert_int_equal(err_code(e), ERR_WRONG_STATE);
                assert_non_null(strstr(err_detail(e), "'issuing'"));
                assert_non_null(strstr(err_detail(e), hsm_state_name(s)));
            }
            err_free(e);
        }
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (enum hsm_state s = HSM_STATE_PENDING; s < HSM_STATE__COUNT; s++)
        assert_int_equal(hsm_state_parse(hsm_state_name(s)), s);
    assert_int_equal(hsm_state_parse("no-such"), HSM_STATE__NONE);
}

static void the_end_of_its_certificate_makes_it_expired(void **state)
{
    (void)state;
    assert_int_equal(hsm_state_now(HSM_STATE__NONE, 100, 100), HSM_STATE_ACTIVE);
    assert_int_equal(hsm_state_now(HSM_STATE__NONE, 100, 101), HSM_STATE_EXPIRED);
    assert_int_equal(hsm_state_now(HSM_STATE_DISABLED, 100, 100), HSM_STATE_DISABLED);
    assert_int_equal(hsm_state_now(HSM_STATE_DISABLED, 100, 101), HSM_STATE_EXPIRED);
    assert_int_equal(hsm_state_now(HSM_STATE_DELETED, 100, 101), HSM_STATE_DELETED);
    assert_int_equal(hsm_state_now(HSM_STATE_PENDING, 0, 101), HSM_STATE_PENDING);
}

static void a_third_of_its_life_is_time_to_act(void **state)
{
    (void)state;
    assert_false(hsm_life_warns(0, 300, 199));
    assert_true(hsm_life_warns(0, 300, 200));
    assert_true(hsm_life_warns(0, 300, 400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_stands_in_the_manual),
        cmocka_unit_test(what_does_not_work_is_refused_by_name),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(the_end_of_its_certificate_makes_it_expired),
        cmocka_unit_test(a_third_of_its_life_is_time_to_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
