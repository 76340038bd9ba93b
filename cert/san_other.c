/*
 * otherName, directoryName and registeredID in GeneralNames (RFC 5280 4.2.1.6): DER, syntax and text.
 *
 * A user principal name has one form only: as CERT_SAN_UPN, never hidden in an otherName of any type. Never
 * looks anything up. Any thread.
 */
#include "san_other.h"

#include "base/hex.h"
#include "base/limits.h"
#include "ext_value.h"
#include "name_string.h"

enum { TAG_OTHER = 0xa0, TAG_X400 = 0xa3, TAG_DIRECTORY = 0xa4, TAG_EDI = 0xa5, TAG_RID = 0x88 };
enum { UPN_MAX_BYTES = 256 };

static const uint8_t oid_upn[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03};

static bool is_upn(struct view oid)
{
    return view_eq(oid, view_of(oid_upn, sizeof oid_upn));
}

bool san_other_is(struct view in)
{
    int tag = der_peek(in);
    return tag == TAG_OTHER || tag == TAG_X400 || tag == TAG_DIRECTORY || tag == TAG_EDI || tag == TAG_RID;
}

/* --- DER --- */

/* OtherName: its type, and the element within [0] EXPLICIT. */
static struct err *read_other(struct view whole, struct view *ret_oid, struct view *ret_value)
{
    struct err *e = NULL;
    struct view body, oid, value;
    TRY(der_read(&whole, TAG_OTHER, &body));
    TRY(der_end(whole));
    TRY(der_read_oid(&body, &oid));
    TRY(der_read(&body, DER_CONTEXT_CONS(0), &value));
    TRY(der_end(body));
    *ret_oid = oid;
    *ret_value = value;
out:
    return err_wrap(e, "otherName (RFC 5280 4.2.1.6)");
}

static struct err *settle_other(struct view whole, struct cert_san *ret)
{
    struct err *e = NULL;
    struct view oid, value;
    *ret = (struct cert_san){.kind = CERT_SAN_OTHER, .value = whole};
    TRY(read_other(whole, &oid, &value));
    if (!is_upn(oid))
        return NULL;
    ret->kind = CERT_SAN_UPN;
    TRY(der_read(&value, DER_UTF8_STRING, &ret->value));
    TRY(der_end(value));
out:
    return e;
}

struct err *san_other_read(struct view *in, struct cert_san *ret)
{
    struct err *e = NULL;
    struct view whole, body;
    unsigned tag = 0;
    TRY(der_read_any(in, &tag, &whole, &body));
    switch (tag) {
    case TAG_OTHER:
        return settle_other(whole, ret);
    case TAG_DIRECTORY: /* Name is a CHOICE, so [4] is explicit */
        *ret = (struct cert_san){.kind = CERT_SAN_DIRECTORY, .value = body};
        return NULL;
    case TAG_RID:
        *ret = (struct cert_san){.kind = CERT_SAN_RID, .value = body};
        return NULL;
    default:
        return err_new(ERR_BAD_NAME, "x400Address and ediPartyName are not supported (RFC 5280 4.2.1.6)");
    }
out:
    return e;
}

static void put_other(struct der_out *out, struct view oid, unsigned tag, struct view value)
{
    size_t other = der_begin(out, TAG_OTHER);
    der_put_oid(out, oid);
    size_t inner = der_begin(out, DER_CONTEXT_CONS(0));
    if (tag)
        der_put(out, tag, value);
    if (!tag)
        der_put_raw(out, value);
    der_finish(out, inner);
    der_finish(out, other);
}

void san_other_put(struct der_out *out, const struct cert_san *san)
{
    switch (san->kind) {
    case CERT_SAN_UPN:
        put_other(out, view_of(oid_upn, sizeof oid_upn), DER_UTF8_STRING, san->value);
        break;
    case CERT_SAN_DIRECTORY:
        der_put(out, TAG_DIRECTORY, san->value);
        break;
    case CERT_SAN_RID:
        der_put(out, TAG_RID, san->value);
        break;
    default:
        der_put_raw(out, san->value);
    }
}

/* --- syntax --- */

static struct err *check_other(struct view whole)
{
    struct err *e = NULL;
    struct view oid, value;
    TRY(read_other(whole, &oid, &value));
    if (is_upn(oid))
        return err_new(ERR_BAD_NAME, "a user principal name is written upn:user@host, not as other:");
    TRY(err_wrap(ext_value_element(value), "otherName (RFC 5280 4.2.1.6)"));
out:
    return e;
}

