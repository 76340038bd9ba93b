/*
 * What the roster makes of an act: who signed, whether they may, and whether as many people as it asks for
 * have approved. The vault judges with it before it does anything, the front before it writes anything down,
 * `ledger verify` afterwards; all with the same code. Pure; any thread.
 */
#include "base/check.h"
#include "floor.h"
#include "roster.h"

static struct err *find_administrator(const struct hsm_roster *roster, const uint8_t hash[SHA256_BYTES],
                                      enum floor floor, const struct hsm_roster_entry **ret)
{
    struct err *e = NULL;
    const struct hsm_roster_entry *who = hsm_roster_find(roster, hash);
    if (!who)
        return err_new(ERR_FORBIDDEN, "the key that signed is not on the roster");
    if (who->revoked)
        e = floor_breach(FLOOR_ACT_REVOKED, "the key of %s that signed is revoked on the roster", who->name);
    else if (who->role != HSM_ROLE_ADMIN)
        e = floor_breach(floor, "%s signed, who is %s on the roster; acts are an administrator's", who->name,
                         hsm_roster_role_name(who->role));
    if (!e)
        *ret = who;
    return e;
}

struct err *hsm_act_check(const struct hsm_roster *roster, struct view act, enum hsm_act_verb verb,
                          const struct hsm_act_signature *s, const struct hsm_roster_entry **ret)
{
    struct err *e = NULL;
    struct arena *arena = arena_new(64 * 1024);
    const struct hsm_roster_entry *who = NULL, *asker;
    struct hsm_act a;
    struct cert_key key;
    uint8_t hash[SHA256_BYTES];
    TRY(hsm_act_read(act, arena, &a));
    TRY(cert_key_parse(s->spki, &key));
    cert_key_sha256(&key, hash);
    TRY(find_administrator(roster, hash, verb == HSM_ACT_REQUEST ? FLOOR_ACT_ASKER : FLOOR_ACT_APPROVER,
                           &who));
    if (verb == HSM_ACT_REQUEST && !view_eq(a.asker, view_of(hash, SHA256_BYTES)))
        TRY(floor_breach(FLOOR_ACT_ASKED, "the act names another asker than the one who signed the request"));
    asker = hsm_roster_find(roster, a.asker.p);
    if (verb == HSM_ACT_APPROVE && asker && roster_same_person(asker, who))
        TRY(floor_breach(FLOOR_ACT_OWN, "%s asked for it: nobody approves their own request", who->name));
    if (!cert_alg_fits(s->alg, key.kind))
        TRY(err_new(ERR_BAD_SIGNATURE, "%s does not fit the key of %s", cert_alg_name(s->alg), who->name));
    TRY(floor_held(FLOOR_ACT_SIGNATURE,
                   cert_key_verify(&key, s->alg, hsm_act_statement(verb, act, arena), s->signature)));
    *ret = who;
out:
    arena_free(arena);
    return e;
}

static bool seen_before(const struct hsm_roster_entry *const *who, size_t n,
                        const struct hsm_roster_entry *one)
{
    for (size_t i = 0; i < n; i++)
        if (roster_same_person(who[i], one))
            return true;
    return false;
}

/* A second signature by one person counts for nothing, but does no harm either. */
static struct err *count(const struct hsm_roster *roster, const struct hsm_act_approved *a,
                         struct hsm_act_judged *j)
{
    struct err *e = NULL;
    const struct hsm_roster_entry *who[HSM_ACT_SIGNATURES_MAX];
    for (size_t i = 0; i < a->n; i++) {
        const struct hsm_roster_entry *one = NULL;
        TRY(err_wrap(hsm_act_check(roster, a->act, HSM_ACT_APPROVE, &a->approvals[i], &one), "approval %zu",
                     i + 1));
        struct err *again = seen_before(who, j->have, one)
                                ? floor_breach(FLOOR_ACT_PERSON, "%s has approved already", one->name)
                                : NULL;
        if (!again)
            who[j->have++] = one;
        err_free(again);
    }
out:
    return e;
}

/* Who asked, where the kind wants that signed. */
static struct err *check_asked(const struct hsm_roster *roster, const struct hsm_act_approved *a,
                               enum hsm_act_kind kind, struct hsm_act_judged *j)
{
    if (!hsm_act_unsigned(kind))
        return hsm_act_check(roster, a->act, HSM_ACT_REQUEST, &a->request, &j->asker);
    if (a->request.spki.n > 0)
        return err_new(ERR_BAD_FIELD, "nobody signs a request for a certificate");
    return NULL;
}

static struct err *check_dates(const struct hsm_act *a, int64_t now)
{
    if (now == 0)
        return NULL;
    if (a->expires <= now)
        return floor_breach(FLOOR_ACT_EXPIRED, "the request has expired; ask anew");
    if (a->expires > now + HSM_ACT_LIFE_S)
        return floor_breach(FLOOR_ACT_TOO_LONG, "a request lives at most %d days",
                            HSM_ACT_LIFE_S / (24 * 3600));
    return NULL;
}

struct err *hsm_act_judge(const struct hsm_roster *roster, const struct hsm_act_approved *a,
                          struct view vault, int64_t now, struct arena *arena, struct hsm_act *ret,
                          struct hsm_act_judged *ret_judged)
{
    struct err *e = NULL;
    struct hsm_act act;
    struct hsm_act_judged j = {.asker = NULL};
    TRY(hsm_act_read(a->act, arena, &act));
    if (!view_eq(act.vault, vault))
        TRY(floor_breach(FLOOR_ACT_VAULT, "the request was made for another vault"));
    TRY(check_dates(&act, now));
    j.needed = hsm_act_unsigned(act.kind) ? 1 : hsm_roster_needed(roster, act.kind);
    TRY(err_wrap(check_asked(roster, a, act.kind, &j), "the request"));
    TRY(count(roster, a, &j));
    *ret = act;
    *ret_judged = j;
    if (j.have < j.needed)
        TRY(floor_breach(FLOOR_ACT_QUORUM,
                         "%s needs %u approvals of different people beside the asker; %u have",
                         hsm_act_row(act.kind)->text, j.needed, j.have));
out:
    return e;
}
