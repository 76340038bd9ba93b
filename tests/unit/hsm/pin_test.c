/* Tests of hsm/pin.c: a refused PIN is known again across restarts, another one is not held against it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "pin.h"

struct scene {
    char dir[32], state[64], file[64];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);

    memcpy(s->dir, "/tmp/pin-XXXXXX", 16);
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->state, sizeof s->state, "%s/refused", s->dir);
    snprintf(s->file, sizeof s->file, "%s/pin", s->dir);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    unlink(s->state);
    unlink(s->file);
    rmdir(s->dir);
    free(s);
    return 0;
}

static struct pin *pin_new(const char *text, const char *state_path)
{
    struct pin *p = NULL;

    assert_null(pin_of(view_str(text), state_path, &p));
    return p;
}

static void refuse(const char *text, const char *state_path)
{
    struct pin *p = pin_new(text, state_path);

    assert_null(pin_refused(p));
    pin_free(p);
}

static enum err_code code_of(struct err *e)
{
    enum err_code code = e ? err_code(e) : ERR__COUNT;

    err_free(e);
    return code;
}

static void read_from_a_file(void **state)
{
    struct scene *s = *state;
    struct pin *p = NULL;
    int fd = open(s->file, O_RDWR | O_CREAT, 0600);

    assert_int_equal(write(fd, "4711\n", 5), 5);
    assert_null(pin_read(fd, s->state, &p));
    assert_true(view_eq_str(pin_view(p), "4711"));
    assert_null(pin_check(p));
    pin_free(p);
    close(fd);
}

static void an_empty_one_is_a_mistake(void **state)
{
    struct scene *s = *state;
    struct pin *p = NULL;
    int fd = open(s->file, O_RDWR | O_CREAT, 0600);

    assert_int_equal(write(fd, "\n", 1), 1);
    assert_int_equal(code_of(pin_read(fd, s->state, &p)), ERR_CONFIG);
    assert_null(p);
    close(fd);
}

static void a_refused_one_is_known_again(void **state)
{
    struct scene *s = *state;
    struct pin *p;

    refuse("4711", s->state);
    p = pin_new("4711", s->state);
    assert_int_equal(code_of(pin_check(p)), ERR_PIN_REFUSED);
    pin_free(p);
}

static void another_one_may_be_tried(void **state)
{
    struct scene *s = *state;
    struct pin *p;

    refuse("4711", s->state);
    p = pin_new("4712", s->state);
    assert_null(pin_check(p));
    pin_free(p);
}

static void a_person_may_say_so(void **state)
{
    struct scene *s = *state;
    struct pin *p;

    refuse("4711", s->state);
    assert_null(pin_forget(s->state));
    assert_null(pin_forget(s->state));
    p = pin_new("4711", s->state);
    assert_null(pin_check(p));
    pin_free(p);
}

static void acceptance_clears_it(void **state)
{
    struct scene *s = *state;
    struct pin *p;

    refuse("4711", s->state);
    p = pin_new("4712", s->state);
    assert_null(pin_accepted(p));
    pin_free(p);
    assert_int_equal(access(s->state, F_OK), -1);
}

static void without_a_file_it_is_remembered_in_the_process(void **state)
{
    struct pin *p = pin_new("4711", NULL);

    (void)state;
    assert_null(pin_refused(p));
    assert_int_equal(code_of(pin_check(p)), ERR_PIN_REFUSED);
    pin_free(p);
}

static void a_damaged_memory_stops_every_try(void **state)
{
    struct scene *s = *state;
    struct pin *p = pin_new("4711", s->state);
    int fd = open(s->state, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "rubbish", 7), 7);
    close(fd);
    assert_int_not_equal(code_of(pin_check(p)), ERR__COUNT);
    pin_free(p);
}

static void the_pin_itself_is_not_in_it(void **state)
{
    struct scene *s = *state;
    char bytes[1024];
    ssize_t n;
    int fd;

    refuse("a-long-pin-4711", s->state);
    fd = open(s->state, O_RDONLY);
    n = read(fd, bytes, sizeof bytes);
    close(fd);
    assert_true(n > 0);
    assert_null(memmem(bytes, (size_t)n, "a-long-pin-4711", 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_from_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_one_is_a_mistake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_one_is_known_again, setup, teardown),
        cmocka_unit_test_setup_teardown(another_one_may_be_tried, setup, teardown),
        cmocka_unit_test_setup_teardown(a_person_may_say_so, setup, teardown),
        cmocka_unit_test_setup_teardown(acceptance_clears_it, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_file_it_is_remembered_in_the_process, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_memory_stops_every_try, setup, teardown),
        cmocka_unit_test_setup_teardown(the_pin_itself_is_not_in_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
