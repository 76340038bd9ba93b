/* Which certificate took the place of which. On the loop's thread; each look a short read transaction. */
#include "read.h"

static struct ledger_kin kin_of(const struct ledger_cert *cert)
{
    return (struct ledger_kin){cert->intent, cert->issuer, cert->serial};
}

/* A page may be empty and yet have a next: intents that came to nothing are passed over. */
static struct err *newest(struct ledger *l, struct ledger_query *q, struct arena *arena,
                          struct ledger_kin *ret)
{
    struct err *e = NULL;
    struct ledger_page page;
    do {
        TRY(ledger_search(l, q, arena, &page));
        q->cursor = page.next;
    } while (page.n == 0 && page.next);
    if (page.n > 0)
        *ret = kin_of(&page.certs[0]);
out:
    return e;
}

struct err *ledger_lineage(struct ledger *l, const struct ledger_cert *cert, struct arena *arena,
                           struct ledger_lineage *ret)
{
    struct err *e = NULL;
    struct ledger_lineage lineage = {.replaces = {.intent = 0}};
    struct ledger_query q = {.replaces = cert->intent, .limit = 1};
    struct ledger_cert before;
    if (cert->decision.replaces) {
        TRY(ledger_cert_at(l, cert->decision.replaces, arena, &before));
        lineage.replaces = kin_of(&before);
    }
    TRY(newest(l, &q, arena, &lineage.renewed_by));
    *ret = lineage;
out:
    return e;
}
