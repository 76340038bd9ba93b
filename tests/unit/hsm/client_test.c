/*
 * The client of front and responder: against the real vault where answers matter, against an end that the
 * test holds where it must break off.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/ocsp.h"
#include "vault_scene.h"

/* The front's loop runs in the test's thread until something has come. */
struct front {
    struct vault_scene *s; /* NULL: no vault */
    struct loop *loop;
    struct hsm *h;
    struct loop_timer *timer;
    int ready, lost, done;
    enum err_code code;
    uint64_t n, next, ns[2];
    uint8_t bytes[8192];
    size_t bytes_n;
};

static void on_ready(void *arg, uint64_t roll_n)
{
    struct front *f = arg;
    f->ready++;
    f->n = roll_n;
    loop_stop(f->loop);
}

static void on_lost(void *arg, const struct err *why)
{
    struct front *f = arg;
    (void)why;
    f->lost++;
    loop_stop(f->loop);
}

static void too_late(void *arg)
{
    (void)arg;
    fail_msg("nothing came within ten seconds");
}

static void front_open(struct front *f, struct vault_scene *s)
{
    *f = (struct front){.s = s};
    good(loop_new(&f->loop));
    f->timer = loop_timer_new(f->loop, too_late, f);
    f->h = hsm_new(f->loop, (struct hsm_events){on_ready, on_lost, f});
}

static void front_close(struct front *f)
{
    hsm_free(f->h);
    loop_timer_free(f->timer);
    loop_free(f->loop);
}

static void wait_one(struct front *f)
{
    loop_timer_set(f->timer, 10000);
    loop_run(f->loop);
    loop_timer_clear(f->timer);
}

static void front_ready(struct front *f, enum hsm_peer peer)
{
    hsm_attach(f->h, vault_scene_connect(f->s, peer));
    wait_one(f);
    assert_true(hsm_ready(f->h));
}

static void take(struct front *f, struct err *e, struct view bytes)
{
    f->done++;
    if (e)
        print_message("  (%s: %s)\n", err_row(err_code(e))->name, err_detail(e));
    f->code = code_of(e);
    assert_true(bytes.n <= sizeof f->bytes);
    if (bytes.n)
        memcpy(f->bytes, bytes.p, bytes.n);
    f->bytes_n = bytes.n;
    loop_stop(f->loop);
}

static void on_sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct front *f = arg;
    f->n = n;
    take(f, e, signature);
}

static void on_bytes(void *arg, struct err *e, struct view bytes)
{
    take(arg, e, bytes);
}

static void on_roll(void *arg, struct err *e, struct view entries, uint64_t next)
{
    struct front *f = arg;
    f->next = next;
    take(f, e, entries);
}

static void on_found(void *arg, struct err *e, const uint64_t *ns, size_t n)
{
    struct front *f = arg;
    for (size_t i = 0; i < n && i < 2; i++)
        f->ns[i] = ns[i];
    take(f, e, (struct view){NULL, 0});
}

/* A fine tbs under a serial of the client's. */
static struct view fine(struct front *f)
{
    uint8_t serial[SERIAL_BYTES];
    good(hsm_serial(f->h, "issuing", serial));
    struct cert_tbs tbs = vault_scene_tbs(f->s, serial);
    return shape_bytes(&tbs, f->s->arena);
}

static struct err *ask_seal(struct front *f, struct view tbs, ticket_id *ret)
{
    struct hsm_cert what = {.generation = 1, .issuer = "issuing", .template = "server", .tbs = tbs};
    return hsm_seal_cert(f->h, &what, on_sealed, f, ret);
}

/* --- with the real vault --- */

