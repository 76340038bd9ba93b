/* Versions of templates: one after the other, each leading to the one before; and that an intent names one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "entry.h"
#include "ledger_verify.h"
#include "scene.h"

static struct ledger_entry version(struct scene *s, const char *name, uint64_t number, uint64_t ref,
                                   const char *text)
{
    uint8_t *hash = arena_alloc(s->arena, SHA256_BYTES);
    digest_sha256(view_str(text), hash);
    return (struct ledger_entry){.kind = LEDGER_TEMPLATE,
                                 .actor = "self",
                                 .ref = ref,
                                 .body.template = {.name = name,
                                                   .version = number,
                                                   .generation = 1,
                                                   .sha256 = view_of(hash, SHA256_BYTES),
                                                   .text = view_str(text)}};
}

static void each_version_leads_to_the_one_before(void **state)
{
    struct scene *s = *state;
    const struct ledger_entry *all;
    size_t n;
    struct ledger_entry en = version(s, "server", 1, 0, "{\"a\":1}");
    uint64_t first = scene_put(s, &en);
    en = version(s, "client", 1, 0, "{}");
    scene_put(s, &en);
    en = version(s, "server", 2, first, "{\"a\":2}");
    uint64_t second = scene_put(s, &en);
    scene_reopen(s);
    OK(ledger_template_versions(s->ledger, "server", 0, 10, s->arena, &all, &n));
    assert_int_equal(n, 2);
    assert_int_equal(all[0].seq, second);
    assert_int_equal(all[0].body.template.version, 2);
    assert_true(view_eq_str(all[0].body.template.text, "{\"a\":2}"));
    assert_int_equal(all[1].seq, first);
    OK(ledger_template_versions(s->ledger, "server", first, 10, s->arena, &all, &n));
    assert_int_equal(n, 1);
    OK(ledger_template_versions(s->ledger, "nobody", 0, 10, s->arena, &all, &n));
    assert_int_equal(n, 0);
}

static void a_version_out_of_turn_is_refused(void **state)
{
    struct scene *s = *state;
    struct ledger_entry en = version(s, "server", 2, 0, "{}");
    assert_int_equal(scene_append(s, &en).code, ERR_WRONG_STATE);
    en = version(s, "", 1, 0, "{}");
    assert_int_equal(scene_append(s, &en).code, ERR_BAD_FIELD);
    en = version(s, "server", 1, 0, "{}");
    uint64_t first = scene_put(s, &en);
    en = version(s, "server", 2, first + 7, "{}");
    assert_int_equal(scene_append(s, &en).code, ERR_WRONG_STATE);
    en = version(s, "server", 1, first, "{}");
    assert_int_equal(scene_append(s, &en).code, ERR_WRONG_STATE);
}

static void found(void *arg, uint64_t seq, const char *what)
{
    (void)what;
    *(uint64_t *)arg = seq;
}

static uint64_t verify(struct scene *s, uint64_t *ret_seq)
{
    struct ledger_verify_report report;
    struct ledger_verify how = {.on_finding = found, .arg = ret_seq};
    OK(ledger_verify(s->ledger, &how, &report));
    return report.findings;
}

static void an_intent_names_a_version_that_was_there(void **state)
{
    struct scene *s = *state;
    uint64_t at = 0;
    struct ledger_entry en = version(s, "server", 1, 0, "{}");
    scene_put(s, &en);
    struct ledger_entry intent = scene_intent(1, "dns:a");
    intent.body.intent.template = "server";
    intent.body.intent.version = 1;
    uint64_t seq = scene_put(s, &intent);
    struct ledger_cert cert;
    OK(ledger_cert_at(s->ledger, seq, s->arena, &cert));
    assert_int_equal(cert.decision.version, 1);
    assert_int_equal(verify(s, &at), 0);
    intent = scene_intent(2, "dns:b");
    intent.body.intent.template = "server";
    intent.body.intent.version = 2;
    seq = scene_put(s, &intent);
    assert_int_equal(verify(s, &at), 1);
    assert_int_equal(at, seq);
}

static void a_text_that_is_not_its_hash_s_is_found(void **state)
{
    struct scene *s = *state;
    uint64_t at = 0;
    struct ledger_entry en = version(s, "server", 1, 0, "{}");
    en.body.template.text = view_str("{\"a\":1}");
    uint64_t seq = scene_put(s, &en);
    assert_int_equal(verify(s, &at), 1);
    assert_int_equal(at, seq);
}

/* As a program wrote it that knew no versions. */
static void an_intent_without_a_version_still_reads(void **state)
{
    struct scene *s = *state;
    struct ledger_entry intent = scene_intent(1, "dns:a"), back = {.kind = LEDGER_INTENT};
    struct view body;
    OK(entry_body_write(&intent, s->arena, &body));
    enum { LATER = 3 * 3 + 2 }; /* three times INTEGER 0, 02 01 00, and no tags, 30 00 */
    struct view old = arena_dup(s->arena, view_of(body.p, body.n - LATER));
    uint8_t *length = (uint8_t *)(uintptr_t)old.p + 1;
    assert_true(length[0] == 0x81 || length[0] == 0x82);
    length[length[0] - 0x80] = (uint8_t)(length[length[0] - 0x80] - LATER);
    OK(entry_body_read(old, s->arena, &back));
    assert_int_equal(back.body.intent.version, 0);
    assert_true(view_eq(back.body.intent.tbs, intent.body.intent.tbs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_version_leads_to_the_one_before, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_version_out_of_turn_is_refused, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(an_intent_names_a_version_that_was_there, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_text_that_is_not_its_hash_s_is_found, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(an_intent_without_a_version_still_reads, scene_setup, scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
