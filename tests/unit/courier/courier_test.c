/* Both halves of the courier on one loop, and a web server that says what it is told to: where a list goes,
 * what comes back of it, and what cuts the channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "errand.h"

enum { REQUEST_BYTES = 8192 };

struct road {
    struct loop *loop;
    struct courier *courier;
    struct courier_server *server;
    char dir[64], url[64], header_file[96];
    struct courier_place place;
    /* the web server */
    int listener;
    pthread_t thread;
    const char *answer; /* status line and headers */
    char request[REQUEST_BYTES];
    /* what became of the errand */
    int ended;
    bool well;
    enum err_code code;
    char detail[256];
};

/* --- the web server: one request a connection, body and all --- */

static size_t whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length: ");
    return body ? (size_t)(body - request) + 4 + (length ? strtoul(length + 18, NULL, 10) : 0) : SIZE_MAX;
}

static void *serve(void *arg)
{
    struct road *r = arg;
    int fd;
    while ((fd = accept(r->listener, NULL, NULL)) >= 0) {
        char request[REQUEST_BYTES] = "";
        size_t n = 0;
        ssize_t got;
        while (n < whole(request) && (got = read(fd, request + n, sizeof request - 1 - n)) > 0)
            n += (size_t)got;
        memcpy(r->request, request, sizeof request);
        assert_true(write(fd, r->answer, strlen(r->answer)) > 0);
        close(fd);
    }
    return NULL;
}

static void open_server(struct road *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(r->listener, 4), 0);
    assert_int_equal(getsockname(r->listener, (struct sockaddr *)&at, &n), 0);
    snprintf(r->url, sizeof r->url, "http://127.0.0.1:%d/lists", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
}

/* --- the courier --- */

static void connect_both(struct road *r)
{
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    courier_server_attach(r->server, p[1]);
    courier_attach(r->courier, p[0]);
}

