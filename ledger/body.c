/*
 * Bodies of entries: one table of fields for each struct, from which writing and reading both come, in the
 * order of the rows. Never interprets what a field means. Any thread.
 */
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/der.h"
#include "entry.h"

enum field_type {
    TEXT,    /* const char *, UTF8String */
    TEXTS,   /* struct ledger_texts, SEQUENCE OF UTF8String */
    NUMBER,  /* uint64_t, INTEGER */
    INSTANT, /* int64_t, INTEGER, not negative */
    OCTETS,  /* struct view, OCTET STRING */
    HASH,    /* struct view of 32 octets, OCTET STRING */
    MAYBE,   /* the same, or empty */
};

struct field {
    enum field_type type;
    size_t offset;
    size_t max; /* octets, for each of a list too */
    const char *name;
    bool later; /* entries of older programs end before it: then it is zero */
};

#define FIELD(type, of, member, max)                                                                         \
    {                                                                                                        \
        (type), offsetof(struct ledger_##of, member), (max), #member, false                                  \
    }
#define FIELD_LATER(type, of, member, max)                                                                   \
    {                                                                                                        \
        (type), offsetof(struct ledger_##of, member), (max), #member, true                                   \
    }

static const struct field intent_fields[] = {
    FIELD(TEXT, intent, template, 255),
    FIELD(NUMBER, intent, generation, 0),
    FIELD(TEXTS, intent, names, ENTRY_NAME_BYTES),
    FIELD(TEXT, intent, subject, LEDGER_TEXT_BYTES),
    FIELD(INSTANT, intent, not_before, 0),
    FIELD(INSTANT, intent, not_after, 0),
    FIELD(HASH, intent, spki_sha256, 0),
    FIELD(NUMBER, intent, roll_floor, 0),
    FIELD(MAYBE, intent, idempotency, 0),
    FIELD(MAYBE, intent, request_hash, 0),
    FIELD(MAYBE, intent, token, 0),
    FIELD(OCTETS, intent, tbs, LIMIT_TBS_BYTES),
    FIELD_LATER(NUMBER, intent, version, 0),
    FIELD_LATER(NUMBER, intent, partition, 0),
    FIELD_LATER(NUMBER, intent, replaces, 0),
    FIELD_LATER(TEXTS, intent, tags, ENTRY_TAG_BYTES),
};
static const struct field record_fields[] = {
    FIELD(NUMBER, record, n, 0),
    FIELD(TEXT, record, alg, 255),
    FIELD(OCTETS, record, signature, 8192),
};
static const struct field close_fields[] = {
    FIELD(NUMBER, close, reason, 0),
    FIELD(NUMBER, close, n, 0),
    FIELD(TEXT, close, detail, LEDGER_TEXT_BYTES),
};
static const struct field revoke_fields[] = {
    FIELD(NUMBER, revoke, reason, 0),
    FIELD(INSTANT, revoke, at, 0),
    FIELD(INSTANT, revoke, invalidity, 0),
};
static const struct field deny_fields[] = {
    FIELD(TEXT, deny, type, 255),     FIELD(TEXT, deny, detail, LEDGER_TEXT_BYTES),
    FIELD(TEXT, deny, template, 255), FIELD(TEXTS, deny, names, ENTRY_NAME_BYTES),
    FIELD(NUMBER, deny, count, 0),
};
static const struct field token_fields[] = {
    FIELD(HASH, token, id, 0),           FIELD(TEXT, token, label, LEDGER_TEXT_BYTES),
    FIELD(TEXTS, token, templates, 255), FIELD(TEXTS, token, names, ENTRY_NAME_BYTES),
    FIELD(NUMBER, token, uses, 0),       FIELD(INSTANT, token, expires, 0),
};
static const struct field token_revoke_fields[] = {
    FIELD(HASH, token_revoke, id, 0),
};
static const struct field crl_fields[] = {
    FIELD(NUMBER, crl, number, 0), FIELD(INSTANT, crl, this_update, 0), FIELD(INSTANT, crl, next_update, 0),
    FIELD(NUMBER, crl, upto, 0),   FIELD(NUMBER, crl, entries, 0),      FIELD(NUMBER, crl, n, 0),
    FIELD(HASH, crl, sha256, 0),
};
static const struct field crl_part_fields[] = {
    FIELD(NUMBER, crl, number, 0), FIELD(INSTANT, crl, this_update, 0), FIELD(INSTANT, crl, next_update, 0),
    FIELD(NUMBER, crl, upto, 0),   FIELD(NUMBER, crl, entries, 0),      FIELD(NUMBER, crl, n, 0),
    FIELD(HASH, crl, sha256, 0),   FIELD(NUMBER, crl, partition, 0),
};
static const struct field crl_delta_fields[] = {
    FIELD(NUMBER, crl, number, 0), FIELD(INSTANT, crl, this_update, 0), FIELD(INSTANT, crl, next_update, 0),
    FIELD(NUMBER, crl, upto, 0),   FIELD(NUMBER, crl, entries, 0),      FIELD(NUMBER, crl, n, 0),
    FIELD(HASH, crl, sha256, 0),   FIELD(NUMBER, crl, base, 0),
};
static const struct field issuer_fields[] = {
    FIELD(OCTETS, issuer, certificate, 16 * 1024),
};
static const struct field tags_fields[] = {
    FIELD(TEXTS, tags, tags, ENTRY_TAG_BYTES),
};
static const struct field stray_fields[] = {
    FIELD(NUMBER, stray, n, 0),
    FIELD(INSTANT, stray, sealed_at, 0),
    FIELD(TEXT, stray, template, 255),
    FIELD(HASH, stray, tbs_sha256, 0),
};
static const struct field note_fields[] = {
    FIELD(TEXT, note, what, LEDGER_TEXT_BYTES),
    FIELD(NUMBER, note, number, 0),
    FIELD(MAYBE, note, hash, 0),
};

static const struct field template_fields[] = {
    FIELD(TEXT, template, name, 255),          FIELD(NUMBER, template, version, 0),
    FIELD(NUMBER, template, generation, 0),    FIELD(HASH, template, sha256, 0),
    FIELD(OCTETS, template, text, 200 * 1024),
};
static const struct field act_fields[] = {
    FIELD(OCTETS, act, id, LEDGER_ACT_ID_BYTES),
    FIELD(OCTETS, act, act, 4096),
    FIELD(OCTETS, act, signature, 4096),
    FIELD(OCTETS, act, payload, LEDGER_ACT_PAYLOAD_BYTES),
};
static const struct field act_sign_fields[] = {
    FIELD(OCTETS, act_sign, signature, 4096),
};
static const struct field roster_fields[] = {
    FIELD(OCTETS, roster, canonical, 192 * 1024),
    FIELD(HASH, roster, sha256, 0),
};

#define OBJECT(of)                                                                                           \
    FIELD(OCTETS, of, object.id, LEDGER_OBJECT_ID_BYTES),                                                    \
        FIELD(OCTETS, of, object.owner, LEDGER_OBJECT_ID_BYTES), FIELD(MAYBE, of, object.alias, 0),          \
        FIELD(INSTANT, of, object.created, 0)

static const struct field acme_account_fields[] = {
    OBJECT(acme_account),
    FIELD(NUMBER, acme_account, status, 0),
    FIELD(OCTETS, acme_account, spki, 4096),
    FIELD(TEXTS, acme_account, contacts, 320),
};
static const struct field acme_eab_fields[] = {
    OBJECT(acme_eab),
    FIELD(TEXT, acme_eab, label, LEDGER_TEXT_BYTES),
    FIELD(TEXTS, acme_eab, templates, 255),
    FIELD(TEXTS, acme_eab, names, ENTRY_NAME_BYTES),
    FIELD(NUMBER, acme_eab, accounts, 0),
    FIELD(NUMBER, acme_eab, used, 0),
    FIELD(NUMBER, acme_eab, preapproved, 0),
    FIELD(INSTANT, acme_eab, expires, 0),
    FIELD(INSTANT, acme_eab, revoked_at, 0),
};
static const struct field acme_order_fields[] = {
    OBJECT(acme_order),
    FIELD(NUMBER, acme_order, status, 0),
    FIELD(TEXT, acme_order, template, 255),
    FIELD(TEXTS, acme_order, names, ENTRY_NAME_BYTES),
    FIELD(TEXTS, acme_order, authzs, 2 * LEDGER_OBJECT_ID_BYTES),
    FIELD(INSTANT, acme_order, expires, 0),
    FIELD(INSTANT, acme_order, not_before, 0),
    FIELD(INSTANT, acme_order, not_after, 0),
    FIELD(TEXT, acme_order, issuer, LEDGER_ISSUER_BYTES),
    FIELD(OCTETS, acme_order, serial, SERIAL_BYTES),
    FIELD(MAYBE, acme_order, csr, 0),
    FIELD(TEXT, acme_order, replaces, 255),
    FIELD(TEXT, acme_order, error, 255),
    FIELD(TEXT, acme_order, detail, LEDGER_TEXT_BYTES),
    FIELD(TEXTS, acme_order, subproblems, LEDGER_TEXT_BYTES),
    FIELD_LATER(TEXT, acme_order, waits, 64),
};
static const struct field acme_authz_fields[] = {
    OBJECT(acme_authz),
    FIELD(NUMBER, acme_authz, status, 0),
    FIELD(NUMBER, acme_authz, wildcard, 0),
    FIELD(TEXT, acme_authz, name, ENTRY_NAME_BYTES),
    FIELD(TEXT, acme_authz, token, 255),
    FIELD(TEXT, acme_authz, tried, 255),
    FIELD(INSTANT, acme_authz, expires, 0),
    FIELD(INSTANT, acme_authz, validated, 0),
    FIELD(TEXT, acme_authz, error, 255),
    FIELD(TEXT, acme_authz, detail, LEDGER_TEXT_BYTES),
};
static const struct field acme_nonces_fields[] = {
    OBJECT(acme_nonces),
    FIELD(NUMBER, acme_nonces, upto, 0),
};
static const struct field signed_head_fields[] = {
    FIELD(NUMBER, signed_head, size, 0),
    FIELD(HASH, signed_head, root, 0),
    FIELD(NUMBER, signed_head, n, 0),
    FIELD(OCTETS, signed_head, note, 4096),
};

static const struct field transcript_fields[] = {
    FIELD(TEXT, transcript, title, 255),         FIELD(NUMBER, transcript, rehearsal, 0),
    FIELD(NUMBER, transcript, complete, 0),      FIELD(HASH, transcript, sha256, 0),
    FIELD(OCTETS, transcript, text, 200 * 1024),
};

static const struct kind {
    const char *text;
    const struct field *fields;
    size_t n;
} kinds[] = {
#define KIND(name, number, text, body)                                                                       \
    [number] = {text, body##_fields, sizeof(body##_fields) / sizeof(struct field)},
#include "ledger_kinds.def"
#undef KIND
};

static const struct kind *kind_of(unsigned kind)
{
    return kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind].text ? &kinds[kind] : NULL;
}

bool entry_kind_known(unsigned kind)
{
    return kind_of(kind) != NULL;
}

const char *ledger_kind_text(unsigned kind)
{
    const struct kind *k = kind_of(kind);
    return k ? k->text : "unknown";
}

bool entry_body_field(unsigned kind, size_t i, struct entry_field *ret)
{
    static const char *const asn1[] = {
        [TEXT] = "UTF8String",
        [TEXTS] = "SEQUENCE OF UTF8String",
        [NUMBER] = "INTEGER (0..18446744073709551615)",
        [INSTANT] = "INTEGER (0..MAX)",
        [OCTETS] = "OCTET STRING",
        [HASH] = "OCTET STRING (SIZE(32))",
        [MAYBE] = "OCTET STRING (SIZE(0 | 32))",
    };
    const struct kind *k = kind_of(kind);
    if (!k || i >= k->n)
        return false;
    *ret = (struct entry_field){k->fields[i].name, asn1[k->fields[i].type], k->fields[i].later};
    return true;
}

/* --- writing --- */

static struct err *refuse(const struct field *f, const char *why)
{
    return err_at(err_new(ERR_BAD_FIELD, "%s: %s", f->name, why), "/%s", f->name);
}

static struct err *put_text(struct der_out *out, const struct field *f, const char *text)
{
    if (text && strlen(text) > f->max)
        return refuse(f, "longer than the ledger takes");
    der_put_text(out, text ? text : "");
    return NULL;
}

static struct err *put_texts(struct der_out *out, const struct field *f, const struct ledger_texts *texts)
{
    struct err *e = NULL;
    if (texts->n > LEDGER_LIST)
        return refuse(f, "more than the ledger takes");
    size_t m = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < texts->n; i++)
        TRY(put_text(out, f, texts->items[i]));
    der_finish(out, m);
out:
    return e;
}

static struct err *put_octets(struct der_out *out, const struct field *f, struct view octets)
{
    if (f->type == OCTETS && octets.n > f->max)
        return refuse(f, "longer than the ledger takes");
    if (f->type == HASH && octets.n != SHA256_BYTES)
        return refuse(f, "not a SHA-256 hash");
    if (f->type == MAYBE && octets.n != SHA256_BYTES && octets.n != 0)
        return refuse(f, "neither empty nor a SHA-256 hash");
    der_put_octets(out, octets);
    return NULL;
}

static struct err *put_instant(struct der_out *out, const struct field *f, int64_t at)
{
    if (at < 0)
        return refuse(f, "before 1970");
    der_put_uint(out, (uint64_t)at);
    return NULL;
}

static struct err *put_field(struct der_out *out, const struct field *f, const void *at)
{
    switch (f->type) {
    case TEXT:
        return put_text(out, f, *(const char *const *)at);
    case TEXTS:
        return put_texts(out, f, at);
    case NUMBER:
        der_put_uint(out, *(const uint64_t *)at);
        return NULL;
    case INSTANT:
        return put_instant(out, f, *(const int64_t *)at);
    case OCTETS:
    case HASH:
    case MAYBE:
        return put_octets(out, f, *(const struct view *)at);
    }
    UNREACHABLE();
}

struct err *entry_body_write(const struct ledger_entry *en, struct arena *arena, struct view *ret)
{
    struct err *e = NULL;
    const struct kind *k = kind_of(en->kind);
    if (!k) {
        if (en->raw.n > LEDGER_BODY_BYTES)
            return err_new(ERR_TOO_LARGE, "a body of more than %d octets", LEDGER_BODY_BYTES);
        *ret = arena_dup(arena, en->raw);
        return NULL;
    }
    struct der_out out;
    der_out_init(&out, arena, LEDGER_BODY_BYTES);
    size_t m = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < k->n; i++)
        TRY(put_field(&out, &k->fields[i], (const uint8_t *)&en->body + k->fields[i].offset));
    der_finish(&out, m);
    TRY(der_out_done(&out, ret));
out:
    return e;
}

