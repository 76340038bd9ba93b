/* base/der: reads DER and nothing else; what it writes, it reads. */
#include "expect.h"

#include <stdlib.h>

#include "base/der.h"
#include "base/hex.h"

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

/* The bytes in memory of exactly their size, so that reading past them is seen. */
static struct view hex(const char *text)
{
    struct view v;
    EXPECT_OK(hex_parse(arena, view_str(text), &v));
    return v;
}

static const char *written(struct der_out *out)
{
    struct view v;
    EXPECT_OK(der_out_done(out, &v));
    return hex_of(arena, v);
}

static struct der_out *fresh(void)
{
    static struct der_out out;
    der_out_init(&out, arena, 1 << 20);
    return &out;
}

/* --- the element --- */

static void elements_are_taken_in_order(void **state)
{
    (void)state;
    struct view in = hex("3003020105040100"), body, whole;
    unsigned tag;
    assert_int_equal(der_peek(in), DER_SEQUENCE);
    EXPECT_OK(der_read(&in, DER_SEQUENCE, &body));
    assert_int_equal(body.n, 3);
    EXPECT_OK(der_read_whole(&body, DER_INTEGER, &whole));
    assert_true(view_eq(whole, BYTES(2, 1, 5)));
    EXPECT_OK(der_end(body));
    EXPECT_OK(der_read_any(&in, &tag, &whole, &body));
    assert_int_equal(tag, DER_OCTET_STRING);
    assert_int_equal(whole.n, 3);
    assert_int_equal(body.n, 1);
    assert_int_equal(der_peek(in), -1);
    EXPECT_OK(der_end(in));
}

static void a_wrong_tag_is_named_and_nothing_taken(void **state)
{
    (void)state;
    struct view in = hex("020105"), body = {NULL, 99};
    EXPECT_ERR(der_read(&in, DER_SEQUENCE, &body), ERR_BAD_DER, "expected SEQUENCE, found INTEGER");
    EXPECT_ERR(der_read(&in, DER_CONTEXT_CONS(3), &body), ERR_BAD_DER, "expected [3], found INTEGER");
    EXPECT_ERR(der_end(in), ERR_BAD_DER, "expected the end, found INTEGER and 3 octets");
    assert_int_equal(in.n, 3);
    assert_int_equal(body.n, 99);
    EXPECT_OK(der_read(&in, DER_INTEGER, &body));
    EXPECT_ERR(der_read(&in, DER_INTEGER, &body), ERR_BAD_DER, "expected INTEGER, found the end");
}

static void lengths_are_definite_minimal_and_within(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "04",               /* no length */
        "0405",             /* short by all */
        "04050000",         /* short by some */
        "04800000",         /* indefinite */
        "04810100",         /* long form below 128 */
        "04817f",           /* the same */
        "0481",             /* length octets missing */
        "048201",           /* the same */
        "0482007f00",       /* padded length */
        "0482008000",       /* padded length that needs one octet */
        "04850000000001aa", /* five length octets */
        "0484ffffffff00",   /* far past the end */
        "04ff",             /* reserved */
        "0484800000000000", /* past the end, high bit */
        "0000",             /* end-of-contents */
        "1f8101",           /* a tag of two octets */
        "bf8101",           /* the same, context */
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct view in = hex(bad[i]), body;
        size_t before = in.n;
        EXPECT_ERR(der_read_any(&in, NULL, NULL, &body), ERR_BAD_DER, "");
        assert_int_equal(in.n, before);
    }
}

static void lengths_of_every_form_are_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct der_out *out = fresh();
        struct view der, body;
        der_put(out, DER_OCTET_STRING, view_of(arena_alloc(arena, sizes[i]), sizes[i]));
        EXPECT_OK(der_out_done(out, &der));
        EXPECT_OK(der_read(&der, DER_OCTET_STRING, &body));
        assert_int_equal(body.n, sizes[i]);
        EXPECT_OK(der_end(der));
    }
}

static void an_optional_element_is_there_or_not(void **state)
{
    (void)state;
    struct view in = hex("a003020105"), body;
    EXPECT_OK(der_read_optional(&in, DER_CONTEXT_CONS(1), &body));
    assert_null(body.p);
    assert_int_equal(in.n, 5);
    EXPECT_OK(der_read_optional(&in, DER_CONTEXT_CONS(0), &body));
    assert_non_null(body.p);
    assert_int_equal(body.n, 3);
    EXPECT_OK(der_read_optional(&in, DER_CONTEXT_CONS(0), &body));
    assert_null(body.p);
    in = hex("a000");
    EXPECT_OK(der_read_optional(&in, DER_CONTEXT_CONS(0), &body));
    assert_non_null(body.p); /* empty, but there */
    in = hex("a005");
    EXPECT_ERR(der_read_optional(&in, DER_CONTEXT_CONS(0), &body), ERR_BAD_DER, "[0] of 5 octets");
}

