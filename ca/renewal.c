/*
 * What a renewal must be. One that was renewed already and comes again with another key is a copied image or
 * a stolen key: it is refused and told to people.
 *
 * On the loop's thread.
 */
#include "renewal.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/when.h"
#include "base/world.h"
#include "cert/san.h"

/* --- the line --- */

static void raise_alarm(struct issuance *is, const struct ledger_cert *old, const struct ledger_kin *newer)
{
    const struct ledger_entry entry = {
        .kind = LEDGER_ALARM,
        .actor = is->asker.id,
        .door = is->asker.door,
        .peer = is->asker.peer,
        .request = is->asker.request_id,
        .issuer = old->issuer,
        .body.note = {.what = arena_printf(is->arena, "%s was renewed as %s and asks again with another key",
                                           hex_of(is->arena, old->serial), hex_of(is->arena, newer->serial)),
                      .number = old->intent,
                      .hash = view_of(is->key, SHA256_BYTES)},
    };
    metric_add(METRIC_IDENTITY_ALARMS, 1);
    log_error("identity.alarm", log_text("asker", is->asker.id), log_text("what", entry.body.note.what));
    ca_note(is->ca, &entry);
}

static struct err *not_newest(struct issuance *is, const struct ledger_cert *old,
                              const struct ledger_kin *newer)
{
    struct err *e = NULL;
    struct ledger_cert record;
    TRY(ledger_cert_at(is->ca->ledger, newer->intent, is->arena, &record));
    if (!view_eq(record.decision.spki_sha256, view_of(is->key, SHA256_BYTES)))
        raise_alarm(is, old, newer);
    e = err_new(ERR_RENEWED, "it was renewed already, as %s; only the newest of a line renews itself",
                hex_of(is->arena, newer->serial));
out:
    return e;
}

static bool is_under_way(const struct issuance *is)
{
    for (const struct issuance *other = is->ca->under_way; other; other = other->next)
        if (other != is && other->has_key && other->request.renews && other->replaces == is->replaces)
            return true;
    return false;
}

static struct err *check_line(struct issuance *is, const struct ledger_cert *old)
{
    struct err *e = NULL;
    struct ledger_lineage line;
    if (is_under_way(is))
        return err_new(ERR_CONFLICT, "its renewal is under way");
    TRY(ledger_lineage(is->ca->ledger, old, is->arena, &line));
    if (line.renewed_by.intent)
        e = not_newest(is, old, &line.renewed_by);
out:
    return e;
}

/* --- the time --- */

static struct err *check_time(struct issuance *is, const struct ledger_cert *old)
{
    int64_t grace = templates_limits(is->template)->renew_grace_s, end = old->decision.not_after;
    if (world_now_s() <= end + grace)
        return NULL;
    return err_new(ERR_RENEWED, "it was over at %s; template '%s' renews for %s after",
                   when_text(is->arena, end), is->request.template,
                   grace ? when_duration_text(is->arena, grace) : "no time");
}

/* --- the names --- */

static struct err *sans_of(const struct cert_tbs *tbs, struct arena *arena, struct cert_san **ret,
                           size_t *ret_n)
{
    const struct cert_san_limits limits = {.allow_other = true};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_SAN);
    *ret_n = 0;
    return ext ? cert_san_read(ext->value, &limits, arena, ret, ret_n) : NULL;
}

static bool is_among(const struct cert_san *san, const struct cert_san *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cert_san_eq(san, &all[i]))
            return true;
    return false;
}

/* RFC 7030 4.2.2. The order of names is the CSR's affair. */
static struct err *check_names(struct issuance *is, const struct ledger_cert *old)
{
    struct err *e = NULL;
    struct cert_tbs before;
    struct cert_san *was, *is_now;
    size_t was_n, now_n;
    TRY(cert_tbs_read(old->decision.tbs, is->arena, &before));
    if (!view_eq(before.subject, is->shaped.tbs->subject))
        return err_at(err_new(ERR_NAME_FORBIDDEN,
                              "a renewal keeps the subject: '%s', not '%s' (RFC 7030 4.2.2)",
                              old->decision.subject, is->shaped.subject),
                      "/csr");
    TRY(sans_of(&before, is->arena, &was, &was_n));
    TRY(sans_of(is->shaped.tbs, is->arena, &is_now, &now_n));
    bool same = was_n == now_n;
    for (size_t i = 0; same && i < now_n; i++)
        same = is_among(&is_now[i], was, was_n);
    if (!same)
        e = err_at(
            err_new(ERR_NAME_FORBIDDEN, "a renewal keeps the names, no more and no fewer (RFC 7030 4.2.2)"),
            "/csr");
out:
    return e;
}

struct err *renewal_check(struct issuance *is, const char *const *names, size_t n)
{
    struct err *e = NULL;
    struct ledger_cert old;
    (void)names, (void)n;
    if (!is->request.renews)
        return NULL;
    TRY(ledger_cert_at(is->ca->ledger, is->replaces, is->arena, &old));
    if (is->asker.shown != old.intent)
        TRY(err_new(ERR_FORBIDDEN, "a certificate is renewed by who shows it, and no other"));
    if (old.state != LEDGER_STATE_RECORDED)
        TRY(err_new(ERR_RENEWED, "it has been revoked"));
    TRY(check_time(is, &old));
    TRY(check_line(is, &old));
    TRY(check_names(is, &old));
out:
    return e;
}

/* --- when to come again --- */

/* The window of the template, or the last third of its life; within its first half, by the serial: a fleet
 * that was certified in one hour does not come back in one. */
int64_t ca_renew_after(const struct ca_setup *setup, const struct ca_certificate *cert)
{
    const struct template *t = templates_find(setup->templates, view_str(cert->template));
    int64_t life = cert->not_after - cert->not_before, window = life / 3;
    int64_t within = t ? templates_limits(t)->renew_within_s : 0;
    uint8_t hash[SHA256_BYTES];
    if (within > 0 && within < window)
        window = within;
    digest_sha256(view_str(cert->serial), hash);
    uint64_t spread = (uint64_t)hash[0] << 16 | (uint64_t)hash[1] << 8 | hash[2];
    return cert->not_after - window + (int64_t)((uint64_t)window / 2 * spread >> 24);
}
