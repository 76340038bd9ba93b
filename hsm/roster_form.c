/*
 * The canonical form of a roster (roster.h): one roster, one sequence of octets, whatever the order, comments
 * and spacing of its file. What version 1 can hold is written as version 1, so that a roster once pinned
 * stays the same. Any thread.
 */
#include "base/check.h"
#include "base/der.h"
#include "roster.h"

enum { PLAIN = 1, FULL = 2, FORM_MAX = 2 << 20, SCOPE_TEXT_MAX = 255 };

static bool is_plain(const struct hsm_roster *r)
{
    for (unsigned kind = 0; kind <= HSM_ACT_KIND_MAX; kind++)
        if (r->needed[kind])
            return false;
    for (size_t i = 0; i < r->n; i++) {
        const struct hsm_roster_entry *one = &r->entries[i];
        if (one->role > HSM_ROLE_ADMIN || one->revoked || one->issuers.n || one->templates.n)
            return false;
    }
    return true;
}

static void put_texts(struct der_out *out, const struct hsm_roster_texts *texts)
{
    size_t list = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < texts->n; i++)
        der_put_text(out, texts->items[i]);
    der_finish(out, list);
}

static void put_entry(struct der_out *out, const struct hsm_roster_entry *entry, unsigned version)
{
    size_t one = der_begin(out, DER_SEQUENCE);
    der_put_text(out, entry->name);
    der_put_enum(out, entry->role);
    der_put_octets(out, view_of(entry->spki_sha256, SHA256_BYTES));
    if (version == FULL) {
        der_put_bool(out, entry->revoked);
        put_texts(out, &entry->issuers);
        put_texts(out, &entry->templates);
    }
    der_finish(out, one);
}

static void put_needed(struct der_out *out, const struct hsm_roster *r)
{
    size_t list = der_begin(out, DER_SEQUENCE);
    for (unsigned kind = 0; kind <= HSM_ACT_KIND_MAX; kind++) {
        if (!r->needed[kind])
            continue;
        size_t one = der_begin(out, DER_SEQUENCE);
        der_put_enum(out, kind);
        der_put_uint(out, r->needed[kind] - 1);
        der_finish(out, one);
    }
    der_finish(out, list);
}

void roster_write(struct hsm_roster *r)
{
    struct der_out out;
    unsigned version = is_plain(r) ? PLAIN : FULL;
    der_out_init(&out, r->arena, FORM_MAX);
    size_t whole = der_begin(&out, DER_SEQUENCE);
    der_put_uint(&out, version);
    der_put_uint(&out, r->quorum);
    size_t list = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < r->n; i++)
        put_entry(&out, &r->entries[i], version);
    der_finish(&out, list);
    if (version == FULL)
        put_needed(&out, r);
    der_finish(&out, whole);
    struct err *e = der_out_done(&out, &r->canonical);
    CHECK(e == NULL); /* what the file's bounds let in fits */
    digest_sha256(r->canonical, r->hash);
}

static struct err *read_texts(struct view *in, struct arena *arena, struct hsm_roster_texts *ret)
{
    struct err *e = NULL;
    struct view list;
    const char **items = arena_array(arena, ROSTER_SCOPE_MAX, sizeof *items);
    size_t n = 0;
    TRY(der_read(in, DER_SEQUENCE, &list));
    while (list.n > 0) {
        if (n == ROSTER_SCOPE_MAX)
            TRY(err_new(ERR_CORRUPT, "more than %d names in an entry of a pinned roster", ROSTER_SCOPE_MAX));
        TRY(der_read_text(&list, arena, SCOPE_TEXT_MAX, &items[n++]));
    }
    *ret = (struct hsm_roster_texts){n, items};
out:
    return e;
}

static struct err *read_entry(struct view *in, unsigned version, struct hsm_roster *r)
{
    struct err *e = NULL;
    struct view one, hash;
    uint64_t role;
    if (r->n == ROSTER_MAX)
        return err_new(ERR_CORRUPT, "more than %d entries on a pinned roster", ROSTER_MAX);
    struct hsm_roster_entry *to = &r->entries[r->n];
    TRY(der_read(in, DER_SEQUENCE, &one));
    TRY(der_read_text(&one, r->arena, ROSTER_NAME_MAX, &to->name));
    TRY(der_read_enum(&one, HSM_ROLE__COUNT - 1, &role));
    TRY(der_read(&one, DER_OCTET_STRING, &hash));
    if (version == FULL) {
        TRY(der_read_bool(&one, &to->revoked));
        TRY(read_texts(&one, r->arena, &to->issuers));
        TRY(read_texts(&one, r->arena, &to->templates));
    }
    TRY(der_end(one));
    if (role == HSM_ROLE_NONE || hash.n != SHA256_BYTES)
        TRY(err_new(ERR_CORRUPT, "an entry of a pinned roster has no role or no key hash"));
    to->role = (enum hsm_role)role;
    memcpy(to->spki_sha256, hash.p, SHA256_BYTES);
    r->n++;
out:
    return e;
}

static struct err *read_needed(struct view *in, struct hsm_roster *r)
{
    struct err *e = NULL;
    struct view list, one;
    uint64_t kind, people;
    TRY(der_read(in, DER_SEQUENCE, &list));
    while (list.n > 0) {
        TRY(der_read(&list, DER_SEQUENCE, &one));
        TRY(der_read_enum(&one, HSM_ACT_KIND_MAX, &kind));
        TRY(der_read_uint(&one, HSM_ACT_SIGNATURES_MAX, &people));
        TRY(der_end(one));
        r->needed[kind] = (unsigned)people + 1;
    }
out:
    return e;
}

struct err *hsm_roster_of_canonical(struct view der, struct hsm_roster **ret)
{
    struct err *e = NULL;
    struct hsm_roster *r = roster_new();
    struct view whole, list, in = der;
    uint64_t version, quorum;
    TRY(der_read(&in, DER_SEQUENCE, &whole));
    TRY(der_end(in));
    TRY(der_read_uint(&whole, UINT32_MAX, &version));
    if (version != PLAIN && version != FULL)
        TRY(err_new(ERR_CORRUPT, "the pinned roster has version %llu; this program knows versions 1 and 2",
                    (unsigned long long)version));
    TRY(der_read_uint(&whole, ROSTER_MAX, &quorum));
    TRY(der_read(&whole, DER_SEQUENCE, &list));
    while (list.n > 0)
        TRY(read_entry(&list, (unsigned)version, r));
    if (version == FULL)
        TRY(read_needed(&whole, r));
    TRY(der_end(whole));
    r->quorum = (unsigned)quorum;
    TRY(roster_complete(r));
    if (!view_eq(r->canonical, der))
        TRY(err_new(ERR_CORRUPT, "the pinned roster is not in canonical form"));
    *ret = r;
    r = NULL;
out:
    hsm_roster_free(r);
    return e;
}
