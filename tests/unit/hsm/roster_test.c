/* The roster: who is on it, its canonical form, and that it changes only by its old quorum. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "cert/key.h"
#include "roster.h"
#include "token_scene.h"

enum { PEOPLE = 4 };

struct person {
    EVP_PKEY *key;
    struct view spki;
    char hash[2 * SHA256_BYTES + 1];
};

struct scene {
    char dir[32], pin[64];
    struct arena *arena;
    struct person who[PEOPLE];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    memcpy(s->dir, "/tmp/roster-XXXXXX", 19);
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->pin, sizeof s->pin, "%s/%s", s->dir, ROSTER_PIN_FILE);
    s->arena = arena_new(16 << 20);
    for (size_t i = 0; i < PEOPLE; i++) {
        unsigned char *der = NULL;
        uint8_t hash[SHA256_BYTES];
        s->who[i].key = EVP_EC_gen("P-256");
        int n = i2d_PUBKEY(s->who[i].key, &der);
        s->who[i].spki = arena_dup(s->arena, view_of(der, (size_t)n));
        OPENSSL_free(der);
        digest_sha256(s->who[i].spki, hash);
        hex_put(s->who[i].hash, view_of(hash, sizeof hash));
    }
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    (void)unlink(s->pin);
    (void)rmdir(s->dir);
    for (size_t i = 0; i < PEOPLE; i++)
        EVP_PKEY_free(s->who[i].key);
    arena_free(s->arena);
    free(s);
    return 0;
}

static struct hsm_roster *parse(const char *yaml)
{
    struct hsm_roster *r = NULL;
    good(hsm_roster_parse("roster.yaml", view_str(yaml), &r));
    return r;
}

/* roles: a letter for each person, "aao-": admin, admin, operator, not on it. */
static struct hsm_roster *roster_of(struct scene *s, unsigned quorum, const char *roles)
{
    const char *text = arena_printf(s->arena, "quorum: %u\nroster:\n", quorum);
    for (size_t i = 0; roles[i]; i++)
        if (roles[i] != '-')
            text = arena_printf(s->arena, "%s  - {name: p%zu, role: %s, spki_sha256: \"%s\"}\n", text, i,
                                roles[i] == 'a'   ? "admin"
                                : roles[i] == 'o' ? "operator"
                                                  : "auditor",
                                s->who[i].hash);
    return parse(text);
}

static const char *sign_line(struct scene *s, size_t who, const char *text)
{
    uint8_t sig[256];
    size_t n = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s->who[who].key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    return arena_printf(s->arena, "ecdsa-sha256 %s %s\n", base64_of(s->arena, s->who[who].spki),
                        base64_of(s->arena, view_of(sig, n)));
}

static const char *change_line(struct scene *s, size_t who, const struct hsm_roster *old,
                               const struct hsm_roster *new)
{
    uint8_t was[SHA256_BYTES], will[SHA256_BYTES];
    hsm_roster_hash(old, was);
    hsm_roster_hash(new, will);
    return sign_line(s, who, hsm_roster_change_text(s->arena, was, will));
}

static enum err_code admit(struct scene *s, const struct hsm_roster *r, const char *sigs, bool *ret_new)
{
    return code_of(roster_admit(s->dir, r, view_str(sigs), ret_new));
}

static void people_are_found_by_their_key(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *r = roster_of(s, 1, "aou-");
    uint8_t hash[SHA256_BYTES];
    const enum hsm_role roles[] = {HSM_ROLE_ADMIN, HSM_ROLE_OPERATOR, HSM_ROLE_AUDITOR};
    for (size_t i = 0; i < 3; i++) {
        digest_sha256(s->who[i].spki, hash);
        const struct hsm_roster_entry *entry = hsm_roster_find(r, hash);
        assert_non_null(entry);
        assert_int_equal(entry->role, roles[i]);
    }
    digest_sha256(s->who[3].spki, hash);
    assert_null(hsm_roster_find(r, hash));
    assert_int_equal(hsm_roster_count(r), 3);
    hsm_roster_free(r);
}

