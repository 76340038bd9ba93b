/*
 * The steps of an issuance, in the order of the table in issue.c. Each checks one thing and leaves what the
 * next needs in the issuance. Three of them wait: intent durable, seal made, record durable. On the loop's
 * thread.
 */
#include "admit.h"
#include "again.h"
#include "asker.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/world.h"
#include "ca_act.h"
#include "house.h"
#include "hsm_proof.h"

/* --- shape --- */

struct templates_request steps_wanted(const struct issuance *is)
{
    const struct ca_request *r = &is->request;
    struct templates_who *who = ARENA_NEW(is->arena, struct templates_who);
    *who = asker_who(&is->asker);
    return (struct templates_request){
        .who = who,
        .csr = r->token_spki.n ? NULL : &is->csr,
        .spki = r->token_spki,
        .serial = view_of(is->serial, SERIAL_BYTES),
        .partition = is->partition,
        .now = world_now_s(),
        .not_after = r->not_after,
        .validity_s = r->validity_s,
        .has_subject = r->has_subject,
        .has_sans = r->has_sans,
        .subject = r->subject,
        .subject_n = r->subject_n,
        .sans = r->sans,
        .sans_n = r->sans_n,
        .exts = r->exts,
        .exts_n = r->exts_n,
    };
}

struct err *steps_shape(struct issuance *is, bool *ret_waits)
{
    struct err *e = NULL;
    (void)ret_waits;

    TRY(hsm_serial(is->ca->hsm, is->issuer->name, is->serial));
    if (is->issuer->partition)
        TRY(ledger_partition(is->ca->ledger, is->issuer->name, is->issuer->partition, &is->partition));
    struct templates_request want = steps_wanted(is);
    struct templates_issuer facts = is->issuer->facts;
    if (is->asker.role == CA_ROLE_SELF && want.now > facts.not_after)
        facts.not_after = INT64_MAX; /* a responder of an issuer that is over: the vault allows no other */
    TRY(templates_shape(is->template, &want, &facts, is->arena, &is->shaped));
    TRY(admit_names(is, is->shaped.names, is->shaped.names_n));
    if (!templates_approval(is->template)) /* else when it is filed */
        TRY(quota_hold(is, is->shaped.names, is->shaped.names_n));
    TRY(cert_tbs_write(is->shaped.tbs, is->arena, &is->tbs));
out:
    return e;
}

/* --- intend --- */

/* The key stands already: the same certificate for the same body, as long as there is one. */
static struct err *replay(struct issuance *is, const struct ledger_result *r)
{
    struct ledger_cert record;
    struct err *e = ledger_cert_at(is->ca->ledger, r->intent, is->arena, &record);
    return e ? e : again_give(is, &record);
}

static void intended(void *arg, struct err *e, const struct ledger_result *r)
{
    struct issuance *is = arg;
    if (r)
        clock_saw(&is->ca->clock, r->time_ms);
    if (e || r->outcome == LEDGER_WRITTEN) {
        is->intent = e ? 0 : r->seq;
        world_point("ca.intend.durable");
        issue_resume(is, e);
        return;
    }
    e = replay(is, r);
    if (e)
        issue_resume(is, e);
    if (!e)
        issue_skip_to_hand(is);
}

struct err *steps_intend(struct issuance *is, bool *ret_waits)
{
    if (!is->has_key) /* of the house's own certificates, which come without a CSR */
        digest_sha256(is->shaped.tbs->spki, is->key);
    struct ledger_entry entry = {
        .kind = LEDGER_INTENT,
        .actor = is->asker.id,
        .door = is->asker.door,
        .peer = is->asker.peer,
        .request = is->asker.request_id,
        .issuer = is->issuer_name,
        .serial = view_of(is->serial, SERIAL_BYTES),
        .body.intent =
            {
                .template = is->request.template,
                .generation = is->generation,
                .version = versions_of(is->ca->versions, is->template),
                .names = {is->shaped.names_n, is->shaped.names},
                .subject = is->shaped.subject,
                .not_before = is->shaped.tbs->not_before,
                .not_after = is->shaped.tbs->not_after,
                .spki_sha256 = view_of(is->key, SHA256_BYTES),
                .roll_floor = hsm_roll_n(hsm_for(is->ca->hsm, is->issuer_name)),
                .idempotency = is->again,
                .request_hash = view_of(is->request.body_hash, is->again.n ? SHA256_BYTES : 0),
                .token = view_of(is->asker.token, is->asker.token ? SHA256_BYTES : 0),
                .tbs = is->tbs,
                .partition = is->partition,
                .replaces = is->replaces,
                .tags = is->request.tags,
            },
    };
    *ret_waits = true;
    return ledger_append(is->ca->ledger, &entry, intended, is, NULL);
}

