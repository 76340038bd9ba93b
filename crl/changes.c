/*
 * The entries of a delta list (RFC 5280 5.2.4): whoever's status changed since the list it builds on, each
 * once, as it stands now. They come in the order of time and are sorted by serial, so they are held in
 * memory; how many there may be is bounded. On the builder's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "list.h"

struct changes {
    struct ledger_change *all;
    size_t n, cap, at;
    uint64_t upto;
    int64_t now; /* the date of those that are no longer on hold */
};

static struct err *gather(void *arg, const struct ledger_change *change)
{
    struct changes *c = arg;
    if (c->n == LIST_CHANGES_MAX)
        return err_new(ERR_TOO_LARGE, "more than %d changes since the list that a delta would build on",
                       LIST_CHANGES_MAX);
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 256;
        c->all = reallocarray(c->all, c->cap, sizeof *c->all);
        CHECK(c->all);
    }
    c->all[c->n++] = *change;
    return NULL;
}

static int by_serial(const void *a, const void *b)
{
    return memcmp(((const struct ledger_change *)a)->serial, ((const struct ledger_change *)b)->serial,
                  SERIAL_BYTES);
}

/* All that are in it twice say the same: how it stands at the moment of the walk. */
static void sort(struct changes *c)
{
    size_t n = 0;
    if (c->n > 0)
        qsort(c->all, c->n, sizeof *c->all, by_serial);
    for (size_t i = 0; i < c->n; i++)
        if (n == 0 || by_serial(&c->all[n - 1], &c->all[i]) != 0)
            c->all[n++] = c->all[i];
    c->n = n;
}

static struct err *since(struct changes *c, struct ledger *ledger, const char *issuer,
                         const struct ledger_crl *base)
{
    c->n = 0;
    return ledger_changes(ledger, issuer, base->upto, gather, c, &c->upto);
}

static struct err *since_a_list(struct changes *c, struct ledger *ledger, const char *issuer,
                                struct ledger_crl *base)
{
    struct err *e = NULL;
    TRY(ledger_list_base(ledger, issuer, c->now, base));
    if (!base->number)
        return err_new(ERR_NOT_FOUND, "no list of everything holds that a delta list could build on");
    e = since(c, ledger, issuer, base);
    if (!e || err_code(e) != ERR_TOO_LARGE)
        return e;
    err_free(e);
    TRY(ledger_crl_last(ledger, issuer, base));
    TRY(since(c, ledger, issuer, base));
out:
    return e;
}

struct err *changes_open(struct ledger *ledger, const char *issuer, struct cert_crl *crl,
                         struct changes **ret)
{
    struct err *e = NULL;
    struct changes *c = calloc(1, sizeof *c);
    struct ledger_crl base;
    CHECK(c);
    c->now = crl->this_update;
    TRY(since_a_list(c, ledger, issuer, &base));
    sort(c);
    crl->is_delta = true;
    crl->base = base.number;
    *ret = c;
    c = NULL;
out:
    changes_free(c);
    return e;
}

void changes_free(struct changes *c)
{
    if (!c)
        return;
    free(c->all);
    free(c);
}

uint64_t changes_upto(const struct changes *c)
{
    return c->upto;
}

static struct err *next(void *arg, struct cert_crl_entry *ret, bool *ret_more)
{
    struct changes *c = arg;
    *ret_more = c->at < c->n;
    if (!*ret_more)
        return NULL;
    const struct ledger_change *from = &c->all[c->at++];
    *ret = (struct cert_crl_entry){.serial = view_of(from->serial, SERIAL_BYTES),
                                   .revoked_at = from->revoked ? from->at : c->now,
                                   .reason = from->revoked ? (enum cert_reason)from->reason
                                                           : CERT_REASON_REMOVE_FROM_CRL,
                                   .has_invalidity = from->invalidity != 0,
                                   .invalid_from = from->invalidity};
    return NULL;
}

static void start_again(void *arg)
{
    ((struct changes *)arg)->at = 0;
}

struct list_source changes_source(struct changes *c)
{
    return (struct list_source){.next = next, .rewind = start_again, .arg = c};
}
