/* http: what a handler asks of its request: query, headers, media types, conditions. Over a real connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/log.h"
#include "web.h"

#define HOST                "Host: a\r\n"
#define GET(path)           "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define WITH(path, headers) "GET " path " HTTP/1.1\r\n" HOST headers "\r\n"

static struct web *w;
static struct client c;

static int setup(void **state)
{
    (void)state;
    w = web_start((struct http_config){.connections_max = 0});
    c = client_dial(w->port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    client_close(&c);
    web_stop(w);
    return 0;
}

static void query_parameters_are_decoded(void **state)
{
    (void)state;
    client_expect(&c, GET("/query?limit=10&cursor=a%20b+c%2B"), 200, "10,a b c+");
    client_expect(&c, GET("/query?limit=10"), 200, "10,none");
    client_expect(&c, GET("/query?&limit=&cursor"), 200, ",");
    client_expect(&c, GET("/query?li%6dit=7"), 200, "7,none");
}

static void bad_queries_are_400(void **state)
{
    (void)state;
    client_expect(&c, GET("/query?limit=1&limit=2"), 400, NULL);
    client_expect(&c, GET("/query?limit=%zz"), 400, NULL);
    client_expect(&c, GET("/query?limit=%00"), 400, NULL);
    client_expect(&c, GET("/query?other=1"), 400, NULL);
}

#define POST(headers) "POST /header HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" headers "\r\n"

static void headers_are_found_in_any_case_and_joined(void **state)
{
    (void)state;
    client_expect(&c, POST(""), 200, "none 0");
    client_expect(&c, POST("X-A: \r\n"), 200, " 0");
    client_expect(&c, POST("x-a: one\r\n"), 200, "one 0");
    client_expect(&c, POST("X-A: one\r\nX-B: n\r\nX-a: two\r\n"), 200, "one, two 0");
}

static void a_media_type_is_compared_without_its_parameters(void **state)
{
    (void)state;
    client_expect(&c, POST("Content-Type: application/pkcs10\r\n"), 200, "none 1");
    client_expect(&c, POST("Content-Type: Application/PKCS10 ; x=y\r\n"), 200, "none 1");
    client_expect(&c, POST("Content-Type: application/pkcs10x\r\n"), 200, "none 0");
    client_expect(&c, POST("Content-Type: ;application/pkcs10\r\n"), 200, "none 0");
}

static void accept_is_weighed(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *chosen;
    } rows[] = {
        {"*/*", "json"},
        {"application/*", "json"},
        {"application/pem-certificate-chain", "pem"},
        {"APPLICATION/PEM-certificate-chain;q=1.0", "pem"},
        {"application/json;q=0.5, application/pem-certificate-chain", "pem"},
        {"application/json;q=0.5, */*;q=0.6", "pem"},
        {"application/json, application/pem-certificate-chain", "json"},
        {"*/*;q=0.9, application/json;q=0", "pem"},
        {"application/json;q=0.001", "json"},
        {"text/html", "none"},
        {"application/json;q=0", "none"},
        {"", "json"},
    };
    client_expect(&c, GET("/prefer"), 200, "json");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "GET /prefer HTTP/1.1\r\n" HOST "Accept: %s\r\n\r\n", rows[i].accept);
        client_expect(&c, text, 200, rows[i].chosen);
    }
}

static void what_the_client_has_is_304(void **state)
{
    (void)state;
    client_expect(&c, GET("/fresh"), 200, "new");
    client_expect(&c, WITH("/fresh", "If-None-Match: \"abc\"\r\n"), 304, "");
    client_expect(&c, WITH("/fresh", "If-None-Match: \"x\", W/\"abc\"\r\n"), 304, "");
    client_expect(&c, WITH("/fresh", "If-None-Match: *\r\n"), 304, "");
    client_expect(&c, WITH("/fresh", "If-None-Match: \"abcd\"\r\n"), 200, "new");
    client_expect(&c, WITH("/fresh", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 304, "");
    client_expect(&c, WITH("/fresh", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 200, "new");
    /* RFC 9110 section 13.1.3: the date does not count beside an etag */
    client_expect(
        &c, WITH("/fresh", "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        200, "new");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    log_setup("test", false, LOG_ERROR);
    const struct CMUnitTest tests[] = {
        test(query_parameters_are_decoded),
        test(bad_queries_are_400),
        test(headers_are_found_in_any_case_and_joined),
        test(a_media_type_is_compared_without_its_parameters),
        test(accept_is_weighed),
        test(what_the_client_has_is_304),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
