/* Listening sockets: what is opened, and what happens where one cannot be. */
#include "sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
    char dir[64];
    struct config config;
    struct config_address https[2], http[2];
    char control[96];
};

static void address(struct config_address *a, const char *host, in_port_t port)
{
    a->text = host;
    a->len = sizeof a->to.v4;
    a->to.v4.sin_family = AF_INET;
    a->to.v4.sin_port = htons(port);
    a->to.v4.sin_addr.s_addr =
        htonl(strcmp(host, "nowhere") == 0 ? 0xc0000201 : INADDR_LOOPBACK); /* 192.0.2.1 */
    a->loopback = true;
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    snprintf(h->dir, sizeof h->dir, "/tmp/chancery-sockets-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(h->control, sizeof h->control, "%s/control.sock", h->dir);
    address(&h->https[0], "here", 0); /* the kernel chooses a port */
    address(&h->http[0], "here", 0);
    h->config.https = (struct config_addresses){1, h->https};
    h->config.http = (struct config_addresses){1, h->http};
    h->config.control = h->control;
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    unlink(h->control);
    rmdir(h->dir);
    free(h);
    return 0;
}

static void all_are_opened(void **state)
{
    struct house *h = *state;
    struct sockets s;
    struct stat st;
    assert_null(sockets_open(&h->config, &s));
    assert_int_equal(s.https_n, 1);
    assert_int_equal(s.http_n, 1);
    assert_int_equal(stat(h->control, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0660);
    sockets_close(&s);
}

static void a_socket_of_an_earlier_life_is_replaced(void **state)
{
    struct house *h = *state;
    struct sockets s;
    assert_null(sockets_open(&h->config, &s));
    sockets_close(&s);
    assert_null(sockets_open(&h->config, &s));
    sockets_close(&s);
}

static void a_plain_file_in_its_place_is_kept(void **state)
{
    struct house *h = *state;
    struct sockets s;
    FILE *f = fopen(h->control, "w");
    fclose(f);
    struct err *e = sockets_open(&h->config, &s);
    assert_non_null(e);
    err_free(e);
    assert_int_equal(access(h->control, F_OK), 0);
}

static void a_taken_port_is_named(void **state)
{
    struct house *h = *state;
    struct sockets s, second;
    socklen_t len = sizeof h->https[0].to;
    assert_null(sockets_open(&h->config, &s));
    assert_int_equal(getsockname(s.https[0], &h->https[0].to.any, &len), 0);
    h->https[0].text = "127.0.0.1:taken";
    struct err *e = sockets_open(&h->config, &second);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "127.0.0.1:taken"));
    err_free(e);
    sockets_close(&s);
}

static void a_port_is_tried_unless_the_daemon_runs(void **state)
{
    struct house *h = *state;
    struct sockets s;
    socklen_t len = sizeof h->https[0].to;
    assert_null(sockets_try(&h->config));
    assert_int_equal(access(h->control, F_OK), -1);
    assert_null(sockets_open(&h->config, &s));
    assert_int_equal(getsockname(s.https[0], &h->https[0].to.any, &len), 0);
    assert_null(sockets_try(&h->config)); /* its own */
    unlink(h->control);
    struct err *e = sockets_try(&h->config);
    assert_non_null(e);
    assert_non_null(strstr(err_detail(e), "listen: here"));
    err_free(e);
    sockets_close(&s);
    assert_null(sockets_try(&h->config));
}

static void an_address_this_machine_lacks_is_left_out_in_the_demo_alone(void **state)
{
    struct house *h = *state;
    struct sockets s;
    address(&h->https[1], "nowhere", 0);
    h->config.https.n = 2;
    struct err *e = sockets_open(&h->config, &s);
    assert_non_null(e);
    err_free(e);
    h->config.demo = true;
    assert_null(sockets_open(&h->config, &s));
    assert_int_equal(s.https_n, 1);
    sockets_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_socket_of_an_earlier_life_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plain_file_in_its_place_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_taken_port_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_port_is_tried_unless_the_daemon_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_this_machine_lacks_is_left_out_in_the_demo_alone, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