static int setup(void **state)
{
    struct road *r = calloc(1, sizeof *r);
    assert_non_null(r);
    snprintf(r->dir, sizeof r->dir, "/tmp/courier-test.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->header_file, sizeof r->header_file, "%s/header", r->dir);
    open_server(r);
    r->place = (struct courier_place){.issuer = "issuing", .url = r->url};
    assert_null(loop_new(&r->loop));
    assert_null(courier_server_new(r->loop, &r->server));
    courier_server_set(r->server, &r->place, 1);
    r->courier = courier_new(r->loop);
    connect_both(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct road *r = *state;
    courier_free(r->courier);
    courier_server_free(r->server);
    loop_free(r->loop);
    shutdown(r->listener, SHUT_RDWR);
    close(r->listener);
    pthread_join(r->thread, NULL);
    unlink(r->header_file);
    int rc = rmdir(r->dir);
    free(r);
    return rc;
}

static void ended(void *arg, struct err *e)
{
    struct road *r = arg;
    r->ended++;
    r->well = e == NULL;
    r->code = e ? err_code(e) : ERR_INTERNAL;
    snprintf(r->detail, sizeof r->detail, "%s", e ? err_detail(e) : "");
    err_free(e);
    loop_stop(r->loop);
}

static int list_of(const char *text)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static struct err *ask(struct road *r, const char *issuer, const char *name)
{
    struct courier_put put = {.issuer = issuer, .name = name, .type = "application/pkix-crl"};
    put.fd = list_of("the list");
    r->ended = 0;
    struct err *e = courier_put(r->courier, &put, ended, r);
    close(put.fd);
    return e;
}

static void carry(struct road *r, const char *issuer, const char *name)
{
    assert_null(ask(r, issuer, name));
    loop_run(r->loop);
    assert_int_equal(r->ended, 1);
}

static void write_header(const struct road *r, const char *text)
{
    FILE *f = fopen(r->header_file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* --- what becomes of a list --- */

static void it_goes_where_its_place_says_with_its_credential(void **state)
{
    struct road *r = *state;
    r->answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    r->place.header_file = r->header_file;
    write_header(r, "Authorization: Bearer one\n");
    carry(r, "issuing", "issuing/7.crl");
    assert_true(r->well);
    assert_ptr_equal(strstr(r->request, "PUT /lists/issuing/7.crl HTTP/1.1\r\n"), r->request);
    assert_non_null(strstr(r->request, "\r\nAuthorization: Bearer one\r\n"));
    assert_non_null(strstr(r->request, "\r\nContent-Type: application/pkix-crl\r\n"));
    assert_string_equal(strstr(r->request, "\r\n\r\n") + 4, "the list");
    write_header(r, "Authorization: Bearer two\n"); /* renewed while we run */
    carry(r, "issuing", "issuing.crl");
    assert_non_null(strstr(r->request, "\r\nAuthorization: Bearer two\r\n"));
}

static void what_refuses_it_is_told_with_its_status(void **state)
{
    struct road *r = *state;
    r->answer = "HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n";
    carry(r, "issuing", "issuing.crl");
    assert_int_equal(r->code, ERR_IO);
    assert_non_null(strstr(r->detail, "status 507"));
}

static void a_redirect_is_not_followed(void **state)
{
    struct road *r = *state;
    char answer[256];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 307 Elsewhere\r\nLocation: %s/elsewhere\r\nContent-Length: 0\r\n\r\n", r->url);
    r->answer = answer;
    carry(r, "issuing", "issuing.crl");
    assert_int_equal(r->code, ERR_IO);
    assert_non_null(strstr(r->detail, "status 307"));
    assert_null(strstr(r->request, "elsewhere"));
}

static void nobody_there_is_an_error_of_the_world(void **state)
{
    struct road *r = *state;
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* a port that is taken and does not listen */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char url[64];
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    r->place.url = url;
    carry(r, "issuing", "issuing.crl");
    close(fd);
    assert_int_equal(r->code, ERR_IO);
}

static void an_issuer_without_a_place_is_not_found(void **state)
{
    struct road *r = *state;
    carry(r, "root", "root.crl");
    assert_int_equal(r->code, ERR_NOT_FOUND);
    assert_true(courier_ready(r->courier));
}

static void a_credential_that_is_none_is_refused_without_its_path(void **state)
{
    static const char *const bad[] = {NULL, "", "no colon", "A: b\nC: d\n"};
    struct road *r = *state;
    r->place.header_file = r->header_file;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (bad[i])
            write_header(r, bad[i]);
        carry(r, "issuing", "issuing.crl");
        assert_int_equal(r->code, ERR_IO);
        assert_null(strstr(r->detail, r->dir));
        assert_string_equal(r->request, "");
    }
}

/* --- what cuts the channel --- */

static void a_name_that_no_list_has_cuts_the_channel(void **state)
{
    static const char *const bad[] = {"../x.crl", "/x.crl", "a//x.crl", "A.crl", "x.crl?y", "x%2e.crl", ""};
    struct road *r = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        carry(r, "issuing", bad[i]);
        assert_int_equal(r->code, ERR_BUSY);
        assert_false(courier_ready(r->courier));
        assert_string_equal(r->request, "");
        connect_both(r);
    }
}

static void a_frame_that_is_none_ends_what_was_asked(void **state)
{
    struct road *r = *state;
    const struct frame odd[] = {{.kind = ERRAND_DONE, .id = 77, .fd = -1},
                                {.kind = ERRAND_PUT, .fd = -1},
                                {.kind = 9, .body = view_str("x"), .fd = -1}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        int p[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
        courier_attach(r->courier, p[0]);
        assert_null(ask(r, "issuing", "issuing.crl"));
        assert_null(frame_write(p[1], &odd[i]));
        loop_run(r->loop);
        assert_int_equal(r->ended, 1);
        assert_int_equal(r->code, ERR_BUSY);
        assert_false(courier_ready(r->courier));
        close(p[1]);
    }
}

static void a_lost_courier_ends_each_errand_once(void **state)
{
    struct road *r = *state;
    int p[2], told = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    courier_attach(r->courier, p[0]);
    for (int i = 0; i < 3; i++)
        assert_null(ask(r, "issuing", "issuing.crl"));
    close(p[1]);
    for (; told < 3; told += r->ended, r->ended = 0)
        loop_run(r->loop);
    assert_int_equal(told, 3);
    assert_int_equal(r->code, ERR_BUSY);
    struct err *e = ask(r, "issuing", "issuing.crl");
    assert_int_equal(err_code(e), ERR_BUSY);
    err_free(e);
}

int main(void)
{
#define ROAD(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROAD(it_goes_where_its_place_says_with_its_credential),
        ROAD(what_refuses_it_is_told_with_its_status),
        ROAD(a_redirect_is_not_followed),
        ROAD(nobody_there_is_an_error_of_the_world),
        ROAD(an_issuer_without_a_place_is_not_found),
        ROAD(a_credential_that_is_none_is_refused_without_its_path),
        ROAD(a_name_that_no_list_has_cuts_the_channel),
        ROAD(a_frame_that_is_none_ends_what_was_asked),
        ROAD(a_lost_courier_ends_each_errand_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
