/* Floors of CRLs; each with its control. */
#include <unistd.h>

#include "base/file.h"
#include "cert/crl.h"

#include "judge_scene.h"

struct sink {
    uint8_t bytes[4096];
    size_t n;
};

static struct err *sink_put(void *arg, struct view bytes)
{
    struct sink *s = arg;
    memcpy(s->bytes + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return NULL;
}

struct list {
    struct cert_crl crl;
    struct cert_crl_entry entries[2];
    bool swap; /* the entries' octets change places after writing */
};

static const uint8_t low[SERIAL_BYTES] = {0x41, 1}, high[SERIAL_BYTES] = {0x41, 2};

static struct list fine(struct judge_scene *s)
{
    return (struct list){
        .crl = {.alg = CERT_ALG_ECDSA_SHA256,
                .issuer = s->issuing->facts.subject,
                .this_update = JUDGE_NOW,
                .next_update = JUDGE_NOW + 7 * 86400,
                .number = 8,
                .aki = s->issuing->facts.key_id},
        .entries = {{.serial = view_of(low, sizeof low), .revoked_at = JUDGE_NOW - 10, .reason = 1},
                    {.serial = view_of(high, sizeof high), .revoked_at = JUDGE_NOW - 20, .reason = 4}}};
}

static enum err_code verdict(struct judge_scene *s, const struct list *l)
{
    static struct cert_crl_writer w;
    struct sink sink = {.n = 0};
    size_t one = cert_crl_entry_bytes(&l->entries[0]), two = cert_crl_entry_bytes(&l->entries[1]);
    good(cert_crl_begin(&w, &l->crl, one + two, s->arena, sink_put, &sink, NULL));
    good(cert_crl_add(&w, &l->entries[0]));
    good(cert_crl_add(&w, &l->entries[1]));
    good(cert_crl_end(&w));
    if (l->swap) {
        struct cert_crl read;
        uint8_t first[256];
        good(cert_crl_read(view_of(sink.bytes, sink.n), &read));
        uint8_t *at = (uint8_t *)(uintptr_t)read.entries.p;
        memcpy(first, at, one);
        memmove(at, at + one, two);
        memcpy(at + two, first, one);
    }
    struct list_file file = {.bytes = sink.n};
    struct list_read read;
    uint8_t hash[SHA256_BYTES];
    good(file_sealed("list", view_of(sink.bytes, sink.n), &file.fd));
    struct err *e = judge_crl(s->issuing, &file, 7, JUDGE_NOW, &read);
    close(file.fd);
    if (e) {
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
        return code_of(e);
    }
    digest_sha256(view_of(sink.bytes, sink.n), hash);
    assert_int_equal(read.crl.number, l->crl.number);
    assert_int_equal(read.entries, 2);
    assert_memory_equal(read.sha256, hash, SHA256_BYTES);
    assert_memory_equal(read.digest, hash, SHA256_BYTES);
    return ERR__COUNT;
}

static void a_fine_list_passes(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    l.crl.has_idp = true;
    l.crl.idp.uri = view_str("http://pki.example.internal/crl/issuing.crl");
    assert_int_equal(verdict(s, &l), ERR__COUNT);
}

static void the_number_is_above_the_last(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.number = 7;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.number = 0;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.number = 900;
    assert_int_equal(verdict(s, &l), ERR__COUNT);
}

static void issuer_key_and_algorithm_fit(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.issuer = s->root->facts.subject;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.crl.aki = s->root->facts.key_id;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.crl.alg = CERT_ALG_ECDSA_SHA512;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
}

static void dates_are_held_to_our_clock(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.this_update = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.this_update = JUDGE_NOW - JUDGE_STATUS_BACK_S - 1;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.crl.next_update = JUDGE_NOW + JUDGE_CRL_S + 1;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    s->issuing->may_issue = false; /* a root's lists live longer */
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    l.crl.this_update = JUDGE_NOW - 100;
    l.crl.next_update = JUDGE_NOW - 50;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.entries[1].revoked_at = JUDGE_NOW + JUDGE_AHEAD_S + 1;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
}

static void the_scope_is_whole(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.has_idp = true;
    l.crl.idp.only_ca = true;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.idp = (struct cert_idp){.uri = view_str("http://pki.example.internal/crl/root.crl")};
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
}

static void a_partition_is_named_by_an_address_of_the_issuer(void **state)
{
    struct judge_scene *s = *state;
    static const char *const wrong[] = {"http://pki.example.internal/crl/root/3.crl",
                                        "http://pki.example.internal/crl/issuing/0.crl",
                                        "http://pki.example.internal/crl/issuing/03.crl",
                                        "http://pki.example.internal/crl/issuing/3.crl?",
                                        "http://pki.example.internal/crl/issuing/-3.crl",
                                        "http://pki.example.internal/crl/issuing-delta.crl",
                                        "http://pki.example.internal/crl/issuing/3/4.crl",
                                        "http://elsewhere.example/crl/issuing/3.crl"};
    struct list l = fine(s);
    l.crl.has_idp = true;
    l.crl.idp.uri = view_str("http://pki.example.internal/crl/issuing/3.crl");
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        l.crl.idp.uri = view_str(wrong[i]);
        assert_int_equal(verdict(s, &l), ERR_FLOOR);
    }
}

static void a_delta_builds_on_a_list_that_was_sealed(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.is_delta = true;
    l.crl.base = 7; /* the last that was sealed */
    l.crl.number = 9;
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    l.entries[0].reason = CERT_REASON_REMOVE_FROM_CRL;
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    l.crl.base = 8;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.base = 0;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l.crl.base = 7;
    l.crl.has_idp = true; /* over less than what it builds on */
    l.crl.idp.uri = view_str("http://pki.example.internal/crl/issuing/3.crl");
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
}

static void freshest_names_our_own_delta_lists(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.crl.freshest = view_str("http://pki.example.internal/crl/issuing-delta.crl");
    assert_int_equal(verdict(s, &l), ERR__COUNT);
    l.crl.has_idp = true;
    l.crl.idp.uri = view_str("http://pki.example.internal/crl/issuing/3.crl");
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.crl.freshest = view_str("http://pki.example.internal/crl/root-delta.crl");
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
}

static void entries_ascend(void **state)
{
    struct judge_scene *s = *state;
    struct list l = fine(s);
    l.swap = true;
    assert_int_equal(verdict(s, &l), ERR_FLOOR);
    l = fine(s);
    l.entries[0].reason = CERT_REASON_REMOVE_FROM_CRL;
    assert_int_not_equal(verdict(s, &l), ERR__COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, judge_scene_setup, judge_scene_teardown)
        TEST(a_fine_list_passes),
        TEST(the_number_is_above_the_last),
        TEST(issuer_key_and_algorithm_fit),
        TEST(dates_are_held_to_our_clock),
        TEST(the_scope_is_whole),
        TEST(entries_ascend),
        TEST(a_partition_is_named_by_an_address_of_the_issuer),
        TEST(a_delta_builds_on_a_list_that_was_sealed),
        TEST(freshest_names_our_own_delta_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
