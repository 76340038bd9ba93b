/* base/secret: read once, bounded, wiped. */
#include "expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static int memory_file(const char *text)
{
    int fd = memfd_create("secret", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void a_secret_is_a_copy(void **state)
{
    (void)state;
    char text[] = "12345678";
    struct secret *s = NULL;
    EXPECT_OK(secret_of(view_str(text), &s));
    secret_wipe(text, sizeof text);
    assert_int_equal(text[0], 0);
    EXPECT_VIEW(secret_view(s), "12345678");
    secret_free(s);
    EXPECT_OK(secret_of(view_of(NULL, 0), &s));
    assert_int_equal(secret_view(s).n, 0);
    secret_free(s);
    secret_free(NULL);
}

static void one_newline_is_left_off(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"1234\n", "1234"}, {"1234", "1234"}, {"1234\n\n", "1234\n"},
                                          {"\n", ""},         {"", ""},         {"12345678\n", "12345678"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct secret *s = NULL;
        int fd = memory_file(rows[i][0]);
        EXPECT_OK(secret_read(fd, 8, &s));
        EXPECT_VIEW(secret_view(s), rows[i][1]);
        secret_free(s);
        close(fd);
    }
}

static void too_long_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"123456789", "123456789\n", "12345678\n\n", "1234567890123456789012"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct secret *s = NULL;
        int fd = memory_file(rows[i]);
        EXPECT_ERR(secret_read(fd, 8, &s), ERR_TOO_LARGE, "8 octets");
        assert_null(s);
        close(fd);
    }
}

static void a_descriptor_read_before_gives_it_again(void **state)
{
    (void)state;
    int fd = memory_file("1234\n");
    for (int i = 0; i < 2; i++) {
        struct secret *s = NULL;
        EXPECT_OK(secret_read(fd, 8, &s));
        EXPECT_VIEW(secret_view(s), "1234");
        secret_free(s);
    }
    close(fd);
}

static void a_pipe_will_do(void **state)
{
    (void)state;
    int ends[2];
    struct secret *s = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "12", 2), 2);
    assert_int_equal(write(ends[1], "34\n", 3), 3);
    close(ends[1]);
    EXPECT_OK(secret_read(ends[0], 8, &s));
    EXPECT_VIEW(secret_view(s), "1234");
    secret_free(s);
    close(ends[0]);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct secret *s = NULL;
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    EXPECT_ERR(secret_read(fd, 8, &s), ERR_IO, "cannot be read");
    close(fd);
    EXPECT_ERR(secret_read(-1, 8, &s), ERR_IO, "cannot be read");
}

/* The flag of the mapping that holds p, from the kernel's own account: "lo" locked, "dd" not dumped. */
static int has_flags(const void *p, const char *flags)
{
    char line[512];
    bool inside = false;
    int found = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flags) != NULL;
    }
    fclose(maps);
    return found;
}

static void its_pages_are_locked_and_left_out_of_cores(void **state)
{
    (void)state;
    static char plain[8192] __attribute__((aligned(4096)));
    struct secret *s = NULL;
    plain[0] = 1;
    assert_int_equal(mlock(plain, sizeof plain), 0);
    int locks = has_flags(plain, " lo"); /* AddressSanitizer makes mlock do nothing */
    EXPECT_OK(secret_of(view_str("1234"), &s));
    assert_int_equal(has_flags(secret_view(s).p, " lo"), locks);
    assert_true(has_flags(secret_view(s).p, " dd"));
    assert_true(has_flags(secret_view(s).p, " wf"));
    assert_false(has_flags(plain, " dd"));
    secret_free(s);
    munlock(plain, sizeof plain);
}

static void a_forked_child_has_it_not(void **state)
{
    (void)state;
    struct secret *s = NULL;
    int status = 0;
    EXPECT_OK(secret_of(view_str("1234"), &s));
    const uint8_t *bytes = secret_view(s).p;
    pid_t child = fork();
    if (child == 0)
        _exit(bytes[0] == 0 && bytes[3] == 0 ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    EXPECT_VIEW(secret_view(s), "1234");
    secret_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(one_newline_is_left_off),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(a_descriptor_read_before_gives_it_again),
        cmocka_unit_test(a_pipe_will_do),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
        cmocka_unit_test(its_pages_are_locked_and_left_out_of_cores),
        cmocka_unit_test(a_forked_child_has_it_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