/* --- types --- */

static void booleans(void **state)
{
    (void)state;
    static const char *const bad[] = {"010101", "0101fe", "0100", "01020000", "020100"};
    bool value = false;
    struct view in = hex("0101ff010100");
    EXPECT_OK(der_read_bool(&in, &value));
    assert_true(value);
    EXPECT_OK(der_read_bool(&in, &value));
    assert_false(value);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in = hex(bad[i]);
        EXPECT_ERR(der_read_bool(&in, &value), ERR_BAD_DER, "BOOLEAN");
    }
}

static void null_has_no_content(void **state)
{
    (void)state;
    struct view in = hex("05000501aa");
    EXPECT_OK(der_read_null(&in));
    EXPECT_ERR(der_read_null(&in), ERR_BAD_DER, "NULL");
}

static void integers_are_minimal(void **state)
{
    (void)state;
    static const char *const good[] = {"020100", "02017f", "02020080", "0201ff", "020180", "0202ff7f"};
    static const char *const bad[] = {"0200", "02020000", "0202007f", "0202ff80", "0202ffff"};
    struct view body;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct view in = hex(good[i]);
        EXPECT_OK(der_read_integer(&in, &body));
        assert_int_equal(in.n, 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct view in = hex(bad[i]);
        EXPECT_ERR(der_read_integer(&in, &body), ERR_BAD_DER, "INTEGER");
    }
}

static void numbers_fit_or_are_refused(void **state)
{
    (void)state;
    uint64_t value = 7;
    struct view in = hex("020900ffffffffffffffff");
    EXPECT_OK(der_read_uint(&in, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    in = hex("0209010000000000000000");
    EXPECT_ERR(der_read_uint(&in, UINT64_MAX, &value), ERR_BAD_DER, "over");
    in = hex("020a00ffffffffffffffffff");
    EXPECT_ERR(der_read_uint(&in, UINT64_MAX, &value), ERR_BAD_DER, "over");
    in = hex("0201ff");
    EXPECT_ERR(der_read_uint(&in, 10, &value), ERR_BAD_DER, "negative");
    in = hex("02010b");
    EXPECT_ERR(der_read_uint(&in, 10, &value), ERR_BAD_DER, "INTEGER 11 is over 10");
    assert_int_equal(in.n, 3);
    in = hex("0a010a");
    EXPECT_OK(der_read_enum(&in, 10, &value));
    assert_int_equal(value, 10);
    in = hex("02010a");
    EXPECT_ERR(der_read_enum(&in, 10, &value), ERR_BAD_DER, "expected ENUMERATED, found INTEGER");
}

static void bit_strings(void **state)
{
    (void)state;
    static const char *const bad[] = {"0300", "030101", "030108", "03020800", "03020701", "030205b0"};
    static const struct {
        const char *der;
        size_t n;
        unsigned unused;
    } good[] = {{"030100", 0, 0}, {"030200ff", 1, 0}, {"030205a0", 1, 5}, {"03020780", 1, 7}};
    struct view bytes;
    unsigned unused;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct view in = hex(good[i].der);
        EXPECT_OK(der_read_bits(&in, &bytes, &unused));
        assert_int_equal(bytes.n, good[i].n);
        assert_int_equal(unused, good[i].unused);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct view in = hex(bad[i]);
        EXPECT_ERR(der_read_bits(&in, &bytes, &unused), ERR_BAD_DER, "BIT STRING");
    }
}

static void object_identifiers(void **state)
{
    (void)state;
    static const struct {
        const char *der, *text;
    } rows[] = {{"06062a864886f70d", "1.2.840.113549"},
                {"06082b06010505070301", "1.3.6.1.5.5.7.3.1"},
                {"0603551d11", "2.5.29.17"},
                {"0603883703", "2.999.3"},
                {"060100", "0.0"},
                {"06014f", "1.39"},
                {"060150", "2.0"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view in = hex(rows[i].der), body, again;
        EXPECT_OK(der_read_oid(&in, &body));
        assert_string_equal(der_oid_text(body, arena), rows[i].text);
        EXPECT_OK(der_oid_of_text(rows[i].text, arena, &again));
        assert_true(view_eq(body, again));
    }
}

static void an_arc_of_128_bits_has_its_text(void **state)
{
    (void)state;
    /* 2.25.340282366920938463463374607431768211455: root 2, arc 25 + 80 = 105, then 2^128 - 1 in 19 septets
     */
    struct view body = hex("6983ffffffffffffffffffffffffffffffffff7f");
    assert_string_equal(der_oid_text(body, arena), "2.25.340282366920938463463374607431768211455");
    /* The first number itself may be long: 2.(2^32). */
    EXPECT_OK(der_oid_of_text("2.4294967296", arena, &body));
    assert_string_equal(der_oid_text(body, arena), "2.4294967296");
}

static void malformed_object_identifiers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"0600", "060180", "06022a80", "06032a8001", "0603808001", "06022aff"};
    static const char *const bad_text[] = {"",
                                           "1",
                                           "3.1",
                                           "1.40",
                                           "0.40",
                                           "1.2.",
                                           ".1.2",
                                           "1..2",
                                           "1.02",
                                           "1.2.x",
                                           "1.2 ",
                                           "-1.2",
                                           "1.2.18446744073709551616",
                                           "2.18446744073709551615",
                                           "01.2"};
    struct view body;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct view in = hex(bad[i]);
        EXPECT_ERR(der_read_oid(&in, &body), ERR_BAD_DER, "OBJECT IDENTIFIER");
    }
    for (size_t i = 0; i < sizeof bad_text / sizeof *bad_text; i++)
        EXPECT_ERR(der_oid_of_text(bad_text[i], arena, &body), ERR_BAD_DER, "object identifier");
    assert_string_equal(der_oid_text(hex("80"), arena), "(OBJECT IDENTIFIER of 1 octets)");
    assert_string_equal(der_oid_text(view_of(NULL, 0), arena), "(OBJECT IDENTIFIER of 0 octets)");
    char *many = arena_alloc(arena, 2000);
    memcpy(many, "1.2", 3);
    for (size_t i = 3; i < 1998; i += 2)
        memcpy(many + i, ".9", 2);
    EXPECT_ERR(der_oid_of_text(many, arena, &body), ERR_BAD_DER, "object identifier");
}

