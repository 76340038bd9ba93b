/* base/file: a reader sees the old or the new, bounds hold, seals are sealed. */
#include "expect.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static struct arena *arena;
static char folder[] = "/tmp/chancery-file-XXXXXX";

static int setup(void **state)
{
    (void)state;
    arena = arena_new(32 << 20);
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", folder, name);
}

/* How many entries; with `remove`, until there are none. */
static size_t entries(bool remove_all)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *at = readdir(d); at; at = readdir(d)) {
        if (at->d_name[0] == '.')
            continue;
        n++;
        if (remove_all)
            assert_int_equal(remove(path_of(at->d_name)), 0);
    }
    closedir(d);
    return n;
}

static int teardown(void **state)
{
    (void)state;
    entries(true);
    rmdir(folder);
    arena_free(arena);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct view got;
    struct stat st;
    const char *path = path_of("a");
    EXPECT_OK(file_write(path, view_str("first"), 0640));
    EXPECT_OK(file_write(path, view_str("second"), 0600));
    EXPECT_OK(file_read(path, 6, arena, &got));
    EXPECT_VIEW(got, "second");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    EXPECT_OK(file_write(path, view_of(NULL, 0), 0600));
    EXPECT_OK(file_read(path, 0, arena, &got));
    assert_int_equal(got.n, 0);
    assert_int_equal(entries(true), 1); /* no temporary is left */
}

static void a_file_over_the_bound_is_refused(void **state)
{
    (void)state;
    struct view got;
    char *big = arena_alloc(arena, 100000);
    const char *path = path_of("big");
    EXPECT_OK(file_write(path, view_of(big, 100000), 0600));
    EXPECT_ERR(file_read(path, 99999, arena, &got), ERR_TOO_LARGE, "99999");
    EXPECT_OK(file_read(path, 100000, arena, &got));
    assert_int_equal(got.n, 100000);
    EXPECT_OK(file_read(path, 1 << 20, arena, &got));
    assert_int_equal(got.n, 100000);
    entries(true);
}

static void a_file_without_size_is_read_to_its_end(void **state)
{
    (void)state;
    struct view got;
    EXPECT_OK(file_read("/proc/self/status", 1 << 16, arena, &got));
    assert_true(view_starts(got, view_str("Name:")));
    EXPECT_ERR(file_read("/proc/self/status", 10, arena, &got), ERR_TOO_LARGE, "10 octets");
    EXPECT_ERR(file_read("/dev/zero", 100000, arena, &got), ERR_TOO_LARGE, "100000 octets");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct view got = {NULL, 77};
    const char *fifo = path_of("fifo");
    EXPECT_ERR(file_read(path_of("none"), 10, arena, &got), ERR_NOT_FOUND, "No such file");
    EXPECT_ERR(file_read(folder, 10, arena, &got), ERR_IO, "directory");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    EXPECT_ERR(file_read(fifo, 10, arena, &got), ERR_IO, "cannot read");
    assert_int_equal(got.n, 77);
    EXPECT_ERR(file_write(path_of("none/a"), view_str("x"), 0600), ERR_NOT_FOUND, "create");
    entries(true);
}

static void a_failed_write_leaves_the_old(void **state)
{
    (void)state;
    const char *path = path_of("folder-in-the-way");
    assert_int_equal(mkdir(path, 0700), 0);
    EXPECT_ERR(file_write(path, view_str("x"), 0600), ERR_IO, "rename");
    assert_int_equal(entries(false), 1);
    rmdir(path);
}

static void a_sealed_file_cannot_change(void **state)
{
    (void)state;
    int fd = -1;
    struct view got;
    EXPECT_OK(file_sealed("generation", view_str("content"), &fd));
    EXPECT_OK(file_check_sealed(fd));
    EXPECT_OK(file_read_fd(fd, 100, arena, &got));
    EXPECT_VIEW(got, "content");
    EXPECT_OK(file_read_fd(fd, 100, arena, &got)); /* from its start again */
    EXPECT_VIEW(got, "content");
    assert_true(pwrite(fd, "x", 1, 0) < 0);
    assert_true(ftruncate(fd, 0) < 0);
    assert_true(ftruncate(fd, 100) < 0);
    assert_true(mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    close(fd);
}

static void what_is_not_sealed_is_refused(void **state)
{
    (void)state;
    int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT_ERR(file_check_sealed(fd), ERR_PROTOCOL, "not sealed");
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK), 0);
    EXPECT_ERR(file_check_sealed(fd), ERR_PROTOCOL, "not sealed"); /* seals could still be added */
    close(fd);
    fd = open("/dev/null", O_RDONLY);
    EXPECT_ERR(file_check_sealed(fd), ERR_PROTOCOL, "no memory file");
    close(fd);
}

static void a_folder_may_be_there(void **state)
{
    (void)state;
    const char *path = path_of("sub");
    EXPECT_OK(file_mkdir(path, 0700));
    EXPECT_OK(file_mkdir(path, 0700));
    EXPECT_ERR(file_mkdir(path_of("none/sub"), 0700), ERR_NOT_FOUND, "folder");
    rmdir(path);
    EXPECT_OK(file_write(path, view_str("x"), 0600));
    EXPECT_ERR(file_mkdir(path, 0700), ERR_IO, "exists");
    entries(true);
}

static void a_lock_has_one_holder(void **state)
{
    (void)state;
    int first = -1, second = -1;
    const char *path = path_of("lock");
    EXPECT_OK(file_lock(path, &first));
    EXPECT_ERR(file_lock(path, &second), ERR_WRONG_STATE, "held");
    assert_int_equal(second, -1);
    close(first);
    EXPECT_OK(file_lock(path, &second));
    close(second);
    entries(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_file_over_the_bound_is_refused),
        cmocka_unit_test(a_file_without_size_is_read_to_its_end),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_failed_write_leaves_the_old),
        cmocka_unit_test(a_sealed_file_cannot_change),
        cmocka_unit_test(what_is_not_sealed_is_refused),
        cmocka_unit_test(a_folder_may_be_there),
        cmocka_unit_test(a_lock_has_one_holder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
