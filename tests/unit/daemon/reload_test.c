/* Two-phase reload: the order of messages, and that it is all or nothing. */
#include "reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CHILDREN = 3 };

/* What was asked for, as letters: P0 P1 P2 prepare, C commit, A abort, T the turn, D done, R refused. */
struct seen {
    struct reload reload;
    char text[256];
};

static void put(struct seen *s, char what, int child)
{
    char word[8];
    snprintf(word, sizeof word, child < 0 ? "%c " : "%c%d ", what, child);
    strncat(s->text, word, sizeof s->text - strlen(s->text) - 1);
}

static void on_send(void *arg, size_t child, enum reload_send what)
{
    put(arg, "PCA"[what], (int)child);
}

static void on_turn(void *arg)
{
    put(arg, 'T', -1);
}

static void on_done(void *arg, const char *why)
{
    put(arg, why ? 'R' : 'D', -1);
}

static void begin(struct seen *s)
{
    *s = (struct seen){0};
    const struct reload_acts acts = {on_send, on_turn, on_done, s};
    reload_start(&s->reload, &acts, CHILDREN, 1, NULL);
}

/* "+0": child 0 answers well, "-1": child 1 refuses, "x2": child 2 dies, "t": time is up. */
static void play(struct seen *s, const char *moves)
{
    for (const char *m = moves; *m; m++) {
        size_t child = (size_t)(m[1] - '0');
        if (*m == '+')
            assert_true(reload_answer(&s->reload, child, NULL));
        if (*m == '-')
            assert_true(reload_answer(&s->reload, child, "no"));
        if (*m == 'x')
            reload_died(&s->reload, child);
        if (*m == 't')
            reload_timeout(&s->reload);
    }
}

static const struct {
    const char *moves, *wanted;
} games[] = {
    {"", "P0 "},
    {"+0", "P0 P1 P2 "},
    {"+0+1+2", "P0 P1 P2 T C0 "},
    {"+0+2+1+0", "P0 P1 P2 T C0 C1 C2 "},
    {"+0+1+2+0+1+2", "P0 P1 P2 T C0 C1 C2 D "},
    {"-0", "P0 R "},
    {"+0-1", "P0 P1 P2 A0 A2 R "},
    {"+0+2-1", "P0 P1 P2 A0 A2 R "},
    {"x0", "P0 R "},
    {"+0x1", "P0 P1 P2 A0 A2 R "},
    {"+0x0", "P0 P1 P2 A1 A2 R "},
    {"t", "P0 A0 R "},
    {"+0+1t", "P0 P1 P2 A0 A1 A2 R "},
    /* after the turn there is no way back */
    {"+0+1+2x0", "P0 P1 P2 T C0 C1 C2 "},
    {"+0+1+2x0+1+2", "P0 P1 P2 T C0 C1 C2 D "},
    {"+0+1+2x1", "P0 P1 P2 T C0 "},
    {"+0+1+2x1+0", "P0 P1 P2 T C0 C2 "},
    {"+0+1+2x1+0+2", "P0 P1 P2 T C0 C2 D "},
    {"+0+1+2+0x1x2", "P0 P1 P2 T C0 C1 C2 D "},
    {"+0+1+2tt", "P0 P1 P2 T C0 C1 C2 D "},
};

static void every_game_has_its_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        struct seen s;
        begin(&s);
        play(&s, games[i].moves);
        if (strcmp(s.text, games[i].wanted) != 0)
            fail_msg("%s: wanted '%s', got '%s'", games[i].moves, games[i].wanted, s.text);
        assert_int_equal(reload_running(&s.reload),
                         strchr(s.text, 'D') == NULL && strchr(s.text, 'R') == NULL);
    }
}

static void answers_out_of_turn_count_for_nothing(void **state)
{
    (void)state;
    struct seen s;
    begin(&s);
    assert_false(reload_answer(&s.reload, 1, NULL));
    assert_false(reload_answer(&s.reload, 77, NULL));
    assert_true(reload_answer(&s.reload, 0, NULL));
    assert_false(reload_answer(&s.reload, 0, NULL));
    assert_string_equal(s.text, "P0 P1 P2 ");
    play(&s, "-1");
    assert_false(reload_answer(&s.reload, 2, NULL));
    assert_string_equal(s.text, "P0 P1 P2 A0 A2 R ");
}

static void a_second_reload_follows_the_first(void **state)
{
    (void)state;
    struct seen s;
    begin(&s);
    play(&s, "-0");
    const struct reload_acts acts = {on_send, on_turn, on_done, &s};
    reload_start(&s.reload, &acts, CHILDREN, 1, NULL);
    play(&s, "+0+1+2+0+1+2");
    assert_string_equal(s.text, "P0 R P0 P1 P2 T C0 C1 C2 D ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_game_has_its_order),
        cmocka_unit_test(answers_out_of_turn_count_for_nothing),
        cmocka_unit_test(a_second_reload_follows_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