/* --- reading --- */

static struct err *get_texts(struct view *in, struct arena *arena, size_t max, struct ledger_texts *ret)
{
    struct err *e = NULL;
    struct view list;
    TRY(der_read(in, DER_SEQUENCE, &list));
    size_t n = 0;
    for (struct view rest = list; rest.n > 0; n++)
        TRY(der_read_any(&rest, NULL, NULL, NULL));
    if (n > LEDGER_LIST)
        return err_new(ERR_CORRUPT, "a list of more than %d texts", LEDGER_LIST);
    const char **items = arena_array(arena, n, sizeof(*items));
    for (size_t i = 0; i < n; i++)
        TRY(der_read_text(&list, arena, max, &items[i]));
    *ret = (struct ledger_texts){n, items};
out:
    return e;
}

static struct err *get_field(struct view *in, const struct field *f, struct arena *arena, void *at)
{
    struct err *e = NULL;
    uint64_t n;
    switch (f->type) {
    case TEXT:
        return der_read_text(in, arena, f->max, at);
    case TEXTS:
        return get_texts(in, arena, f->max, at);
    case NUMBER:
        return der_read_uint(in, UINT64_MAX, at);
    case INSTANT:
        TRY(der_read_uint(in, INT64_MAX, &n));
        *(int64_t *)at = (int64_t)n;
        return NULL;
    case OCTETS:
    case HASH:
    case MAYBE:
        TRY(der_read(in, DER_OCTET_STRING, at));
        n = ((const struct view *)at)->n;
        if (f->type != OCTETS && n != SHA256_BYTES && (f->type == HASH || n != 0))
            return err_new(ERR_CORRUPT, "%s: %llu octets in place of a hash", f->name, (unsigned long long)n);
        return NULL;
    }
    UNREACHABLE();
out:
    return e;
}

struct err *entry_body_read(struct view body, struct arena *arena, struct ledger_entry *en)
{
    struct err *e = NULL;
    const struct kind *k = kind_of(en->kind);
    en->raw = body;
    if (!k)
        return NULL;
    struct view in;
    TRY(der_read(&body, DER_SEQUENCE, &in));
    TRY(der_end(body));
    for (size_t i = 0; i < k->n && !(in.n == 0 && k->fields[i].later); i++)
        TRY(get_field(&in, &k->fields[i], arena, (uint8_t *)&en->body + k->fields[i].offset));
    TRY(der_end(in));
out:
    return e;
}
