/*
 * The vault as its peers meet it, over raw frames: seals that hold, floors that cannot be crossed from a
 * channel, leases, the closed list, the roll, restarts and reloads. What each forbidden thing is compared
 * with passes beside it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/crl.h"
#include "vault_scene.h"

static enum err_code ask(struct vault_scene *s, int fd, enum frames_kind kind, struct view body, int with_fd)
{
    struct err *e = vault_scene_ask(s, fd, kind, body, with_fd, NULL);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    return code_of(e);
}

static enum err_code seal(struct vault_scene *s, int fd, const char *issuer, const char *template,
                          const struct cert_tbs *tbs)
{
    return ask(s, fd, FRAMES_SEAL_CERT,
               vault_scene_cert_body(s, issuer, template, shape_bytes(tbs, s->arena)), -1);
}

/* --- seals --- */

static void a_certificate_verifies_up_to_the_root(void **state)
{
    struct vault_scene *s = *state;
    uint64_t n, before;
    struct view tbs, signature, leaf;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, &before);
    assert_int_equal(before, 2); /* the ceremony's */
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    assert_int_equal(n, 3);
    good(cert_seal(tbs, CERT_ALG_ECDSA_SHA256, signature, s->arena, &leaf));
    const struct view chain[] = {leaf, s->issuers[1].certificate, s->issuers[0].certificate};
    good(cert_chain_verify(chain, 3, world_now_s(), s->arena));
    assert_int_equal(vault_scene_roll_count(s), 3);
    close(fd);
}

static void many_at_once_are_all_answered(void **state)
{
    enum { MANY = 200 };
    struct vault_scene *s = *state;
    static uint8_t serials[MANY][SERIAL_BYTES];
    static bool seen[MANY + 3];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    for (size_t i = 0; i < MANY; i++)
        vault_scene_lease(s, fd, "issuing", serials[i]);
    struct cert_tbs tbs = vault_scene_tbs(s, serials[0]);
    for (size_t i = 0; i < MANY; i++) {
        tbs.serial = view_of(serials[i], SERIAL_BYTES);
        vault_scene_send(s, fd, FRAMES_SEAL_CERT,
                         vault_scene_cert_body(s, "issuing", "server", shape_bytes(&tbs, s->arena)), -1);
    }
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < MANY; i++) {
        uint64_t id, n;
        struct view body, signature;
        good(vault_scene_receive(s, fd, &id, &body));
        good(frames_read_sealed(body, &n, &signature));
        assert_true(n >= 3 && n < MANY + 3 && !seen[n]);
        seen[n] = true;
    }
    assert_int_equal(vault_scene_roll_count(s), MANY + 2);
    close(fd);
}

static void what_is_refused_is_not_rolled(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    tbs.subject = s->issuing->facts.subject;
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_FLOOR);
    assert_int_equal(vault_scene_roll_count(s), 2);
    tbs = vault_scene_tbs(s, serial); /* the serial was not used up */
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR__COUNT);
    assert_int_equal(vault_scene_roll_count(s), 3);
    close(fd);
}

static void a_serial_is_sealed_once(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES], of_root[SERIAL_BYTES], own[SERIAL_BYTES] = {0x41, 1, 2, 3};
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    vault_scene_lease(s, fd, "root", of_root);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR__COUNT);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_SERIAL);
    tbs = vault_scene_tbs(s, serial);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_SERIAL);
    tbs.serial = view_of(own, sizeof own);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_SERIAL);
    tbs.serial = view_of(of_root, sizeof of_root);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_SERIAL);
    assert_int_equal(vault_scene_roll_count(s), 3);
    close(fd);
}

static void leases_die_with_the_channel(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    int fresh = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    assert_int_equal(seal(s, fresh, "issuing", "server", &tbs), ERR_SERIAL);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR_CANCELLED); /* the old one is closed */
    vault_scene_lease(s, fresh, "issuing", serial);
    vault_scene_stop(s);
    close(fd);
    close(fresh);
    good(vault_scene_start(s));
    fresh = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal(s, fresh, "issuing", "server", &tbs), ERR_SERIAL);
    close(fresh);
}

