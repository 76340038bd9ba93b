/* Lists, certificates and bundles over a real server: what caches are told, HEAD, 304, what is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/world.h"
#include "crl.h"
#include "house_scene.h"
#include "house_web.h"

static struct {
    char dir[64];
    struct loop *loop;
    struct shelf *shelf;
    struct shelf_reader *reader;
    struct crl_server *server;
    struct http_server *http;
    struct web_to to;
} the;

static void put(const char *name, const char *bytes, int64_t next_in_s)
{
    const struct shelf_item item = {.bytes = view_str(bytes),
                                    .this_update = world_now_s() - 100,
                                    .next_update = next_in_s ? world_now_s() + next_in_s : 0,
                                    .etag = "0123abcd"};
    OK(shelf_put_blob(the.shelf, name, &item, NULL, NULL));
}

static int open_all(void **state)
{
    const struct http_config config = {0};
    (void)state;
    snprintf(the.dir, sizeof the.dir, "/tmp/chancery-crl-XXXXXX");
    assert_non_null(mkdtemp(the.dir));
    OK(loop_new(&the.loop));
    OK(shelf_open(the.dir, (size_t)16 << 20, NULL, &the.shelf));
    the.reader = shelf_reader_new(the.dir);
    the.server = crl_server_new(the.loop, the.reader);
    OK(http_server_new(the.loop, &config, &the.http));
    http_routes(the.http, crl_routes, crl_routes_n, the.server);
    http_listen(the.http, web_listen(&the.to.port), false, "http");
    put("crl/issuing", "the list", 500);
    put("crl-chain/issuing", "the chain", 500);
    put("ca/issuing", "the certificate", 0);
    put("ca-pem/issuing", "the certificate, PEM", 0);
    put("roots/pem", "the roots", 0);
    put("crl/lapsed", "an old list", -10);
    put("crl/a-chain", "an issuer with an odd name", 500);
    return 0;
}

static int close_all(void **state)
{
    char command[96];
    (void)state;
    http_server_free(the.http);
    loop_free(the.loop); /* runs what was left for the end of a turn */
    crl_server_free(the.server);
    shelf_reader_free(the.reader);
    shelf_close(the.shelf);
    snprintf(command, sizeof command, "rm -rf '%s'", the.dir);
    return system(command);
}

static struct web_answer get(const char *method, const char *path, const char *headers)
{
    return web_get(the.loop, &the.to, method, path, headers, view_of(NULL, 0));
}

static void expect(const char *path, int status, const char *type, const char *body)
{
    struct web_answer a = get("GET", path, NULL);
    if (a.status != status || (body && strcmp((char *)a.body, body) != 0))
        fail_msg("%s: %d %s", path, a.status, (char *)a.body);
    assert_string_equal(web_header(&a, "Content-Type"), type);
    web_free(&a);
}

static void each_path_has_its_blob_and_type(void **state)
{
    (void)state;
    expect("/crl/issuing.crl", 200, "application/pkix-crl", "the list");
    expect("/crl/issuing-chain.pem", 200, "application/x-pem-file", "the chain");
    expect("/ca/issuing.crt", 200, "application/pkix-cert", "the certificate");
    expect("/ca/issuing.pem", 200, "application/pem-certificate-chain", "the certificate, PEM");
    expect("/roots.pem", 200, "application/pem-certificate-chain", "the roots");
    expect("/crl/a-chain.crl", 200, "application/pkix-crl", "an issuer with an odd name");
}

static void what_is_not_there(void **state)
{
    static const char *const paths[] = {
        "/crl/other.crl",
        "/crl/issuing.pem",
        "/crl/.crl",
        "/crl/..%2fca%2fissuing.crl",
        "/crl/issuing%2f.crl",
        "/crl/issuing%00.crl",
        "/ca/issuing.der",
        "/crl/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.crl",
        "/crl/issuing.crl/more",
    };
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct web_answer a = get("GET", paths[i], NULL);
        if (a.status != 404 && a.status != 400)
            fail_msg("%s: %d", paths[i], a.status);
        web_free(&a);
    }
    struct web_answer a = get("POST", "/crl/issuing.crl", NULL);
    assert_int_equal(a.status, 405);
    web_free(&a);
}

