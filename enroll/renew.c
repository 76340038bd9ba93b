/* A renewal as the doors ask for it: by the certificate that is shown. On the front's loop. */
#include "house.h"
#include "hsm_state.h"

/* NULL, the default, once its own issues no more: after a roll-over the line goes on under the next. */
static const char *issuer_for(const struct enroll *en, const char *name)
{
    const struct ca_issuer *issuer = ca_issuer_find(ca_setup_get(en->setup.ca), name);
    bool issues = issuer && issuer->issue && !issuer->offline &&
                  ca_issuer_state(en->setup.ca, issuer) == HSM_STATE_ACTIVE;
    return issues ? name : NULL;
}

/* Who is known, but not by what is to be renewed, is forbidden; all others are nobody. Takes e. */
static struct err *not_shown(struct http_request *r, struct ca_asker **ret_asker, struct err *e)
{
    struct err *known = asker_admit(r, ret_asker);
    if (known) {
        err_free(known);
        return e;
    }
    struct err *forbidden = err_new(ERR_FORBIDDEN, "%s", err_detail(e));
    err_free(e);
    return forbidden;
}

struct err *renew_request(struct http_request *r, struct ca_asker **ret_asker, struct ca_request *to)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ledger_cert record;

    e = asker_of_shown(r, &asker);
    if (e)
        return not_shown(r, ret_asker, e);
    *ret_asker = asker;
    TRY(asker_may(r, asker));
    TRY(ledger_cert_at(en->setup.ledger, asker->shown, r->arena, &record));
    to->asker = asker;
    to->template = record.decision.template;
    to->issuer = issuer_for(en, record.issuer);
    to->renews = true;
    to->replaces = record.serial;
out:
    return e;
}