static void a_ceiling_is_counted_from_the_roll(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES];
    enum { CEILING = 240 }; /* of self.yaml */
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    struct shape_ask asked = {.templates = s->templates,
                              .template = "self",
                              .issuer = &s->issuing->facts,
                              .spki = shape_spki(s->arena),
                              .serial = view_of(serial, sizeof serial),
                              .san = VAULT_SELF,
                              .now = world_now_s()};
    for (int i = 0; i < CEILING; i++) {
        vault_scene_lease(s, fd, "issuing", serial);
        struct cert_tbs tbs = shape_tbs(&asked, s->arena);
        assert_int_equal(seal(s, fd, "issuing", "self", &tbs), ERR__COUNT);
    }
    close(fd);
    vault_scene_stop(s); /* a restart forgets nothing */
    good(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = shape_tbs(&asked, s->arena);
    assert_int_equal(seal(s, fd, "issuing", "self", &tbs), ERR_CEILING);
    tbs = vault_scene_tbs(s, serial); /* another template's is another */
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR__COUNT);
    close(fd);
}

/* --- the closed list --- */

static void a_frame_that_is_not_ones_own_closes_the_channel(void **state)
{
    struct vault_scene *s = *state;
    static const struct {
        enum hsm_peer peer;
        enum frames_kind kind;
    } forbidden[] = {
        {HSM_PEER_FRONT, FRAMES_NONCE},         {HSM_PEER_FRONT, FRAMES_KEY_GENERATE},
        {HSM_PEER_FRONT, FRAMES_SEAL_CA},       {HSM_PEER_FRONT, FRAMES_DRAINED},
        {HSM_PEER_FRONT, FRAMES_RESULT},        {HSM_PEER_FRONT, (enum frames_kind)0},
        {HSM_PEER_FRONT, (enum frames_kind)33}, {HSM_PEER_FRONT, (enum frames_kind)60000},
        {HSM_PEER_RESPONDER, FRAMES_LEASE},     {HSM_PEER_RESPONDER, FRAMES_SEAL_CERT},
        {HSM_PEER_RESPONDER, FRAMES_SEAL_CRL},  {HSM_PEER_RESPONDER, FRAMES_SEAL_OCSP},
        {HSM_PEER_RESPONDER, FRAMES_OCSP_KEY},  {HSM_PEER_RESPONDER, FRAMES_ROLL_READ},
        {HSM_PEER_RESPONDER, FRAMES_ROLL_FIND}, {HSM_PEER_RESPONDER, FRAMES_SEAL_CA},
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        int fd = vault_scene_attach(s, forbidden[i].peer, NULL);
        good(vault_scene_ask(s, fd, FRAMES_STATUS, (struct view){NULL, 0}, -1, &(struct view){NULL, 0}));
        assert_int_equal(ask(s, fd, forbidden[i].kind, (struct view){NULL, 0}, -1), ERR_CANCELLED);
        close(fd);
    }
    assert_int_equal(vault_scene_roll_count(s), 2);
}

static void a_body_out_of_form_closes_the_channel(void **state)
{
    struct vault_scene *s = *state;
    static uint8_t big[70 * 1024];
    static const enum frames_kind kinds[] = {FRAMES_LEASE,    FRAMES_SEAL_CERT, FRAMES_SEAL_OCSP,
                                             FRAMES_OCSP_KEY, FRAMES_ROLL_READ, FRAMES_ROLL_FIND};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
        assert_int_equal(ask(s, fd, kinds[i], view_of("\x30\x03\x02\x01", 4), -1), ERR_CANCELLED);
        close(fd);
        fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
        assert_int_equal(ask(s, fd, kinds[i], view_of(big, sizeof big), -1), ERR_CANCELLED);
        close(fd);
    }
    /* trailing octets; a descriptor where none belongs; none where one does */
    uint8_t serial[SERIAL_BYTES];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "issuing", serial);
    struct cert_tbs tbs = vault_scene_tbs(s, serial);
    struct view body = vault_scene_cert_body(s, "issuing", "server", shape_bytes(&tbs, s->arena));
    uint8_t *longer = arena_alloc(s->arena, body.n + 2);
    memcpy(longer, body.p, body.n);
    longer[body.n] = 5;
    assert_int_equal(ask(s, fd, FRAMES_SEAL_CERT, view_of(longer, body.n + 2), -1), ERR_CANCELLED);
    close(fd);
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(ask(s, fd, FRAMES_SEAL_CERT, body, 0), ERR_CANCELLED);
    close(fd);
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    body = vault_scene_seq(s, (const char *const[]){"issuing", NULL}, NULL, 0);
    assert_int_equal(ask(s, fd, FRAMES_SEAL_CRL, body, -1), ERR_CANCELLED);
    close(fd);
    assert_int_equal(vault_scene_roll_count(s), 2);
}

