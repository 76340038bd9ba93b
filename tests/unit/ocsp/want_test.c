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
    for (int o = WANT_MADE; o <= WANT_NOT_NOW; o++) {
        enum want_outcome back;
        assert_null(want_done_read(want_done_write((enum want_outcome)o, arena), &back));
        assert_int_equal(back, o);
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
    static const uint8_t three[] = {2, 1, 3}, negative[] = {2, 1, 0x80}, longer[] = {2, 1, 1, 0};
    const struct view bodies[] = {view_of(three, 3), view_of(negative, 3), view_of(longer, 4),
                                  view_of(three, 2), view_of("", 0)};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        enum want_outcome back = WANT_MADE;
        struct err *e = want_done_read(bodies[i], &back);
        assert_non_null(e);
        assert_int_equal(back, WANT_MADE);
        err_free(e);
    }
}

static void an_answer_by_sha256_has_a_place_of_its_own(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    struct want w = a_want(CERT_OCSP_SHA256);
    (void)state;
    assert_string_equal(want_blob(&w, arena), "ocsp256/issuing/404142434445464748494a4b4c4d4e4f50515253");
    arena_free(arena);
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
