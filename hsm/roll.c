/*
 * The form of the seal roll: writes and reads its header and entries, walks a roll's bytes and holds them to
 * number, chain and check. Never touches a file; never repairs. Any thread.
 */
#include "roll.h"

#include "base/check.h"

static const char roll_name[] = "chancery-roll";
enum { CHECK_BYTES = 8, FIELDS = 11 };

struct view roll_header_write(struct arena *arena, int64_t now_ms, const uint8_t id[16])
{
    struct der_out out;
    der_out_init(&out, arena, ROLL_HEADER_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_text(&out, roll_name);
    der_put_uint(&out, ROLL_VERSION);
    der_put_uint(&out, (uint64_t)now_ms);
    der_put_octets(&out, view_of(id, 16));
    der_finish(&out, m);
    struct view ret;
    struct err *e = der_out_done(&out, &ret);
    CHECK(e == NULL);
    return ret;
}

static void put_fields(struct der_out *out, const struct hsm_roll_entry *entry)
{
    der_put_uint(out, entry->n);
    der_put_uint(out, (uint64_t)entry->time_ms);
    der_put(out, DER_UTF8_STRING, entry->key);
    der_put_enum(out, entry->kind);
    der_put_octets(out, entry->serial);
    der_put(out, DER_UTF8_STRING, entry->template);
    der_put_uint(out, entry->generation);
    der_put_octets(out, entry->tbs_sha256);
    der_put_uint(out, entry->extra);
    der_put_octets(out, entry->prev_sha256);
}

struct view roll_entry_write(struct arena *arena, const struct hsm_roll_entry *entry)
{
    CHECK(entry->key.n > 0 && entry->key.n <= ROLL_KEY_MAX && entry->template.n <= ROLL_TEMPLATE_MAX);
    CHECK(entry->tbs_sha256.n == SHA256_BYTES && entry->prev_sha256.n == SHA256_BYTES);
    struct der_out fields, out;
    der_out_init(&fields, arena, ROLL_ENTRY_MAX);
    put_fields(&fields, entry);
    struct view body, ret;
    struct err *e = der_out_done(&fields, &body);
    CHECK(e == NULL);
    uint8_t hash[SHA256_BYTES];
    digest_sha256(body, hash);
    der_out_init(&out, arena, ROLL_ENTRY_MAX);
    size_t m = der_begin(&out, DER_SEQUENCE);
    der_put_raw(&out, body);
    der_put_octets(&out, view_of(hash, CHECK_BYTES));
    der_finish(&out, m);
    e = der_out_done(&out, &ret);
    CHECK(e == NULL);
    return ret;
}

static struct err *read_hash(struct view *in, struct view *ret)
{
    struct err *e = NULL;
    TRY(der_read(in, DER_OCTET_STRING, ret));
    if (ret->n != SHA256_BYTES)
        e = err_new(ERR_CORRUPT, "a hash of %zu octets in the roll, not 32", ret->n);
out:
    return e;
}

static struct err *read_names(struct view *in, struct hsm_roll_entry *ret)
{
    struct err *e = NULL;
    uint64_t kind;
    TRY(der_read(in, DER_UTF8_STRING, &ret->key));
    TRY(der_read_enum(in, 255, &kind));
    TRY(der_read(in, DER_OCTET_STRING, &ret->serial));
    TRY(der_read(in, DER_UTF8_STRING, &ret->template));
    ret->kind = (enum hsm_roll_kind)kind;
out:
    return e;
}

/* Fields up to prevHash; *in is left at the check. */
static struct err *read_fields(struct view *in, struct hsm_roll_entry *ret)
{
    struct err *e = NULL;
    uint64_t time_ms, generation;
    TRY(der_read_uint(in, INT64_MAX, &ret->n));
    TRY(der_read_uint(in, INT64_MAX, &time_ms));
    TRY(read_names(in, ret));
    TRY(der_read_uint(in, UINT32_MAX, &generation));
    TRY(read_hash(in, &ret->tbs_sha256));
    TRY(der_read_uint(in, UINT64_MAX, &ret->extra));
    TRY(read_hash(in, &ret->prev_sha256));
    ret->time_ms = (int64_t)time_ms;
    ret->generation = (uint32_t)generation;
out:
    return e;
}

/* check: what the entry says of itself; fields: what it says it of. Both may be NULL. */
static struct err *entry_read(struct view *in, struct hsm_roll_entry *ret, struct view *fields,
                              struct view *check)
{
    struct err *e = NULL;
    struct view rest = *in, body, said;
    struct hsm_roll_entry entry;
    TRY(der_read(&rest, DER_SEQUENCE, &body));
    struct view at = body;
    TRY(read_fields(&at, &entry));
    if (fields)
        *fields = view_of(body.p, body.n - at.n);
    TRY(der_read(&at, DER_OCTET_STRING, &said));
    TRY(der_end(at));
    if (check)
        *check = said;
    *ret = entry;
    *in = rest;
out:
    return e;
}

struct err *hsm_roll_entry_read(struct view *in, struct hsm_roll_entry *ret)
{
    return entry_read(in, ret, NULL, NULL);
}

static struct err *corrupt_because(struct err *why, const struct roll_walk *w)
{
    if (!why)
        return NULL;
    struct err *e = err_new(ERR_CORRUPT, "seal roll, entry %llu at octet %zu: %s",
                            (unsigned long long)w->n + 1, w->at, err_detail(why));
    err_free(why);
    return e;
}

struct err *roll_walk_begin(struct view file, struct roll_walk *ret)
{
    struct err *e = NULL;
    struct roll_walk w = {.left = file};
    struct view whole, body, name, id;
    uint64_t version, made_ms;
    TRY(der_read_whole(&w.left, DER_SEQUENCE, &whole));
    struct view at = whole;
    TRY(der_read(&at, DER_SEQUENCE, &body));
    TRY(der_read(&body, DER_UTF8_STRING, &name));
    TRY(der_read_uint(&body, UINT32_MAX, &version));
    if (!view_eq_str(name, roll_name))
        TRY(err_new(ERR_CORRUPT, "this is no seal roll"));
    if (version != ROLL_VERSION)
        TRY(err_new(ERR_CORRUPT, "it has version %llu; this program knows version %d",
                    (unsigned long long)version, ROLL_VERSION));
    TRY(der_read_uint(&body, INT64_MAX, &made_ms));
    TRY(der_read(&body, DER_OCTET_STRING, &id));
    TRY(der_end(body));
    if (id.n != ROLL_ID_BYTES)
        TRY(err_new(ERR_CORRUPT, "its id has %zu octets", id.n));
    memcpy(w.id, id.p, ROLL_ID_BYTES);
    digest_sha256(whole, w.head);
    w.at = whole.n;
    *ret = w;
out:
    if (e) {
        struct err *why = e;
        e = err_new(ERR_CORRUPT, "seal roll, header: %s", err_detail(why));
        err_free(why);
    }
    return e;
}

static struct err *check_entry(const struct roll_walk *w, const struct hsm_roll_entry *entry,
                               struct view fields, struct view check)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(fields, hash);
    if (!view_eq(check, view_of(hash, CHECK_BYTES)))
        return err_new(ERR_CORRUPT, "its content does not match its check");
    if (entry->n != w->n + 1)
        return err_new(ERR_CORRUPT, "it carries the number %llu", (unsigned long long)entry->n);
    if (!view_eq(entry->prev_sha256, view_of(w->head, SHA256_BYTES)))
        return err_new(ERR_CORRUPT, "the chain is broken: the entry before it is another one");
    return NULL;
}

