/*
 * GeneralNames (RFC 5280 4.2.1.6) to and from DER. Syntax is in san_check.c, text in san_text.c, what is more
 * than a string or an address in san_other.c.
 *
 * Every name that comes out of the reader has been checked; nothing is looked up anywhere. Any thread.
 */
#include "cert/san.h"

#include "base/der.h"
#include "base/limits.h"
#include "san_other.h"
#include "san_settle.h"

enum { TAG_EMAIL = 0x81, TAG_DNS = 0x82, TAG_URI = 0x86, TAG_IP = 0x87 };

static const unsigned tags[] = {
    [CERT_SAN_DNS] = TAG_DNS,
    [CERT_SAN_IP] = TAG_IP,
    [CERT_SAN_URI] = TAG_URI,
    [CERT_SAN_EMAIL] = TAG_EMAIL,
};

static struct view lower(struct view text, struct arena *arena)
{
    uint8_t *to = arena_alloc(arena, text.n);
    for (size_t i = 0; i < text.n; i++)
        to[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (uint8_t)(text.p[i] + 32) : text.p[i];
    return view_of(to, text.n);
}

void cert_san_settle(struct cert_san *san, struct arena *arena)
{
    if (san->kind != CERT_SAN_DNS)
        return;
    san->value = lower(san->value, arena);
    san->wildcard = view_starts(san->value, view_str("*."));
}

static struct err *read_one(struct view *in, bool allow_other, struct arena *arena, struct cert_san *ret)
{
    struct err *e = NULL;
    struct view body;
    unsigned tag = 0;
    if (san_other_is(*in)) {
        TRY(san_other_read(in, ret));
        if (ret->kind == CERT_SAN_OTHER && !allow_other)
            return err_new(ERR_BAD_NAME, "an otherName that is no user principal name (RFC 5280 4.2.1.6)");
        return cert_san_check(ret);
    }
    TRY(der_read_any(in, &tag, NULL, &body));
    for (int i = 0; i < CERT_SAN_OTHER; i++) {
        if (tags[i] != tag)
            continue;
        *ret = (struct cert_san){.kind = (enum cert_san_kind)i, .value = body};
        TRY(cert_san_check(ret));
        cert_san_settle(ret, arena);
        return NULL;
    }
    return err_new(ERR_BAD_DER, "tag %02x is no GeneralName (RFC 5280 4.2.1.6)", tag);
out:
    return e;
}

struct err *cert_san_read(struct view value, const struct cert_san_limits *limits, struct arena *arena,
                          struct cert_san **ret, size_t *ret_n)
{
    struct err *e = NULL;
    struct view in = value, seq;
    size_t max = limits && limits->max ? limits->max : LIMIT_SANS, n = 0, room = 8;
    TRY(der_read(&in, DER_SEQUENCE, &seq));
    TRY(der_end(in));
    if (!seq.n)
        return err_new(ERR_BAD_EXTENSION, "subjectAltName is empty (RFC 5280 4.2.1.6)");
    struct cert_san *sans = arena_array(arena, room, sizeof *sans);
    for (; seq.n; n++) {
        if (n == max)
            return err_new(ERR_TOO_MANY, "more than %zu names in subjectAltName", max);
        if (n == room) {
            struct cert_san *more = arena_array(arena, room *= 4, sizeof *sans);
            memcpy(more, sans, n * sizeof *sans);
            sans = more;
        }
        TRY(err_at(read_one(&seq, limits && limits->allow_other, arena, &sans[n]), "/sans/%zu", n));
    }
    *ret = sans;
    *ret_n = n;
out:
    return err_wrap(e, "subjectAltName");
}

struct err *cert_san_write(const struct cert_san *sans, size_t n, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct der_out out;
    if (!n)
        return err_new(ERR_BAD_EXTENSION, "subjectAltName is empty (RFC 5280 4.2.1.6)");
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        TRY(err_at(cert_san_check(&sans[i]), "/sans/%zu", i));
        if (sans[i].kind >= CERT_SAN_OTHER) {
            san_other_put(&out, &sans[i]);
            continue;
        }
        der_put(&out, tags[sans[i].kind], sans[i].value);
    }
    der_finish(&out, m);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

bool cert_san_eq(const struct cert_san *a, const struct cert_san *b)
{
    return a->kind == b->kind && view_eq(a->value, b->value);
}

size_t cert_san_unique(struct cert_san *sans, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < kept && !cert_san_eq(&sans[j], &sans[i]))
            j++;
        if (j == kept)
            sans[kept++] = sans[i];
    }
    return kept;
}
