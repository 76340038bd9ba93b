/* The frames between responder and front: there and back, and everything that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/der.h"
#include "want.h"

static struct want a_want(enum cert_ocsp_hash hash)
{
    struct want w = {.issuer = "issuing", .hash = hash};
    for (size_t i = 0; i < SERIAL_BYTES; i++)
        w.serial[i] = (uint8_t)(0x40 + i);
    return w;
}

static void there_and_back(void **state)
{
    static const enum cert_ocsp_hash hashes[] = {CERT_OCSP_SHA1, CERT_OCSP_SHA256};
    struct arena *arena = arena_new(64 * 1024);
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct want w = a_want(hashes[i]), back;
        assert_null(want_read(want_write(&w, arena), arena, &back));
        assert_string_equal(back.issuer, w.issuer);
        assert_memory_equal(back.serial, w.serial, SERIAL_BYTES);
        assert_int_equal(back.hash, w.hash);
    }
    for (int o = WANT_MADE; o <= WANT_HERE; o++) {
        const struct want_done done = {(enum want_outcome)o, view_str("an answer")};
        struct want_done back;
        assert_null(want_done_read(want_done_write(&done, arena), &back));
        assert_int_equal(back.outcome, o);
        assert_true(o == WANT_HERE ? view_eq_str(back.answer, "an answer") : back.answer.p == NULL);
    }
    arena_free(arena);
}

/* A want of these parts; text NULL: left out. */
static struct view made_of(struct arena *arena, const char *issuer, size_t serial_n, uint64_t hash, bool more)
{
    struct der_out out;
    struct view ret;
    uint8_t serial[64] = {0x40};
    der_out_init(&out, arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    if (issuer)
        der_put_text(&out, issuer);
    der_put_octets(&out, view_of(serial, serial_n));
    der_put_uint(&out, hash);
    if (more)
        der_put_uint(&out, 1);
    der_finish(&out, m);
    assert_null(der_out_done(&out, &ret));
    return ret;
}

static void refused(struct view body)
{
    struct arena *arena = arena_new(64 * 1024);
    struct want back;
    struct err *e = want_read(body, arena, &back);
    assert_non_null(e);
    err_free(e);
    arena_free(arena);
}

static void what_is_no_want_is_refused(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    (void)state;
    char long_name[80];
    memset(long_name, 'a', 64);
    long_name[64] = '\0';
    refused(view_of("", 0));
    refused(made_of(arena, NULL, 16, 0, false));
    refused(made_of(arena, "issuing", 15, 0, false));
    refused(made_of(arena, "issuing", 17, 0, false));
    refused(made_of(arena, "issuing", 16, 2, false));
    refused(made_of(arena, "issuing", 16, 0, true));
    refused(made_of(arena, long_name, 16, 0, false));
    struct view good = made_of(arena, "issuing", 16, 0, false);
    for (size_t n = 0; n < good.n; n++)
        refused(view_of(good.p, n));
    uint8_t *longer = arena_alloc(arena, good.n + 1);
    memcpy(longer, good.p, good.n);
    refused(view_of(longer, good.n + 1));
    arena_free(arena);
}

static void what_is_no_outcome_is_refused(void **state)
{
    static const uint8_t four[] = {0x30, 3, 2, 1, 4}, negative[] = {0x30, 3, 2, 1, 0x80},
                         longer[] = {0x30, 3, 2, 1, 1, 0}, more[] = {0x30, 6, 2, 1, 1, 4, 1, 7},
                         less[] = {0x30, 3, 2, 1, 3};
    const struct view bodies[] = {view_of(four, 5), view_of(negative, 5), view_of(longer, 6),
                                  view_of(more, 8), view_of(less, 5),     view_of(four, 4),
                                  view_of("", 0)};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct want_done back = {.outcome = WANT_MADE};
        struct err *e = want_done_read(bodies[i], &back);
        assert_non_null(e);
        assert_int_equal(back.outcome, WANT_MADE);
        err_free(e);
    }
}

static void an_answer_by_sha256_has_a_place_of_its_own(void **state)
{
    uint8_t one[SHELF_ID_BYTES], other[SHELF_ID_BYTES];
    struct want by1 = a_want(CERT_OCSP_SHA1), by256 = a_want(CERT_OCSP_SHA256), back;
    struct view id1 = want_id(&by1, one), id256 = want_id(&by256, other);
    (void)state;
    assert_false(view_eq(id1, id256));
    want_of_id(id1, &back);
    assert_int_equal(back.hash, CERT_OCSP_SHA1);
    want_of_id(id256, &back);
    assert_int_equal(back.hash, CERT_OCSP_SHA256);
    assert_memory_equal(back.serial, by256.serial, SERIAL_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_is_no_want_is_refused),
        cmocka_unit_test(what_is_no_outcome_is_refused),
        cmocka_unit_test(an_answer_by_sha256_has_a_place_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
