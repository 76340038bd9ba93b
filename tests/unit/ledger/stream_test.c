/* A shelf streamed to another: all of it, what changes, where it was cut; and what is no stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_shelf.h"
#include "ledger_stream.h"
#include "scene.h"
#include "stream_form.h"

struct both {
    struct scene *scene;
    char from_dir[128], to_dir[128];
    struct shelf *from;         /* open while something is put; LMDB wants one opening of a store at a time */
    struct stream_receiver *to; /* open while something is streamed */
    size_t cut_after;           /* records, then the stream breaks; 0: never */
    size_t records, puts;
};

static struct shelf *from(struct both *b)
{
    if (!b->from)
        OK(shelf_open(b->from_dir, 64 << 20, b->scene->loop, &b->from));
    return b->from;
}

static void close_from(struct both *b)
{
    shelf_close(b->from); /* and all is committed */
    b->from = NULL;
}

static int setup(void **state)
{
    struct both *b = calloc(1, sizeof *b);
    assert_int_equal(scene_setup((void **)&b->scene), 0);
    snprintf(b->from_dir, sizeof b->from_dir, "%s/from", b->scene->dir);
    snprintf(b->to_dir, sizeof b->to_dir, "%s/to", b->scene->dir);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct both *b = *state;
    close_from(b);
    stream_receiver_free(b->to);
    int rc = scene_teardown((void **)&b->scene);
    free(b);
    return rc;
}

static void put(struct both *b, unsigned serial, const char *text)
{
    const struct shelf_item item = {.bytes = view_str(text), .this_update = 1, .next_update = 2, .etag = "e"};
    OK(shelf_put_answer(from(b), "issuing", scene_serial(serial), &item, NULL, NULL));
}

static void put_blob(struct both *b, const char *name, struct view bytes)
{
    const struct shelf_item item = {.bytes = bytes, .etag = ""};
    OK(shelf_put_blob(from(b), name, &item, NULL, NULL));
}

static struct err *give(void *arg, const struct frame *f)
{
    struct both *b = arg;
    if (b->cut_after && b->records >= b->cut_after)
        return err_new(ERR_CANCELLED, "cut");
    b->records++;
    b->puts += f->kind == STREAM_PUT;
    return stream_receiver_take(b->to, f);
}

/* Until there is nothing more to be sent, from the receiver's own position or from nothing. */
static void stream(struct both *b, bool resume)
{
    char at[STREAM_POSITION_BYTES] = "";
    struct stream_sender *s;
    b->records = b->puts = 0;
    close_from(b);
    OK(stream_receiver_new(b->to_dir, &b->to));
    if (resume)
        OK(stream_receiver_position(b->to, at));
    OK(stream_sender_new(b->from_dir, at, give, b, &s));
    struct err *e = stream_sender_send(s);
    assert_true(b->cut_after ? err_code(e) == ERR_CANCELLED : e == NULL);
    err_free(e);
    stream_sender_free(s);
    stream_receiver_free(b->to);
    b->to = NULL;
}

/* What a responder of the other host finds; "" where nothing. */
static const char *seen(struct both *b, unsigned serial)
{
    static char text[64];
    struct shelf_reader *r = shelf_reader_new(b->to_dir);
    struct shelf_item item;
    OK(shelf_reader_begin(r));
    bool there = shelf_reader_answer(r, "issuing", scene_serial(serial), &item);
    snprintf(text, sizeof text, "%.*s", there ? (int)item.bytes.n : 0,
             there ? (const char *)item.bytes.p : "");
    shelf_reader_free(r);
    return text;
}

static size_t seen_blob(struct both *b, const char *name)
{
    struct shelf_reader *r = shelf_reader_new(b->to_dir);
    struct shelf_item item;
    OK(shelf_reader_begin(r));
    size_t n = shelf_reader_blob(r, name, &item) ? item.bytes.n : 0;
    shelf_reader_free(r);
    return n;
}

static void all_of_it_then_what_changes(void **state)
{
    struct both *b = *state;
    put(b, 1, "one");
    put(b, 2, "two");
    put_blob(b, "crl/issuing", view_str("a list"));
    stream(b, true);
    assert_int_equal(b->puts, 3);
    assert_string_equal(seen(b, 1), "one");
    assert_int_equal(seen_blob(b, "crl/issuing"), 6);
    put(b, 2, "two again");
    put(b, 3, "three");
    OK(shelf_del_answer(from(b), "issuing", scene_serial(1), NULL, NULL));
    stream(b, true);
    assert_int_equal(b->puts, 2);
    assert_string_equal(seen(b, 1), "");
    assert_string_equal(seen(b, 2), "two again");
    assert_string_equal(seen(b, 3), "three");
    stream(b, true);
    assert_int_equal(b->records, 2); /* BEGIN, AT */
}

/* Taken away while nobody listened: gone at the other end too, first, last and between. */
static void what_is_gone_is_taken_away(void **state)
{
    struct both *b = *state;
    for (unsigned i = 1; i <= 9; i++)
        put(b, i, "x");
    put_blob(b, "a", view_str("1"));
    put_blob(b, "z", view_str("2"));
    stream(b, false);
    for (unsigned i = 1; i <= 9; i += 2)
        OK(shelf_del_answer(from(b), "issuing", scene_serial(i), NULL, NULL));
    OK(shelf_del_blob(from(b), "z", NULL, NULL));
    stream(b, false); /* all of it, as when the changes do not reach back so far */
    for (unsigned i = 1; i <= 9; i++)
        assert_string_equal(seen(b, i), i % 2 ? "" : "x");
    assert_int_equal(seen_blob(b, "a"), 1);
    assert_int_equal(seen_blob(b, "z"), 0);
}

