/* The shelf: what the front puts there a responder of another process sees, also one that was there first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "be.h"
#include "ledger_shelf.h"
#include "scene.h"
#include "shelf_form.h"

enum { MAP = 64 << 20 };

struct place {
    char dir[64];
    struct loop *loop;
    struct shelf *shelf;
    struct arena *arena;
    unsigned left;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    assert_non_null(mkdtemp(strcpy(p->dir, "/tmp/chancery-shelf-XXXXXX")));
    p->arena = arena_new(16 << 20);
    OK(loop_new(&p->loop));
    OK(shelf_open(p->dir, MAP, p->loop, &p->shelf));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    shelf_close(p->shelf);
    loop_free(p->loop);
    arena_free(p->arena);
    scene_remove(p->dir);
    free(p);
    return 0;
}

static void done(void *arg, struct err *e)
{
    struct place *p = arg;
    assert_null(e);
    if (--p->left == 0)
        loop_stop(p->loop);
}

static void run(struct place *p)
{
    if (p->left > 0)
        loop_run(p->loop);
    assert_int_equal(p->left, 0);
}

static void put(struct place *p, unsigned serial, const char *text)
{
    struct shelf_item item = {view_str(text), 100 + serial, 200 + serial, "e-tag", NULL, 0};
    OK(shelf_put_answer(p->shelf, "issuing", scene_serial(serial), &item, done, p));
    p->left++;
}

static void what_is_put_lies_there(void **state)
{
    struct place *p = *state;
    struct shelf_item item;
    put(p, 1, "one");
    put(p, 2, "two");
    put(p, 1, "one anew");
    OK(shelf_put_blob(p->shelf, "crl/issuing", &(struct shelf_item){.bytes = view_str("list")}, done, p));
    p->left++;
    run(p);
    OK(shelf_get_answer(p->shelf, "issuing", scene_serial(1), p->arena, &item));
    assert_true(view_eq_str(item.bytes, "one anew"));
    assert_int_equal(item.this_update, 101);
    assert_int_equal(item.next_update, 201);
    assert_string_equal(item.etag, "e-tag");
    OK(shelf_get_blob(p->shelf, "crl/issuing", p->arena, &item));
    assert_true(view_eq_str(item.bytes, "list"));
    assert_string_equal(item.etag, "");
    OK(shelf_get_answer(p->shelf, "other", scene_serial(1), p->arena, &item));
    assert_null(item.bytes.p);
    OK(shelf_del_answer(p->shelf, "issuing", scene_serial(1), done, p));
    p->left++;
    run(p);
    OK(shelf_get_answer(p->shelf, "issuing", scene_serial(1), p->arena, &item));
    assert_null(item.bytes.p);
}

static void answers_are_swept_in_order(void **state)
{
    struct place *p = *state;
    struct shelf_due due[4];
    size_t n;
    for (unsigned i = 5; i > 0; i--)
        put(p, i, "x");
    OK(shelf_put_answer(p->shelf, "issuing-2", scene_serial(9), &(struct shelf_item){0}, done, p));
    p->left++;
    run(p);
    OK(shelf_answers(p->shelf, "issuing", (struct view){NULL, 0}, due, 4, &n));
    assert_int_equal(n, 4);
    assert_memory_equal(due[0].id, scene_serial(1).p, SERIAL_BYTES);
    assert_int_equal(due[3].next_update, 204);
    OK(shelf_answers(p->shelf, "issuing", view_of(due[3].id, due[3].id_n), due, 4, &n));
    assert_int_equal(n, 1);
}

static void without_a_loop_puts_are_at_once(void **state)
{
    struct place *p = *state;
    struct shelf_item item;
    shelf_close(p->shelf);
    OK(shelf_open(p->dir, MAP, NULL, &p->shelf));
    OK(shelf_put_blob(p->shelf, "meta", &(struct shelf_item){.bytes = view_str("m")}, NULL, NULL));
    OK(shelf_get_blob(p->shelf, "meta", p->arena, &item));
    assert_true(view_eq_str(item.bytes, "m"));
}

static void files_are_for_the_group(void **state)
{
    struct place *p = *state;
    struct stat st;
    char path[128];
    snprintf(path, sizeof(path), "%s/lock.mdb", p->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    snprintf(path, sizeof(path), "%s/data.mdb", p->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

/* --- a reader in a process of its own; each step on a word from us, its exit tells --- */