static struct view time_element(unsigned tag, const char *text)
{
    struct der_out *out = fresh();
    struct view v;
    der_put(out, tag, view_str(text));
    EXPECT_OK(der_out_done(out, &v));
    return v;
}

static void times_have_one_form_each(void **state)
{
    (void)state;
    static const char *const bad_utc[] = {"2611210618Z",       "261121061859",
                                          "261121061859+0000", "26112106185Z",
                                          "261321061859Z",     "260229061859Z",
                                          "261121241859Z",     "261121061860Z",
                                          "26112106185 Z",     "-61121061859Z",
                                          "261121061859z",     "261121061859ZZ",
                                          "20261121061859Z",   ""};
    static const char *const bad_gen[] = {
        "20491231235959Z", "20501121061859.0Z", "205011210618Z",   "20501121061859",
        "20500229061859Z", "501121061859Z",     "00000101000000Z", ""};
    int64_t s = 0;
    struct view in = time_element(DER_UTC_TIME, "261121061859Z");
    EXPECT_OK(der_read_time(&in, &s));
    assert_int_equal(s, 1795241939);
    in = time_element(DER_UTC_TIME, "500101000000Z");
    EXPECT_OK(der_read_time(&in, &s));
    assert_int_equal(s, -631152000);
    in = time_element(DER_UTC_TIME, "491231235959Z");
    EXPECT_OK(der_read_time(&in, &s));
    assert_int_equal(s, 2524607999);
    in = time_element(DER_GENERALIZED_TIME, "20500101000000Z");
    EXPECT_OK(der_read_time(&in, &s));
    assert_int_equal(s, 2524608000);
    in = time_element(DER_GENERALIZED_TIME, "99991231235959Z");
    EXPECT_OK(der_read_time(&in, &s));
    assert_int_equal(s, 253402300799);
    for (size_t i = 0; i < sizeof bad_utc / sizeof *bad_utc; i++) {
        in = time_element(DER_UTC_TIME, bad_utc[i]);
        EXPECT_ERR(der_read_time(&in, &s), ERR_BAD_DER, "RFC 5280 4.1.2.5");
    }
    for (size_t i = 0; i < sizeof bad_gen / sizeof *bad_gen; i++) {
        in = time_element(DER_GENERALIZED_TIME, bad_gen[i]);
        EXPECT_ERR(der_read_time(&in, &s), ERR_BAD_DER, "RFC 5280 4.1.2.5");
    }
    in = hex("0500");
    EXPECT_ERR(der_read_time(&in, &s), ERR_BAD_DER, "expected a time, found NULL");
    in = view_of(NULL, 0);
    EXPECT_ERR(der_read_time(&in, &s), ERR_BAD_DER, "expected a time, found the end");
}

