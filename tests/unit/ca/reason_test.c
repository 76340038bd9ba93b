/* Which reasons may be given for an end entity's certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca_revoke.h"

static void those_of_an_end_entity_are_taken(void **state)
{
    static const struct {
        const char *text;
        enum cert_reason reason;
    } rows[] = {
        {"unspecified", CERT_REASON_UNSPECIFIED},
        {"keyCompromise", CERT_REASON_KEY_COMPROMISE},
        {"affiliationChanged", CERT_REASON_AFFILIATION_CHANGED},
        {"superseded", CERT_REASON_SUPERSEDED},
        {"cessationOfOperation", CERT_REASON_CESSATION_OF_OPERATION},
        {"certificateHold", CERT_REASON_CERTIFICATE_HOLD},
        {"privilegeWithdrawn", CERT_REASON_PRIVILEGE_WITHDRAWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum cert_reason reason = CERT_REASON_AA_COMPROMISE;
        assert_null(ca_reason_parse(rows[i].text, &reason));
        assert_int_equal(reason, rows[i].reason);
    }
}

static void others_are_refused_by_name(void **state)
{
    static const char *const texts[] = {"cACompromise",
                                        "aACompromise",
                                        "removeFromCRL",
                                        "KeyCompromise",
                                        "",
                                        "superseded ",
                                        "1",
                                        "a reason so long that it would not fit into any message at all"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum cert_reason reason = CERT_REASON_SUPERSEDED;
        struct err *e = ca_reason_parse(texts[i], &reason);
        assert_non_null(e);
        assert_int_equal(err_code(e), ERR_BAD_FIELD);
        assert_non_null(strstr(err_detail(e), "5.3.1"));
        assert_int_equal(reason, CERT_REASON_SUPERSEDED); /* untouched */
        err_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_an_end_entity_are_taken),
        cmocka_unit_test(others_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
