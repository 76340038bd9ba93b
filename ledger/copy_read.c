/* Reading a copy of the log through a memory map: head, foot, and one entry after the other. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/der.h"
#include "base/world.h"
#include "copy_form.h"

enum { CHECK_ARENA_BYTES = 8 << 20, NAME_BYTES = 16 + 1 + 16 + 8, SIZE_BYTES = 4 };

bool copy_name_read(const char *name, struct copy_name *ret)
{
    int end = 0;
    return strlen(name) == NAME_BYTES &&
           sscanf(name, "%16" SCNx64 "-%16" SCNx64 ".entries%n", &ret->from, &ret->to, &end) == 2 &&
           end == NAME_BYTES && ret->from > 0 && ret->to >= ret->from;
}

static struct err *broken(const struct copy *c, uint64_t seq, const struct view *at, const char *why)
{
    return err_new(ERR_CORRUPT, "%s: entry %" PRIu64 ", at octet %zu: %s", c->path, seq,
                   (size_t)(at->p - c->file.p), why);
}

/* Takes e. */
static struct err *broken_by(const struct copy *c, uint64_t seq, const struct view *at, struct err *e)
{
    struct err *as = broken(c, seq, at, err_detail(e));
    err_free(e);
    return as;
}

/* --- head and foot --- */

static struct err *read_head(struct copy *c)
{
    struct err *e = NULL;
    struct view head, tree;
    uint64_t version;
    TRY(der_read(&c->rest, DER_SEQUENCE, &head));
    TRY(der_read_uint(&head, UINT64_MAX, &version));
    if (version != COPY_VERSION)
        return err_new(ERR_WRONG_STATE, "%s: version %" PRIu64 "; this program knows %d", c->path, version,
                       COPY_VERSION);
    TRY(der_read_uint(&head, UINT64_MAX, &c->name.from));
    TRY(der_read(&head, DER_OCTET_STRING, &tree));
    TRY(tree_get(tree, &c->before));
    TRY(der_end(head));
    if (c->before.n + 1 != c->name.from)
        e = err_new(ERR_CORRUPT, "the frontier is not that before its first entry");
    c->tree = c->before;
out:
    return e;
}

static struct err *read_foot_body(struct copy *c, struct view foot)
{
    struct err *e = NULL;
    struct view in, leaf, tree;
    TRY(der_read(&foot, DER_CONTEXT_CONS(0), &in));
    TRY(der_end(foot));
    TRY(der_read_uint(&in, UINT64_MAX, &c->name.to));
    TRY(der_read(&in, DER_OCTET_STRING, &leaf));
    TRY(der_read(&in, DER_OCTET_STRING, &tree));
    TRY(tree_get(tree, &c->after));
    TRY(der_end(in));
    if (leaf.n != SHA256_BYTES || c->after.n != c->name.to || c->name.to < c->name.from)
        return err_new(ERR_CORRUPT, "the foot does not fit the head");
    memcpy(c->last, leaf.p, SHA256_BYTES);
out:
    return e;
}

static struct err *read_foot(struct copy *c)
{
    size_t size = 0;
    if (c->rest.n < SIZE_BYTES)
        return err_new(ERR_CORRUPT, "it ends early");
    const uint8_t *end = c->rest.p + c->rest.n;
    for (unsigned i = 0; i < SIZE_BYTES; i++)
        size = size << 8 | end[(int)i - SIZE_BYTES];
    if (size > c->rest.n - SIZE_BYTES)
        return err_new(ERR_CORRUPT, "it ends early");
    struct err *e = read_foot_body(c, view_of(end - SIZE_BYTES - size, size));
    c->rest.n -= SIZE_BYTES + size;
    return e;
}

static struct err *map_file(struct copy *c)
{
    struct err *e = NULL;
    struct stat st;
    int fd = world_open(c->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0)
        return err_sys(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", c->path);
    if (fstat(fd, &st) != 0)
        TRY(err_sys(ERR_IO, errno, "%s", c->path));
    if (st.st_size == 0)
        TRY(err_new(ERR_CORRUPT, "%s is empty", c->path));
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        TRY(err_sys(ERR_IO, errno, "%s", c->path));
    c->file = c->rest = view_of(p, (size_t)st.st_size);
out:
    close(fd);
    return e;
}

struct err *copy_open(const char *path, struct copy **ret)
{
    struct err *e = NULL;
    struct copy *c = calloc(1, sizeof(*c));
    CHECK(c);
    snprintf(c->path, sizeof(c->path), "%s", path);
    TRY(map_file(c));
    e = read_head(c);
    if (!e)
        e = read_foot(c);
    if (e && (err_code(e) == ERR_CORRUPT || err_code(e) == ERR_BAD_DER)) {
        struct err *as = err_new(ERR_CORRUPT, "%s: head or foot: %s", path, err_detail(e));
        err_free(e);
        e = as;
    }
    if (e)
        goto out;
    *ret = c;
    c = NULL;
out:
    copy_close(c);
    return e;
}

void copy_close(struct copy *c)
{
    if (!c)
        return;
    if (c->file.p)
        munmap((void *)(uintptr_t)c->file.p, c->file.n);
    free(c);
}

/* --- entries --- */

static struct err *read_item(struct copy *c, struct view *ret_leaf, struct view *ret_value)
{
    struct err *e = NULL;
    struct view item;
    TRY(der_read(&c->rest, DER_SEQUENCE, &item));
    TRY(der_read(&item, DER_OCTET_STRING, ret_leaf));
    *ret_value = item;
out:
    return e;
}

static struct err *at_end(struct copy *c)
{
    if (c->tree.n == c->after.n && tree_eq(&c->tree, &c->after) &&
        memcmp(c->seen, c->last, SHA256_BYTES) == 0)
        return NULL;
    return broken(c, c->tree.n, &c->rest, "what precedes it does not have the tree its foot names");
}

struct err *copy_next(struct copy *c, struct arena *arena, struct ledger_entry *ret, struct view *ret_value,
                      bool *ret_more)
{
    struct view leaf, at = c->rest;
    uint64_t seq = c->tree.n + 1;
    *ret_more = c->rest.n > 0;
    if (!*ret_more)
        return at_end(c);
    struct err *e = read_item(c, &leaf, ret_value);
    if (!e)
        e = entry_read(*ret_value, arena, ret);
    if (e)
        return broken_by(c, seq, &at, e);
    if (ret->seq != seq)
        return broken(c, seq, &at, "it says it is another");
    if (!view_eq(leaf, view_of(ret->leaf, SHA256_BYTES)))
        return broken(c, seq, &at, "it does not have the leaf it was written with");
    tree_add(&c->tree, ret->leaf);
    memcpy(c->seen, ret->leaf, SHA256_BYTES);
    return NULL;
}

struct err *copy_check(const char *path, struct tree *ret_after)
{
    struct err *e = NULL;
    struct copy *c = NULL;
    struct ledger_entry en;
    struct view value;
    bool more = true;
    struct arena *arena = arena_new(CHECK_ARENA_BYTES);
    TRY(copy_open(path, &c));
    while (more) {
        arena_reset(arena);
        TRY(copy_next(c, arena, &en, &value, &more));
    }
    *ret_after = c->after;
out:
    copy_close(c);
    arena_free(arena);
    return e;
}
