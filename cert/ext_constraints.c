/*
 * nameConstraints to and from DER (RFC 5280 4.2.1.10). Syntax and text of a subtree are in ext_subtree.c,
 * matching in chain_names.c.
 *
 * A form that could not be matched is refused here, so that no constraint is ever passed over. Any thread.
 */
#include "cert/ext_constraints.h"

#include "ext_value.h"

enum { TAG_EMAIL = 0x81, TAG_DNS = 0x82, TAG_DIRECTORY = 0xa4, TAG_URI = 0x86, TAG_IP = 0x87 };

static const struct {
    enum cert_san_kind kind;
    unsigned tag;
} tags[] = {
    {CERT_SAN_DNS, TAG_DNS},
    {CERT_SAN_IP, TAG_IP},
    {CERT_SAN_URI, TAG_URI},
    {CERT_SAN_EMAIL, TAG_EMAIL},
    {CERT_SAN_DIRECTORY, TAG_DIRECTORY},
};
enum { TAGS = sizeof tags / sizeof *tags };

static struct err *bad(const char *why)
{
    return ext_value_bad(CERT_EXT_NAME_CONSTRAINTS, why);
}

static struct err *put_subtree(struct der_out *out, const struct cert_subtree *subtree)
{
    struct err *e = NULL;
    size_t i = 0;
    TRY(cert_ext_subtree_check(subtree));
    while (i + 1 < TAGS && tags[i].kind != subtree->kind)
        i++;
    size_t m = der_begin(out, DER_SEQUENCE); /* minimum 0 is the default, maximum absent (4.2.1.10) */
    der_put(out, tags[i].tag, subtree->value);
    der_finish(out, m);
out:
    return e;
}

static struct err *put_subtrees(struct der_out *out, unsigned tag, struct cert_subtrees list,
                                const char *name)
{
    struct err *e = NULL;
    if (!list.n)
        return NULL;
    if (list.n > CERT_SUBTREES_MAX)
        return err_new(ERR_TOO_MANY, "more than %d %s subtrees", CERT_SUBTREES_MAX, name);
    size_t m = der_begin(out, tag);
    for (size_t i = 0; i < list.n; i++)
        TRY(err_at(put_subtree(out, &list.v[i]), "/%s/%zu", name, i));
    der_finish(out, m);
out:
    return e;
}

struct err *cert_ext_write_constraints(const struct cert_constraints *constraints, bool critical,
                                       struct arena *arena, struct cert_ext *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!constraints->permitted.n && !constraints->excluded.n)
        return bad("needs at least one subtree");
    ext_value_begin(&out, arena);
    size_t m = der_begin(&out, DER_SEQUENCE);
    TRY(put_subtrees(&out, DER_CONTEXT_CONS(0), constraints->permitted, "permitted"));
    TRY(put_subtrees(&out, DER_CONTEXT_CONS(1), constraints->excluded, "excluded"));
    der_finish(&out, m);
    TRY(ext_value_done(&out, CERT_EXT_NAME_CONSTRAINTS, critical, ret));
out:
    return e;
}

static struct err *read_subtree(struct view *in, struct cert_subtree *ret)
{
    struct err *e = NULL;
    struct view seq, body;
    unsigned tag = 0;
    size_t i = 0;
    TRY(der_read(in, DER_SEQUENCE, &seq));
    TRY(der_read_any(&seq, &tag, NULL, &body));
    while (i < TAGS && tags[i].tag != tag)
        i++;
    if (i == TAGS)
        return bad("a subtree other than of dns, ip, uri, email and directory names");
    if (seq.n)
        return bad("a subtree with minimum or maximum");
    *ret = (struct cert_subtree){tags[i].kind, body};
    TRY(cert_ext_subtree_check(ret));
out:
    return e;
}

static struct err *read_subtrees(struct view *in, unsigned tag, struct arena *arena,
                                 struct cert_subtrees *ret)
{
    struct err *e = NULL;
    struct view body;
    size_t n = 0;
    TRY(der_read_optional(in, tag, &body));
    *ret = (struct cert_subtrees){NULL, 0};
    if (!body.p)
        return NULL;
    if (!body.n)
        return bad("an empty list of subtrees");
    struct cert_subtree *list = arena_array(arena, CERT_SUBTREES_MAX, sizeof *list);
    while (body.n) {
        if (n == CERT_SUBTREES_MAX)
            return err_new(ERR_TOO_MANY, "more than %d subtrees", CERT_SUBTREES_MAX);
        TRY(read_subtree(&body, &list[n++]));
    }
    *ret = (struct cert_subtrees){list, n};
out:
    return e;
}

struct err *cert_ext_read_constraints(struct view value, struct arena *arena, struct cert_constraints *ret)
{
    struct err *e = NULL;
    struct view seq;
    struct cert_constraints constraints;
    TRY(der_read(&value, DER_SEQUENCE, &seq));
    TRY(der_end(value));
    TRY(read_subtrees(&seq, DER_CONTEXT_CONS(0), arena, &constraints.permitted));
    TRY(read_subtrees(&seq, DER_CONTEXT_CONS(1), arena, &constraints.excluded));
    TRY(der_end(seq));
    if (!constraints.permitted.n && !constraints.excluded.n)
        return bad("needs at least one subtree");
    *ret = constraints;
out:
    return err_wrap(e, "nameConstraints (RFC 5280 4.2.1.10)");
}