static void a_seal_comes_back(void **state)
{
    struct vault_scene *s = *state;
    struct front f;
    struct view leaf;
    front_open(&f, s);
    hsm_serials_for(f.h, "issuing");
    front_ready(&f, HSM_PEER_FRONT);
    assert_int_equal(f.n, 2);
    struct view tbs = fine(&f); /* serials were there before on_ready */
    good(ask_seal(&f, tbs, NULL));
    assert_int_equal(f.done, 0); /* never from inside the start */
    wait_one(&f);
    assert_int_equal(f.code, ERR__COUNT);
    assert_int_equal(f.n, 3);
    assert_int_equal(hsm_roll_n(f.h), 3);
    good(cert_seal(tbs, CERT_ALG_ECDSA_SHA256, view_of(f.bytes, f.bytes_n), s->arena, &leaf));
    const struct view chain[] = {leaf, s->issuers[1].certificate, s->issuers[0].certificate};
    good(cert_chain_verify(chain, 3, world_now_s(), s->arena));
    good(ask_seal(&f, tbs, NULL)); /* the same serial again */
    wait_one(&f);
    assert_int_equal(f.code, ERR_SERIAL);
    front_close(&f);
}

static int by_octets(const void *a, const void *b)
{
    return memcmp(a, b, SERIAL_BYTES);
}

static void serials_do_not_run_out_nor_come_twice(void **state)
{
    enum { MANY = 3000 };
    struct vault_scene *s = *state;
    static uint8_t seen[MANY][SERIAL_BYTES];
    struct front f;
    front_open(&f, s);
    hsm_serials_for(f.h, "issuing");
    front_ready(&f, HSM_PEER_FRONT);
    for (size_t i = 0; i < MANY;) {
        struct err *e = hsm_serial(f.h, "issuing", seen[i]);
        if (!e) {
            i++;
            continue;
        }
        assert_int_equal(code_of(e), ERR_BUSY);
        good(hsm_roll_read(f.h, 1, 1, on_roll, &f, NULL)); /* a turn with the vault: leases come before */
        wait_one(&f);
    }
    qsort(seen, MANY, SERIAL_BYTES, by_octets);
    for (size_t i = 1; i < MANY; i++)
        assert_memory_not_equal(seen[i - 1], seen[i], SERIAL_BYTES);
    front_close(&f);
}

static void lists_answers_and_nonces_come_back(void **state)
{
    struct vault_scene *s = *state;
    struct front f, r;
    struct cert_key key;
    uint8_t serial[SERIAL_BYTES], sha1[SHA1_BYTES], sha256[SHA256_BYTES];
    struct view tbs, ready;
    front_open(&f, s);
    front_open(&r, s);
    front_ready(&f, HSM_PEER_FRONT);
    front_ready(&r, HSM_PEER_RESPONDER);
    good(hsm_ocsp_key(f.h, "issuing", false, on_bytes, &f, NULL));
    wait_one(&f);
    assert_int_equal(f.code, ERR__COUNT);
    struct view spki = arena_dup(s->arena, view_of(f.bytes, f.bytes_n));
    good(hsm_ocsp_key(f.h, "issuing", true, on_bytes, &f, NULL)); /* a fresh one, so soon */
    wait_one(&f);
    assert_int_equal(f.code, ERR_CEILING);
    good(cert_key_parse(spki, &key));
    cert_key_sha1(&key, sha1);
    cert_key_sha256(&key, sha256);
    memset(serial, 0x41, sizeof serial);
    struct cert_ocsp_single single = {
        .id = cert_ocsp_id_for(&s->issuing->ocsp, CERT_OCSP_SHA1, view_of(serial, sizeof serial)),
        .status = CERT_OCSP_GOOD,
        .this_update = world_now_s(),
        .has_next_update = true,
        .next_update = world_now_s() + 3600};
    struct cert_ocsp_data data = {.responder_key_sha1 = view_of(sha1, sizeof sha1),
                                  .produced_at = world_now_s(),
                                  .singles = &single,
                                  .n = 1};
    good(cert_ocsp_data_write(&data, s->arena, &tbs));
    struct hsm_ocsp what = {.generation = 1, .issuer = "issuing", .key_sha256 = sha256, .tbs = tbs};
    good(hsm_seal_ocsp(f.h, &what, on_sealed, &f, NULL));
    wait_one(&f);
    assert_int_equal(f.code, ERR__COUNT);
    good(cert_ocsp_seal(tbs, CERT_ALG_ECDSA_SHA256, view_of(f.bytes, f.bytes_n), NULL, 0, s->arena, &ready));
    const struct hsm_nonce nonce = {
        .issuer = "issuing", .answers = &ready, .n = 1, .nonce = view_str("12345678")};
    good(hsm_nonce(r.h, &nonce, on_bytes, &r, NULL));
    wait_one(&r);
    assert_int_equal(r.code, ERR__COUNT);
    struct cert_ocsp_answer answer;
    good(cert_ocsp_open(view_of(r.bytes, r.bytes_n), s->arena, &answer));
    assert_true(view_eq_str(answer.data.nonce, "12345678"));
    front_close(&f);
    front_close(&r);
}

