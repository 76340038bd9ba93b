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
    struct recover_vault *vault;
    struct arena *arena; /* of the page in hand */
    const struct ledger_cert *page[PAGE];
    uint8_t hashes[PAGE][SHA256_BYTES];
    size_t n;       /* in the page, without those in hand */
    size_t waiting; /* closings not yet durable */
    bool more;      /* a page is bounded in octets too: only an empty one is the last */
    uint64_t next;  /* seq to go on from */
    uint64_t closed, lost;
    bool again; /* what is open may have grown behind us, or the channel is another: once more from the start
                 */
    struct err *failed;
};

static void next_page(struct recovery *r);
static void begin(struct recover_vault *v);

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

/* Tells who waits, once. */
static void tell(struct recover_vault *v, struct err *e)
{
    struct recover_wish wish = v->wish;
    v->wish = (struct recover_wish){.stands = false};
    if (wish.done)
        wish.done(wish.arg, e);
    else
        err_free(e);
}

static void settled(struct recover_vault *v)
{
    if (!v->wish.stands) /* a stray in mid-life, or the channel is gone again */
        return;
    v->recovered = true;
    tell(v, NULL);
}

static void strays_due(void *arg)
{
    struct recover_vault *v = arg;
    if (hsm_ready(v->hsm))
        begin(v);
}

static void soon(struct recover_vault *v)
{
    if (!v->strays)
        v->strays = loop_timer_new(v->ca->loop, strays_due, v);
    loop_timer_set(v->strays, SOON_MS);
}

static void finish(struct recovery *r, struct err *e)
{
    struct recover_vault *v = r->vault;
    bool again = r->again;
    v->recovery = NULL;
    if (r->closed)
        note(r);
    if (e)
        log_warn("recovery.failed", log_err(e));
    arena_free(r->arena);
    free(r);
    if (again)
        begin(v);
    else if (!e)
        settled(v);
    else if (hsm_ready(v->hsm))
        soon(v); /* the ledger's fault, say; a lost vault starts anew when it is back */
    err_free(e);
}

static void closed(void *arg, struct err *e, const struct ledger_result *result)
{
    struct recovery *r = arg;
    (void)result;
    r->waiting--;
    if (!e)
        r->closed++;
    /* ERR_WRONG_STATE: its issuance closed it itself while the roll was asked */
    if (e && err_code(e) != ERR_WRONG_STATE && !r->failed)
        r->failed = e;
    else
        err_free(e);
    if (r->waiting)
        return;
    struct err *failed = r->failed;
    r->failed = NULL;
    if (failed || !r->more)
        finish(r, failed);
    else
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
        if (in_hand(r->ca, intent) || hsm_for(r->ca->hsm, intent->issuer) != r->vault->hsm)
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
        TRY(hsm_roll_find(r->vault->hsm, from, (const uint8_t(*)[SHA256_BYTES])r->hashes, r->n, found, r,
                          NULL));
out:
    if (e || r->n == 0)
        finish(r, e);
}

static void start(void *arg)
{
    next_page(arg);
}

static void begin(struct recover_vault *v)
{
    if (v->recovery) {
        v->recovery->again = true;
        return;
    }
    struct recovery *r = calloc(1, sizeof *r);
    CHECK(r);
    *r = (struct recovery){.ca = v->ca, .vault = v, .arena = arena_new(64u << 20), .next = 1};
    v->recovery = r;
    loop_after_turn(v->ca->loop, start, r);
}

/* --- vaults --- */

static struct recover_vault *find(struct ca *ca, struct hsm *vault)
{
    size_t i = 0;
    while (i < HSM_VAULTS_MAX && ca->vaults[i].hsm && ca->vaults[i].hsm != vault)
        i++;
    CHECK(i < HSM_VAULTS_MAX);
    ca->vaults[i].ca = ca;
    ca->vaults[i].hsm = vault;
    return &ca->vaults[i];
}

void ca_recover(struct ca *ca, struct hsm *vault, void (*done)(void *arg, struct err *e), void *arg)
{
    struct recover_vault *v = find(ca, vault);
    if (v->wish.stands)
        tell(v, err_new(ERR_CANCELLED, "what is open is looked up anew"));
    v->recovered = false;
    v->wish = (struct recover_wish){.stands = true, .done = done, .arg = arg};
    begin(v);
}

void recover_lost(struct ca *ca, struct hsm *vault)
{
    struct recover_vault *v = find(ca, vault);
    v->recovered = false;
    if (v->wish.stands)
        tell(v, err_new(ERR_TOKEN_AWAY, "the vault went away before all was closed"));
}

bool recover_is_done(struct ca *ca, struct hsm *vault)
{
    return find(ca, vault)->recovered;
}

void recover_soon(struct ca *ca, const char *issuer)
{
    for (size_t i = 0; i < HSM_VAULTS_MAX && ca->vaults[i].hsm; i++)
        if (!issuer || hsm_for(ca->hsm, issuer) == ca->vaults[i].hsm)
            soon(&ca->vaults[i]);
}

void recover_free(struct ca *ca)
{
    for (size_t i = 0; i < HSM_VAULTS_MAX; i++) {
        CHECK(!ca->vaults[i].recovery);
        loop_timer_free(ca->vaults[i].strays);
        ca->vaults[i].strays = NULL;
    }
}
