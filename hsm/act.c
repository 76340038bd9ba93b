/*
 * The form of acts, statements and signatures: written, and read back only in the one form they are written
 * in. Judges nothing (act_judge.c). Any thread.
 */
#include "hsm_act.h"

#include "base/check.h"
#include "base/der.h"

static const char act_name[] = "chancery-act", statement_name[] = "chancery-statement";
enum { ACT_VERSION = 1 };

static const struct hsm_act_row rows[HSM_ACT_KIND_MAX + 1] = {
#define ACT(id, number, text, object, what) [number] = {text, object, what},
#include "hsm_acts.def"
#undef ACT
};

const struct hsm_act_row *hsm_act_row(unsigned kind)
{
    return kind <= HSM_ACT_KIND_MAX ? &rows[kind] : &rows[HSM_ACT_NONE];
}

struct err *hsm_act_kind_parse(struct view text, enum hsm_act_kind *ret)
{
    for (unsigned kind = 1; kind <= HSM_ACT_KIND_MAX; kind++)
        if (rows[kind].text && view_eq_str(text, rows[kind].text)) {
            *ret = (enum hsm_act_kind)kind;
            return NULL;
        }
    return err_new(ERR_BAD_FIELD, "kinds of acts are"
#define ACT(id, number, text, object, what) " " text
#include "hsm_acts.def"
#undef ACT
    );
}

const char *hsm_act_verb_text(enum hsm_act_verb verb)
{
    static const char *const texts[] = {"", "request", "approve", "deny"};
    CHECK(verb >= HSM_ACT_REQUEST && verb <= HSM_ACT_DENY);
    return texts[verb];
}

/* --- the act --- */

static struct err *refuse(const char *field, const char *why)
{
    return err_at(err_new(ERR_BAD_FIELD, "an act's %s %s", field, why), "/%s", field);
}

static struct err *check_fields(const struct hsm_act *a)
{
    size_t object = a->object ? strlen(a->object) : 0, reason = a->reason ? strlen(a->reason) : 0;
    if (!hsm_act_row(a->kind)->text)
        return refuse("kind", "is none of ours");
    if (a->id.n != HSM_ACT_ID_BYTES || a->vault.n != HSM_ACT_ID_BYTES)
        return refuse("id", "and its vault's are 16 octets each");
    if (a->asker.n != SHA256_BYTES)
        return refuse("asker", "is the SHA-256 of a key");
    if (object == 0 || object > HSM_ACT_OBJECT_MAX)
        return refuse("object", "is 1 to 128 octets");
    if ((a->object_sha256.n && a->object_sha256.n != SHA256_BYTES) ||
        (a->template_sha256.n && a->template_sha256.n != SHA256_BYTES))
        return refuse("hashes", "are SHA-256, or empty");
    if (a->made <= 0 || a->expires <= a->made)
        return refuse("expires", "is after it was made");
    if (reason > HSM_ACT_REASON_MAX)
        return refuse("reason", "is at most 1024 octets");
    return NULL;
}