static void the_roll_is_read_and_searched(void **state)
{
    struct vault_scene *s = *state;
    struct front f;
    uint8_t hashes[2][SHA256_BYTES] = {{0}, {9}};
    struct hsm_roll_entry entry;
    front_open(&f, s);
    hsm_serials_for(f.h, "issuing");
    front_ready(&f, HSM_PEER_FRONT);
    struct view tbs = fine(&f);
    good(ask_seal(&f, tbs, NULL));
    wait_one(&f);
    digest_sha256(tbs, hashes[0]);
    good(hsm_roll_find(f.h, 1, (const uint8_t(*)[SHA256_BYTES])hashes, 2, on_found, &f, NULL));
    wait_one(&f);
    assert_int_equal(f.code, ERR__COUNT);
    assert_int_equal(f.ns[0], 3);
    assert_int_equal(f.ns[1], 0);
    good(hsm_roll_read(f.h, 2, 10, on_roll, &f, NULL));
    wait_one(&f);
    assert_int_equal(f.next, 0);
    struct view in = view_of(f.bytes, f.bytes_n);
    good(hsm_roll_entry_read(&in, &entry));
    assert_int_equal(entry.n, 2);
    assert_int_equal(entry.kind, HSM_ROLL_CA);
    good(hsm_roll_entry_read(&in, &entry));
    assert_true(view_eq(entry.tbs_sha256, view_of(hashes[0], SHA256_BYTES)));
    assert_int_equal(in.n, 0);
    front_close(&f);
}

static void status_says_what_there_is(void **state)
{
    struct vault_scene *s = *state;
    struct front f;
    front_open(&f, s);
    assert_false(hsm_status(f.h)->attached);
    assert_string_equal(hsm_status(f.h)->token, "away");
    hsm_serials_for(f.h, "issuing"); /* its leases come after the status that was asked first */
    front_ready(&f, HSM_PEER_FRONT);
    const struct hsm_status *status = hsm_status(f.h);
    assert_true(status->attached);
    assert_string_equal(status->token, "ready");
    assert_int_equal(status->roll_n, 2);
    assert_int_equal(status->generation, 1);
    assert_int_equal(status->n, 2);
    assert_string_equal(status->issuers[1].issuer, "issuing");
    assert_true(status->issuers[1].ok);
    front_close(&f);
}

static void a_new_channel_takes_over(void **state)
{
    struct vault_scene *s = *state;
    struct front f;
    front_open(&f, s);
    hsm_serials_for(f.h, "issuing");
    front_ready(&f, HSM_PEER_FRONT);
    struct view tbs = fine(&f);
    good(ask_seal(&f, tbs, NULL));
    hsm_attach(f.h, vault_scene_connect(s, HSM_PEER_FRONT));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.code, ERR_TOKEN_AWAY);
    assert_int_equal(f.lost, 1);
    while (f.ready < 2)
        wait_one(&f);
    good(ask_seal(&f, fine(&f), NULL));
    wait_one(&f);
    assert_int_equal(f.code, ERR__COUNT);
    front_close(&f);
}

/* --- with an end that the test holds --- */

static void drained(int fd)
{
    static const uint8_t body[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x07};
    good(frame_write(fd,
                     &(struct frame){.kind = FRAMES_DRAINED, .body = view_of(body, sizeof body), .fd = -1}));
}

static int hold(struct front *f)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    hsm_attach(f->h, pair[0]);
    drained(pair[1]);
    wait_one(f);
    return pair[1];
}