static void the_front_makes_no_ca(void **state)
{
    struct vault_scene *s = *state;
    uint8_t serial[SERIAL_BYTES];
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    vault_scene_lease(s, fd, "root", serial);
    struct cert_tbs tbs = shape_tbs(&(struct shape_ask){.templates = s->templates,
                                                        .template = "sub-ca",
                                                        .issuer = &s->root->facts,
                                                        .spki = shape_spki(s->arena),
                                                        .serial = view_of(serial, sizeof serial),
                                                        .cn = "Rogue CA",
                                                        .now = world_now_s()},
                                    s->arena);
    assert_int_equal(seal(s, fd, "root", "sub-ca", &tbs), ERR_FLOOR);
    assert_int_equal(seal(s, fd, "root", "server", &tbs), ERR_FLOOR);
    assert_int_equal(seal(s, fd, "no-such", "server", &tbs), ERR_ISSUER_UNKNOWN);
    vault_scene_lease(s, fd, "issuing", serial);
    tbs = vault_scene_tbs(s, serial);
    assert_int_equal(seal(s, fd, "issuing", "server", &tbs), ERR__COUNT);
    close(fd);
}

/* --- lists --- */

static struct err *to_bytes(void *arg, struct view bytes)
{
    struct view *to = arg; /* room was made */
    memcpy((uint8_t *)(uintptr_t)to->p + to->n, bytes.p, bytes.n);
    to->n += bytes.n;
    return NULL;
}

static struct view crl_tbs(struct vault_scene *s, uint64_t number)
{
    static struct cert_crl_writer w;
    struct view ret = {arena_alloc(s->arena, 4096), 0};
    int64_t now = world_now_s();
    struct cert_crl crl = {.alg = CERT_ALG_ECDSA_SHA256,
                           .issuer = s->issuing->facts.subject,
                           .this_update = now,
                           .next_update = now + 86400,
                           .number = number,
                           .aki = s->issuing->facts.key_id};
    good(cert_crl_begin(&w, &crl, 0, s->arena, to_bytes, &ret, NULL));
    good(cert_crl_end(&w));
    return ret;
}

static enum err_code seal_crl(struct vault_scene *s, int fd, struct view tbs, struct view *ret_signature)
{
    int list;
    uint64_t n;
    struct view answer;
    good(file_sealed("crl", tbs, &list));
    struct err *e =
        vault_scene_ask(s, fd, FRAMES_SEAL_CRL,
                        vault_scene_seq(s, (const char *const[]){"issuing", NULL}, NULL, 0), list, &answer);
    close(list);
    if (!e)
        good(frames_read_sealed(answer, &n, ret_signature));
    return code_of(e);
}

static void a_list_is_sealed_with_a_rising_number(void **state)
{
    struct vault_scene *s = *state;
    struct view signature, tbs = crl_tbs(s, 5);
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal_crl(s, fd, tbs, &signature), ERR__COUNT);
    good(cert_key_verify(&s->issuing->key, CERT_ALG_ECDSA_SHA256, tbs, signature));
    assert_int_equal(seal_crl(s, fd, crl_tbs(s, 5), &signature), ERR_FLOOR);
    assert_int_equal(seal_crl(s, fd, crl_tbs(s, 4), &signature), ERR_FLOOR);
    close(fd);
    vault_scene_stop(s);
    good(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal_crl(s, fd, crl_tbs(s, 5), &signature), ERR_FLOOR);
    assert_int_equal(seal_crl(s, fd, crl_tbs(s, 6), &signature), ERR__COUNT);
    close(fd);
}