struct err *hsm_act_write(const struct hsm_act *a, struct arena *arena, struct view *ret)
{
    struct der_out out;
    struct err *e = check_fields(a);
    if (e)
        return e;
    der_out_init(&out, arena, HSM_ACT_MAX_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, act_name);
    der_put_uint(&out, ACT_VERSION);
    der_put_enum(&out, a->kind);
    der_put_octets(&out, a->id);
    der_put_octets(&out, a->vault);
    der_put_octets(&out, a->asker);
    der_put_text(&out, a->object);
    der_put_octets(&out, a->object_sha256);
    der_put_octets(&out, a->template_sha256);
    der_put_uint(&out, (uint64_t)a->made);
    der_put_uint(&out, (uint64_t)a->expires);
    der_put_text(&out, a->reason ? a->reason : "");
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

static struct err *read_head(struct view *in, const char *name)
{
    struct err *e = NULL;
    struct view text;
    TRY(der_read(in, DER_UTF8_STRING, &text));
    if (!view_eq_str(text, name))
        e = err_new(ERR_BAD_DER, "this is no %s", name);
out:
    return e;
}

static struct err *read_what(struct view *in, struct arena *arena, struct hsm_act *ret)
{
    struct err *e = NULL;
    uint64_t version, kind;
    TRY(read_head(in, act_name));
    TRY(der_read_uint(in, UINT32_MAX, &version));
    if (version != ACT_VERSION)
        TRY(err_new(ERR_BAD_FIELD, "an act of version %llu; this program knows version %d",
                    (unsigned long long)version, ACT_VERSION));
    TRY(der_read_enum(in, UINT32_MAX, &kind));
    TRY(der_read(in, DER_OCTET_STRING, &ret->id));
    TRY(der_read(in, DER_OCTET_STRING, &ret->vault));
    TRY(der_read(in, DER_OCTET_STRING, &ret->asker));
    TRY(der_read_text(in, arena, HSM_ACT_OBJECT_MAX, &ret->object));
    TRY(der_read(in, DER_OCTET_STRING, &ret->object_sha256));
    TRY(der_read(in, DER_OCTET_STRING, &ret->template_sha256));
    ret->kind = (enum hsm_act_kind)kind;
out:
    return e;
}

struct err *hsm_act_read(struct view der, struct arena *arena, struct hsm_act *ret)
{
    struct err *e = NULL;
    struct view body;
    struct hsm_act a = {.kind = HSM_ACT_NONE};
    uint64_t made, expires;
    if (der.n > HSM_ACT_MAX_BYTES)
        return err_new(ERR_TOO_LARGE, "an act of more than %d octets", HSM_ACT_MAX_BYTES);
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(read_what(&body, arena, &a));
    TRY(der_read_uint(&body, INT64_MAX, &made));
    TRY(der_read_uint(&body, INT64_MAX, &expires));
    TRY(der_read_text(&body, arena, HSM_ACT_REASON_MAX, &a.reason));
    TRY(der_end(body));
    a.made = (int64_t)made;
    a.expires = (int64_t)expires;
    TRY(check_fields(&a));
    *ret = a;
out:
    return e;
}

struct view hsm_act_statement(enum hsm_act_verb verb, struct view act, struct arena *arena)
{
    struct der_out out;
    struct view ret;
    der_out_init(&out, arena, HSM_ACT_MAX_BYTES + 64);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, statement_name);
    der_put_enum(&out, verb);
    der_put_octets(&out, act);
    der_finish(&out, m);
    struct err *e = der_out_done(&out, &ret);
    CHECK(e == NULL); /* an act that was read or written fits */
    return ret;
}

bool hsm_act_unsigned(enum hsm_act_kind kind)
{
    return kind == HSM_ACT_CERTIFICATE;
}

/* --- signatures --- */

static void put_signature(struct der_out *out, const struct hsm_act_signature *s)
{
    size_t m = der_begin(out, DER_SEQUENCE);
    if (s->spki.n > 0) {
        der_put_text(out, cert_alg_name(s->alg));
        der_put_octets(out, s->spki);
        der_put_octets(out, s->signature);
    }
    der_finish(out, m);
}

struct err *hsm_act_signature_write(const struct hsm_act_signature *s, struct arena *arena, struct view *ret)
{
    struct der_out out;
    der_out_init(&out, arena, HSM_ACT_SIGNATURE_MAX_BYTES);
    put_signature(&out, s);
    return der_out_done(&out, ret);
}

struct err *hsm_act_signature_read(struct view *in, struct hsm_act_signature *ret)
{
    struct err *e = NULL;
    struct view body, alg;
    *ret = (struct hsm_act_signature){.spki = {NULL, 0}};
    TRY(der_read(in, DER_SEQUENCE, &body));
    if (body.n == 0)
        return NULL;
    if (body.n > HSM_ACT_SIGNATURE_MAX_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a signature of more than %d octets", HSM_ACT_SIGNATURE_MAX_BYTES));
    TRY(der_read(&body, DER_UTF8_STRING, &alg));
    TRY(cert_alg_parse(alg, &ret->alg));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->spki));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->signature));
    TRY(der_end(body));
out:
    return e;
}

struct err *hsm_act_approved_write(const struct hsm_act_approved *a, struct arena *arena, struct view *ret)
{
    struct der_out out;
    CHECK(a->n <= HSM_ACT_SIGNATURES_MAX);
    der_out_init(&out, arena, HSM_ACT_APPROVED_MAX_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_octets(&out, a->act);
    put_signature(&out, &a->request);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < a->n; i++)
        put_signature(&out, &a->approvals[i]);
    der_finish(&out, list);
    der_finish(&out, m);
    return der_out_done(&out, ret);
}

struct err *hsm_act_approved_read(struct view der, struct hsm_act_approved *ret)
{
    struct err *e = NULL;
    struct view body, list;
    ret->n = 0;
    TRY(der_read(&der, DER_SEQUENCE, &body));
    TRY(der_end(der));
    TRY(der_read(&body, DER_OCTET_STRING, &ret->act));
    TRY(hsm_act_signature_read(&body, &ret->request));
    TRY(der_read(&body, DER_SEQUENCE, &list));
    TRY(der_end(body));
    while (list.n > 0) {
        if (ret->n == HSM_ACT_SIGNATURES_MAX)
            TRY(err_new(ERR_TOO_MANY, "more than %d approvals", HSM_ACT_SIGNATURES_MAX));
        TRY(hsm_act_signature_read(&list, &ret->approvals[ret->n++]));
    }
out:
    return e;
}
