/*
 * Evidence that comes with a certificate: judged on the final bytes, by the roster and the templates that the
 * vault itself holds, never by what the front says of them. The vault's loop.
 */
#include "vault_proof.h"

#include "base/world.h"
#include "floor.h"

static const struct hsm_proof *find(const struct vault_evidence *evidence, enum hsm_proof_kind kind)
{
    for (size_t i = 0; i < evidence->n; i++)
        if (evidence->proofs[i].kind == kind)
            return &evidence->proofs[i];
    return NULL;
}

/* --- approvals --- */

/* What was shown to those who approved, held against what is to be sealed. */
static struct err *check_wanted(struct view payload, const struct house_issuer *issuer,
                                const struct judge_cert_found *found, struct arena *arena)
{
    struct err *e = NULL;
    struct hsm_wanted wanted;
    struct hsm_form form;
    struct view is;
    const struct cert_tbs *tbs = &found->tbs;
    TRY(hsm_wanted_read(payload, arena, &wanted));
    TRY(hsm_form_read(wanted.form, arena, &form));
    TRY(hsm_form_write(tbs, &issuer->facts, form.life_s, arena, &is));
    if (strcmp(wanted.issuer, issuer->name) != 0 ||
        strcmp(wanted.template, templates_name(found->template)) != 0 || !view_eq(is, wanted.form) ||
        tbs->not_after - tbs->not_before > form.life_s)
        TRY(floor_breach(FLOOR_CERT_APPROVED, "what was approved is another certificate than this one"));
out:
    return e;
}

static struct err *check_approvals(struct vault_call *call, const struct hsm_proof *proof,
                                   const struct templates_approval *approval,
                                   const struct house_issuer *issuer, const struct judge_cert_found *found,
                                   struct vault_proved *ret)
{
    struct err *e = NULL;
    struct hsm_vault *v = call->v;
    uint8_t payload[SHA256_BYTES], template[SHA256_BYTES];
    digest_sha256(proof->over, payload);
    templates_sha256(found->template, template);
    const struct vault_claim claim = {.kind = HSM_ACT_CERTIFICATE,
                                      .object = templates_name(found->template),
                                      .object_sha256 = view_of(payload, SHA256_BYTES),
                                      .template_sha256 = view_of(template, SHA256_BYTES)};
    TRY(vault_act_judge(v, proof->what, &claim, call->arena, &ret->act));
    ret->has_act = true;
    TRY(check_wanted(proof->over, issuer, found, call->arena));
    unsigned needed = hsm_proof_needed(v->roster, approval);
    if (ret->act.have < needed)
        TRY(floor_breach(FLOOR_CERT_APPROVAL,
                         "template '%s' asks for %u approvals of different people; %u have",
                         templates_name(found->template), needed, ret->act.have));
out:
    return e;
}

struct err *vault_proof_judge(struct vault_call *call, const struct vault_evidence *evidence,
                              const struct house_issuer *issuer, const struct judge_cert_found *found,
                              struct vault_proved *ret)
{
    const struct templates_approval *approval = templates_approval(found->template);
    const struct hsm_proof *proof = find(evidence, HSM_PROOF_APPROVED);
    *ret = (struct vault_proved){.has_act = false};
    if (!approval)
        return NULL;
    if (!proof)
        return floor_breach(FLOOR_CERT_APPROVAL, "template '%s' asks for approvals, and none came with it",
                            templates_name(found->template));
    return check_approvals(call, proof, approval, issuer, found, ret);
}

void vault_proof_use(struct hsm_vault *v, const struct vault_proved *proved)
{
    if (proved->has_act)
        (void)vault_act_use(v, &proved->act);
}
