/* http over plain sockets: answers, order, limits, deadlines, caps, parking, draining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/world.h"
#include "web.h"

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static struct web *w;
static struct client c;

static int start(struct http_config config)
{
    w = web_start(config);
    c = client_dial(w->port);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return start((struct http_config){.connections_max = 50});
}

static int setup_hasty(void **state)
{
    (void)state;
    return start((struct http_config){.request_ms = 300, .idle_ms = 300, .write_ms = 300, .park_ms = 200});
}

static int setup_narrow(void **state)
{
    (void)state;
    return start((struct http_config){.connections_max = 3});
}

static int setup_few_each(void **state)
{
    (void)state;
    return start((struct http_config){.connections_per_peer_max = 2});
}

static int teardown(void **state)
{
    (void)state;
    client_close(&c);
    web_stop(w);
    return 0;
}

/* ---- answers ---- */

static void an_answer_has_what_clients_need(void **state)
{
    (void)state;
    client_send(&c, GET("/hello"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "hello\n");
    assert_string_equal(answer_header(&a, "Content-Length"), "6");
    assert_string_equal(answer_header(&a, "Content-Type"), "text/plain");
    assert_int_equal(strlen(answer_header(&a, "X-Request-Id")), 32);
    assert_int_equal(strlen(answer_header(&a, "Date")), 29);
    assert_null(answer_header(&a, "Connection"));
    assert_null(answer_header(&a, "Transfer-Encoding"));
    answer_free(&a);
}

static void a_connection_serves_many(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        client_expect(&c, GET("/hello"), 200, "hello\n");
}

static void head_has_the_length_and_no_body(void **state)
{
    (void)state;
    client_send(&c, "HEAD /hello HTTP/1.1\r\n" HOST "\r\nHEAD /file/1000 HTTP/1.1\r\n" HOST "\r\n");
    struct answer a = client_answer_head(&c);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Content-Length"), "6");
    answer_free(&a);
    a = client_answer_head(&c);
    assert_string_equal(answer_header(&a, "Content-Length"), "1000");
    answer_free(&a);
    client_expect(&c, GET("/hello"), 200, "hello\n");
}

static void an_unknown_path_is_404_with_a_problem(void **state)
{
    (void)state;
    client_send(&c, GET("/nothing"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 404);
    assert_string_equal(answer_header(&a, "Content-Type"), "application/problem+json");
    assert_non_null(strstr(a.body, "\"urn:chancery:error:not-found\""));
    answer_free(&a);
    client_expect(&c, GET("/hello"), 200, "hello\n"); /* the connection goes on */
}

static void another_method_is_405_with_allow(void **state)
{
    (void)state;
    client_send(&c, "DELETE /echo HTTP/1.1\r\n" HOST "\r\n");
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 405);
    assert_string_equal(answer_header(&a, "Allow"), "GET, HEAD, POST");
    answer_free(&a);
}

static void patterns_take_segments(void **state)
{
    (void)state;
    client_expect(&c, GET("/s/one/x/two.crl"), 200, "one|two");
    client_expect(&c, GET("/s/o%20e/x/%C3%A9.crl"), 200, "o e|\xc3\xa9");
    client_expect(&c, GET("/s/a%2fb/x/two.crl"), 404, NULL);
    client_expect(&c, GET("/s//x/two.crl"), 404, NULL);
    client_expect(&c, GET("/s/one/x/.crl"), 404, NULL);
    client_expect(&c, GET("/s/one/x/two.crl/"), 404, NULL);
    client_expect(&c, GET("/rest/a/b//c%2Fd+="), 200, "a/b//c/d+=");
    client_expect(&c, GET("/rest/"), 404, NULL);
}

static void the_first_row_that_fits_serves(void **state)
{
    (void)state;
    client_expect(&c, GET("/crl/issuing.crl"), 200, "full");
    client_expect(&c, GET("/crl/issuing-delta.crl"), 200, "delta");
    client_expect(&c, "DELETE /crl/issuing-delta.crl HTTP/1.1\r\n" HOST "\r\n", 200, "delete");
}

static void a_problem_is_json_whatever_its_text(void **state)
{
    (void)state;
    client_send(&c, GET("/problem"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 503);
    assert_string_equal(answer_header(&a, "Retry-After"), "5");
    json_t *j = json_loadb(a.body, a.n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "urn:chancery:error:token-away");
    assert_string_equal(json_string_value(json_object_get(j, "instance")), answer_header(&a, "X-Request-Id"));
    assert_string_equal(json_string_value(json_object_get(j, "pointer")), "/sans/3");
    assert_int_equal(json_integer_value(json_object_get(j, "status")), 503);
    assert_true(json_is_true(json_object_get(j, "retryable")));
    assert_string_equal(json_string_value(json_object_get(j, "detail")),
                        "quote \" back \\ bell ? bad ??? good \xc3\xa9");
    json_decref(j);
    answer_free(&a);
}

static void a_header_value_cannot_write_headers(void **state)
{
    (void)state;
    client_send(&c, GET("/inject"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 204);
    assert_string_equal(answer_header(&a, "X-Echo"), "a??X-Evil: yes");
    assert_null(answer_header(&a, "X-Evil"));
    assert_null(answer_header(&a, "Content-Length"));
    answer_free(&a);
}

static void the_peer_is_known(void **state)
{
    (void)state;
    client_expect(&c, GET("/facts"), 200, "plain 127.0.0.1 loopback=1 unix=0 uid=-1 tls=none cert=0");
    struct client u = client_dial_unix(w->unix_path);
    char text[128];
    snprintf(text, sizeof(text), "control unix loopback=1 unix=1 uid=%d tls=none cert=0", (int)getuid());
    client_expect(&u, GET("/facts"), 200, text);
    client_close(&u);
}

/* ---- bodies ---- */

static void bodies_come_whole(void **state)
{
    (void)state;
    client_expect(&c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 200, "hello");
    client_expect(&c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "");
    client_expect(&c,
                  "POST /echo HTTP/1.1\r\n" HOST
                  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: x\r\n\r\n",
                  200, "abcdefg");
}

static void a_big_body_passes_in_both_codings(void **state)
{
    (void)state;
    size_t n = 250000;
    char *body = malloc(n + 1), head[128];
    for (size_t i = 0; i < n; i++)
        body[i] = (char)('a' + i * 7 % 26);
    body[n] = '\0';
    snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", n);
    client_send(&c, head);
    client_expect(&c, body, 200, body);
    client_send(&c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < n; at += 1000) {
        client_send(&c, "3e8\r\n");
        client_send_bytes(&c, body + at, 1000);
        client_send(&c, "\r\n");
    }
    client_expect(&c, "0\r\n\r\n", 200, body);
    free(body);
}

static void a_body_over_the_limit_is_413_while_it_still_comes(void **state)
{
    (void)state;
    client_send(&c, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n");
    char waste[20000] = {0};
    client_send_bytes(&c, waste, sizeof(waste));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 413);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_free(&a);
    assert_true(client_is_closed(&c));
}

static void chunks_over_the_limit_are_413(void **state)
{
    (void)state;
    client_expect(
        &c, "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
        413, NULL);
    assert_true(client_is_closed(&c));
}

static void expect_is_answered_before_the_body(void **state)
{
    (void)state;
    client_send(&c, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 100);
    answer_free(&a);
    client_expect(&c, "hi", 200, "hi");
}

static void expect_of_too_large_a_body_is_refused_at_once(void **state)
{
    (void)state;
    client_expect(&c, "POST /small HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 20\r\n\r\n",
                  413, NULL);
}

static void a_file_comes_byte_for_byte(void **state)
{
    (void)state;
    client_send(&c, GET("/file/3000000") GET("/hello"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.n, 3000000);
    for (size_t i = 0; i < a.n; i++)
        if ((uint8_t)a.body[i] != (uint8_t)(i * 2654435761u >> 24))
            fail_msg("octet %zu is wrong", i);
    answer_free(&a);
    a = client_answer(&c);
    assert_string_equal(a.body, "hello\n");
    answer_free(&a);
}

/* ---- order and keep-alive ---- */

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    client_send(&c, GET("/hello") GET("/slow/50") GET("/crl/x.crl") GET("/slow/1") GET("/hello"));
    const char *expected[] = {"hello\n", "slow\n", "full", "slow\n", "hello\n"};
    for (int i = 0; i < 5; i++) {
        struct answer a = client_answer(&c);
        assert_string_equal(a.body, expected[i]);
        answer_free(&a);
    }
}

static void hundreds_may_be_pipelined(void **state)
{
    (void)state;
    size_t n = strlen(GET("/big/5000"));
    char *all = malloc(400 * n + 1);
    for (size_t i = 0; i < 400; i++)
        memcpy(all + i * n, GET("/big/5000"), n + 1);
    client_send(&c, all);
    free(all);
    for (int i = 0; i < 400; i++) {
        struct answer a = client_answer(&c);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.n, 5000);
        answer_free(&a);
    }
}

static void http_1_0_is_served(void **state)
{
    (void)state;
    client_send(&c, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    struct answer a = client_answer(&c);
    assert_string_equal(answer_header(&a, "Connection"), "keep-alive");
    answer_free(&a);
    client_send(&c, "GET /hello HTTP/1.0\r\n\r\n");
    a = client_answer(&c);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_free(&a);
    assert_true(client_is_closed(&c));
}

static void close_is_heeded(void **state)
{
    (void)state;
    client_expect(&c, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/hello"), 200,
                  "hello\n");
    assert_true(client_is_closed(&c));
}

static void a_smuggled_second_request_is_not_answered(void **state)
{
    (void)state;
    client_expect(&c,
                  "POST /echo HTTP/1.1\r\n" HOST
                  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/hello"),
                  400, NULL);
    assert_true(client_is_closed(&c));
}

static void what_is_not_http_is_400_and_the_end(void **state)
{
    (void)state;
    client_send(&c, "\x16\x03\x01");
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "bad-request"));
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_free(&a);
    assert_true(client_is_closed(&c));
}

/* A client that closes its half after asking is still answered, where the answer is ready at once. */
static void half_a_close_is_no_leave(void **state)
{
    (void)state;
    client_send(&c, GET("/file/2000000"));
    shutdown(c.fd, SHUT_WR);
    struct answer a = client_answer(&c);
    assert_int_equal(a.n, 2000000);
    answer_free(&a);
    assert_true(client_is_closed(&c));
}

/* ---- deadlines ---- */

static void a_slow_head_meets_the_total_deadline(void **state)
{
    (void)state;
    int64_t begin = world_mono_ms();
    client_send(&c, "GET /hello HTTP/1.1\r\n" HOST);
    char octet;
    while (recv(c.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && world_mono_ms() - begin < 5000) {
        send(c.fd, "X: y\r\n", 6, MSG_NOSIGNAL); /* each read alone is quick */
        usleep(20000);
    }
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 408);
    answer_free(&a);
    assert_true(world_mono_ms() - begin >= 290 && world_mono_ms() - begin < 3000);
}

static void a_slow_body_meets_the_total_deadline(void **state)
{
    (void)state;
    client_expect(&c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc", 408, NULL);
    assert_true(client_is_closed(&c));
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
    (void)state;
    int64_t begin = world_mono_ms();
    assert_true(client_is_closed(&c)); /* never asked anything */
    struct client d = client_dial(w->port);
    client_expect(&d, GET("/hello"), 200, "hello\n");
    assert_true(client_is_closed(&d));
    assert_true(world_mono_ms() - begin >= 590);
    client_close(&d);
}

static atomic_int open_now;

static void count_open(struct web *web)
{
    atomic_store(&open_now, (int)http_connections(web->server));
}

static void an_answer_nobody_takes_is_cut(void **state)
{
    (void)state;
    client_send(&c, GET("/file/30000000"));
    atomic_store(&open_now, 1);
    for (int i = 0; i < 100 && atomic_load(&open_now) > 0; i++) {
        usleep(50000);
        web_do(w, count_open);
    }
    assert_int_equal(atomic_load(&open_now), 0);
}

/* ---- parking ---- */

static void a_parked_request_is_answered_later(void **state)
{
    (void)state;
    client_expect(&c, GET("/slow/30"), 200, "slow\n");
    client_expect(&c, "POST /slow/1 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", 200, "slow\n");
    assert_int_equal(atomic_load(&w->resumed), 2);
}

static void a_client_that_leaves_while_parked_is_not_found(void **state)
{
    (void)state;
    client_send(&c, GET("/slow/100"));
    web_await(&w->parked, 1);
    client_close(&c);
    web_await(&w->resumed_null, 1);
    assert_int_equal(atomic_load(&w->resumed), 0);
    c = client_dial(w->port);
    client_expect(&c, GET("/hello"), 200, "hello\n");
}

static void a_parked_request_past_its_deadline_is_503(void **state)
{
    (void)state;
    client_send(&c, GET("/slow/500"));
    struct answer a = client_answer(&c);
    assert_int_equal(a.status, 503);
    assert_non_null(answer_header(&a, "Retry-After"));
    answer_free(&a);
    client_expect(&c, GET("/hello"), 200, "hello\n"); /* the connection goes on */
    web_await(&w->resumed_null, 1);
}

/* ---- caps ---- */

static void past_the_cap_it_is_503(void **state)
{
    (void)state;
    struct client two = client_dial(w->port), three = client_dial(w->port);
    client_expect(&c, GET("/hello"), 200, NULL);
    client_expect(&two, GET("/hello"), 200, NULL);
    client_expect(&three, GET("/hello"), 200, NULL);
    struct client four = client_dial(w->port);
    struct answer a = client_answer(&four);
    assert_int_equal(a.status, 503);
    assert_string_equal(answer_header(&a, "Retry-After"), "1");
    answer_free(&a);
    assert_true(client_is_closed(&four));
    struct client u = client_dial_unix(w->unix_path); /* the operator still gets in */
    client_expect(&u, GET("/hello"), 200, NULL);
    client_close(&two);
    client_close(&three);
    client_close(&four);
    client_close(&u);
}

static void past_the_cap_of_one_address_it_is_503(void **state)
{
    (void)state;
    struct client two = client_dial(w->port);
    client_expect(&c, GET("/hello"), 200, NULL);
    client_expect(&two, GET("/hello"), 200, NULL);
    struct client three = client_dial(w->port);
    struct answer a = client_answer(&three);
    assert_int_equal(a.status, 503);
    answer_free(&a);
    client_close(&three);
    client_close(&two);
    for (int i = 0; i < 200; i++) { /* until the server has seen the close */
        two = client_dial(w->port);
        client_send(&two, GET("/hello"));
        a = client_answer(&two);
        answer_free(&a);
        if (a.status == 200)
            break;
        client_close(&two);
        usleep(10000);
    }
    assert_int_equal(a.status, 200);
    client_close(&two);
}

/* ---- draining ---- */

static void on_drained(void *arg)
{
    struct web *web = arg;
    atomic_fetch_add(&web->drained, 1);
}

static void drain(struct web *web)
{
    http_drain(web->server, 5000, on_drained, web);
}

static void drain_in_haste(struct web *web)
{
    http_drain(web->server, 100, on_drained, web);
}

static void draining_finishes_what_is_under_way(void **state)
{
    (void)state;
    struct client idle = client_dial(w->port);
    client_expect(&idle, GET("/hello"), 200, NULL);
    client_send(&c, GET("/slow/300"));
    web_await(&w->parked, 1);
    web_do(w, drain);
    assert_true(client_is_closed(&idle));
    assert_int_equal(atomic_load(&w->drained), 0);
    struct answer a = client_answer(&c);
    assert_string_equal(a.body, "slow\n");
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_free(&a);
    assert_true(client_is_closed(&c));
    web_await(&w->drained, 1);
    client_close(&idle);
}

static void draining_nothing_is_over_at_once(void **state)
{
    (void)state;
    client_close(&c);
    web_do(w, drain);
    web_await(&w->drained, 1);
    c = (struct client){.fd = -1};
}

static void draining_cuts_what_takes_too_long(void **state)
{
    (void)state;
    client_send(&c, GET("/slow/1000"));
    web_await(&w->parked, 1);
    web_do(w, drain_in_haste);
    assert_true(client_is_closed(&c));
    web_await(&w->drained, 1);
    web_await(&w->resumed_null, 1);
}

#define with(setup_fn, f) cmocka_unit_test_setup_teardown(f, setup_fn, teardown)

int main(void)
{
    log_setup("test", false, LOG_ERROR);
    const struct CMUnitTest tests[] = {
        with(setup, an_answer_has_what_clients_need),
        with(setup, a_connection_serves_many),
        with(setup, head_has_the_length_and_no_body),
        with(setup, an_unknown_path_is_404_with_a_problem),
        with(setup, another_method_is_405_with_allow),
        with(setup, patterns_take_segments),
        with(setup, the_first_row_that_fits_serves),
        with(setup, a_problem_is_json_whatever_its_text),
        with(setup, a_header_value_cannot_write_headers),
        with(setup, the_peer_is_known),
        with(setup, bodies_come_whole),
        with(setup, a_big_body_passes_in_both_codings),
        with(setup, a_body_over_the_limit_is_413_while_it_still_comes),
        with(setup, chunks_over_the_limit_are_413),
        with(setup, expect_is_answered_before_the_body),
        with(setup, expect_of_too_large_a_body_is_refused_at_once),
        with(setup, a_file_comes_byte_for_byte),
        with(setup, pipelined_requests_are_answered_in_order),
        with(setup, hundreds_may_be_pipelined),
        with(setup, http_1_0_is_served),
        with(setup, close_is_heeded),
        with(setup, a_smuggled_second_request_is_not_answered),
        with(setup, what_is_not_http_is_400_and_the_end),
        with(setup, half_a_close_is_no_leave),
        with(setup_hasty, a_slow_head_meets_the_total_deadline),
        with(setup_hasty, a_slow_body_meets_the_total_deadline),
        with(setup_hasty, an_idle_connection_is_closed_without_a_word),
        with(setup_hasty, an_answer_nobody_takes_is_cut),
        with(setup, a_parked_request_is_answered_later),
        with(setup, a_client_that_leaves_while_parked_is_not_found),
        with(setup_hasty, a_parked_request_past_its_deadline_is_503),
        with(setup_narrow, past_the_cap_it_is_503),
        with(setup_few_each, past_the_cap_of_one_address_it_is_503),
        with(setup, draining_finishes_what_is_under_way),
        with(setup, draining_nothing_is_over_at_once),
        with(setup, draining_cuts_what_takes_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