static void a_cut_stream_is_taken_up(void **state)
{
    struct both *b = *state;
    for (unsigned i = 1; i <= 3000; i++)
        put(b, i, "x");
    b->cut_after = 700;
    stream(b, true);
    b->cut_after = 0;
    stream(b, true);
    assert_int_equal(b->puts, 3000); /* it had not all of it: begun anew */
    for (unsigned i = 1; i <= 1200; i++)
        put(b, i, "y");
    b->cut_after = 600;
    stream(b, true);
    b->cut_after = 0;
    stream(b, true);
    assert_true(b->puts < 1200); /* only what was not there yet */
    assert_string_equal(seen(b, 1), "y");
    assert_string_equal(seen(b, 1200), "y");
    assert_string_equal(seen(b, 1201), "x");
}

static void a_large_list_goes_in_parts(void **state)
{
    struct both *b = *state;
    size_t n = 3 * STREAM_PART_BYTES + 77;
    uint8_t *big = malloc(n);
    memset(big, 'q', n);
    put_blob(b, "crl/big", view_of(big, n));
    stream(b, true);
    assert_int_equal(seen_blob(b, "crl/big"), n);
    free(big);
}

static void another_shelf_is_sent_whole(void **state)
{
    struct both *b = *state;
    put(b, 1, "one");
    stream(b, true);
    snprintf(b->from_dir, sizeof b->from_dir, "%s/other", b->scene->dir);
    put(b, 2, "two");
    stream(b, true);
    assert_string_equal(seen(b, 1), "");
    assert_string_equal(seen(b, 2), "two");
}

static void a_front_s_own_shelf_is_no_copy(void **state)
{
    struct both *b = *state;
    struct stream_receiver *r;
    put(b, 1, "one");
    close_from(b);
    struct err *e = stream_receiver_new(b->from_dir, &r);
    assert_int_equal(err_code(e), ERR_WRONG_STATE);
    err_free(e);
}

static enum err_code taken(struct both *b, unsigned kind, struct view body)
{
    const struct frame f = {.kind = (uint16_t)kind, .body = body, .fd = -1};
    struct err *e = stream_receiver_take(b->to, &f);
    enum err_code code = e ? err_code(e) : ERR__COUNT;
    err_free(e);
    return code;
}

static void what_is_no_stream_is_refused(void **state)
{
    struct both *b = *state;
    struct arena *arena = arena_new(1 << 20);
    struct stream_begin begin = {.whole = true};
    const struct stream_item meta = {SHELF_META, view_str("schema"), view_str("0123456789abcdefg")},
                             broken = {SHELF_BLOBS, view_str("k"), view_str("short")};
    uint8_t item[40] = {0};
    OK(stream_receiver_new(b->to_dir, &b->to));
    struct stream_item good = {SHELF_ANSWERS, view_str("k"), view_of(item, sizeof item)};
    assert_int_equal(taken(b, STREAM_PUT, stream_form_put(&good, arena)), ERR_PROTOCOL); /* no BEGIN */
    begin.whole = false;
    assert_int_equal(taken(b, STREAM_BEGIN, stream_form_begin(&begin, arena)),
                     ERR_WRONG_STATE); /* of what? */
    begin.whole = true;
    assert_int_equal(taken(b, STREAM_BEGIN, stream_form_begin(&begin, arena)), ERR__COUNT);
    assert_int_equal(taken(b, STREAM_PUT, stream_form_put(&meta, arena)), ERR_PROTOCOL);
    assert_int_equal(taken(b, STREAM_PUT, stream_form_put(&broken, arena)), ERR_PROTOCOL);
    assert_int_equal(taken(b, STREAM_PUT, stream_form_put(&good, arena)), ERR__COUNT);
    assert_int_equal(taken(b, STREAM_PUT, stream_form_put(&good, arena)),
                     ERR_PROTOCOL); /* twice: not in order */
    assert_int_equal(taken(b, STREAM_PUT, view_str("no DER")), ERR_BAD_DER);
    assert_int_equal(taken(b, 99, view_str("")), ERR_PROTOCOL);
    arena_free(arena);
}

static void a_position_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {
        "x", ":1", "zz:1", "00112233445566778899aabbccddeeff:", "00112233445566778899aabbccddeeff:1x"};
    struct both *b = *state;
    put(b, 1, "one");
    close_from(b);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stream_sender *s;
        struct err *e = stream_sender_new(b->from_dir, bad[i], give, b, &s);
        assert_non_null(e);
        err_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(all_of_it_then_what_changes),  TEST(what_is_gone_is_taken_away),
        TEST(a_cut_stream_is_taken_up),     TEST(a_large_list_goes_in_parts),
        TEST(another_shelf_is_sent_whole),  TEST(a_front_s_own_shelf_is_no_copy),
        TEST(what_is_no_stream_is_refused), TEST(a_position_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
