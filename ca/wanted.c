/*
 * The form of a request that waits:
 *
 *     Request ::= SEQUENCE { template, issuer UTF8String ("": the default), csr, replaces OCTET STRING,
 *                            renews BOOLEAN, notAfter, validity INTEGER (0: not asked for),
 *                            subject [0] SEQUENCE OF SEQUENCE { UTF8String, UTF8String } OPTIONAL,
 *                            sans [1] SEQUENCE OF UTF8String OPTIONAL, extensions [2] Extensions OPTIONAL }
 *
 * Any thread.
 */
#include "wanted.h"

#include "base/der.h"
#include "cert/ext.h"

enum { TEXT_MAX = 4096, SANS_MAX = 1000, BYTES_MAX = 80 * 1024 };

static void put_subject(struct der_out *out, const struct ca_request *r)
{
    size_t list = der_begin(out, DER_CONTEXT_CONS(0));
    for (size_t i = 0; i < r->subject_n; i++) {
        size_t m = der_begin(out, DER_SEQUENCE);
        der_put_text(out, r->subject[i].attribute);
        der_put_text(out, r->subject[i].value);
        der_finish(out, m);
    }
    der_finish(out, list);
}

static void put_sans(struct der_out *out, const struct ca_request *r)
{
    size_t list = der_begin(out, DER_CONTEXT_CONS(1));
    for (size_t i = 0; i < r->sans_n; i++)
        der_put_text(out, r->sans[i]);
    der_finish(out, list);
}

struct err *wanted_write(const struct ca_request *r, struct view csr, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, BYTES_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, r->template);
    der_put_text(&out, r->issuer ? r->issuer : "");
    der_put_octets(&out, csr);
    der_put_octets(&out, r->replaces);
    der_put_bool(&out, r->renews);
    der_put_uint(&out, (uint64_t)r->not_after);
    der_put_uint(&out, (uint64_t)r->validity_s);
    if (r->has_subject)
        put_subject(&out, r);
    if (r->has_sans)
        put_sans(&out, r);
    if (r->exts_n > 0) {
        size_t list = der_begin(&out, DER_CONTEXT_CONS(2));
        cert_ext_list_put(&out, r->exts, r->exts_n);
        der_finish(&out, list);
    }
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static struct err *read_subject(struct view list, struct arena *arena, struct ca_request *ret)
{
    struct err *e = NULL;
    struct view one;
    struct templates_rdn *parts = arena_array(arena, LIMIT_RDNS, sizeof *parts);
    ret->has_subject = true;
    ret->subject = parts;
    while (list.n > 0 && ret->subject_n < LIMIT_RDNS) {
        struct templates_rdn *part = &parts[ret->subject_n++];
        TRY(der_read(&list, DER_SEQUENCE, &one));
        TRY(der_read_text(&one, arena, TEXT_MAX, &part->attribute));
        TRY(der_read_text(&one, arena, TEXT_MAX, &part->value));
        TRY(der_end(one));
    }
    TRY(der_end(list));
out:
    return e;
}

static struct err *read_sans(struct view list, struct arena *arena, struct ca_request *ret)
{
    struct err *e = NULL;
    const char **sans = arena_array(arena, SANS_MAX, sizeof *sans);
    ret->has_sans = true;
    ret->sans = sans;
    while (list.n > 0 && ret->sans_n < SANS_MAX)
        TRY(der_read_text(&list, arena, TEXT_MAX, &sans[ret->sans_n++]));
    TRY(der_end(list));
out:
    return e;
}

static struct err *read_given(struct view *in, struct arena *arena, struct ca_request *ret)
{
    struct err *e = NULL;
    struct view list;
    struct cert_ext *exts;
    if (der_peek(*in) == DER_CONTEXT_CONS(0)) {
        TRY(der_read(in, DER_CONTEXT_CONS(0), &list));
        TRY(read_subject(list, arena, ret));
    }
    if (der_peek(*in) == DER_CONTEXT_CONS(1)) {
        TRY(der_read(in, DER_CONTEXT_CONS(1), &list));
        TRY(read_sans(list, arena, ret));
    }
    if (der_peek(*in) == DER_CONTEXT_CONS(2)) {
        TRY(der_read(in, DER_CONTEXT_CONS(2), &list));
        TRY(cert_ext_list_read(&list, arena, &exts, &ret->exts_n));
        TRY(der_end(list));
        ret->exts = exts;
    }
out:
    return e;
}

struct err *wanted_read(struct view der, struct arena *arena, struct ca_request *ret)
{
    struct err *e = NULL;
    struct view body;
    uint64_t not_after, validity;
    struct ca_request r = {.template = NULL};
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(der_read_text(&body, arena, TEXT_MAX, &r.template));
    TRY(der_read_text(&body, arena, TEXT_MAX, &r.issuer));
    TRY(der_read(&body, DER_OCTET_STRING, &r.csr));
    TRY(der_read(&body, DER_OCTET_STRING, &r.replaces));
    TRY(der_read_bool(&body, &r.renews));
    TRY(der_read_uint(&body, INT64_MAX, &not_after));
    TRY(der_read_uint(&body, INT64_MAX, &validity));
    TRY(read_given(&body, arena, &r));
    TRY(der_end(body));
    r.not_after = (int64_t)not_after;
    r.validity_s = (int64_t)validity;
    if (!r.issuer[0])
        r.issuer = NULL;
    *ret = r;
out:
    return e;
}