static void the_hash_is_of_the_content_alone(void **state)
{
    struct scene *s = *state;
    uint8_t a[SHA256_BYTES], b[SHA256_BYTES], c[SHA256_BYTES];
    struct hsm_roster *one = roster_of(s, 1, "ao");
    struct hsm_roster *same =
        parse(arena_printf(s->arena,
                           "# in another order\nroster:\n"
                           "  - role: operator\n    name: p1\n    spki_sha256: \"%s\"\n"
                           "  - name: p0\n    role: admin\n    spki_sha256: \"%s\"\n\nquorum: 1\n",
                           s->who[1].hash, s->who[0].hash));
    struct hsm_roster *other = roster_of(s, 1, "au");
    hsm_roster_hash(one, a);
    hsm_roster_hash(same, b);
    hsm_roster_hash(other, c);
    assert_memory_equal(a, b, SHA256_BYTES);
    assert_memory_not_equal(a, c, SHA256_BYTES);
    hsm_roster_free(one);
    hsm_roster_free(same);
    hsm_roster_free(other);
}

static void bad_rosters_are_refused(void **state)
{
    struct scene *s = *state;
    const char *h = s->who[0].hash, *g = s->who[1].hash;
    const char *bad[] = {
        "quorum: 1\nroster: []\n",
        arena_printf(s->arena, "quorum: 2\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n", h),
        arena_printf(s->arena, "quorum: 0\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n", h),
        arena_printf(s->arena, "roster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n", h),
        arena_printf(s->arena, "quorum: 1\nroster:\n  - {name: a, role: king, spki_sha256: \"%s\"}\n", h),
        arena_printf(s->arena, "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%.62s\"}\n", h),
        arena_printf(s->arena, "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%.62szz\"}\n",
                     h),
        arena_printf(s->arena, "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\", x: 1}\n",
                     h),
        arena_printf(s->arena,
                     "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n"
                     "  - {name: b, role: auditor, spki_sha256: \"%s\"}\n",
                     h, h),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hsm_roster *r = NULL;
        assert_int_equal(code_of(hsm_roster_parse("roster.yaml", view_str(bad[i]), &r)), ERR_CONFIG);
    }
    hsm_roster_free(parse(arena_printf(s->arena,
                                       "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n"
                                       "  - {name: b, role: auditor, spki_sha256: \"%s\"}\n",
                                       h, g)));
}

static void the_canonical_form_comes_back(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *r = roster_of(s, 2, "aaou"), *back = NULL;
    good(hsm_roster_of_canonical(hsm_roster_canonical(r), &back));
    assert_int_equal(hsm_roster_quorum(back), 2);
    assert_int_equal(hsm_roster_count(back), 4);
    assert_true(view_eq(hsm_roster_canonical(r), hsm_roster_canonical(back)));
    hsm_roster_free(r);
    hsm_roster_free(back);
}

static void the_first_roster_is_taken_and_the_same_passes(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *r = roster_of(s, 1, "ao");
    bool is_new = false;
    assert_int_equal(admit(s, r, "", &is_new), ERR__COUNT);
    assert_true(is_new);
    good(roster_pin(s->dir, r));
    assert_int_equal(admit(s, r, "", &is_new), ERR__COUNT);
    assert_false(is_new);
    hsm_roster_free(r);
}

