/*
 * Files of the shelf: opening what an item names, and sweeping what none does. Any thread; the sweep before
 * anything else is done with the shelf.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/world.h"
#include "shelf_form.h"

struct err *shelf_form_open(const char *files, const struct shelf_item *item, int *ret_fd)
{
    struct err *e = NULL;
    char *path;
    struct stat st;
    CHECK(item->file && asprintf(&path, "%s/%s", files, item->file) > 0);
    int fd = world_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0)
        TRY(err_sys(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "a file of the shelf"));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != item->file_bytes)
        TRY(err_new(ERR_CORRUPT, "a file of the shelf is not as long as it was"));
    *ret_fd = fd;
    fd = -1;
out:
    if (fd >= 0)
        close(fd);
    free(path);
    return e;
}

static struct err *is_named(const struct store_ops *ops, struct store_txn *t, const char *name, bool *ret)
{
    struct err *e = NULL;
    struct store_cursor *c = NULL;
    struct view key, value;
    struct shelf_item item;
    bool found;
    *ret = false;
    TRY(ops->cursor(t, SHELF_BLOBS, &c));
    TRY(ops->move(c, STORE_FIRST, &key, &value, &found));
    while (found && !*ret) {
        *ret = shelf_form_get(value, &item) && item.file && strcmp(item.file, name) == 0;
        TRY(ops->move(c, STORE_NEXT, &key, &value, &found));
    }
out:
    ops->cursor_free(c);
    return e;
}

static struct err *sweep(const struct store_ops *ops, struct store_txn *t, DIR *dir)
{
    struct err *e = NULL;
    const struct dirent *d;
    bool named;
    while ((d = readdir(dir)) != NULL) {
        if (strncmp(d->d_name, SHELF_FILE_PREFIX, strlen(SHELF_FILE_PREFIX)) != 0)
            continue;
        TRY(is_named(ops, t, d->d_name, &named));
        if (!named && unlinkat(dirfd(dir), d->d_name, 0) != 0)
            log_warn("shelf.file", log_text("name", d->d_name), log_text("why", strerror(errno)));
    }
out:
    return e;
}

struct err *shelf_files_sweep(const struct store_ops *ops, struct store *store, const char *files)
{
    struct err *e = NULL;
    struct store_txn *t = NULL;
    DIR *dir = opendir(files);
    if (!dir)
        return err_sys(ERR_IO, errno, "%s", files);
    TRY(ops->begin(store, false, &t));
    TRY(sweep(ops, t, dir));
out:
    ops->abort(t);
    closedir(dir);
    return e;
}
