/*
 * Floors of CRLs: the right issuer and key, dates by our own clock, a number above all before it, entries
 * well formed and in order. In one pass over a file, in constant memory. Any thread.
 */
#include "judge.h"

#include <stdlib.h>

#include "floor.h"

static struct err *check_head(const struct house_issuer *issuer, const struct cert_crl *crl, uint64_t floor)
{
    struct err *e = NULL;
    if (!view_eq(crl->issuer, issuer->facts.subject))
        TRY(floor_breach(FLOOR_CRL_ISSUER, "the CRL's issuer is not %s", issuer->name));
    if (crl->alg != issuer->facts.alg)
        TRY(floor_breach(FLOOR_CRL_ALG, "the algorithm is not that with which %s signs", issuer->name));
    if (!view_eq(crl->aki, issuer->facts.key_id))
        TRY(floor_breach(FLOOR_CRL_AKI, "the authority key identifier is not that of %s (RFC 5280 5.2.1)",
                         issuer->name));
    if (crl->number <= floor)
        TRY(floor_breach(FLOOR_CRL_NUMBER,
                         "cRLNumber %llu is not above %llu, the last one sealed (RFC 5280 5.2.3)",
                         (unsigned long long)crl->number, (unsigned long long)floor));
out:
    return e;
}

/* The last list of an issuer that is over may hold for ever: there will be no other. */
static struct err *check_dates(const struct house_issuer *issuer, const struct cert_crl *crl, int64_t now)
{
    struct err *e = NULL;
    int64_t most = issuer->may_issue ? JUDGE_CRL_S : JUDGE_ROOT_CRL_S;
    if (crl->this_update > now + JUDGE_AHEAD_S || crl->this_update < now - JUDGE_STATUS_BACK_S)
        TRY(floor_breach(FLOOR_CRL_THIS_UPDATE,
                         "thisUpdate is not now by the vault's clock (RFC 5280 5.1.2.4)"));
    if (crl->next_update <= now)
        TRY(floor_breach(FLOOR_CRL_NEXT_UPDATE, "nextUpdate is past (RFC 5280 5.1.2.5)"));
    if (now <= issuer->facts.not_after && crl->next_update - crl->this_update > most)
        TRY(floor_breach(FLOOR_CRL_TOO_LONG, "nextUpdate is more than %lld days away",
                         (long long)(most / (24 * 3600))));
out:
    return e;
}

/* Of everything, or of one partition: then it says which, by an address of the issuer's own. No other scope
 * that would hide some certificates. */
static struct err *check_scope(const struct house_issuer *issuer, const struct cert_crl *crl,
                               struct arena *arena)
{
    struct err *e = NULL;
    uint64_t partition;
    if (!crl->has_idp)
        return NULL;
    if (crl->idp.only_user || crl->idp.only_ca)
        TRY(floor_breach(FLOOR_CRL_SCOPE, "a list for some certificates only (RFC 5280 5.2.5)"));
    if (crl->idp.uri.n > 0 && !templates_partition_of(&issuer->facts, crl->idp.uri, arena, &partition))
        TRY(floor_breach(FLOOR_CRL_POINT, "the distribution point is not that of %s (RFC 5280 5.2.5)",
                         issuer->name));
out:
    return e;
}

/* A delta list is over everything, and builds on a list that was sealed. */
static struct err *check_delta(const struct house_issuer *issuer, const struct cert_crl *crl, uint64_t floor,
                               struct arena *arena)
{
    struct err *e = NULL;
    const char *own = templates_issuer_url(&issuer->facts, TEMPLATES_URL_DELTA, arena);
    if (crl->is_delta && crl->has_idp)
        TRY(floor_breach(FLOOR_CRL_DELTA_SCOPE, "a delta list over less than everything (RFC 5280 5.2.4)"));
    if (crl->is_delta && (crl->base == 0 || crl->base > floor))
        TRY(floor_breach(FLOOR_CRL_BASE,
                         "BaseCRLNumber %llu was never sealed; the last is %llu "
                         "(RFC 5280 5.2.4)",
                         (unsigned long long)crl->base, (unsigned long long)floor));
    if (crl->freshest.p && !view_eq_str(crl->freshest, own))
        TRY(floor_breach(FLOOR_CRL_FRESHEST,
                         "freshestCRL does not name the delta lists of %s (RFC 5280 5.2.6)", issuer->name));
    if (crl->freshest.p && crl->has_idp)
        TRY(floor_breach(
            FLOOR_CRL_FRESHEST_SCOPE,
            "freshestCRL in the list of a partition, which has no delta lists (RFC 5280 5.2.6)"));
out:
    return e;
}

/* What one entry leaves for the next, and for the end: what kind of list it is stands behind the entries. */
struct entries {
    int64_t now;
    uint8_t last[SERIAL_MAX_BYTES];
    size_t last_n;
    bool removes;
};

static struct err *check_entry(void *arg, const struct cert_crl_entry *entry)
{
    struct err *e = NULL;
    struct entries *s = arg;
    if (s->last_n > 0 && cert_crl_serial_cmp(view_of(s->last, s->last_n), entry->serial) >= 0)
        TRY(floor_breach(FLOOR_CRL_ORDER, "the entries do not ascend by serial"));
    if (entry->revoked_at > s->now + JUDGE_AHEAD_S)
        TRY(floor_breach(FLOOR_CRL_REVOKED_AHEAD, "an entry is revoked ahead of the vault's clock"));
    s->removes = s->removes || entry->reason == CERT_REASON_REMOVE_FROM_CRL;
    memcpy(s->last, entry->serial.p, entry->serial.n);
    s->last_n = entry->serial.n;
out:
    return e;
}

static struct err *check_list(const struct house_issuer *issuer, const struct cert_crl *crl, bool removes,
                              uint64_t floor, int64_t now, struct arena *arena)
{
    struct err *e = NULL;
    TRY(check_head(issuer, crl, floor));
    TRY(check_dates(issuer, crl, now));
    TRY(check_scope(issuer, crl, arena));
    TRY(check_delta(issuer, crl, floor, arena));
    if (removes && !crl->is_delta)
        TRY(floor_breach(FLOOR_CRL_REMOVE, "removeFromCRL in a full list (RFC 5280 5.3.1)"));
out:
    return e;
}

struct err *judge_crl(const struct house_issuer *issuer, const struct list_file *file, uint64_t floor,
                      int64_t now, struct list_read *ret)
{
    struct err *e = NULL;
    struct entries entries = {.now = now};
    struct list_read read = {.entries = 0};
    struct arena *arena = arena_new(1 << 20);
    if (file->bytes > JUDGE_CRL_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a CRL of more than %d octets", JUDGE_CRL_BYTES));
    TRY(list_reader_run(file, issuer->facts.alg, check_entry, &entries, arena, &read));
    TRY(check_list(issuer, &read.crl, entries.removes, floor, now, arena));
    read.crl = (struct cert_crl){.number = read.crl.number}; /* the rest lies in our arena */
    *ret = read;
out:
    if (e)
        free((void *)(uintptr_t)read.message.p);
    arena_free(arena);
    return e;
}