/* Reading anything else could hang the judge. */
static void a_list_that_is_no_file_is_refused(void **state)
{
    struct vault_scene *s = *state;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL), list[2];
    struct view tbs = crl_tbs(s, 5), signature;
    assert_int_equal(pipe(list), 0);
    struct view body = vault_scene_seq(s, (const char *const[]){"issuing", NULL}, NULL, 0);
    assert_int_equal(ask(s, fd, FRAMES_SEAL_CRL, body, list[0]), ERR_CANCELLED); /* out of form: cut off */
    close(list[1]);
    close(fd);
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(seal_crl(s, fd, tbs, &signature), ERR__COUNT);
    close(list[0]);
    close(fd);
}

/* --- OCSP --- */

static struct view ocsp_key_body(struct vault_scene *s, const char *issuer)
{
    struct der_out out;
    struct view body;
    der_out_init(&out, s->arena, 256);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, issuer);
    der_put_bool(&out, false);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    return body;
}

static struct view ocsp_key(struct vault_scene *s, int fd)
{
    struct view answer, spki;
    good(vault_scene_ask(s, fd, FRAMES_OCSP_KEY, ocsp_key_body(s, "issuing"), -1, &answer));
    good(frames_read_octets(answer, &spki));
    return spki;
}

static struct view ocsp_tbs(struct vault_scene *s, const struct cert_key *key, struct view serial)
{
    uint8_t *sha1 = arena_alloc(s->arena, SHA1_BYTES);
    struct view ret;
    cert_key_sha1(key, sha1);
    struct cert_ocsp_single single = {.id = cert_ocsp_id_for(&s->issuing->ocsp, CERT_OCSP_SHA1, serial),
                                      .status = CERT_OCSP_GOOD,
                                      .this_update = world_now_s(),
                                      .has_next_update = true,
                                      .next_update = world_now_s() + 86400};
    struct cert_ocsp_data data = {.responder_key_sha1 = view_of(sha1, SHA1_BYTES),
                                  .produced_at = world_now_s(),
                                  .singles = &single,
                                  .n = 1};
    good(cert_ocsp_data_write(&data, s->arena, &ret));
    return ret;
}

static struct err *seal_ocsp(struct vault_scene *s, int fd, struct view spki, struct view tbs,
                             struct view *ret_der)
{
    uint8_t hash[SHA256_BYTES];
    struct view answer, signature;
    uint64_t n;
    digest_sha256(spki, hash);
    const struct view parts[] = {view_of(hash, sizeof hash), tbs};
    struct err *e =
        vault_scene_ask(s, fd, FRAMES_SEAL_OCSP,
                        vault_scene_seq(s, (const char *const[]){"issuing", NULL}, parts, 2), -1, &answer);
    if (e)
        return e;
    good(frames_read_sealed(answer, &n, &signature));
    good(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA256, signature, NULL, 0, s->arena, ret_der));
    return NULL;
}

static enum err_code nonce(struct vault_scene *s, int fd, struct view answer, struct view *ret)
{
    struct view body, question, der = {NULL, 0};
    struct der_out out;
    der_out_init(&out, s->arena, FRAME_BODY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, "issuing");
    der_put_octets(&out, view_str("nonce-of-a-client"));
    size_t list = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, answer);
    der_finish(&out, list);
    der_finish(&out, m);
    good(der_out_done(&out, &question));
    struct err *e = vault_scene_ask(s, fd, FRAMES_NONCE, question, -1, &body);
    if (!e)
        good(frames_read_octets(body, &der));
    *ret = der;
    return code_of(e);
}