static bool reads(struct shelf_reader *r, const char *expected)
{
    struct shelf_item item;
    struct err *e = NULL;
    for (int tries = 0; tries < 40; tries++) { /* it looks once a second for a new shelf */
        e = shelf_reader_begin(r);
        if (!e && shelf_reader_answer(r, "issuing", scene_serial(1), &item) &&
            view_eq_str(item.bytes, expected))
            break;
        shelf_reader_end(r);
        err_free(e);
        e = NULL;
        usleep(100 * 1000);
    }
    bool ok = shelf_reader_begin(r) == NULL && shelf_reader_answer(r, "issuing", scene_serial(1), &item) &&
              view_eq_str(item.bytes, expected) &&
              !shelf_reader_answer(r, "issuing", view_str("no"), &item) && !shelf_reader_blob(r, "no", &item);
    shelf_reader_end(r);
    return ok;
}

static int reader_main(const char *dir, int go, int told)
{
    struct shelf_reader *r = shelf_reader_new(dir);
    static const char *const expected[] = {NULL, "first", "second", "new shelf"};
    for (size_t i = 0; i < 4; i++) {
        char c;
        if (read(go, &c, 1) != 1)
            return 10;
        if (!expected[i]) {
            struct err *e = shelf_reader_begin(r);
            if (!e || err_code(e) != ERR_STARTING)
                return 11;
            err_free(e);
        } else if (!reads(r, expected[i])) {
            return 12 + (int)i;
        }
        if (write(told, "x", 1) != 1)
            return 20;
    }
    shelf_reader_free(r);
    return 0;
}

static void step(const int *go, const int *told)
{
    char c;
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(read(told[0], &c, 1), 1);
}

static void a_reader_sees_a_shelf_come_change_and_be_replaced(void **state)
{
    (void)state;
    struct place p = {.dir = "/tmp/chancery-shelf-XXXXXX"};
    int go[2], told[2], status;
    assert_non_null(mkdtemp(p.dir));
    assert_true(pipe(go) == 0 && pipe(told) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        close(told[0]);
        _exit(reader_main(p.dir, go[0], told[1]));
    }
    close(told[1]);
    close(go[0]);
    step(go, told); /* nothing there */
    OK(loop_new(&p.loop));
    OK(shelf_open(p.dir, MAP, p.loop, &p.shelf));
    put(&p, 1, "first");
    run(&p);
    step(go, told);
    put(&p, 1, "second");
    run(&p);
    step(go, told);
    shelf_close(p.shelf);
    scene_remove(p.dir);
    OK(shelf_open(p.dir, MAP, p.loop, &p.shelf));
    put(&p, 1, "new shelf");
    run(&p);
    step(go, told);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(go[1]);
    close(told[0]);
    shelf_close(p.shelf);
    loop_free(p.loop);
    scene_remove(p.dir);
}

/* --- what is too large for the map --- */

static void put_large(struct place *p, const char *text)
{
    struct shelf_file file;
    struct shelf_item item = {.this_update = 100, .next_update = 200, .etag = "e"};
    OK(shelf_file_new(p->shelf, &file));
    assert_int_equal(write(file.fd, text, strlen(text)), (ssize_t)strlen(text));
    OK(shelf_put_file(p->shelf, "crl/big", &item, &file, done, p));
    assert_int_equal(file.fd, -1);
    p->left++;
    run(p);
}

static struct shelf_item large(struct place *p)
{
    struct shelf_item item;
    OK(shelf_get_blob(p->shelf, "crl/big", p->arena, &item));
    assert_non_null(item.file);
    return item;
}

