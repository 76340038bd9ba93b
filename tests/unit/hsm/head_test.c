/* The log's key and its heads: a real vault with a real token. Notes are read back and verified, tampered
 * ones are not; the vault holds to its last head over a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "hsm_head.h"
#include "vault_scene.h"

static struct view ask_ok(struct vault_scene *s, int fd, enum frames_kind kind, struct view body)
{
    struct view ret;
    struct err *e = vault_scene_ask(s, fd, kind, body, -1, &ret);
    if (e)
        fail_msg("%s", err_detail(e));
    return ret;
}

static struct view body_of(struct vault_scene *s, const struct hsm_head *head,
                           const struct merkle_proof *proof)
{
    struct der_out out;
    struct view ret;
    der_out_init(&out, s->arena, 4096);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, head->size);
    der_put_octets(&out, view_of(head->root, SHA256_BYTES));
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < proof->n; i++)
        der_put_octets(&out, view_of(proof->at[i].b, SHA256_BYTES));
    der_finish(&out, list);
    der_finish(&out, m);
    assert_null(der_out_done(&out, &ret));
    return ret;
}

static struct view log_key(struct vault_scene *s, int fd)
{
    struct view spki;
    assert_null(frames_read_octets(ask_ok(s, fd, FRAMES_LOG_KEY, (struct view){NULL, 0}), &spki));
    return spki;
}

static struct hsm_head last(struct vault_scene *s, int fd, const char **ret_origin)
{
    struct view answer = ask_ok(s, fd, FRAMES_LAST_HEAD, (struct view){NULL, 0}), body, root;
    struct hsm_head ret;
    assert_null(der_read(&answer, DER_SEQUENCE, &body));
    assert_null(der_read_uint(&body, INT64_MAX, &ret.size));
    assert_null(der_read(&body, DER_OCTET_STRING, &root));
    assert_null(der_read_text(&body, s->arena, HSM_ORIGIN_MAX, ret_origin));
    memcpy(ret.root, root.p, SHA256_BYTES);
    return ret;
}

static enum err_code try_read(struct vault_scene *s, struct view note, struct view spki)
{
    struct hsm_head head;
    const char *origin;
    struct err *e = hsm_head_read(note, spki, s->arena, &origin, &head);
    enum err_code code = e ? err_code(e) : ERR__COUNT;
    err_free(e);
    return code;
}

static void a_head_is_signed_and_held_to(void **state)
{
    struct vault_scene *s = *state;
    struct merkle_proof none = {0};
    struct hsm_head head = {.size = 3, .root = {7}}, read;
    const char *origin, *vkey;
    uint64_t n;
    struct view signature, note;
    int fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    assert_int_equal(last(s, fd, &origin).size, 0);
    assert_string_equal(origin, "pki.example.internal/log");
    struct view spki = log_key(s, fd);
    assert_true(view_eq(spki, log_key(s, fd)));
    assert_null(
        frames_read_sealed(ask_ok(s, fd, FRAMES_SEAL_HEAD, body_of(s, &head, &none)), &n, &signature));
    assert_null(
        hsm_head_note(s->arena, origin, spki, hsm_head_text(s->arena, origin, &head), signature, &note));
    assert_null(hsm_head_read(note, spki, s->arena, &origin, &read));
    assert_int_equal(read.size, 3);
    assert_memory_equal(read.root, head.root, SHA256_BYTES);
    assert_null(hsm_head_vkey(s->arena, origin, spki, &vkey));
    assert_int_equal(strncmp(vkey, "pki.example.internal/log+", 25), 0);

    uint8_t *changed = (uint8_t *)arena_str(s->arena, note);
    for (size_t i = 0; i < note.n; i++) {
        changed[i] ^= 1;
        assert_int_not_equal(try_read(s, view_of(changed, note.n), spki), ERR__COUNT);
        changed[i] ^= 1;
        assert_int_not_equal(try_read(s, view_of(note.p, i), spki), ERR__COUNT);
    }
    assert_int_equal(try_read(s, note, s->issuing->key.spki),
                     s->issuing->key.kind == CERT_KEY_P256 ? ERR_BAD_SIGNATURE : ERR_BAD_KEY);
    close(fd);

    vault_scene_stop(s);
    assert_null(vault_scene_start(s));
    fd = vault_scene_attach(s, HSM_PEER_FRONT, NULL);
    read = last(s, fd, &origin);
    assert_int_equal(read.size, 3);
    assert_memory_equal(read.root, head.root, SHA256_BYTES);
    assert_true(view_eq(spki, log_key(s, fd)));
    head.size = 2;
    struct err *e = vault_scene_ask(s, fd, FRAMES_SEAL_HEAD, body_of(s, &head, &none), -1, NULL);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_FLOOR);
    err_free(e);
    close(fd);
}

static void names_of_logs(void **state)
{
    static const char *const bad[] = {"", "a b", "a+b", "a\nb", "x\x7f"};
    (void)state;
    assert_null(hsm_head_origin_check("ca.example.internal:8443/log"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err *e = hsm_head_origin_check(bad[i]);
        assert_non_null(e);
        err_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_head_is_signed_and_held_to, vault_scene_setup,
                                        vault_scene_teardown),
        cmocka_unit_test(names_of_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