static void gentime_reads_every_year(void **state)
{
    (void)state;
    int64_t s = 0;
    struct view in = time_element(DER_GENERALIZED_TIME, "20261121061859Z");
    EXPECT_OK(der_read_gentime(&in, DER_GENERALIZED_TIME, &s));
    assert_int_equal(s, 1795241939);
    in = time_element(DER_CONTEXT(0), "20261121061859Z");
    EXPECT_OK(der_read_gentime(&in, DER_CONTEXT(0), &s));
    in = time_element(DER_UTC_TIME, "261121061859Z");
    EXPECT_ERR(der_read_gentime(&in, DER_GENERALIZED_TIME, &s), ERR_BAD_DER, "found UTCTime");
}

static void texts_are_utf8_without_nul(void **state)
{
    (void)state;
    const char *text = NULL;
    struct view in = hex("0c03c3a441");
    EXPECT_OK(der_read_text(&in, arena, 3, &text));
    assert_string_equal(text, "\xc3\xa4"
                              "A");
    static const char *const bad[] = {"0c03410041", "0c01ff", "0c02c3c3", "0c03eda080", "130141"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in = hex(bad[i]);
        EXPECT_ERR(der_read_text(&in, arena, 10, &text), ERR_BAD_DER, "UTF8String");
    }
    in = hex("0c03414141");
    EXPECT_ERR(der_read_text(&in, arena, 2, &text), ERR_BAD_DER, "more than 2");
    in = hex("0c00");
    EXPECT_OK(der_read_text(&in, arena, 0, &text));
    assert_string_equal(text, "");
}

/* --- writing --- */

static void values_are_written_minimal(void **state)
{
    (void)state;
    struct der_out *out = fresh();
    der_put_bool(out, true);
    der_put_bool(out, false);
    der_put_null(out);
    der_put_uint(out, 0);
    der_put_uint(out, 127);
    der_put_uint(out, 128);
    der_put_enum(out, 256);
    assert_string_equal(written(out), "0101ff010100050002010002017f020200800a020100");
    out = fresh();
    der_put_uint(out, UINT64_MAX);
    der_put_magnitude(out, BYTES(0, 0, 0x80, 1));
    der_put_magnitude(out, BYTES(0, 0x7f));
    der_put_magnitude(out, view_of(NULL, 0));
    der_put_bits(out, BYTES(0xa0), 5);
    der_put_bits(out, view_of(NULL, 0), 0);
    assert_string_equal(written(out), "020900ffffffffffffffff020300800102017f020100"
                                      "030205a0030100");
    out = fresh();
    der_put_oid(out, BYTES(0x55, 0x1d, 0x11));
    der_put_octets(out, view_str("x"));
    der_put_text(out, "y");
    assert_string_equal(written(out), "0603551d110401780c0179");
}

static void signed_numbers_are_minimal(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *der;
    } rows[] = {{0, "020100"},
                {-1, "0201ff"},
                {127, "02017f"},
                {128, "02020080"},
                {-128, "020180"},
                {-129, "0202ff7f"},
                {255, "020200ff"},
                {256, "02020100"},
                {-256, "0202ff00"},
                {INT64_MAX, "02087fffffffffffffff"},
                {INT64_MIN, "02088000000000000000"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct der_out *out = fresh();
        der_put_int(out, rows[i].value);
        assert_string_equal(written(out), rows[i].der);
    }
}

