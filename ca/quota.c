/*
 * A bucket is one number: when it will be full again. It lets a certificate pass where taking one leaves that
 * moment no further than a period ahead. A bucket whose moment is past is full, and forgotten when the table
 * grows. On the loop's thread.
 */
#include "quota.h"

#include <stdlib.h>

#include "base/when.h"
#include "base/world.h"
#include "house.h"
#include "renewal.h"

struct bucket {
    struct quota_id id;
    int64_t full_ms;
};

struct quota {
    struct bucket
        *buckets; /* open addressing, cap a power of two, at most half full; an all-zero id is empty */
    size_t n, cap;
};

enum { CAP_FIRST = 64 };

static struct bucket *table_new(size_t cap)
{
    struct bucket *buckets = calloc(cap, sizeof *buckets);
    CHECK(buckets != NULL);
    return buckets;
}

struct quota *quota_new(void)
{
    struct quota *l = calloc(1, sizeof *l);
    CHECK(l != NULL);
    l->cap = CAP_FIRST;
    l->buckets = table_new(l->cap);
    return l;
}

void quota_free(struct quota *l)
{
    if (!l)
        return;
    free(l->buckets);
    free(l);
}

struct quota_id quota_id_of(const char *kind, const char *template, const char *who)
{
    struct quota_id id;
    uint8_t hash[SHA256_BYTES];
    const struct view parts[] = {view_str(kind), view_of("", 1), view_str(template), view_of("", 1),
                                 view_str(who)};
    digest_sha256_parts(parts, sizeof parts / sizeof parts[0], hash);
    hash[0] |= 1; /* never the empty id */
    memcpy(id.b, hash, sizeof id.b);
    return id;
}

static bool is_empty(const struct bucket *b)
{
    static const struct quota_id none;
    return memcmp(&b->id, &none, sizeof none) == 0;
}

static struct bucket *place_of(struct bucket *buckets, size_t cap, const struct quota_id *id)
{
    size_t i = ((size_t)id->b[1] << 16 | (size_t)id->b[2] << 8 | id->b[3]) & (cap - 1);
    while (!is_empty(&buckets[i]) && memcmp(&buckets[i].id, id, sizeof *id) != 0)
        i = (i + 1) & (cap - 1);
    return &buckets[i];
}

/* Room for one more: full buckets go, and where many stay the table grows. */
static void make_room(struct quota *l, int64_t now_ms)
{
    size_t left = 0;
    for (size_t i = 0; i < l->cap; i++)
        left += !is_empty(&l->buckets[i]) && l->buckets[i].full_ms > now_ms;
    size_t cap = l->cap;
    while (left * 4 > cap)
        cap *= 2;
    struct bucket *fresh = table_new(cap);
    for (size_t i = 0; i < l->cap; i++)
        if (!is_empty(&l->buckets[i]) && l->buckets[i].full_ms > now_ms)
            *place_of(fresh, cap, &l->buckets[i].id) = l->buckets[i];
    free(l->buckets);
    l->buckets = fresh;
    l->cap = cap;
    l->n = left;
}

static int64_t period_ms(struct templates_rate rate)
{
    return rate.period_s * 1000;
}

static int64_t one_ms(struct templates_rate rate)
{
    int64_t ms = period_ms(rate) / rate.n;
    return ms > 0 ? ms : 1;
}

int64_t quota_wait_ms(const struct quota *l, struct quota_id id, struct templates_rate rate, int64_t now_ms)
{
    const struct bucket *b = place_of(l->buckets, l->cap, &id);
    int64_t full_ms = b->full_ms > now_ms ? b->full_ms : now_ms;
    int64_t wait = full_ms + one_ms(rate) - (now_ms + period_ms(rate));
    return wait > 0 ? wait : 0;
}

void quota_take(struct quota *l, struct quota_id id, struct templates_rate rate, int64_t now_ms)
{
    if (l->n * 2 >= l->cap)
        make_room(l, now_ms);
    struct bucket *b = place_of(l->buckets, l->cap, &id);
    l->n += is_empty(b);
    b->full_ms = (b->full_ms > now_ms ? b->full_ms : now_ms) + one_ms(rate);
    b->id = id;
}

size_t quota_count(const struct quota *l)
{
    return l->n;
}