static struct err *check_upn(struct view upn)
{
    struct err *e = NULL;
    size_t at = view_find(upn, '@');
    if (upn.n > UPN_MAX_BYTES)
        return err_new(ERR_BAD_NAME, "a user principal name of %zu octets; at most %d are allowed", upn.n,
                       UPN_MAX_BYTES);
    if (at == 0 || at >= upn.n)
        return err_new(ERR_BAD_NAME, "a user principal name is written user@host (MS-ADTS 5.1.1.1.1)");
    struct view user = view_of(upn.p, at);
    while (user.n) {
        uint32_t c = 0;
        size_t octets = view_utf8_next(user, &c);
        if (!octets || c == ' ' || name_string_hides(c))
            return err_new(ERR_BAD_NAME, "a user principal name is UTF-8 without blanks and control "
                                         "characters (MS-ADTS 5.1.1.1.1)");
        user = view_from(user, octets);
    }
    TRY(err_wrap(san_check_host(view_from(upn, at + 1)), "the host of a user principal name"));
out:
    return e;
}

static struct err *check_directory(struct view name)
{
    struct err *e = NULL;
    struct cert_attr attrs[LIMIT_RDNS];
    size_t n = 0;
    TRY(name_read(name, attrs, &n));
    if (!n)
        return err_new(ERR_BAD_NAME, "an empty directoryName (RFC 5280 4.2.1.6)");
out:
    return err_wrap(e, "directoryName");
}

struct err *san_other_check(const struct cert_san *san)
{
    switch (san->kind) {
    case CERT_SAN_OTHER:
        return check_other(san->value);
    case CERT_SAN_UPN:
        return check_upn(san->value);
    case CERT_SAN_DIRECTORY:
        return check_directory(san->value);
    case CERT_SAN_RID:
        return err_wrap(ext_value_oid(san->value), "registeredID (RFC 5280 4.2.1.6)");
    default:
        return err_new(ERR_BAD_NAME, "a name of no kind");
    }
}

/* --- text --- */

static const char *other_text(struct view whole, struct arena *arena)
{
    struct view oid, value;
    struct err *e = read_other(whole, &oid, &value);
    bool ok = !e;
    err_free(e);
    return ok ? arena_printf(arena, "%s;%s", der_oid_text(oid, arena), hex_of(arena, value)) : "";
}

static const char *directory_text(struct view der, struct arena *arena)
{
    struct cert_name name;
    struct err *e = cert_name_parse(der, arena, &name);
    bool ok = !e;
    err_free(e);
    return ok ? cert_name_text(&name, arena) : "";
}

const char *san_other_text(const struct cert_san *san, struct arena *arena)
{
    switch (san->kind) {
    case CERT_SAN_OTHER:
        return other_text(san->value, arena);
    case CERT_SAN_UPN:
        return arena_str(arena, san->value);
    case CERT_SAN_DIRECTORY:
        return directory_text(san->value, arena);
    default:
        return der_oid_text(san->value, arena);
    }
}

static struct err *other_of_text(struct view text, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    struct view oid, value;
    struct der_out out;
    size_t semicolon = view_find(text, ';');
    if (semicolon == text.n)
        return err_new(ERR_BAD_NAME, "an otherName is written other:OID;HEX");
    TRY(der_oid_of_text(arena_str(arena, view_of(text.p, semicolon)), arena, &oid));
    TRY(hex_parse(arena, view_from(text, semicolon + 1), &value));
    der_out_init(&out, arena, LIMIT_TBS_BYTES);
    put_other(&out, oid, 0, value);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

struct err *san_other_of_text(struct view text, struct arena *arena, struct cert_san *san)
{
    if (view_find(text, 0) < text.n)
        return err_new(ERR_BAD_NAME, "a name with a NUL (RFC 5280 4.2.1.6)");
    switch (san->kind) {
    case CERT_SAN_OTHER:
        return other_of_text(text, arena, &san->value);
    case CERT_SAN_UPN:
        san->value = arena_dup(arena, text);
        return NULL;
    case CERT_SAN_DIRECTORY:
        return cert_name_of_text(arena_str(arena, text), arena, &san->value);
    default:
        return der_oid_of_text(arena_str(arena, text), arena, &san->value);
    }
}