static void a_change_needs_the_old_quorum(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *old = roster_of(s, 2, "aao-"), *new = roster_of(s, 1, "---a");
    bool is_new = false;
    good(roster_pin(s->dir, old));
    const char *first = change_line(s, 0, old, new), *second = change_line(s, 1, old, new);
    assert_int_equal(admit(s, new, "", &is_new), ERR_FORBIDDEN);
    assert_int_equal(admit(s, new, first, &is_new), ERR_FORBIDDEN);
    assert_int_equal(admit(s, new, arena_printf(s->arena, "%s%s", first, first), &is_new), ERR_FORBIDDEN);
    assert_int_equal(
        admit(s, new, arena_printf(s->arena, "%s%s", first, change_line(s, 2, old, new)), &is_new),
        ERR_FORBIDDEN); /* an operator's */
    assert_int_equal(
        admit(s, new, arena_printf(s->arena, "%s%s", first, change_line(s, 3, old, new)), &is_new),
        ERR_FORBIDDEN); /* an administrator of the new one only */
    assert_int_equal(admit(s, new, arena_printf(s->arena, "# signed\n%s\n%s", first, second), &is_new),
                     ERR__COUNT);
    assert_true(is_new);
    hsm_roster_free(old);
    hsm_roster_free(new);
}

static void signatures_are_for_this_change_alone(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *old = roster_of(s, 1, "ao"), *new = roster_of(s, 1, "aa"),
                      *third = roster_of(s, 1, "au");
    bool is_new = false;
    good(roster_pin(s->dir, old));
    assert_int_equal(admit(s, new, change_line(s, 0, old, new), &is_new), ERR__COUNT);
    assert_int_equal(admit(s, third, change_line(s, 0, old, new), &is_new), ERR_BAD_SIGNATURE);
    assert_int_equal(admit(s, new, change_line(s, 0, third, new), &is_new), ERR_BAD_SIGNATURE);
    assert_int_equal(admit(s, new, "ecdsa-sha256 AAAA BBBB\n", &is_new) == ERR__COUNT, 0);
    hsm_roster_free(old);
    hsm_roster_free(new);
    hsm_roster_free(third);
}

static void a_damaged_pin_is_refused(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *r = roster_of(s, 1, "a");
    bool is_new;
    FILE *f = fopen(s->pin, "w");
    assert_non_null(f);
    fputs("not a roster", f);
    fclose(f);
    assert_int_not_equal(admit(s, r, "", &is_new), ERR__COUNT);
    hsm_roster_free(r);
}

/* --- more than version 1 can say --- */

static struct hsm_roster *full(struct scene *s, const char *more)
{
    return parse(arena_printf(
        s->arena,
        "quorum: 1\napprovals: {thaw: 1, accept-loss: 0}\nroster:\n"
        "  - {name: a, role: admin, spki_sha256: \"%s\"}\n"
        "  - {name: b, role: admin, spki_sha256: \"%s\"}\n"
        "  - {name: o, role: enroll-agent, uid: 1004, issuers: [issuing], templates: [x, y]}\n%s",
        s->who[0].hash, s->who[1].hash, more));
}

static void everything_it_says_comes_back(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *r = full(s, ""), *back = NULL;
    good(hsm_roster_of_canonical(hsm_roster_canonical(r), &back));
    assert_true(view_eq(hsm_roster_canonical(r), hsm_roster_canonical(back)));
    assert_int_equal(hsm_roster_needed(back, HSM_ACT_THAW), 1);
    assert_int_equal(hsm_roster_needed(back, HSM_ACT_ACCEPT_LOSS), 0);
    assert_int_equal(hsm_roster_needed(back, HSM_ACT_CA_CREATE), 1); /* the quorum */
    const struct hsm_roster_entry *o = hsm_roster_find_uid(back, 1004);
    assert_non_null(o);
    assert_int_equal(o->role, HSM_ROLE_ENROLL_AGENT);
    assert_int_equal(o->issuers.n, 1);
    assert_string_equal(o->templates.items[1], "y");
    assert_null(hsm_roster_find_uid(back, 1005));
    hsm_roster_free(r);
    hsm_roster_free(back);
}