static void nothing_starts_without_a_channel(void **state)
{
    struct front f;
    uint8_t serial[SERIAL_BYTES];
    (void)state;
    front_open(&f, NULL);
    assert_int_equal(code_of(hsm_serial(f.h, "issuing", serial)), ERR_TOKEN_AWAY);
    assert_int_equal(code_of(ask_seal(&f, view_str("tbs"), NULL)), ERR_TOKEN_AWAY);
    assert_int_equal(f.done, 0);
    front_close(&f);
}

static void each_pending_call_ends_once_when_the_vault_goes(void **state)
{
    struct front f;
    (void)state;
    front_open(&f, NULL);
    int fd = hold(&f);
    assert_int_equal(hsm_roll_n(f.h), 7);
    for (int i = 0; i < 5; i++)
        good(ask_seal(&f, view_str("tbs"), NULL));
    good(hsm_roll_read(f.h, 1, 1, on_roll, &f, NULL));
    close(fd);
    while (!f.lost)
        wait_one(&f);
    assert_int_equal(f.done, 6);
    assert_int_equal(f.code, ERR_TOKEN_AWAY);
    assert_false(hsm_ready(f.h));
    front_close(&f);
    assert_int_equal(f.done, 6);
}

static void a_cancelled_call_is_not_answered(void **state)
{
    struct front f;
    ticket_id one, two;
    (void)state;
    front_open(&f, NULL);
    int fd = hold(&f);
    good(ask_seal(&f, view_str("tbs"), &one));
    good(ask_seal(&f, view_str("tbs"), &two));
    hsm_cancel(f.h, one);
    hsm_cancel(f.h, one); /* stale: nothing */
    static const uint8_t body[] = {0x30, 0x06, 0x02, 0x01, 0x09, 0x04, 0x01, 0xaa};
    good(frame_write(fd,
                     &(struct frame){.kind = FRAMES_RESULT, .id = one, .body = view_of(body, 8), .fd = -1}));
    good(frame_write(fd,
                     &(struct frame){.kind = FRAMES_RESULT, .id = two, .body = view_of(body, 8), .fd = -1}));
    wait_one(&f);
    assert_int_equal(f.done, 1);
    assert_int_equal(f.n, 9);
    close(fd);
    front_close(&f);
}

static void what_is_left_ends_when_the_front_closes(void **state)
{
    struct front f;
    (void)state;
    front_open(&f, NULL);
    int fd = hold(&f);
    good(ask_seal(&f, view_str("tbs"), NULL));
    front_close(&f);
    assert_int_equal(f.done, 1);
    assert_int_equal(f.code, ERR_CANCELLED);
    assert_int_equal(f.lost, 0);
    close(fd);
}

static void a_frame_out_of_place_ends_the_channel(void **state)
{
    struct front f;
    int pair[2];
    (void)state;
    front_open(&f, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    hsm_attach(f.h, pair[0]);
    good(
        frame_write(pair[1], &(struct frame){.kind = FRAMES_RESULT, .id = 1, .fd = -1})); /* before DRAINED */
    while (!f.lost)
        wait_one(&f);
    close(pair[1]);
    int fd = hold(&f);
    f.lost = 0;
    good(frame_write(fd, &(struct frame){.kind = FRAMES_LEASE, .id = 1, .fd = -1})); /* no answer */
    while (!f.lost)
        wait_one(&f);
    close(fd);
    front_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, vault_scene_setup, vault_scene_teardown)
        TEST(a_seal_comes_back),
        TEST(serials_do_not_run_out_nor_come_twice),
        TEST(lists_answers_and_nonces_come_back),
        TEST(the_roll_is_read_and_searched),
        TEST(status_says_what_there_is),
        TEST(a_new_channel_takes_over),
        cmocka_unit_test(nothing_starts_without_a_channel),
        cmocka_unit_test(each_pending_call_ends_once_when_the_vault_goes),
        cmocka_unit_test(a_cancelled_call_is_not_answered),
        cmocka_unit_test(what_is_left_ends_when_the_front_closes),
        cmocka_unit_test(a_frame_out_of_place_ends_the_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