static void scopes_nest_and_move_what_is_long(void **state)
{
    (void)state;
    for (size_t n = 100; n < 70000; n = n * 5 / 4 + 1) {
        struct der_out *out = fresh();
        size_t outer = der_begin(out, DER_SEQUENCE);
        der_put_uint(out, 1);
        size_t inner = der_begin(out, DER_CONTEXT_CONS(3));
        der_put_octets(out, view_of(arena_alloc(arena, n), n));
        der_finish(out, inner);
        der_put_bool(out, true);
        der_finish(out, outer);
        struct view der, body, in, octets;
        uint64_t one;
        bool yes = false;
        EXPECT_OK(der_out_done(out, &der));
        EXPECT_OK(der_read(&der, DER_SEQUENCE, &body));
        EXPECT_OK(der_end(der));
        EXPECT_OK(der_read_uint(&body, 1, &one));
        EXPECT_OK(der_read(&body, DER_CONTEXT_CONS(3), &in));
        EXPECT_OK(der_read(&in, DER_OCTET_STRING, &octets));
        EXPECT_OK(der_end(in));
        EXPECT_OK(der_read_bool(&body, &yes));
        EXPECT_OK(der_end(body));
        assert_int_equal(octets.n, n);
        assert_true(yes);
    }
}

static void past_the_limit_the_failure_sticks(void **state)
{
    (void)state;
    struct der_out out;
    struct view v = {NULL, 77};
    uint8_t zeros[200] = {0};
    der_out_init(&out, arena, 130);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, view_of(zeros, 128)); /* fits, but its length wants one octet more */
    assert_false(out.failed);
    der_finish(&out, mark);
    assert_true(out.failed);
    der_put_null(&out);
    der_finish(&out, der_begin(&out, DER_SEQUENCE));
    EXPECT_ERR(der_out_done(&out, &v), ERR_TOO_LARGE, "130");
    assert_int_equal(v.n, 77);
    der_out_init(&out, arena, 131);
    mark = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, view_of(zeros, 128));
    der_finish(&out, mark);
    EXPECT_OK(der_out_done(&out, &v));
    assert_int_equal(v.n, 131);
    der_out_init(&out, arena, 100);
    der_put_octets(&out, view_of(zeros, sizeof zeros));
    der_put_bits(&out, view_of(zeros, sizeof zeros), 0);
    der_put_magnitude(&out, view_of(zeros, sizeof zeros));
    EXPECT_ERR(der_out_done(&out, &v), ERR_TOO_LARGE, "100");
}

static void times_are_written_in_the_form_of_their_year(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        unsigned tag;
        const char *text;
    } rows[] = {{1795241939, DER_UTC_TIME, "261121061859Z"},
                {-631152000, DER_UTC_TIME, "500101000000Z"},
                {2524607999, DER_UTC_TIME, "491231235959Z"},
                {2524608000, DER_GENERALIZED_TIME, "20500101000000Z"},
                {253402300799, DER_GENERALIZED_TIME, "99991231235959Z"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct der_out *out = fresh();
        struct view der, body;
        int64_t s = 0;
        der_put_time(out, rows[i].s);
        EXPECT_OK(der_out_done(out, &der));
        struct view in = der;
        EXPECT_OK(der_read(&in, rows[i].tag, &body));
        EXPECT_VIEW(body, rows[i].text);
        EXPECT_OK(der_read_time(&der, &s));
        assert_int_equal(s, rows[i].s);
    }
    struct der_out *out = fresh();
    der_put_gentime(out, DER_GENERALIZED_TIME, 1795241939);
    assert_string_equal(written(out), "180f32303236313132313036313835395a");
}

static void a_time_der_cannot_say_is_a_failure(void **state)
{
    (void)state;
    static const int64_t bad[] = {-631152001, 253402300800, INT64_MAX, INT64_MIN};
    struct view v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct der_out *out = fresh();
        der_put_time(out, bad[i]);
        EXPECT_ERR(der_out_done(out, &v), ERR_TOO_LARGE, "time");
    }
    struct der_out *out = fresh();
    der_put_gentime(out, DER_GENERALIZED_TIME, INT64_MAX);
    EXPECT_ERR(der_out_done(out, &v), ERR_TOO_LARGE, "time");
}

/* --- hostile input --- */

/* Reads whatever it is, by every call; what it finds does not matter, only that nothing is read past the end
 * and that each call takes what it says or nothing. */
