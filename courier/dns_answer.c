/* Compressed names are undone by c-ares; the rest is a header and records, each bounded by its length. */
#include "dns_answer.h"

#include <ares.h>

enum { HEADER_BYTES = 12, QUESTION_TAIL_BYTES = 4, RECORD_TAIL_BYTES = 10, CLASS_IN = 1 };

struct record {
    const char *owner;
    uint16_t type, class;
    struct view rdata;
};

struct message {
    struct view all, left;
    struct arena *arena;
};

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool name_at(const struct message *m, const uint8_t *at, const char **ret, size_t *ret_n)
{
    char *name;
    long n;
    if (ares_expand_name(at, m->all.p, (int)m->all.n, &name, &n) != ARES_SUCCESS)
        return false;
    *ret = arena_str(m->arena, view_str(name));
    *ret_n = (size_t)n;
    ares_free_string(name);
    return true;
}

static bool name_read(struct message *m, const char **ret)
{
    size_t n;
    struct view taken;
    return m->left.n > 0 && name_at(m, m->left.p, ret, &n) && view_take(&m->left, n, &taken);
}

static bool record_read(struct message *m, struct record *r)
{
    struct view tail;
    if (!name_read(m, &r->owner) || !view_take(&m->left, RECORD_TAIL_BYTES, &tail))
        return false;
    r->type = u16(tail.p);
    r->class = u16(tail.p + 2);
    return view_take(&m->left, u16(tail.p + 8), &r->rdata);
}

static bool questions_skip(struct message *m, size_t n)
{
    const char *name;
    struct view tail;
    for (size_t i = 0; i < n; i++)
        if (!name_read(m, &name) || !view_take(&m->left, QUESTION_TAIL_BYTES, &tail))
            return false;
    return true;
}

/* Records of other classes are passed over. */
static bool records_read(struct message *m, size_t n, struct record *to, size_t *ret_n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!record_read(m, &to[kept]))
            return false;
        kept += to[kept].class == CLASS_IN;
    }
    *ret_n = kept;
    return true;
}

static bool same_name(const char *a, const char *b)
{
    return view_eq_nocase(view_str(a), view_str(b));
}

/* Where the name leads to; NULL where it is no alias. */
static const char *alias_of(const struct message *m, const struct record *records, size_t n, const char *name)
{
    const char *target;
    size_t length;
    for (size_t i = 0; i < n; i++)
        if (records[i].type == DNS_CNAME && records[i].rdata.n > 0 && same_name(records[i].owner, name) &&
            name_at(m, records[i].rdata.p, &target, &length))
            return target;
    return NULL;
}

struct err *dns_answer_read(struct view message, const char *name, enum dns_type type, struct arena *arena,
                            struct dns_answer *ret)
{
    struct message m = {message, message, arena};
    struct record records[DNS_RECORDS_MAX + 1];
    struct dns_answer a = {.n = 0};
    struct view head;
    size_t n = 0;
    if (!view_take(&m.left, HEADER_BYTES, &head) || !questions_skip(&m, u16(head.p + 4)) ||
        u16(head.p + 6) > DNS_RECORDS_MAX || !records_read(&m, u16(head.p + 6), records, &n))
        return err_new(ERR_BAD_REQUEST, "an answer that cannot be read");
    a.aliases = arena_array(arena, DNS_ALIASES_MAX, sizeof *a.aliases);
    for (const char *to = name; a.aliases_n < DNS_ALIASES_MAX; name = to) {
        to = alias_of(&m, records, n, name);
        if (!to)
            break;
        a.aliases[a.aliases_n++] = to;
    }
    a.rdata = arena_array(arena, n, sizeof *a.rdata);
    for (size_t i = 0; i < n; i++)
        if (records[i].type == type && same_name(records[i].owner, name))
            a.rdata[a.n++] = arena_dup(arena, records[i].rdata);
    *ret = a;
    return NULL;
}

bool dns_answer_txt(struct view rdata, struct arena *arena, struct view *ret)
{
    uint8_t *to = arena_alloc(arena, rdata.n);
    size_t n = 0;
    struct view length, text;
    while (rdata.n > 0) {
        if (!view_take(&rdata, 1, &length) || !view_take(&rdata, length.p[0], &text))
            return false;
        if (text.n > 0)
            memcpy(to + n, text.p, text.n);
        n += text.n;
    }
    *ret = view_of(to, n);
    return true;
}
