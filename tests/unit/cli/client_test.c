/* The connection to the daemon: against an end that answers as it likes, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

static struct {
    char dir[64], config[96], socket[96];
    struct cli c;
    /* the other end: one connection */
    const char *answer;
    size_t answer_n;
    char asked[8192];
    pthread_t thread;
    int listener;
} the;

static int setup(void **state)
{
    (void)state;
    snprintf(the.dir, sizeof the.dir, "/tmp/chancery-cli-XXXXXX");
    assert_non_null(mkdtemp(the.dir));
    snprintf(the.config, sizeof the.config, "%s/chancery.yaml", the.dir);
    snprintf(the.socket, sizeof the.socket, "%s/run/control.sock", the.dir);
    char run[96];
    snprintf(run, sizeof run, "%s/run", the.dir);
    assert_int_equal(mkdir(run, 0700), 0);
    FILE *f = fopen(the.config, "w");
    fputs(config_example(), f);
    fclose(f);
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", the.dir);
    return system(command);
}

static void *serve(void *arg)
{
    int fd = accept(the.listener, NULL, NULL);
    size_t n = 0;
    (void)arg;
    while (n + 1 < sizeof the.asked && !strstr(the.asked, "\r\n\r\n")) {
        ssize_t got = recv(fd, the.asked + n, sizeof the.asked - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        the.asked[n] = '\0';
    }
    if (write(fd, the.answer, the.answer_n) < 0)
        perror("write");
    close(fd);
    return NULL;
}

static void answer_with(const char *text, size_t n)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    the.answer = text;
    the.answer_n = n;
    the.asked[0] = '\0';
    unlink(the.socket);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", the.socket);
    the.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(the.listener, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(the.listener, 1), 0);
    assert_int_equal(pthread_create(&the.thread, NULL, serve, NULL), 0);
    the.c = (struct cli){.config_path = the.config, .arena = arena_new(256u << 20)};
}

static void over(void)
{
    pthread_join(the.thread, NULL);
    close(the.listener);
    arena_free(the.c.arena);
}

static struct err *call(const char *text, json_t *body, json_t **ret)
{
    answer_with(text, strlen(text));
    return cli_call(&the.c, "POST", "/v1/x?y=z", body, ret);
}

static void an_answer(void **state)
{
    json_t *json = NULL;
    (void)state;
    struct err *e = call("HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
                         json_pack("{s:i}", "b", 2), &json);
    if (e)
        fail_msg("%s", err_detail(e));
    assert_int_equal(json_integer_value(json_object_get(json, "a")), 1);
    assert_non_null(strstr(the.asked, "POST /v1/x?y=z HTTP/1.1\r\n"));
    assert_non_null(strstr(the.asked, "Connection: close\r\n"));
    assert_non_null(strstr(the.asked, "Content-Length: 7\r\n"));
    json_decref(json);
    over();
}

static void a_problem_keeps_its_type_detail_and_pointer(void **state)
{
    json_t *json = NULL;
    (void)state;
    struct err *e = call(
        "HTTP/1.1 403 Forbidden\r\n\r\n{\"type\": \"urn:chancery:error:name-forbidden\", \"detail\": \"no\", "
        "\"pointer\": \"/sans/1\"}",
        NULL, &json);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_NAME_FORBIDDEN);
    assert_string_equal(err_detail(e), "no");
    assert_string_equal(err_pointer(e), "/sans/1");
    assert_null(json);
    err_free(e);
    over();
}

static void what_is_no_answer(void **state)
{
    static const char *const texts[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{\"a\": ",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 500 Oops\r\n\r\n<html>",
        "HTTP/1.1 500 Oops\r\n\r\n{\"type\": \"about:blank\"}",
        "\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *json = NULL;
        struct err *e = call(texts[i], NULL, &json);
        if (!e || err_code(e) != ERR_IO)
            fail_msg("%zu: %s", i, e ? err_row(err_code(e))->name : "taken");
        assert_null(json);
        err_free(e);
        over();
    }
}

static void a_large_answer_comes_whole(void **state)
{
    enum { LARGE = 3 << 20 };
    json_t *json = NULL;
    (void)state;
    char *text = malloc(LARGE + 64);
    int n = sprintf(text, "HTTP/1.1 200 OK\r\n\r\n[\"");
    memset(text + n, 'x', LARGE);
    strcpy(text + n + LARGE, "\"]");
    struct err *e = call(text, NULL, &json);
    assert_null(e);
    assert_int_equal(json_string_length(json_array_get(json, 0)), LARGE);
    json_decref(json);
    free(text);
    over();
}

static void without_a_daemon_it_says_how_to_start_one(void **state)
{
    json_t *json = NULL;
    (void)state;
    unlink(the.socket);
    the.c = (struct cli){.config_path = the.config, .arena = arena_new(1 << 22)};
    struct err *e = cli_call(&the.c, "GET", "/v1/x", NULL, &json);
    assert_non_null(e);
    assert_int_equal(err_code(e), ERR_STARTING);
    assert_non_null(strstr(err_detail(e), "chanceryd -c"));
    err_free(e);
    the.c.config_path = "/nonexistent/chancery.yaml";
    e = cli_call(&the.c, "GET", "/v1/x", json_object(), &json);
    assert_non_null(e);
    err_free(e);
    arena_free(the.c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer),
        cmocka_unit_test(a_problem_keeps_its_type_detail_and_pointer),
        cmocka_unit_test(what_is_no_answer),
        cmocka_unit_test(a_large_answer_comes_whole),
        cmocka_unit_test(without_a_daemon_it_says_how_to_start_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