static void what_contradicts_itself_is_refused(void **state)
{
    struct scene *s = *state;
    const char *a = arena_printf(
        s->arena, "quorum: 1\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n", s->who[0].hash);
    const char *g = s->who[1].hash;
    const char *bad[] = {
        arena_printf(s->arena, "%s  - {name: a, role: auditor, spki_sha256: \"%s\"}\n", a, g),
        arena_printf(s->arena, "%s  - {name: b, role: operator, uid: 7, spki_sha256: \"%s\"}\n", a, g),
        arena_printf(s->arena, "%s  - {name: b, role: operator}\n", a),
        arena_printf(s->arena, "%s  - {name: b, role: recovery, uid: 7}\n", a),
        arena_printf(s->arena, "%s  - {name: b, role: auditor, issuers: [x], spki_sha256: \"%s\"}\n", a, g),
        arena_printf(s->arena, "approvals: {thaw: 1}\n%s", a), /* nobody is left beside the asker */
        arena_printf(s->arena, "approvals: {make-coffee: 1}\n%s", a),
        arena_printf(s->arena, "approvals: {thaw: many}\n%s", a),
        /* two keys of one person are no quorum of two */
        arena_printf(s->arena,
                     "quorum: 2\nroster:\n  - {name: a, role: admin, spki_sha256: \"%s\"}\n"
                     "  - {name: a, role: admin, spki_sha256: \"%s\"}\n",
                     s->who[0].hash, g),
        arena_printf(s->arena,
                     "quorum: 1\nroster:\n  - {name: a, role: admin, revoked: true, spki_sha256: \"%s\"}\n",
                     g),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hsm_roster *r = NULL;
        if (code_of(hsm_roster_parse("roster.yaml", view_str(bad[i]), &r)) != ERR_CONFIG)
            fail_msg("taken:\n%s", bad[i]);
    }
}

static struct hsm_roster *people(struct scene *s, unsigned quorum, const char *const *lines)
{
    const char *text = arena_printf(s->arena, "quorum: %u\nroster:\n", quorum);
    for (size_t i = 0; i < PEOPLE && lines[i]; i++)
        text = arena_printf(s->arena, "%s  - {%s, spki_sha256: \"%s\"}\n", text, lines[i], s->who[i].hash);
    return parse(text);
}

static void a_change_counts_people_and_knows_recovery(void **state)
{
    struct scene *s = *state;
    struct hsm_roster *old = people(s, 2,
                                    (const char *[]){"name: a, role: admin", "name: a, role: admin",
                                                     "name: b, role: admin", "name: r, role: recovery"}),
                      *new = roster_of(s, 1, "a");
    bool is_new;
    good(roster_pin(s->dir, old));
    const char *a = change_line(s, 0, old, new), *again = change_line(s, 1, old, new);
    assert_int_equal(admit(s, new, arena_printf(s->arena, "%s%s", a, again), &is_new), ERR_FORBIDDEN);
    assert_int_equal(admit(s, new, arena_printf(s->arena, "%s%s", a, change_line(s, 2, old, new)), &is_new),
                     ERR__COUNT);
    assert_int_equal(admit(s, new, change_line(s, 3, old, new), &is_new), ERR__COUNT); /* recovery, alone */
    hsm_roster_free(old);
    old = people(s, 1, (const char *[]){"name: a, role: admin", "name: b, role: admin, revoked: true", NULL});
    good(roster_pin(s->dir, old));
    assert_int_equal(admit(s, new, change_line(s, 1, old, new), &is_new), ERR_FORBIDDEN);
    hsm_roster_free(old);
    hsm_roster_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(people_are_found_by_their_key),
        TEST(the_hash_is_of_the_content_alone),
        TEST(bad_rosters_are_refused),
        TEST(the_canonical_form_comes_back),
        TEST(the_first_roster_is_taken_and_the_same_passes),
        TEST(a_change_needs_the_old_quorum),
        TEST(signatures_are_for_this_change_alone),
        TEST(a_damaged_pin_is_refused),
        TEST(everything_it_says_comes_back),
        TEST(what_contradicts_itself_is_refused),
        TEST(a_change_counts_people_and_knows_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