static void holds(int fd, const char *text)
{
    char buf[64] = "";
    assert_int_equal(pread(fd, buf, sizeof buf, 0), (ssize_t)strlen(text));
    assert_memory_equal(buf, text, strlen(text));
    close(fd);
}

static size_t files_of(struct place *p)
{
    size_t n = 0;
    const struct dirent *d;
    DIR *dir = opendir(p->dir);
    assert_non_null(dir);
    while ((d = readdir(dir)) != NULL)
        n += strncmp(d->d_name, SHELF_FILE_PREFIX, strlen(SHELF_FILE_PREFIX)) == 0;
    closedir(dir);
    return n;
}

static void a_large_one_lies_in_a_file_until_the_next(void **state)
{
    struct place *p = *state;
    struct shelf_item item;
    int old, fd;
    put_large(p, "first");
    item = large(p);
    assert_int_equal(item.file_bytes, 5);
    OK(shelf_item_open(p->shelf, &item, &old));
    put_large(p, "the second");
    holds(old, "first"); /* whoever has it open reads on */
    FAILS(ERR_NOT_FOUND, shelf_item_open(p->shelf, &item, &fd));
    item = large(p);
    OK(shelf_item_open(p->shelf, &item, &fd));
    holds(fd, "the second");
    assert_int_equal(files_of(p), 1);
    struct shelf_reader *r = shelf_reader_new(p->dir);
    OK(shelf_reader_begin(r));
    assert_true(shelf_reader_blob(r, "crl/big", &item));
    fd = shelf_reader_open(r, &item);
    shelf_reader_end(r);
    holds(fd, "the second");
    shelf_reader_free(r);
    struct shelf_item small = {.bytes = view_str("small"), .etag = ""};
    OK(shelf_put_blob(p->shelf, "crl/big", &small, done, p));
    p->left++;
    run(p);
    assert_int_equal(files_of(p), 0);
}

static void what_no_blob_names_is_swept(void **state)
{
    struct place *p = *state;
    struct shelf_file lost, dropped;
    put_large(p, "kept");
    OK(shelf_file_new(p->shelf, &lost));
    OK(shelf_file_new(p->shelf, &dropped));
    shelf_file_drop(p->shelf, &dropped);
    assert_int_equal(files_of(p), 2);
    close(lost.fd);
    shelf_close(p->shelf);
    OK(shelf_open(p->dir, MAP, p->loop, &p->shelf));
    assert_int_equal(files_of(p), 1);
    struct shelf_item item = large(p);
    int fd;
    OK(shelf_item_open(p->shelf, &item, &fd));
    holds(fd, "kept");
}

static void a_file_that_was_cut_short_is_not_given_out(void **state)
{
    struct place *p = *state;
    char path[160];
    int fd;
    put_large(p, "as long as it was");
    struct shelf_item item = large(p);
    snprintf(path, sizeof path, "%s/%s", p->dir, item.file);
    assert_int_equal(truncate(path, 3), 0);
    FAILS(ERR_CORRUPT, shelf_item_open(p->shelf, &item, &fd));
}

static void a_broken_item_is_no_item(void **state)
{
    (void)state;
    uint8_t b[64] = {0};
    struct shelf_item item;
    assert_false(shelf_form_get(view_of(b, 0), &item));
    assert_false(shelf_form_get(view_of(b, 17), &item));
    assert_true(shelf_form_get(view_of(b, 18), &item));
    b[16] = 60;
    assert_false(shelf_form_get(view_of(b, 64), &item));
    b[16] = 3;
    b[20] = 'x';
    assert_false(shelf_form_get(view_of(b, 64), &item));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_lies_there),
        TEST(answers_are_swept_in_order),
        TEST(without_a_loop_puts_are_at_once),
        TEST(files_are_for_the_group),
        TEST(a_large_one_lies_in_a_file_until_the_next),
        TEST(what_no_blob_names_is_swept),
        TEST(a_file_that_was_cut_short_is_not_given_out),
        cmocka_unit_test(a_reader_sees_a_shelf_come_change_and_be_replaced),
        cmocka_unit_test(a_broken_item_is_no_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