static void answers_are_sealed_by_a_key_of_the_token(void **state)
{
    struct vault_scene *s = *state;
    struct cert_key key;
    struct cert_ocsp_answer answer;
    const uint8_t serial[SERIAL_BYTES] = {0x41};
    struct view der, other = shape_spki(s->arena);
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    struct view spki = ocsp_key(s, fd);
    assert_true(view_eq(spki, ocsp_key(s, fd))); /* the same, asked again */
    good(cert_key_parse(spki, &key));
    struct view tbs = ocsp_tbs(s, &key, view_of(serial, sizeof serial));
    good(seal_ocsp(s, fd, spki, tbs, &der));
    good(cert_ocsp_open(der, s->arena, &answer));
    good(cert_key_verify(&key, answer.sealed.alg, answer.sealed.tbs, answer.sealed.sig));
    assert_int_equal(code_of(seal_ocsp(s, fd, other, tbs, &der)), ERR_FLOOR);
    assert_int_equal(code_of(seal_ocsp(s, fd, s->issuing->key.spki, tbs, &der)),
                     ERR_FLOOR); /* nor by the issuer's */
    close(fd);
    vault_scene_stop(s);
    good(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_true(view_eq(spki, ocsp_key(s, fd))); /* and after a restart */
    good(seal_ocsp(s, fd, spki, tbs, &der));
    close(fd);
}

static void responder_keys_are_made_one_at_a_time_for_each_issuer(void **state)
{
    struct vault_scene *s = *state;
    struct view body;
    uint64_t id;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL), made = 0, busy = 0;
    vault_scene_send(s, fd, FRAMES_OCSP_KEY, ocsp_key_body(s, "root"), -1);
    vault_scene_send(s, fd, FRAMES_OCSP_KEY, ocsp_key_body(s, "issuing"), -1);
    vault_scene_send(s, fd, FRAMES_OCSP_KEY, ocsp_key_body(s, "issuing"), -1);
    for (int i = 0; i < 3; i++) {
        enum err_code code = code_of(vault_scene_receive(s, fd, &id, &body));
        made += code == ERR__COUNT;
        busy += code == ERR_BUSY;
    }
    assert_int_equal(made, 2);
    assert_int_equal(busy, 1);
    close(fd);
}

static void a_responder_adds_a_nonce_and_no_status(void **state)
{
    struct vault_scene *s = *state;
    struct cert_key key;
    struct cert_ocsp_answer answer;
    const uint8_t serial[SERIAL_BYTES] = {0x41};
    struct view ready, der;
    int front = vault_scene_attach(s, HSM_PEER_FRONT, NULL),
        fd = vault_scene_attach(s, HSM_PEER_RESPONDER, NULL);
    struct view spki = ocsp_key(s, front);
    good(cert_key_parse(spki, &key));
    good(seal_ocsp(s, front, spki, ocsp_tbs(s, &key, view_of(serial, sizeof serial)), &ready));
    assert_int_equal(nonce(s, fd, ready, &der), ERR__COUNT);
    good(cert_ocsp_open(der, s->arena, &answer));
    good(cert_key_verify(&key, answer.sealed.alg, answer.sealed.tbs, answer.sealed.sig));
    assert_true(view_eq_str(answer.data.nonce, "nonce-of-a-client"));
    assert_int_equal(answer.data.singles[0].status, CERT_OCSP_GOOD);
    struct view bad = arena_dup(s->arena, ready);
    uint8_t *at = memmem(bad.p, bad.n, serial, sizeof serial);
    at[3] ^= 1;
    assert_int_equal(nonce(s, fd, bad, &der), ERR_BAD_SIGNATURE);
    assert_int_equal(nonce(s, fd, ready, &der), ERR__COUNT);
    close(front);
    close(fd);
}

/* --- the roll --- */

static void the_roll_tells_what_was_sealed(void **state)
{
    struct vault_scene *s = *state;
    uint8_t hashes[2][SHA256_BYTES] = {{0}, {1, 2, 3}};
    uint64_t n, next, found[2];
    struct view tbs, signature, answer, body, list, in;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    digest_sha256(tbs, hashes[0]);
    struct der_out out;
    der_out_init(&out, s->arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, 1);
    size_t hs = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, view_of(hashes[0], SHA256_BYTES));
    der_put_octets(&out, view_of(hashes[1], SHA256_BYTES));
    der_finish(&out, hs);
    der_finish(&out, m);
    good(der_out_done(&out, &body));
    good(vault_scene_ask(s, fd, FRAMES_ROLL_FIND, body, -1, &answer));
    good(der_read(&answer, DER_SEQUENCE, &in));
    good(der_read_uint(&in, UINT64_MAX, &next));
    good(der_read(&in, DER_SEQUENCE, &list));
    good(der_read_uint(&list, UINT64_MAX, &found[0]));
    good(der_read_uint(&list, UINT64_MAX, &found[1]));
    assert_int_equal(found[0], n);
    assert_int_equal(found[1], 0);
    assert_int_equal(next, 0);
    close(fd);
}