static void caches_may_keep_it_as_long_as_it_holds(void **state)
{
    (void)state;
    int age;
    struct web_answer a = get("GET", "/crl/issuing.crl", NULL);
    assert_string_equal(web_header(&a, "ETag"), "\"0123abcd\"");
    assert_int_equal(
        sscanf(web_header(&a, "Cache-Control"), "max-age=%d, public, no-transform, must-revalidate", &age),
        1);
    assert_in_range(age, 490, 500);
    assert_non_null(web_header(&a, "Expires"));
    assert_non_null(web_header(&a, "Last-Modified"));
    web_free(&a);
    a = get("GET", "/crl/lapsed.crl", NULL); /* served, but not to be kept */
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(web_header(&a, "Cache-Control"), "max-age=0,"));
    web_free(&a);
    a = get("GET", "/ca/issuing.crt", NULL);
    assert_non_null(strstr(web_header(&a, "Cache-Control"), "max-age=3600,"));
    web_free(&a);
}

static void not_modified_and_head(void **state)
{
    (void)state;
    struct web_answer a = get("GET", "/crl/issuing.crl", "If-None-Match: \"0123abcd\"\r\n");
    assert_int_equal(a.status, 304);
    assert_int_equal(a.n, 0);
    assert_string_equal(web_header(&a, "ETag"), "\"0123abcd\"");
    assert_non_null(web_header(&a, "Cache-Control")); /* RFC 9110 15.4.5 */
    web_free(&a);
    a = get("GET", "/crl/issuing.crl", "If-None-Match: \"other\"\r\n");
    assert_int_equal(a.status, 200);
    web_free(&a);
    a = get("HEAD", "/crl/issuing.crl", NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.n, 0);
    assert_string_equal(web_header(&a, "Content-Length"), "8");
    web_free(&a);
}

static void put_as(const char *name, const char *bytes, const char *etag)
{
    const struct shelf_item item = {.bytes = view_str(bytes),
                                    .this_update = world_now_s() - 100,
                                    .next_update = world_now_s() + 500,
                                    .etag = etag};
    OK(shelf_put_blob(the.shelf, name, &item, NULL, NULL));
}

static void partitions_and_deltas_have_their_paths(void **state)
{
    (void)state;
    put("crl/issuing/7", "the seventh", 500);
    put("crl-delta/issuing", "the changes", 500);
    expect("/crl/issuing/7.crl", 200, "application/pkix-crl", "the seventh");
    expect("/crl/issuing-delta.crl", 200, "application/pkix-crl", "the changes");
    struct web_answer a = get("GET", "/crl/issuing/8.crl", NULL);
    assert_int_equal(a.status, 404);
    web_free(&a);
}

/* A range header, the status, and what of "the list" comes. */
static void part(const char *headers, int status, const char *range, const char *body)
{
    struct web_answer a = get("GET", "/crl/issuing.crl", headers);
    if (a.status != status || (body && (a.n != strlen(body) || memcmp(a.body, body, a.n) != 0)))
        fail_msg("%s: %d %s", headers, a.status, (char *)a.body);
    if (range)
        assert_string_equal(web_header(&a, "Content-Range"), range);
    else
        assert_null(web_header(&a, "Content-Range"));
    web_free(&a);
}

static void a_part_is_given_where_asked(void **state)
{
    (void)state;
    part("Range: bytes=0-2\r\n", 206, "bytes 0-2/8", "the");
    part("Range: bytes=4-\r\n", 206, "bytes 4-7/8", "list");
    part("Range: bytes=-2\r\n", 206, "bytes 6-7/8", "st");
    part("Range: bytes=-99\r\n", 206, "bytes 0-7/8", "the list");
    part("Range: bytes=4-99\r\n", 206, "bytes 4-7/8", "list");
    part("Range: bytes=8-\r\n", 416, "bytes */8", NULL);
    part("Range: bytes=-0\r\n", 416, "bytes */8", NULL);
    part("Range: bytes=0-1,4-5\r\n", 200, NULL, "the list"); /* several: all of it */
    part("Range: bytes=5-4\r\n", 200, NULL, "the list");
    part("Range: bytes=x-\r\n", 200, NULL, "the list");
    part("Range: bytes=-\r\n", 200, NULL, "the list");
    part("Range: lines=0-1\r\n", 200, NULL, "the list");
    part("Range: bytes=0-2\r\nIf-Range: \"0123abcd\"\r\n", 206, "bytes 0-2/8", "the");
    part("Range: bytes=0-2\r\nIf-Range: \"older\"\r\n", 200, NULL, "the list");
    part("Range: bytes=0-2\r\nIf-None-Match: \"0123abcd\"\r\n", 304, NULL, "");
}