static size_t walk(struct view in, unsigned depth)
{
    size_t seen = 0;
    while (in.n > 0 && depth < 20) {
        struct view copies[8], body, whole;
        struct err *e;
        bool b;
        uint64_t u;
        int64_t s;
        unsigned tag, unused;
        const char *text;
        for (size_t i = 0; i < 8; i++)
            copies[i] = in;
        err_free(der_read_bool(&copies[0], &b));
        err_free(der_read_uint(&copies[1], UINT64_MAX, &u));
        err_free(der_read_time(&copies[2], &s));
        err_free(der_read_bits(&copies[3], &body, &unused));
        err_free(der_read_text(&copies[4], arena, 100, &text));
        err_free(der_read_null(&copies[5]));
        err_free(der_read_gentime(&copies[6], (unsigned)der_peek(in), &s));
        e = der_read_oid(&copies[7], &body);
        if (!e)
            der_oid_text(body, arena);
        err_free(e);
        size_t before = in.n;
        e = der_read_any(&in, &tag, &whole, &body);
        if (e) {
            assert_int_equal(in.n, before);
            err_free(e);
            break;
        }
        assert_int_equal(before - in.n, whole.n);
        assert_true(body.n < whole.n);
        for (size_t i = 0; i < 8; i++)
            assert_true(copies[i].n == before || copies[i].n == in.n);
        seen += 1 + walk(body, depth + 1);
    }
    return seen;
}

static struct view sample(void)
{
    struct der_out *out = fresh();
    struct view v;
    size_t outer = der_begin(out, DER_SEQUENCE);
    der_put_bool(out, true);
    der_put_uint(out, 65537);
    der_put_time(out, 1795241939);
    der_put_gentime(out, DER_GENERALIZED_TIME, 1795241939);
    size_t inner = der_begin(out, DER_CONTEXT_CONS(0));
    der_put_oid(out, BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d));
    der_put_text(out, "t\xc3\xa4xt");
    der_put_bits(out, BYTES(0xa0), 5);
    der_put_octets(out, view_of(arena_alloc(arena, 130), 130));
    der_put_null(out);
    der_finish(out, inner);
    der_finish(out, outer);
    EXPECT_OK(der_out_done(out, &v));
    return v;
}

/* A copy that ends where its memory ends. */
static size_t walk_copy(struct view der)
{
    uint8_t *copy = malloc(der.n ? der.n : 1);
    memcpy(copy, der.p, der.n);
    size_t seen = walk(view_of(copy, der.n), 0);
    free(copy);
    return seen;
}

static void no_truncation_reads_past_the_end(void **state)
{
    (void)state;
    struct view der = sample();
    assert_int_equal(walk_copy(der), 12); /* eleven, and 65537 read as an element itself */
    for (size_t n = 0; n < der.n; n++)
        assert_int_equal(walk_copy(view_of(der.p, n)), 0);
    struct view body;
    EXPECT_OK(der_read(&der, DER_SEQUENCE, &body));
    for (size_t n = 0; n < body.n; n++)
        walk_copy(view_of(body.p, n));
}

static void no_changed_octet_reads_past_the_end(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xff};
    struct view der = sample();
    uint8_t *copy = malloc(der.n);
    for (size_t i = 0; i < der.n; i++)
        for (size_t j = 0; j < sizeof values; j++) {
            memcpy(copy, der.p, der.n);
            copy[i] = values[j];
            walk(view_of(copy, der.n), 0);
            arena_reset(arena);
            der = sample();
        }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_taken_in_order),
        cmocka_unit_test(a_wrong_tag_is_named_and_nothing_taken),
        cmocka_unit_test(lengths_are_definite_minimal_and_within),
        cmocka_unit_test(lengths_of_every_form_are_read),
        cmocka_unit_test(an_optional_element_is_there_or_not),
        cmocka_unit_test(booleans),
        cmocka_unit_test(null_has_no_content),
        cmocka_unit_test(integers_are_minimal),
        cmocka_unit_test(numbers_fit_or_are_refused),
        cmocka_unit_test(bit_strings),
        cmocka_unit_test(object_identifiers),
        cmocka_unit_test(an_arc_of_128_bits_has_its_text),
        cmocka_unit_test(malformed_object_identifiers_are_refused),
        cmocka_unit_test(times_have_one_form_each),
        cmocka_unit_test(gentime_reads_every_year),
        cmocka_unit_test(texts_are_utf8_without_nul),
        cmocka_unit_test(values_are_written_minimal),
        cmocka_unit_test(signed_numbers_are_minimal),
        cmocka_unit_test(scopes_nest_and_move_what_is_long),
        cmocka_unit_test(past_the_limit_the_failure_sticks),
        cmocka_unit_test(times_are_written_in_the_form_of_their_year),
        cmocka_unit_test(a_time_der_cannot_say_is_a_failure),
        cmocka_unit_test(no_truncation_reads_past_the_end),
        cmocka_unit_test(no_changed_octet_reads_past_the_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
