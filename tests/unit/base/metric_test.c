/* base/metric: one page for all processes, and text that Prometheus takes. */
#include "expect.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metric.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *text(void)
{
    return arena_str(arena, metric_text(arena));
}

static void without_a_page_adding_works(void **state)
{
    (void)state;
    metric_add(METRIC_CERTS_ISSUED, 3);
    metric_set(METRIC_CONNECTIONS, -2);
    assert_int_equal(metric_get(METRIC_CERTS_ISSUED), 3);
    assert_int_equal(metric_get(METRIC_CONNECTIONS), -2);
    metric_add(METRIC_CONNECTIONS, 5);
    assert_non_null(strstr(text(), "\nchancery_certificates_issued_total 3\n"));
    assert_non_null(strstr(text(), "\nchancery_connections 3\n"));
}

static void a_page_is_seen_by_every_process(void **state)
{
    (void)state;
    int fd = -1, status = 1;
    EXPECT_OK(metric_page_new(&fd));
    EXPECT_OK(metric_page_join(fd));
    assert_int_equal(metric_get(METRIC_CERTS_ISSUED), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err *e = metric_page_join(fd);
        metric_add(METRIC_CERTS_ISSUED, 5);
        metric_error(ERR_BAD_CSR);
        _exit(e != NULL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(metric_get(METRIC_CERTS_ISSUED), 5);
    assert_non_null(strstr(text(), "\nchancery_errors_total{type=\"bad-csr\"} 1\n"));
    assert_non_null(strstr(text(), "\nchancery_errors_total{type=\"busy\"} 0\n"));
    assert_true(ftruncate(fd, 0) < 0); /* nobody takes the page away */
    close(fd);
}

static void a_page_of_another_size_is_refused(void **state)
{
    (void)state;
    int fd = memfd_create("other", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 100), 0);
    EXPECT_ERR(metric_page_join(fd), ERR_PROTOCOL, "100 octets");
    close(fd);
    EXPECT_ERR(metric_page_join(-1), ERR_IO, "metric page");
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    static const uint64_t us[] = {0, 500, 501, 1000000, 10000000, 10000001, 3600000000};
    for (size_t i = 0; i < sizeof us / sizeof *us; i++)
        metric_observe_us(METRIC_ISSUE_TIME, us[i]);
    const char *t = text();
    assert_non_null(strstr(t, "\n# TYPE chancery_issue_seconds histogram\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_bucket{le=\"0.0005\"} 2\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_bucket{le=\"0.001\"} 3\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_bucket{le=\"1\"} 4\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_bucket{le=\"10\"} 5\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_bucket{le=\"+Inf\"} 7\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_sum 3621.001002\n"));
    assert_non_null(strstr(t, "\nchancery_issue_seconds_count 7\n"));
    assert_int_equal(metric_get(METRIC_ISSUE_TIME), 7);
}

/* The grammar of the text format 0.0.4, line by line; every sample's family was announced before it. */
static void every_line_has_the_form_of_the_format(void **state)
{
    (void)state;
    regex_t head, sample;
    char family[128] = "";
    assert_int_equal(regcomp(&head, "^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regcomp(&sample, "^[a-z_]+(\\{(le|type)=\"[-+.0-9a-zA-Z]+\"\\})? -?[0-9]+(\\.[0-9]+)?$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    char *t = arena_str(arena, metric_text(arena));
    assert_int_equal(t[strlen(t) - 1], '\n');
    for (char *at = t, *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        if (regexec(at[0] == '#' ? &head : &sample, at, 0, NULL, 0) != 0)
            fail_msg("%s", at);
        if (strncmp(at, "# TYPE ", 7) == 0)
            assert_int_equal(sscanf(at, "# TYPE %127s", family), 1);
        if (at[0] != '#')
            assert_true(strncmp(at, family, strlen(family)) == 0);
    }
    regfree(&head);
    regfree(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_page_adding_works),
        cmocka_unit_test(a_page_is_seen_by_every_process),
        cmocka_unit_test(a_page_of_another_size_is_refused),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(every_line_has_the_form_of_the_format),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
