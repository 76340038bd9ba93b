/* The frames between warden and children: there and back, and what is refused. */
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct view start_body(void)
{
    const struct message_start m = {.process = MESSAGE_RESPONDER,
                                    .index = 2,
                                    .warden = 4711,
                                    .drop = true,
                                    .own_user = true,
                                    .uid = 65534,
                                    .gid = 65533,
                                    .owner = 1000,
                                    .file = "/etc/chancery/chancery.yaml",
                                    .listeners = 4,
                                    .pins = 0};
    struct view body;
    assert_null(message_start_write(&m, arena, &body));
    return body;
}

static void start_comes_back_as_it_was(void **state)
{
    (void)state;
    struct message_start m;
    assert_null(message_start_read(start_body(), arena, &m));
    assert_int_equal(m.process, MESSAGE_RESPONDER);
    assert_int_equal(m.index, 2);
    assert_int_equal(m.warden, 4711);
    assert_true(m.drop && m.own_user && m.pins == 0);
    assert_int_equal(m.uid, 65534);
    assert_int_equal(m.gid, 65533);
    assert_int_equal(m.owner, 1000);
    assert_string_equal(m.file, "/etc/chancery/chancery.yaml");
    assert_int_equal(m.listeners, 4);
}

static void every_cut_of_a_start_is_refused(void **state)
{
    (void)state;
    struct view body = start_body();
    for (size_t n = 0; n < body.n; n++) {
        struct message_start m;
        struct err *e = message_start_read(view_of(body.p, n), arena, &m);
        assert_non_null(e);
        err_free(e);
    }
}

static void ready_prepared_and_attach_come_back(void **state)
{
    (void)state;
    const struct jail_state s = {
        .own_user = true, .landlock = 7, .net = true, .scope = false, .seccomp = true};
    struct jail_state back;
    struct view body;
    const char *why;
    enum message_process kind;
    unsigned index;

    assert_null(message_ready_write(&s, arena, &body));
    assert_null(message_ready_read(body, &back));
    assert_true(back.own_user && back.net && !back.scope && back.seccomp);
    assert_int_equal(back.landlock, 7);
    assert_null(message_prepared_write("roster.yaml:3:1: no", arena, &body));
    assert_null(message_prepared_read(body, arena, &why));
    assert_string_equal(why, "roster.yaml:3:1: no");
    assert_null(message_attach_write(MESSAGE_FRONT, 3, arena, &body));
    assert_null(message_attach_read(body, &kind, &index));
    assert_int_equal(kind, MESSAGE_FRONT);
    assert_int_equal(index, 3);
}

static void status_comes_back_row_by_row(void **state)
{
    (void)state;
    const struct message_status_row rows[] = {
        {"vault", 12, true, 3, false, "own user, landlock 7 +net +scope, seccomp", JAIL_FULL},
        {"front", 0, false, 11, true, "", JAIL_NONE},
    };
    struct message_status s = {.generation = 9, .n = 2, .rows = rows}, back;
    struct view body;

    memset(s.sha256, 0xa5, sizeof s.sha256);
    assert_null(message_status_write(&s, arena, &body));
    assert_null(message_status_read(body, arena, &back));
    assert_int_equal(back.generation, 9);
    assert_memory_equal(back.sha256, s.sha256, SHA256_BYTES);
    assert_int_equal(back.n, 2);
    assert_string_equal(back.rows[0].name, "vault");
    assert_int_equal(back.rows[0].level, JAIL_FULL);
    assert_int_equal(back.rows[1].restarts, 11);
    assert_true(back.rows[1].broken);
}

static void a_frame_from_the_wrong_side_is_refused(void **state)
{
    (void)state;
    struct frame ready = {.kind = MESSAGE_READY}, stop = {.kind = MESSAGE_STOP}, odd = {.kind = 999};
    struct err *errors[] = {message_check(&ready, MESSAGE_FROM_WARDEN),
                            message_check(&stop, MESSAGE_FROM_CHILD), message_check(&odd, MESSAGE_FROM_CHILD),
                            message_check(&odd, MESSAGE_FROM_WARDEN)};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(errors[i]);
        assert_int_equal(err_code(errors[i]), ERR_PROTOCOL);
        err_free(errors[i]);
    }
    assert_null(message_check(&ready, MESSAGE_FROM_CHILD));
    assert_null(message_check(&stop, MESSAGE_FROM_WARDEN));
}

static void a_body_over_its_bound_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[65];
    struct frame f = {.kind = MESSAGE_READY, .body = {bytes, 64}};
    assert_null(message_check(&f, MESSAGE_FROM_CHILD));
    f.body.n = 65;
    struct err *e = message_check(&f, MESSAGE_FROM_CHILD);
    assert_non_null(e);
    err_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(start_comes_back_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_of_a_start_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_prepared_and_attach_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(status_comes_back_row_by_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_from_the_wrong_side_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_over_its_bound_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
