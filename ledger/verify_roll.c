/*
 * Verification: the ledger against the vaults' seal rolls. Every seal over a certificate is over the tbs of
 * an earlier intent; every record names the number its seal has; what was closed as never sealed has no seal.
 * Knows nothing of a roll's file or chain. One thread.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "verify.h"

struct roll {
    struct verify *v;
    size_t n;                        /* of rolls */
    uint64_t last[LEDGER_ROLLS_MAX]; /* number of the last seal given of each */
};

static int by_n(const void *a, const void *b)
{
    const struct verify_crl *x = a, *y = b;
    return x->n < y->n ? -1 : x->n > y->n;
}

static void on_cert(struct roll *r, const struct ledger_seal *s)
{
    struct verify *v = r->v;
    size_t i;
    v->report->seals_cert++;
    if (s->tbs_sha256.n != SHA256_BYTES || !map_get(&v->tbs_of, s->tbs_sha256.p, &i)) {
        verify_found(v, 0, "seal %" PRIu64 " is over a tbs that no intent holds", s->n);
        return;
    }
    struct verify_intent *in = &verify_intents(v)[i];
    if (in->sealed_n != 0)
        verify_found(v, in->seq, "sealed twice: %" PRIu64 " and %" PRIu64, in->sealed_n, s->n);
    in->sealed_n = s->n;
    if (s->n <= in->roll_floor)
        verify_found(v, in->seq, "seal %" PRIu64 " is older than the intent, which saw %" PRIu64, s->n,
                     in->roll_floor);
    if (!view_eq_str(s->issuer, verify_issuers(v)[in->issuer].name) ||
        !view_eq(s->serial, view_of(in->serial, SERIAL_BYTES)))
        verify_found(v, in->seq, "seal %" PRIu64 " names another issuer or serial", s->n);
    else
        verify_issuers(v)[in->issuer].roll = s->roll + 1;
}

/* Several rolls may each have a seal of this number; an issuer's are in one. */
static void on_crl(struct roll *r, const struct ledger_seal *s)
{
    struct verify *v = r->v;
    struct verify_crl want = {.n = s->n}, *all = v->crls.items;
    v->report->seals_crl++;
    struct verify_crl *c = v->crls.n ? bsearch(&want, all, v->crls.n, sizeof want, by_n) : NULL;
    while (c && c > all && c[-1].n == s->n)
        c--;
    for (; c && c < all + v->crls.n && c->n == s->n; c++) {
        struct verify_issuer *issuer = &verify_issuers(v)[c->issuer];
        if (!view_eq_str(s->issuer, issuer->name))
            continue;
        c->sealed = true;
        issuer->roll = s->roll + 1;
    }
}

static struct err *on_seal(struct roll *r, const struct ledger_seal *s)
{
    r->v->report->seals++;
    CHECK(s->roll < r->n);
    if (s->n != r->last[s->roll] + 1)
        verify_found(r->v, 0, "the roll goes from seal %" PRIu64 " to %" PRIu64, r->last[s->roll], s->n);
    r->last[s->roll] = s->n;
    if (s->kind == LEDGER_SEAL_CERT || s->kind == LEDGER_SEAL_CA)
        on_cert(r, s);
    if (s->kind == LEDGER_SEAL_CRL)
        on_crl(r, s);
    if (s->kind == LEDGER_SEAL_OCSP || s->kind == LEDGER_SEAL_NONCE)
        r->v->report->seals_ocsp++;
    return s->kind == LEDGER_SEAL_HEAD ? verify_head_seal(r->v, s) : NULL;
}

static uint64_t least_last(const struct roll *r)
{
    uint64_t least = r->last[0];
    for (size_t i = 1; i < r->n; i++)
        if (r->last[i] < least)
            least = r->last[i];
    return least;
}

/* Beside a running front the log may be newer than the rolls as they were given. roll: + 1, 0: not known. */
static bool is_newer(struct roll *r, size_t roll, uint64_t n)
{
    if (r->n == 1)
        roll = 1;
    uint64_t last = roll ? r->last[roll - 1] : least_last(r);
    struct ledger_verify_report *p = r->v->report;
    uint64_t *newest = roll ? &p->newest[roll - 1] : &p->newest_some;
    bool newer = r->v->how->live && n > last;
    p->newer += newer;
    if (newer && n > *newest)
        *newest = n;
    return newer;
}

static void check_intent(struct roll *r, const struct verify_intent *in)
{
    struct verify *v = r->v;
    bool sealed = in->record != 0 || in->unrecorded || in->state == LEDGER_STATE_SEALED_LOST;
    if (in->state == LEDGER_STATE_OPEN) {
        v->report->sealed_open += in->sealed_n != 0;
        return;
    }
    if (!sealed && in->sealed_n != 0)
        verify_found(v, in->seq, "closed as never sealed, but the roll has seal %" PRIu64, in->sealed_n);
    if (!sealed || in->n == in->sealed_n)
        return;
    if (in->sealed_n == 0 && is_newer(r, verify_issuers(v)[in->issuer].roll, in->n))
        return;
    if (in->sealed_n == 0)
        verify_found(v, in->seq, "recorded with seal %" PRIu64 ", which the roll does not have over this tbs",
                     in->n);
    else
        verify_found(v, in->seq, "recorded with seal %" PRIu64 ", the roll has it as %" PRIu64, in->n,
                     in->sealed_n);
}

/* recorded <= sealed <= recorded + closed, with what is still open between the two books. */
static void check_sums(struct roll *r)
{
    const struct ledger_verify_report *p = r->v->report;
    if (p->records > p->seals_cert + p->newer)
        verify_found(r->v, 0, "%" PRIu64 " records, but %" PRIu64 " seals", p->records, p->seals_cert);
    if (p->seals_cert > p->records + p->closed + p->unrecorded + p->sealed_open)
        verify_found(r->v, 0, "%" PRIu64 " seals, but %" PRIu64 " records and %" PRIu64 " closed intents",
                     p->seals_cert, p->records, p->closed);
}

struct err *verify_roll(struct verify *v)
{
    struct err *e = NULL;
    struct roll r = {.v = v, .n = v->how->rolls ? v->how->rolls : 1};
    struct ledger_seal seal = {0};
    bool more = true;
    if (!v->how->next_seal)
        return NULL;
    if (v->crls.n > 0)
        qsort(v->crls.items, v->crls.n, sizeof(struct verify_crl), by_n);
    for (;;) {
        TRY(v->how->next_seal(v->how->arg, &seal, &more));
        if (!more)
            break;
        TRY(on_seal(&r, &seal));
    }
    const struct verify_head *heads = v->heads.items;
    for (size_t i = 0; i < v->heads.n; i++)
        if (!heads[i].sealed && !is_newer(&r, 0, heads[i].n))
            verify_found(v, heads[i].seq, "a head with seal %" PRIu64 ", which the roll does not have",
                         heads[i].n);
    for (size_t i = 0; i < v->intents.n; i++)
        check_intent(&r, &verify_intents(v)[i]);
    const struct verify_crl *crls = v->crls.items;
    for (size_t i = 0; i < v->crls.n; i++)
        if (!crls[i].sealed && !is_newer(&r, verify_issuers(v)[crls[i].issuer].roll, crls[i].n))
            verify_found(v, crls[i].seq, "a list with seal %" PRIu64 ", which the roll does not have",
                         crls[i].n);
    check_sums(&r);
out:
    return e;
}
