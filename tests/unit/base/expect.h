/* cmocka, and what the tests of base ask of an error. */
#ifndef CHANCERY_TESTS_BASE_EXPECT_H
#define CHANCERY_TESTS_BASE_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/view.h"

/* Takes e. */
#define EXPECT_OK(expr)                                                                                      \
    do {                                                                                                     \
        struct err *expect_e = (expr);                                                                       \
        if (expect_e)                                                                                        \
            fail_msg("unexpected error: %s", err_detail(expect_e));                                          \
    } while (0)

/* Takes e; `part` must stand in its detail. */
#define EXPECT_ERR(expr, code, part)                                                                         \
    do {                                                                                                     \
        struct err *expect_e = (expr);                                                                       \
        assert_non_null(expect_e);                                                                           \
        if (!strstr(err_detail(expect_e), (part)))                                                           \
            fail_msg("'%s' does not say '%s'", err_detail(expect_e), (part));                                \
        assert_int_equal(err_code(expect_e), (code));                                                        \
        err_free(expect_e);                                                                                  \
    } while (0)

#define BYTES(...) view_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#define EXPECT_VIEW(v, text)                                                                                 \
    do {                                                                                                     \
        struct view expect_v = (v);                                                                          \
        assert_int_equal(expect_v.n, strlen(text));                                                          \
        assert_memory_equal(expect_v.p, (text), expect_v.n);                                                 \
    } while (0)

#endif
