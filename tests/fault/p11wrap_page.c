/* The page of p11wrap.h: made, mapped, and its names. Used by the wrapping module, by p11wrap-ctl and by test
 * programs. */
#include "p11wrap.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const names[] = {
#define WRAP(name, params, args) #name,
#include "p11wrap.def"
#undef WRAP
};

enum p11wrap_call p11wrap_call_of(const char *name)
{
    int i = 0;

    while (i < P11WRAP__COUNT && strcmp(names[i], name) != 0)
        i++;
    return (enum p11wrap_call)i;
}

const char *p11wrap_call_name(enum p11wrap_call call)
{
    return names[call];
}

struct p11wrap_page *p11wrap_page_map(const char *path, int create)
{
    struct p11wrap_page *page;
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0666);

    if (fd < 0 || (create && ftruncate(fd, sizeof *page) != 0)) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        return NULL;
    if (create)
        atomic_store(&page->magic, P11WRAP_MAGIC);
    return page;
}

void p11wrap_rule_set(struct p11wrap_page *page, enum p11wrap_call call, enum p11wrap_action action,
                      unsigned long value, long long skip, long long times)
{
    struct p11wrap_rule *r = &page->rules[call];

    atomic_store(&r->action, P11WRAP_NONE);
    atomic_store(&r->value, value);
    atomic_store(&r->skip, skip);
    atomic_store(&r->times, times ? times : INT64_MAX);
    atomic_store(&r->action, (unsigned)action);
}
