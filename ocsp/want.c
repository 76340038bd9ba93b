/* The frames between responder and front, DER in and out. Pure; any thread. */
#include "want.h"

#include <stdio.h>

#include "base/check.h"
#include "base/der.h"

static struct view done_or_bug(struct der_out *out)
{
    struct view ret;
    struct err *e = der_out_done(out, &ret);
    CHECK(!e);
    return ret;
}

struct view want_write(const struct want *w, struct arena *arena)
{
    struct der_out out;
    der_out_init(&out, arena, WANT_BODY_MAX);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, w->issuer);
    der_put_octets(&out, view_of(w->serial, SERIAL_BYTES));
    der_put_uint(&out, w->hash);
    der_finish(&out, mark);
    return done_or_bug(&out);
}

struct err *want_read(struct view body, struct arena *arena, struct want *ret)
{
    struct err *e = NULL;
    struct view in, serial;
    const char *issuer;
    uint64_t hash;

    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_text(&in, arena, sizeof ret->issuer - 1, &issuer));
    TRY(der_read(&in, DER_OCTET_STRING, &serial));
    TRY(der_read_uint(&in, CERT_OCSP_SHA256, &hash));
    TRY(der_end(in));
    if (serial.n != SERIAL_BYTES)
        return err_new(ERR_PROTOCOL, "a want names a serial of %zu octets", serial.n);
    snprintf(ret->issuer, sizeof ret->issuer, "%s", issuer);
    memcpy(ret->serial, serial.p, SERIAL_BYTES);
    ret->hash = (enum cert_ocsp_hash)hash;
out:
    return e;
}

struct view want_done_write(const struct want_done *d, struct arena *arena)
{
    struct der_out out;
    der_out_init(&out, arena, WANT_DONE_MAX);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, d->outcome);
    if (d->outcome == WANT_HERE)
        der_put_octets(&out, d->answer);
    der_finish(&out, mark);
    return done_or_bug(&out);
}

struct err *want_done_read(struct view body, struct want_done *ret)
{
    struct err *e = NULL;
    struct view in;
    uint64_t outcome;
    struct want_done d = {.answer = {NULL, 0}};

    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    TRY(der_read_uint(&in, WANT_HERE, &outcome));
    d.outcome = (enum want_outcome)outcome;
    if (d.outcome == WANT_HERE)
        TRY(der_read(&in, DER_OCTET_STRING, &d.answer));
    TRY(der_end(in));
    *ret = d;
out:
    return e;
}

struct view want_id(const struct want *w, uint8_t to[SHELF_ID_BYTES])
{
    memcpy(to, w->serial, SERIAL_BYTES);
    to[SERIAL_BYTES] = (uint8_t)w->hash;
    return view_of(to, w->hash == CERT_OCSP_SHA1 ? SERIAL_BYTES : SHELF_ID_BYTES);
}

void want_of_id(struct view id, struct want *ret)
{
    CHECK(id.n == SERIAL_BYTES || id.n == SHELF_ID_BYTES);
    memcpy(ret->serial, id.p, SERIAL_BYTES);
    ret->hash = id.n == SERIAL_BYTES ? CERT_OCSP_SHA1 : CERT_OCSP_SHA256;
}