/* --- rules --- */

static const struct templates_limits *asked(const struct issuance *is)
{
    return templates_limits(is->template);
}

static struct quota_id asker_id(const struct issuance *is)
{
    return quota_id_of("asker", is->request.template, is->asker.id);
}

static struct quota_id template_id(const struct issuance *is)
{
    return quota_id_of("template", is->request.template, "");
}

static struct err *check_bucket(const struct issuance *is, struct quota_id id, struct templates_rate rate,
                                const char *whose)
{
    if (rate.n == 0)
        return NULL;
    int64_t wait_s = (quota_wait_ms(is->ca->quota, id, rate, world_mono_ms()) + 999) / 1000;
    if (wait_s == 0)
        return NULL;
    return err_retry(err_at(err_new(ERR_RATE, "%lld certificates by template '%s' in %s, the most for %s",
                                    (long long)rate.n, is->request.template,
                                    when_duration_text(is->arena, rate.period_s), whose),
                            "/template"),
                     (int)wait_s);
}

static struct err *check_asker(struct issuance *is, const char *const *names, size_t n)
{
    (void)names, (void)n;
    return check_bucket(is, asker_id(is), asked(is)->per_asker, "one asker");
}

static struct err *check_template(struct issuance *is, const char *const *names, size_t n)
{
    (void)names, (void)n;
    return check_bucket(is, template_id(is), asked(is)->per_template, "all askers together");
}

/* The n-th newest certificate for this name by this template; 0: there are not so many. */
static struct err *nth_newest_s(struct issuance *is, const char *name, int64_t n, int64_t *ret_s)
{
    struct err *e = NULL;
    struct ledger_query q = {
        .name = name, .template = is->request.template, .status = LEDGER_ANY, .limit = (size_t)n};
    *ret_s = 0;
    do {
        struct ledger_page page;
        TRY(ledger_search(is->ca->ledger, &q, is->arena, &page));
        if ((int64_t)page.n >= n)
            *ret_s = page.certs[n - 1].requested_ms / 1000;
        n -= (int64_t)page.n;
        q.cursor = page.next;
    } while (q.cursor && n > 0);
out:
    return e;
}

/* On their way by the same template, for this name: not on record yet, or not yet for good. */
static int64_t under_way(const struct issuance *is, const char *name)
{
    int64_t n = 0;
    for (const struct issuance *other = is->ca->under_way; other; other = other->next) {
        bool counts = other != is && strcmp(other->request.template, is->request.template) == 0;
        for (size_t i = 0; counts && i < other->shaped.names_n; i++)
            n += strcmp(other->shaped.names[i], name) == 0;
    }
    return n;
}

static struct err *check_names(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    struct templates_rate rate = asked(is)->per_name;
    int64_t now = world_now_s(), at;
    for (size_t i = 0; rate.n > 0 && i < n; i++) {
        int64_t left = rate.n - under_way(is, names[i]);
        if (left <= 0)
            return err_retry(
                err_at(
                    err_new(ERR_RATE, "%s: as many certificates as it may have are on their way", names[i]),
                    "/sans/%zu", i),
                1);
        TRY(nth_newest_s(is, names[i], left, &at));
        if (at == 0 || at + rate.period_s <= now)
            continue;
        return err_retry(
            err_at(err_new(ERR_RATE, "%s: %lld certificates by template '%s' in %s, the most for one name",
                           names[i], (long long)rate.n, is->request.template,
                           when_duration_text(is->arena, rate.period_s)),
                   "/sans/%zu", i),
            (int)(at + rate.period_s - now));
    }
out:
    return e;
}