/* --- seal --- */

static void close_written(void *arg, struct err *e, const struct ledger_result *r)
{
    struct ca *ca = arg;
    (void)r;
    if (!e)
        return;
    log_warn("intent.unclosed", log_err(e));
    err_free(e);
    recover_soon(ca, NULL);
}

/* Nothing was signed over this intent, and nothing will be. */
static void close_refused(struct issuance *is, enum ledger_close_reason reason, const struct err *why)
{
    struct ledger_entry entry = {
        .kind = LEDGER_CLOSE,
        .actor = is->asker.id,
        .door = is->asker.door,
        .peer = is->asker.peer,
        .request = is->asker.request_id,
        .ref = is->intent,
        .body.close = {.reason = reason, .detail = err_detail(why)},
    };
    struct err *e = ledger_append(is->ca->ledger, &entry, close_written, is->ca, NULL);
    if (e)
        close_written(is->ca, e, NULL);
}

/* Refusals after which the vault has neither rolled nor signed anything (hsm.h). All else only the roll can
 * tell. */
static bool was_judged(enum err_code code)
{
    return code == ERR_FLOOR || code == ERR_FORBIDDEN || code == ERR_BAD_SIGNATURE || code == ERR_POLICY ||
           code == ERR_SERIAL || code == ERR_CEILING || code == ERR_GENERATION || code == ERR_BUSY;
}

static void sealed(void *arg, struct err *e, uint64_t n, struct view signature)
{
    struct issuance *is = arg;
    if (e) {
        if (was_judged(err_code(e)))
            close_refused(is, LEDGER_REFUSED, e);
        else
            recover_soon(is->ca, is->issuer_name);
        issue_resume(is, e);
        return;
    }
    is->n = n;
    is->signature = arena_dup(is->arena, signature);
    world_point("ca.sealed");
    issue_resume(is, NULL);
}

struct err *steps_seal(struct issuance *is, bool *ret_waits)
{
    const struct hsm_proof approved = {HSM_PROOF_APPROVED, is->approved, is->payload};
    const struct hsm_cert what = {
        .proofs = &approved,
        .proofs_n = is->act != NULL,
        .generation = is->generation,
        .issuer = is->issuer_name,
        .template = is->request.template,
        .tbs = is->tbs,
    };
    struct err *e = hsm_seal_cert(is->ca->hsm, &what, sealed, is, NULL);
    if (e) /* it was never sent */
        close_refused(is, LEDGER_NEVER_SEALED, e);
    *ret_waits = true;
    return e;
}

/* --- record --- */

static void recorded(void *arg, struct err *e, const struct ledger_result *r)
{
    struct issuance *is = arg;
    if (r)
        clock_saw(&is->ca->clock, r->time_ms);
    if (e)
        recover_soon(is->ca, is->issuer_name);
    if (!e)
        world_point("ca.record.durable");
    issue_resume(is, e);
}

struct err *steps_record(struct issuance *is, bool *ret_waits)
{
    struct ledger_entry entry = {
        .kind = LEDGER_RECORD,
        .actor = is->asker.id,
        .door = is->asker.door,
        .peer = is->asker.peer,
        .request = is->asker.request_id,
        .ref = is->intent,
        .body.record = {.n = is->n, .alg = cert_alg_name(is->alg), .signature = is->signature},
    };
    struct err *e = ledger_append(is->ca->ledger, &entry, recorded, is, NULL);
    if (e)
        recover_soon(is->ca, is->issuer_name);
    *ret_waits = true;
    return e;
}

/* --- hand --- */

/* The act is in the roll right before the certificate. Not waited for: what was recorded is found again
 * without it. */
static void note_act(struct issuance *is)
{
    const char *what = arena_printf(is->arena, "%s %s", is->issuer_name,
                                    hex_of(is->arena, view_of(is->serial, SERIAL_BYTES)));
    struct err *e = ca_act_note_done(is->ca, &is->asker, is->act, is->n - 1, what, NULL, NULL);
    if (e)
        log_warn("act.unnoted", log_err(e));
    err_free(e);
}

struct err *steps_hand(struct issuance *is, bool *ret_waits)
{
    struct err *e = NULL;
    (void)ret_waits;
    if (is->act)
        note_act(is);
    is->result = (struct ca_certificate){
        .serial = hex_of(is->arena, view_of(is->serial, SERIAL_BYTES)),
        .issuer = is->issuer_name,
        .template = is->request.template,
        .not_before = is->shaped.tbs->not_before,
        .not_after = is->shaped.tbs->not_after,
    };
    TRY(cert_seal(is->tbs, is->alg, is->signature, is->arena, &is->result.der));
out:
    return e;
}