static void gzipped_where_taken_and_at_hand(void **state)
{
    (void)state;
    put_as("gz/crl/issuing", "gzipped", "0123abcd-gz");
    static const struct {
        const char *headers, *body;
    } cases[] = {{"Accept-Encoding: gzip\r\n", "gzipped"},
                 {"Accept-Encoding: br, GZIP;q=0.5\r\n", "gzipped"},
                 {"Accept-Encoding: *\r\n", "gzipped"},
                 {"Accept-Encoding: gzip;q=0\r\n", "the list"},
                 {"Accept-Encoding: *, gzip;q=0.0\r\n", "the list"},
                 {"Accept-Encoding: identity\r\n", "the list"},
                 {"Accept-Encoding: gzip\r\nRange: bytes=0-\r\n", "the list"},
                 {NULL, "the list"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_answer a = get("GET", "/crl/issuing.crl", cases[i].headers);
        bool gz = strcmp(cases[i].body, "gzipped") == 0;
        assert_int_equal(a.n, strlen(cases[i].body));
        assert_memory_equal(a.body, cases[i].body, a.n);
        assert_true(gz == (web_header(&a, "Content-Encoding") != NULL));
        assert_string_equal(web_header(&a, "ETag"), gz ? "\"0123abcd-gz\"" : "\"0123abcd\"");
        assert_string_equal(web_header(&a, "Vary"), "Accept-Encoding");
        web_free(&a);
    }
    put_as("crl/issuing", "the list", "newer"); /* its gzipped form is still the old one's */
    struct web_answer a = get("GET", "/crl/issuing.crl", "Accept-Encoding: gzip\r\n");
    assert_null(web_header(&a, "Content-Encoding"));
    web_free(&a);
    put("crl/issuing", "the list", 500);
}

static void a_large_one_comes_from_its_file(void **state)
{
    enum { LARGE = 3 << 20 };
    struct shelf_file file;
    char *bytes = calloc(1, LARGE);
    const struct shelf_item item = {
        .this_update = world_now_s(), .next_update = world_now_s() + 500, .etag = "large"};
    (void)state;
    memset(bytes, 'x', LARGE);
    memcpy(bytes + LARGE - 4, "tail", 4);
    OK(shelf_file_new(the.shelf, &file));
    assert_int_equal(write(file.fd, bytes, LARGE), LARGE);
    OK(shelf_put_file(the.shelf, "crl/large", &item, &file, NULL, NULL));
    struct web_answer a = get("GET", "/crl/large.crl", NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.n, LARGE);
    assert_memory_equal(a.body, bytes, LARGE);
    web_free(&a);
    a = get("GET", "/crl/large.crl", "Range: bytes=-4\r\n");
    assert_int_equal(a.status, 206);
    assert_int_equal(a.n, 4);
    assert_memory_equal(a.body, "tail", 4);
    web_free(&a);
    free(bytes);
}

static void a_newer_list_is_served_from_the_next_request_on(void **state)
{
    (void)state;
    put("crl/issuing", "a newer list", 500);
    expect("/crl/issuing.crl", 200, "application/pkix-crl", "a newer list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_has_its_blob_and_type),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(caches_may_keep_it_as_long_as_it_holds),
        cmocka_unit_test(not_modified_and_head),
        cmocka_unit_test(partitions_and_deltas_have_their_paths),
        cmocka_unit_test(a_part_is_given_where_asked),
        cmocka_unit_test(gzipped_where_taken_and_at_hand),
        cmocka_unit_test(a_large_one_comes_from_its_file),
        cmocka_unit_test(a_newer_list_is_served_from_the_next_request_on),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