static bool has_name(const struct ledger_texts *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* names are as the ledger has them: without those that the template itself sets. */
static bool same_names(const struct ledger_cert *cert, const char *const *names, size_t n)
{
    bool same = cert->decision.names.n == n;
    for (size_t i = 0; same && i < n; i++)
        same = has_name(&cert->decision.names, names[i]);
    return same;
}

/* Certificates that this key has by now: the newest ones; there are never many. */
static struct err *of_key(struct issuance *is, struct ledger_page *ret)
{
    const struct ledger_query q = {.spki_sha256 = view_of(is->key, SHA256_BYTES), .status = LEDGER_ANY};
    return ledger_search(is->ca->ledger, &q, is->arena, ret);
}

static struct err *check_keys(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    struct ledger_page page = {.n = 0};
    int rule = asked(is)->keys;
    if (rule == TEMPLATES_KEYS_OWNER || is->request.token_spki.n > 0)
        return NULL;
    TRY(of_key(is, &page));
    for (const struct issuance *other = is->ca->under_way; other; other = other->next)
        if (other != is && other->has_key && memcmp(other->key, is->key, SHA256_BYTES) == 0)
            TRY(err_retry(err_new(ERR_RATE, "a certificate for this key is on its way"), 1));
    if (rule == TEMPLATES_KEYS_ONCE && page.n > 0)
        e = err_new(ERR_BAD_KEY, "this key has a certificate; template '%s' wants a new one each time",
                    is->request.template);
    for (size_t i = 0; !e && i < page.n; i++)
        if (!same_names(&page.certs[i], names, n))
            e = err_new(ERR_BAD_KEY,
                        "this key was certified for other names; template '%s' renews with it, "
                        "and no more",
                        is->request.template);
out:
    return err_at(e, "/csr");
}

/* A certificate of this asker for these very names that lives on for longer than the renewal window. */
static const struct ledger_cert *still_good(const struct issuance *is, const struct ledger_page *page,
                                            const char *const *names, size_t n, int64_t later_than)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct ledger_cert *c = &page->certs[i];
        bool own = strcmp(c->actor, is->asker.id) == 0 || (is->asker.shown && is->asker.shown == c->intent);
        if (own && c->decision.not_after > later_than && same_names(c, names, n))
            return c;
    }
    return NULL;
}

static struct err *check_renewal(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    int64_t within = asked(is)->renew_within_s, now = world_now_s();
    struct ledger_query q = {.name = n ? names[0] : NULL,
                             .template = is->request.template,
                             .status = LEDGER_VALID,
                             .now = now,
                             .not_after_from = now + within + 1};
    if (within == 0 || n == 0)
        return NULL;
    do {
        struct ledger_page page;
        TRY(ledger_search(is->ca->ledger, &q, is->arena, &page));
        const struct ledger_cert *c = still_good(is, &page, names, n, now + within);
        if (c)
            return err_retry(err_at(err_new(ERR_RATE,
                                            "a certificate for the same names holds until %s; template '%s' "
                                            "renews it from %s on",
                                            when_text(is->arena, c->decision.not_after), is->request.template,
                                            when_text(is->arena, c->decision.not_after - within)),
                                    "/template"),
                             (int)(c->decision.not_after - within - now));
        q.cursor = page.next;
    } while (q.cursor);
out:
    return e;
}

const struct quota_row quota_rows[] = {
    {"lineage", renewal_check, "what renews itself is the newest of its line, and keeps subject and names",
     false},
    {"keys", check_keys, "the key may be certified once more, as limits.keys says", false},
    {"renewal", check_renewal, "no certificate for the same names lives longer than limits.renew_within",
     false},
    {"per_name", check_names, "no name has had more certificates than limits.per_name", false},
    {"per_asker", check_asker, "the asker has had no more than limits.per_asker", true},
    {"per_template", check_template, "all askers together have had no more than limits.per_template", true},
};
enum { ROWS = sizeof quota_rows / sizeof quota_rows[0] };

size_t quota_rows_count(void)
{
    return ROWS;
}

struct err *quota_books(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    for (size_t i = 0; !e && i < ROWS; i++)
        if (!quota_rows[i].bucket)
            e = quota_rows[i].check(is, names, n);
    return e;
}

struct err *quota_hold(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    const struct templates_limits *limits = asked(is);
    if (is->asker.role == CA_ROLE_SELF) /* an internal template may have them from one it extends */
        return NULL;
    for (size_t i = 0; i < ROWS; i++)
        TRY(quota_rows[i].check(is, names, n));
    if (limits->per_asker.n > 0)
        quota_take(is->ca->quota, asker_id(is), limits->per_asker, world_mono_ms());
    if (limits->per_template.n > 0)
        quota_take(is->ca->quota, template_id(is), limits->per_template, world_mono_ms());
out:
    return e;
}
