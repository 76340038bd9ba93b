/* What survives: kill -9 under load loses nothing that was acknowledged; a full store fails closed and goes
 * on when there is room; a failed commit leaves nothing behind; a newer schema is refused; two writers
 * exclude each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "ledger_verify.h"
#include "scene.h"

enum { ROUNDS = 20, IN_FLIGHT = 24 };

static void found(void *arg, uint64_t seq, const char *what)
{
    (void)arg;
    fail_msg("entry %llu: %s", (unsigned long long)seq, what);
}

static void assert_sound(struct ledger *l)
{
    struct ledger_verify how = {.on_finding = found};
    struct ledger_verify_report report;
    OK(ledger_verify(l, &how, &report));
}

/* --- a child that writes until it is killed, telling each acknowledged seq over a pipe --- */

struct child {
    struct ledger *ledger;
    int out;
    unsigned next;
};

struct one {
    struct child *c;
    unsigned serial;
    bool recorded;
};

static void child_put(struct one *o, const struct ledger_entry *en);

static void child_done(void *arg, struct err *e, const struct ledger_result *r)
{
    struct one *o = arg;
    if (e || write(o->c->out, &r->seq, sizeof(r->seq)) != sizeof(r->seq))
        _exit(3);
    o->recorded = !o->recorded;
    struct ledger_entry en;
    if (o->recorded) {
        en = scene_record(r->seq, r->seq);
    } else {
        o->serial = o->c->next++;
        en = scene_intent(o->serial, "dns:kill.example");
    }
    child_put(o, &en);
}

static void child_put(struct one *o, const struct ledger_entry *en)
{
    struct err *e = ledger_append(o->c->ledger, en, child_done, o, NULL);
    if (e)
        _exit(4);
}

static void child_run(const char *dir, int out, unsigned round)
{
    struct loop *loop;
    static struct one all[IN_FLIGHT];
    struct child c = {.out = out, .next = round << 16};
    struct ledger_options o = {.map_bytes = 256 << 20};
    struct err *e = loop_new(&loop);
    if (e || (e = ledger_open(dir, &o, loop, &c.ledger)) != NULL)
        _exit(5);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        all[i] = (struct one){.c = &c, .serial = c.next++};
        struct ledger_entry en = scene_intent(all[i].serial, "dns:kill.example");
        child_put(&all[i], &en);
    }
    loop_run(loop);
    _exit(6);
}

/* Reads what was acknowledged until the pipe ends; kills after some have come. Returns the highest. */
static uint64_t kill_and_collect(pid_t pid, int in, unsigned after, size_t *ret_n)
{
    uint64_t seq, highest = 0;
    size_t n = 0;
    while (read(in, &seq, sizeof(seq)) == sizeof(seq)) {
        highest = seq > highest ? seq : highest;
        if (++n == after)
            kill(pid, SIGKILL);
    }
    *ret_n = n;
    return highest;
}

static void nothing_acknowledged_is_lost_by_kill(void **state)
{
    char dir[] = "/tmp/chancery-ledger-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    uint64_t before = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        int ends[2], status;
        size_t n;
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            child_run(dir, ends[1], round);
        }
        close(ends[1]);
        uint64_t highest = kill_and_collect(pid, ends[0], 20 + round * 7, &n);
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct ledger *l;
        struct ledger_head head;
        struct ledger_options o = {.map_bytes = 256 << 20};
        OK(ledger_open(dir, &o, NULL, &l));
        OK(ledger_head(l, &head));
        assert_true(head.entries >= highest && highest >= before + n);
        assert_sound(l);
        before = head.entries;
        ledger_close(l);
    }
    scene_remove(dir);
}

/* --- a full store --- */

static int setup_small(void **state)
{
    int rc = scene_setup(state);
    struct scene *s = *state;
    s->map_bytes = 2 << 20;
    ledger_close(s->ledger);
    scene_remove(s->dir);
    assert_non_null(mkdtemp(strcpy(s->dir, "/tmp/chancery-ledger-XXXXXX")));
    OK(ledger_open(s->dir, &(struct ledger_options){.map_bytes = s->map_bytes}, s->loop, &s->ledger));
    return rc;
}

static void a_full_ledger_refuses_new_work_and_ends_what_is_open(void **state)
{
    struct scene *s = *state;
    unsigned serial = 0;
    struct scene_end end;
    do {
        struct ledger_entry en = scene_intent(++serial, "dns:full.example");
        end = scene_append(s, &en);
    } while (!end.failed && serial < 10000);
    assert_true(end.failed && serial > 100);
    assert_int_equal(end.code, ERR_NO_SPACE);
    FAILS(ERR_NO_SPACE, ledger_ready(s->ledger));
    for (unsigned i = 1; i < serial;
         i++) { /* all that were taken end, and so many are revoked, list and all */
        struct ledger_cert cert;
        OK(ledger_find(s->ledger, "issuing", scene_serial(i), s->arena, &cert));
        struct ledger_entry record = scene_record(cert.intent, i);
        scene_put(s, &record);
        arena_reset(s->arena);
    }
    for (unsigned i = 1; i <= 32; i++) {
        struct ledger_entry revoke = scene_revoke(i, 1);
        scene_put(s, &revoke);
    }
    assert_sound(s->ledger);
    s->map_bytes *= 4;
    scene_reopen(s);
    OK(ledger_ready(s->ledger));
    struct ledger_entry en = scene_intent(serial, "dns:full.example");
    scene_put(s, &en);
    assert_sound(s->ledger);
}

