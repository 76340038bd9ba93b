/*
 * GET cacerts (RFC 7030 4.1): the certificates of every issuer that is not given up, roots among them, and
 * the cross-certificates by which clients go over from one root to the next. On the front's loop.
 */
#include "base/world.h"
#include "est.h"
#include "hsm_state.h"

static bool counts(const struct ca *ca, const struct ca_issuer *issuer)
{
    return issuer->facts.not_after > world_now_s() && ca_issuer_state(ca, issuer) != HSM_STATE_DELETED;
}

void cacerts_get(struct http_request *r)
{
    const struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    size_t most = 0, n = 0;

    for (size_t i = 0; i < setup->issuers_n; i++)
        most += 1 + setup->issuers[i].cross_n;
    struct view *ders = arena_array(r->arena, most, sizeof *ders);
    for (size_t i = 0; i < setup->issuers_n; i++) {
        const struct ca_issuer *issuer = &setup->issuers[i];
        if (!counts(en->setup.ca, issuer))
            continue;
        ders[n++] = issuer->certificate;
        for (size_t k = 0; k < issuer->cross_n; k++)
            ders[n++] = issuer->cross[k];
    }
    est_reply_certs(r, ders, n);
}