struct err *roll_walk_next(struct roll_walk *w, struct hsm_roll_entry *ret)
{
    struct err *e = NULL;
    struct view rest = w->left, fields, check;
    struct hsm_roll_entry entry;
    TRY(entry_read(&rest, &entry, &fields, &check));
    TRY(check_entry(w, &entry, fields, check));
    struct view whole = view_of(w->left.p, w->left.n - rest.n);
    digest_sha256(whole, w->head);
    w->n = entry.n;
    w->at += whole.n;
    w->left = rest;
    *ret = entry;
out:
    return corrupt_because(e, w);
}

/* Length and tag of the element in front; false where not even these are whole. */
static bool front_length(struct view in, unsigned tag, size_t *ret_header, size_t *ret_body)
{
    if (in.n < 2 || in.p[0] != tag)
        return false;
    size_t octets = in.p[1] < 0x80 ? 0 : in.p[1] & 0x7fu;
    if (octets > 2 || in.n < 2 + octets)
        return false;
    size_t n = octets ? 0 : in.p[1];
    for (size_t i = 0; i < octets; i++)
        n = n << 8 | in.p[2 + i];
    *ret_header = 2 + octets;
    *ret_body = n;
    return true;
}

/* An entry that claims more than there is, and whose fields run out before the last of them is whole. */
static bool cut_short(struct view tail)
{
    size_t header, body;
    if (tail.n < 4 && tail.p[0] == DER_SEQUENCE)
        return true;
    if (!front_length(tail, DER_SEQUENCE, &header, &body) || body <= tail.n - header || body > ROLL_ENTRY_MAX)
        return false;
    struct view at = view_from(tail, header);
    for (int field = 0; field < FIELDS; field++) {
        struct view part;
        struct err *e = der_read_any(&at, NULL, NULL, &part);
        err_free(e);
        if (e)
            return true;
    }
    return false;
}

static bool zeros_at_end(struct view tail)
{
    enum { LEAST = 16 };
    size_t n = tail.n;
    while (n > 0 && tail.p[n - 1] == 0)
        n--;
    return n == 0 || (tail.n - n >= LEAST && n < ROLL_ENTRY_MAX);
}

bool roll_tail_torn(const struct roll_walk *w)
{
    if (w->left.n == 0)
        return false;
    return (w->left.n < ROLL_ENTRY_MAX && cut_short(w->left)) || zeros_at_end(w->left);
}

struct err *hsm_roll_verify(struct view file,
                            struct err *(*fn)(void *arg, const struct hsm_roll_entry *entry), void *arg,
                            uint64_t *ret_n, uint8_t ret_head[SHA256_BYTES])
{
    struct err *e = NULL;
    struct roll_walk w;
    TRY(roll_walk_begin(file, &w));
    while (w.left.n > 0) {
        struct hsm_roll_entry entry;
        TRY(roll_walk_next(&w, &entry));
        if (fn)
            TRY(fn(arg, &entry));
    }
    if (ret_n)
        *ret_n = w.n;
    if (ret_head)
        memcpy(ret_head, w.head, SHA256_BYTES);
out:
    return e;
}

struct err *hsm_roll_id(struct view file, uint8_t ret[16])
{
    struct roll_walk w;
    struct err *e = roll_walk_begin(file, &w);
    if (!e)
        memcpy(ret, w.id, ROLL_ID_BYTES);
    return e;
}
