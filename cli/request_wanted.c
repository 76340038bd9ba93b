/*
 * What stands in a certificate that waits for approval, read from the bytes that the approval is over, never
 * from what the daemon says of them.
 */
#include "request_wanted.h"

#include "base/digest.h"
#include "base/when.h"
#include "cert/key.h"
#include "cert/name.h"
#include "hsm_proof.h"
#include "templates_explain.h"

static struct err *say_form(struct cli *c, const struct hsm_form *form, FILE *to)
{
    struct err *e = NULL;
    struct cert_name subject;
    struct cert_key key;
    TRY(cert_name_parse(form->subject, c->arena, &subject));
    TRY(cert_key_parse(form->spki, &key));
    fprintf(to, "  subject: %s\n  key: %s\n  life: at most %s\n", cert_name_text(&subject, c->arena),
            cert_key_text(&key, c->arena), when_duration_text(c->arena, form->life_s));
    for (size_t i = 0; i < form->exts_n; i++)
        fprintf(to, "  %s%s: %s\n", cert_ext_label(form->exts[i].oid, c->arena),
                form->exts[i].critical ? " (critical)" : "", templates_ext_text(&form->exts[i], c->arena));
out:
    return e;
}

struct err *request_wanted_say(struct cli *c, const struct hsm_act *act, struct view payload, FILE *to)
{
    struct err *e = NULL;
    struct hsm_wanted wanted;
    struct hsm_form form;
    uint8_t hash[SHA256_BYTES];
    if (act->kind != HSM_ACT_CERTIFICATE)
        return NULL;
    digest_sha256(payload, hash);
    if (!view_eq(act->object_sha256, view_of(hash, sizeof hash)))
        return err_new(ERR_CORRUPT, "the daemon showed another certificate than the request is for");
    TRY(hsm_wanted_read(payload, c->arena, &wanted));
    TRY(hsm_form_read(wanted.form, c->arena, &form));
    fprintf(to, "  issuer: %s\n  template: %s\n  asker: %s\n", wanted.issuer, wanted.template, wanted.asker);
    TRY(say_form(c, &form, to));
out:
    return e;
}
