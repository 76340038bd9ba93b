/*
 * Floors of CRLs: the right issuer and key, dates by our own clock, a number above all before it, entries
 * well formed and in order. Reads in place, in constant memory. Any thread.
 */
#include "judge.h"

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

/* Its own distribution point or none, and no scope that would hide some certificates. */
static struct err *check_scope(const struct house_issuer *issuer, const struct cert_crl *crl,
                               struct arena *arena)
{
    struct err *e = NULL;
    if (!crl->has_idp)
        return NULL;
    if (crl->idp.only_user || crl->idp.only_ca)
        TRY(floor_breach(FLOOR_CRL_SCOPE, "a list for some certificates only (RFC 5280 5.2.5)"));
    const char *own = templates_issuer_url(&issuer->facts, TEMPLATES_URL_CRL, arena);
    if (crl->idp.uri.n > 0 && !view_eq_str(crl->idp.uri, own))
        TRY(floor_breach(FLOOR_CRL_POINT, "the distribution point is not that of %s (RFC 5280 5.2.5)",
                         issuer->name));
out:
    return e;
}

static struct err *check_entries(const struct cert_crl *crl, int64_t now)
{
    struct err *e = NULL;
    struct view left = crl->entries, last = {NULL, 0};
    while (left.n > 0) {
        struct cert_crl_entry entry;
        TRY(cert_crl_next(&left, &entry));
        if (last.n > 0 && cert_crl_serial_cmp(last, entry.serial) >= 0)
            TRY(floor_breach(FLOOR_CRL_ORDER, "the entries do not ascend by serial"));
        if (entry.revoked_at > now + JUDGE_AHEAD_S)
            TRY(floor_breach(FLOOR_CRL_REVOKED_AHEAD, "an entry is revoked ahead of the vault's clock"));
        if (entry.reason == CERT_REASON_REMOVE_FROM_CRL)
            TRY(floor_breach(FLOOR_CRL_REMOVE, "removeFromCRL in a full list (RFC 5280 5.3.1)"));
        last = entry.serial;
    }
out:
    return e;
}

struct err *judge_crl(const struct house_issuer *issuer, struct view tbs, uint64_t floor, int64_t now,
                      uint64_t *ret_number)
{
    struct err *e = NULL;
    struct cert_crl crl;
    struct arena *arena = arena_new(64 * 1024);
    if (tbs.n > JUDGE_CRL_BYTES)
        TRY(err_new(ERR_TOO_LARGE, "a CRL of more than %d octets", JUDGE_CRL_BYTES));
    TRY(cert_crl_read(tbs, &crl));
    TRY(check_head(issuer, &crl, floor));
    TRY(check_dates(issuer, &crl, now));
    TRY(check_scope(issuer, &crl, arena));
    TRY(check_entries(&crl, now));
    *ret_number = crl.number;
out:
    arena_free(arena);
    return e;
}
