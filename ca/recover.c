/*
 * Closes intents that ended without a record: after a start, after a vault was lost, after a failure in
 * mid-life. The seal roll decides: what stands there was signed, so its serial counts as revoked; what does
 * not never will be, because the vault that could have signed it has said it is drained, and serials of its
 * leases are void. Intents that an issuance still holds in hand are left to it. On the loop's thread.
 */
#include "base/digest.h"
#include "base/log.h"
#include "house.h"

#include <stdlib.h>

enum { PAGE = 256, SOON_MS = 500 };

struct recovery {
    struct ca *ca;
    void (*done)(void *arg, struct err *e);
    void *arg;
    struct arena *arena; /* of the page in hand */
    const struct ledger_cert *page[PAGE];
    uint8_t hashes[PAGE][SHA256_BYTES];
    size_t n;       /* in the page, without those in hand */
    size_t waiting; /* closings not yet durable */
    bool more;      /* a page is bounded in octets too: only an empty one is the last */
    uint64_t next;  /* seq to go on from */
    uint64_t closed, lost;
    struct err *failed;
};

static void next_page(struct recovery *r);

static void note_written(void *arg, struct err *e, const struct ledger_result *result)
{
    (void)arg, (void)result;
    if (e)
        log_error("recovery.unwritten", log_err(e));
    err_free(e);
}

static void note(struct recovery *r)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_RECOVERY,
        .actor = "self",
        .body.note = {.what = "intents closed", .number = r->closed},
    };
    log_warn("recovery.closed", log_num("intents", (long long)r->closed),
             log_num("sealed", (long long)r->lost));
    struct err *e = ledger_append(r->ca->ledger, &entry, note_written, NULL, NULL);
    if (e)
        note_written(NULL, e, NULL);
}

static void finish(struct recovery *r, struct err *e)
{
    struct ca *ca = r->ca;
    ca->recovery = NULL;
    if (r->closed)
        note(r);
    if (e)
        log_warn("recovery.failed", log_err(e));
    if (e && hsm_ready(ca->hsm))
        recover_soon(ca); /* the ledger's fault, say: try again; a lost vault starts anew when it is back */
    if (!e)
        ca->recovered = true;
    void (*done)(void *, struct err *) = r->done;
    void *arg = r->arg;
    arena_free(r->arena);
    free(r);
    if (done)
        done(arg, e);
    if (!done)
        err_free(e);
}

static void closed(void *arg, struct err *e, const struct ledger_result *result)
{
    struct recovery *r = arg;
    (void)result;
    r->waiting--;
    if (!e)
        r->closed++;
    if (e && !r->failed)
        r->failed = e;
    else
        err_free(e);
    if (r->waiting)
        return;
    struct err *failed = r->failed;
    r->failed = NULL;
    if (failed || !r->more) {
        finish(r, failed);
        return;
    }
    next_page(r);
}

static struct err *close_one(struct recovery *r, const struct ledger_cert *intent, uint64_t n)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_CLOSE,
        .actor = intent->actor,
        .door = intent->door,
        .request = intent->request,
        .ref = intent->intent,
        .body.close = {.reason = n ? LEDGER_SEALED_LOST : LEDGER_NEVER_SEALED, .n = n, .detail = "recovery"},
    };
    struct err *e = ledger_append(r->ca->ledger, &entry, closed, r, NULL);
    if (!e)
        r->waiting++;
    if (!e && n)
        r->lost++;
    return e;
}

static void found(void *arg, struct err *e, const uint64_t *ns, size_t n)
{
    struct recovery *r = arg;
    for (size_t i = 0; !e && i < n; i++)
        e = close_one(r, r->page[i], ns[i]);
    if (!e)
        return;
    if (r->waiting) { /* those that are queued come back first */
        r->failed = e;
        return;
    }
    finish(r, e);
}

static bool in_hand(const struct ca *ca, const struct ledger_cert *intent)
{
    for (const struct issuance *is = ca->under_way; is; is = is->next)
        if (is->issuer && view_eq(view_of(is->serial, SERIAL_BYTES), intent->serial))
            return true;
    return false;
}

/* What of the page must be looked up; returns the lowest roll number a seal over any of it can have. */
static uint64_t take_page(struct recovery *r, const struct ledger_page *page)
{
    uint64_t from = UINT64_MAX;
    r->n = 0;
    for (size_t i = 0; i < page->n; i++) {
        const struct ledger_cert *intent = &page->certs[i];
        r->next = intent->intent + 1;
        if (in_hand(r->ca, intent))
            continue;
        digest_sha256(intent->decision.tbs, r->hashes[r->n]);
        r->page[r->n++] = intent;
        if (intent->decision.roll_floor + 1 < from)
            from = intent->decision.roll_floor + 1;
    }
    return from;
}

static void next_page(struct recovery *r)
{
    struct err *e = NULL;
    struct ledger_page page;
    uint64_t from;

    do {
        arena_reset(r->arena);
        TRY(ledger_open_intents(r->ca->ledger, r->next, PAGE, r->arena, &page));
        r->more = page.n > 0;
        from = take_page(r, &page);
    } while (r->n == 0 && r->more);
    if (r->n)
        TRY(hsm_roll_find(r->ca->hsm, from, (const uint8_t(*)[SHA256_BYTES])r->hashes, r->n, found, r, NULL));
out:
    if (e || r->n == 0)
        finish(r, e);
}

void ca_recover(struct ca *ca, void (*done)(void *arg, struct err *e), void *arg)
{
    if (ca->recovery) { /* one at a time; the other's failure or end starts this anew */
        recover_soon(ca);
        if (done)
            done(arg, err_new(ERR_BUSY, "a recovery is under way"));
        return;
    }
    struct recovery *r = calloc(1, sizeof *r);
    CHECK(r);
    *r = (struct recovery){.ca = ca, .done = done, .arg = arg, .arena = arena_new(64u << 20), .next = 1};
    ca->recovery = r;
    next_page(r);
}

static void strays_due(void *arg)
{
    struct ca *ca = arg;
    if (hsm_ready(ca->hsm))
        ca_recover(ca, NULL, NULL);
}

void recover_soon(struct ca *ca)
{
    if (!ca->strays)
        ca->strays = loop_timer_new(ca->loop, strays_due, ca);
    loop_timer_set(ca->strays, SOON_MS);
}

void recover_free(struct ca *ca)
{
    loop_timer_free(ca->strays);
    ca->strays = NULL;
}
