/* See again.h: looked up here, in the loop; whether it was the first the ledger alone decides, at the intent.
 */
#include "again.h"

#include "base/digest.h"

/* asker | 0 | key. Keys of different askers never meet. */
static void by_key(const struct issuance *is, uint8_t hash[SHA256_BYTES])
{
    const struct view parts[] = {view_str(is->asker.id), view_of("", 1),
                                 view_str(is->request.idempotency_key)};
    digest_sha256_parts(parts, 3, hash);
}

static void add_text(struct digest *d, const char *text)
{
    if (text)
        digest_add(d, view_str(text));
    digest_add(d, view_of("", 1));
}

static void add_octets(struct digest *d, struct view octets)
{
    digest_add(d, view_of(&octets.n, sizeof octets.n));
    digest_add(d, octets);
}

/* What was asked for beside the CSR. */
static void add_beside(struct digest *d, const struct ca_request *r)
{
    const int64_t ends[] = {r->not_after, r->validity_s};
    digest_add(d, view_of(ends, sizeof ends));
    for (size_t i = 0; i < r->subject_n; i++) {
        add_text(d, r->subject[i].attribute);
        add_text(d, r->subject[i].value);
    }
    add_text(d, NULL);
    for (size_t i = 0; i < r->sans_n; i++)
        add_text(d, r->sans[i]);
    add_text(d, NULL);
    for (size_t i = 0; i < r->exts_n; i++) {
        add_octets(d, r->exts[i].oid);
        add_octets(d, r->exts[i].value);
    }
}

/* asker | 0 | 0 | all that shapes it: no Idempotency-Key begins with a zero. */
static void by_csr(const struct issuance *is, uint8_t hash[SHA256_BYTES])
{
    const struct ca_request *r = &is->request;
    struct digest *d = digest_new();
    add_text(d, is->asker.id);
    add_text(d, NULL);
    add_text(d, r->template);
    add_text(d, r->issuer);
    add_octets(d, r->replaces);
    add_octets(d, is->csr.cri);
    add_beside(d, r);
    digest_done(d, hash);
}

static struct view hash_of(struct issuance *is)
{
    uint8_t *hash = arena_alloc(is->arena, SHA256_BYTES);
    if (is->request.idempotency_key)
        by_key(is, hash);
    else if (is->csr.cri.n && (is->request.renews || is->asker.bounded))
        by_csr(is, hash);
    else
        return view_of(NULL, 0);
    return view_of(hash, SHA256_BYTES);
}

struct err *again_give(struct issuance *is, const struct ledger_cert *record)
{
    struct err *e = NULL;
    if (is->request.idempotency_key &&
        !view_eq(record->decision.request_hash, view_of(is->request.body_hash, SHA256_BYTES)))
        return err_new(ERR_IDEMPOTENCY,
                       "this Idempotency-Key was used with another body less than 24 hours ago");
    if (record->state == LEDGER_STATE_OPEN)
        return err_new(ERR_CONFLICT, "the same request is under way");
    TRY(ca_certificate_of(record, is->arena, &is->result));
    is->result.replayed = true;
out:
    return e;
}

static void skip(void *arg)
{
    issue_skip_to_hand(arg);
}

struct err *steps_again(struct issuance *is, bool *ret_waits)
{
    struct err *e = NULL;
    struct ledger_cert record = {.intent = 0};
    is->again = hash_of(is);
    if (is->again.n == 0)
        return NULL;
    TRY(ledger_idempotent(is->ca->ledger, is->again, is->arena, &record));
    if (record.intent == 0)
        return NULL;
    TRY(again_give(is, &record));
    *ret_waits = true;
    loop_after_turn(is->ca->loop, skip, is);
out:
    return e;
}