/* Not even the room kept back is without end: then the commit itself fails, and nothing of it stands. */
static void the_last_room_fails_closed(void **state)
{
    struct scene *s = *state;
    struct scene_end end;
    struct ledger_head head;
    uint64_t n = 0;
    char text[2001] = {0};
    memset(text, 'x', sizeof(text) - 1);
    struct ledger_entry en = {.kind = LEDGER_CLOCK, .body.note.what = text};
    do {
        end = scene_append(s, &en);
        n += !end.failed;
    } while (!end.failed && n < 10000);
    assert_int_equal(end.code, ERR_NO_SPACE);
    OK(ledger_head(s->ledger, &head));
    assert_int_equal(head.entries, n);
    assert_sound(s->ledger);
    s->map_bytes *= 2;
    scene_reopen(s);
    assert_int_equal(scene_put(s, &en), n + 1);
    assert_sound(s->ledger);
}

/* --- a commit that fails --- */

static int commits_to_fail; /* of the next ones */

static struct err *failing_commit(struct store_txn *t)
{
    if (commits_to_fail == 0)
        return store_lmdb.commit(t);
    commits_to_fail--;
    store_lmdb.abort(t);
    return err_new(ERR_NO_SPACE, "committing: no space is left");
}

static int setup_failing(void **state)
{
    static struct store_ops ops;
    int rc = scene_setup(state);
    struct scene *s = *state;
    ops = store_lmdb;
    ops.commit = failing_commit;
    s->ops = &ops;
    scene_reopen(s);
    return rc;
}

static void a_failed_commit_leaves_nothing_and_all_hear_of_it(void **state)
{
    struct scene *s = *state;
    struct scene_end ends[3];
    struct ledger_head head;
    size_t left = 3;
    uint64_t before = scene_issue(s, 1, "dns:a.example") + 1;
    commits_to_fail = 1;
    for (unsigned i = 0; i < 3; i++) {
        ends[i] = (struct scene_end){.scene = s, .left = &left};
        struct ledger_entry en = scene_intent(i, "dns:b.example"); /* serial 1 is refused anyway */
        OK(ledger_append(s->ledger, &en, scene_done, &ends[i], NULL));
    }
    loop_run(s->loop);
    assert_int_equal(ends[0].code, ERR_NO_SPACE);
    assert_int_equal(ends[1].code, ERR_SERIAL);
    assert_int_equal(ends[2].code, ERR_NO_SPACE);
    OK(ledger_head(s->ledger, &head));
    assert_int_equal(head.entries, before);
    struct ledger_entry en = scene_intent(0, "dns:b.example");
    assert_int_equal(scene_put(s, &en), before + 1);
    assert_sound(s->ledger);
}

/* --- who may open --- */

static void a_newer_schema_is_refused_by_name(void **state)
{
    struct scene *s = *state;
    struct store_txn *t;
    struct seq_row schema = {CORE_SCHEMA + 1};
    struct ledger *l = NULL;
    OK(s->ledger->ops->begin(s->ledger->store, true, &t));
    OK(ROW_PUT(s->ledger->ops, t, TABLE_META, view_str("schema"), &schema, STORE_PUT));
    OK(s->ledger->ops->commit(t));
    ledger_close(s->ledger);
    s->ledger = NULL;
    struct err *e = ledger_open(s->dir, &(struct ledger_options){.map_bytes = s->map_bytes}, s->loop, &l);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_WRONG_STATE);
    assert_non_null(strstr(err_detail(e), "schema 2"));
    err_free(e);
}

static void a_second_writer_is_refused(void **state)
{
    struct scene *s = *state;
    struct ledger *l = NULL;
    FAILS(ERR_WRONG_STATE, ledger_open(s->dir, NULL, NULL, &l));
}

static int read_beside(const char *dir, uint64_t expected)
{
    struct ledger *l;
    struct ledger_verify how = {0};
    struct ledger_verify_report report;
    struct err *e = ledger_open_readonly(dir, &l);
    if (!e)
        e = ledger_verify(l, &how, &report);
    if (e || report.findings != 0 || report.entries != expected)
        return 1;
    ledger_close(l);
    return 0;
}

static void another_process_verifies_beside_the_writer(void **state)
{
    struct scene *s = *state;
    int go[2], status;
    char c;
    assert_int_equal(pipe(go), 0);
    ledger_close(s->ledger); /* never fork with an environment open */
    s->ledger = NULL;
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        _exit(read(go[0], &c, 1) == 1 ? read_beside(s->dir, 4) : 2);
    }
    close(go[0]);
    OK(ledger_open(s->dir, &(struct ledger_options){.map_bytes = s->map_bytes}, s->loop, &s->ledger));
    scene_issue(s, 1, "dns:a.example");
    scene_issue(s, 2, "dns:b.example");
    assert_int_equal(write(go[1], "x", 1), 1);
    close(go[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void reading_what_is_not_there_says_so(void **state)
{
    struct ledger *l;
    (void)state;
    FAILS(ERR_NOT_FOUND, ledger_open_readonly("/tmp/chancery-there-is-no-such-folder", &l));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_kill),
        cmocka_unit_test_setup_teardown(a_full_ledger_refuses_new_work_and_ends_what_is_open, setup_small,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(the_last_room_fails_closed, setup_small, scene_teardown),
        cmocka_unit_test_setup_teardown(a_failed_commit_leaves_nothing_and_all_hear_of_it, setup_failing,
                                        scene_teardown),
        TEST(a_newer_schema_is_refused_by_name),
        TEST(a_second_writer_is_refused),
        TEST(another_process_verifies_beside_the_writer),
        cmocka_unit_test(reading_what_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