static void a_changed_roll_is_not_opened(void **state)
{
    struct vault_scene *s = *state;
    char path[96];
    uint8_t octet = 0;
    vault_scene_stop(s);
    snprintf(path, sizeof path, "%s/%s", s->roll, HSM_ROLL_FILE);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &octet, 1, 100), 1);
    octet ^= 1;
    assert_int_equal(pwrite(fd, &octet, 1, 100), 1);
    assert_int_equal(code_of(vault_scene_start(s)), ERR_CORRUPT);
    octet ^= 1;
    assert_int_equal(pwrite(fd, &octet, 1, 100), 1);
    close(fd);
    good(vault_scene_start(s));
}

/* --- generations, roster, lock --- */

struct reload {
    struct vault_scene *s;
    struct hsm_vault_config config;
    bool commit;
    enum err_code code;
};

static void do_reload(void *arg)
{
    struct reload *r = arg;
    struct templates *templates = shape_templates();
    struct err *e = hsm_vault_prepare(r->s->v, &r->config, &templates);
    templates_free(templates);
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    else if (r->commit)
        hsm_vault_commit(r->s->v);
    else
        hsm_vault_abort(r->s->v);
    r->code = code_of(e);
}

static enum err_code reload(struct vault_scene *s, const struct hsm_vault_config *config, bool commit)
{
    struct reload r = {.s = s, .config = *config, .commit = commit};
    vault_scene_run(s, do_reload, &r);
    return r.code;
}

static void a_seal_names_its_generation(void **state)
{
    struct vault_scene *s = *state;
    uint64_t n;
    struct view tbs, signature;
    struct hsm_vault_config next = s->config;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    next.generation = 2;
    assert_int_equal(reload(s, &next, false), ERR__COUNT); /* aborted: all as before */
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    s->config.generation = 2;
    assert_int_equal(code_of(vault_scene_seal(s, fd, &tbs, &n, &signature)), ERR_GENERATION);
    assert_int_equal(reload(s, &next, true), ERR__COUNT);
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    s->config.generation = 1; /* the one before still counts for what is under way */
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    next.generation = 3;
    assert_int_equal(reload(s, &next, true), ERR__COUNT);
    assert_int_equal(code_of(vault_scene_seal(s, fd, &tbs, &n, &signature)), ERR_GENERATION);
    next.generation = 3;
    assert_int_equal(reload(s, &next, true), ERR_CONFIG); /* it must rise */
    close(fd);
}

static void a_reload_that_does_not_fit_is_refused(void **state)
{
    struct vault_scene *s = *state;
    struct hsm_issuer_setup issuers[2] = {s->issuers[0], s->issuers[1]};
    struct hsm_vault_config next = s->config;
    next.generation = 2;
    next.issuers = issuers;
    issuers[1].key_uri = "pkcs11:object=nobody";
    assert_int_equal(reload(s, &next, true), ERR_NOT_FOUND);
    issuers[1].key_uri = "pkcs11:object=root"; /* not the certificate's */
    assert_int_equal(reload(s, &next, true), ERR_CONFIG);
    issuers[1] = s->issuers[1];
    issuers[1].alg = CERT_ALG_RSA_SHA256;
    assert_int_equal(reload(s, &next, true), ERR_CONFIG);
    issuers[1] = s->issuers[1];
    assert_int_equal(reload(s, &next, true), ERR__COUNT);
}

