/* Mapping the seal roll: see roll.h. Header and entries are SEQUENCEs one after the other. */
#include "roll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/der.h"

struct view roll_whole(struct view file)
{
    struct view rest = file, item;
    struct err *e = NULL;
    while (rest.n && !(e = der_read_whole(&rest, DER_SEQUENCE, &item)))
        ;
    err_free(e);
    return view_of(file.p, file.n - rest.n);
}

struct err *roll_map(const char *path, struct view *ret)
{
    struct err *e = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        TRY(err_sys(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "the seal roll %s", path));
    if (st.st_size == 0)
        TRY(err_new(ERR_CORRUPT, "the seal roll %s is empty", path));
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        TRY(err_sys(ERR_IO, errno, "mapping %s", path));
    *ret = roll_whole(view_of(p, (size_t)st.st_size));
out:
    if (fd >= 0)
        close(fd);
    return e;
}

/* The kernel takes any length that ends in the last page. */
void roll_unmap(struct view roll)
{
    if (roll.n)
        munmap((void *)(uintptr_t)roll.p, roll.n);
}
