/*
 * The page itself: making and mapping it, rules, counters. Slots are claimed by compare-and-swap and read
 * only when marked ready, so that processes need no lock between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world_test.h"

static struct world_page *map(int fd)
{
    if (fd < 0)
        return NULL;
    void *p = mmap(NULL, sizeof(struct world_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int saved = errno;
    close(fd);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

struct world_page *world_page_create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    /* Children under other users map it too, whatever the umask. */
    if (fchmod(fd, 0666) != 0 || ftruncate(fd, sizeof(struct world_page)) != 0) {
        close(fd);
        return NULL;
    }
    struct world_page *p = map(fd);
    if (p)
        p->magic = WORLD_MAGIC;
    return p;
}

struct world_page *world_page_open(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || (size_t)st.st_size != sizeof(struct world_page))) {
        close(fd);
        errno = EINVAL;
        return NULL;
    }
    struct world_page *p = map(fd);
    if (p && p->magic != WORLD_MAGIC) {
        munmap(p, sizeof(*p));
        errno = EINVAL;
        return NULL;
    }
    return p;
}

static bool claim(atomic_uint *state)
{
    unsigned was_free = WORLD_RULE_FREE;
    return atomic_compare_exchange_strong(state, &was_free, WORLD_RULE_MAKING);
}

int world_page_rule(struct world_page *p, const struct world_rule *like)
{
    for (int i = 0; i < WORLD_RULES; i++) {
        struct world_rule *r = &p->rules[i];
        if (!claim(&r->state))
            continue;
        r->action = like->action;
        r->value = like->value;
        r->after = like->after;
        r->times = like->times;
        atomic_store(&r->seen, 0);
        memcpy(r->name, like->name, sizeof(r->name));
        memcpy(r->process, like->process, sizeof(r->process));
        memcpy(r->path, like->path, sizeof(r->path));
        atomic_store(&r->state, WORLD_RULE_ON);
        return i;
    }
    return -1;
}

void world_page_clear(struct world_page *p, int rule)
{
    for (int i = 0; i < WORLD_RULES; i++)
        if (rule == -1 || rule == i)
            atomic_store(&p->rules[i].state, WORLD_RULE_FREE);
}

static bool is(const struct world_counter *c, const char *name, const char *process)
{
    return strncmp(c->name, name, sizeof(c->name)) == 0 &&
           (!process || strncmp(c->process, process, sizeof(c->process)) == 0);
}

unsigned long long world_page_count(const struct world_page *p, const char *name, const char *process)
{
    unsigned long long n = 0;
    for (int i = 0; i < WORLD_COUNTERS; i++)
        if (atomic_load(&p->counters[i].state) == WORLD_RULE_ON && is(&p->counters[i], name, process))
            n += atomic_load(&p->counters[i].n);
    return n;
}

static void copy(char *to, size_t cap, const char *from)
{
    size_t n = strnlen(from, cap - 1);
    memcpy(to, from, n);
    to[n] = '\0';
}

/* Two slots may come to stand for one name where two processes meet here; world_page_count adds them up. */
void world_page_pass(struct world_page *p, const char *name, const char *process)
{
    for (int i = 0; i < WORLD_COUNTERS; i++) {
        struct world_counter *c = &p->counters[i];
        if (claim(&c->state)) {
            copy(c->name, sizeof(c->name), name);
            copy(c->process, sizeof(c->process), process);
            atomic_store(&c->n, 1);
            atomic_store(&c->state, WORLD_RULE_ON);
            return;
        }
        if (atomic_load(&c->state) == WORLD_RULE_ON && is(c, name, process)) {
            atomic_fetch_add(&c->n, 1);
            return;
        }
    }
}