static void a_new_roster_needs_the_old_quorum(void **state)
{
    struct vault_scene *s = *state;
    uint8_t hash[SHA256_BYTES];
    struct hsm_vault_config next = s->config;
    digest_sha256(shape_spki(s->arena), hash);
    next.generation = 2;
    next.roster_yaml = view_str(
        arena_printf(s->arena, "quorum: 1\nroster:\n  - {name: mallory, role: admin, spki_sha256: \"%s\"}\n",
                     hex_of(s->arena, view_of(hash, sizeof hash))));
    assert_int_equal(reload(s, &next, true), ERR_FORBIDDEN);
    next.roster_yaml = s->config.roster_yaml;
    assert_int_equal(reload(s, &next, true), ERR__COUNT);
    vault_scene_stop(s);
    struct view kept = s->config.roster_yaml;
    s->config.roster_yaml = view_str(arena_printf(s->arena,
                                                  "quorum: 1\nroster:\n  - {name: m, role: admin, "
                                                  "spki_sha256: \"%s\"}\n",
                                                  hex_of(s->arena, view_of(hash, sizeof hash))));
    assert_int_equal(code_of(vault_scene_start(s)), ERR_FORBIDDEN);
    s->config.roster_yaml = kept;
    good(vault_scene_start(s));
}

static void one_vault_for_one_token(void **state)
{
    struct vault_scene *s = *state;
    struct loop *l;
    struct hsm_vault *v = NULL;
    struct templates *templates = shape_templates();
    good(loop_new(&l));
    assert_int_equal(code_of(hsm_vault_open(l, &s->setup, &s->config, &templates, &v)), ERR_WRONG_STATE);
    assert_non_null(templates); /* it stays ours */
    templates_free(templates);
    loop_free(l);
}

static void a_refused_pin_leaves_the_vault_standing(void **state)
{
    struct vault_scene *s = *state;
    char path[64];
    uint64_t n;
    struct view tbs, signature;
    vault_scene_stop(s);
    snprintf(path, sizeof path, "%s/pin", s->dir);
    FILE *f = fopen(path, "w");
    fputs("9999\n", f);
    fclose(f);
    good(vault_scene_start(s));
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(code_of(vault_scene_seal(s, fd, &tbs, &n, &signature)), ERR_PIN_REFUSED);
    assert_string_equal(hsm_vault_token_state(s->v), "pin-refused");
    close(fd);
    vault_scene_stop(s);
    f = fopen(path, "w");
    fputs("4711\n", f);
    fclose(f);
    good(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    good(vault_scene_seal(s, fd, &tbs, &n, &signature));
    close(fd);
}

static void finding(void *arg, bool wrong, const char *what)
{
    int *wrongs = arg;
    *wrongs += wrong;
    print_message("  %s %s\n", wrong ? "WRONG" : "fine ", what);
}

static void check_finds_what_is_wrong(void **state)
{
    struct vault_scene *s = *state;
    int wrongs = 0;
    vault_scene_stop(s);
    struct templates *templates = shape_templates();
    assert_true(hsm_vault_check(&s->setup, &s->config, &templates, finding, &wrongs));
    assert_int_equal(wrongs, 0);
    templates = shape_templates();
    s->issuers[1].key_uri = "pkcs11:object=nobody";
    assert_false(hsm_vault_check(&s->setup, &s->config, &templates, finding, &wrongs));
    assert_int_equal(wrongs, 1);
    s->issuers[1].key_uri = "pkcs11:object=issuing";
    good(vault_scene_start(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_scene_setup, vault_scene_teardown)
        TEST(a_certificate_verifies_up_to_the_root),
        TEST(many_at_once_are_all_answered),
        TEST(what_is_refused_is_not_rolled),
        TEST(a_serial_is_sealed_once),
        TEST(leases_die_with_the_channel),
        TEST(a_ceiling_is_counted_from_the_roll),
        TEST(a_frame_that_is_not_ones_own_closes_the_channel),
        TEST(a_body_out_of_form_closes_the_channel),
        TEST(the_front_makes_no_ca),
        TEST(a_list_is_sealed_with_a_rising_number),
        TEST(a_list_that_is_no_file_is_refused),
        TEST(answers_are_sealed_by_a_key_of_the_token),
        TEST(responder_keys_are_made_one_at_a_time_for_each_issuer),
        TEST(a_responder_adds_a_nonce_and_no_status),
        TEST(the_roll_tells_what_was_sealed),
        TEST(a_changed_roll_is_not_opened),
        TEST(a_seal_names_its_generation),
        TEST(a_reload_that_does_not_fit_is_refused),
        TEST(a_new_roster_needs_the_old_quorum),
        TEST(one_vault_for_one_token),
        TEST(a_refused_pin_leaves_the_vault_standing),
        TEST(check_finds_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
