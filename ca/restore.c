/*
 * Merging into a restored ledger: see ca_restore.h. Each thing that was not there becomes one entry; what was
 * there stays. Never takes a revocation back.
 */
#include "ca_restore.h"

#include "base/check.h"
#include "base/der.h"
#include "cert/chain.h"
#include "cert/crl.h"

enum { ARENA_BYTES = 8 << 20 };

struct merging {
    struct ledger *ledger;
    struct arena *arena; /* of the item in hand */
    struct ca_merged *to;
    const char *issuer;
};

static struct err *look(struct merging *m, const char *issuer, struct view serial, struct ledger_cert *ret,
                        bool *ret_found)
{
    struct err *e = ledger_find(m->ledger, issuer, serial, m->arena, ret);
    *ret_found = !e;
    if (!e || err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    return NULL;
}

static struct err *put_unrecorded(struct merging *m, const char *issuer, struct view serial,
                                  const struct ledger_stray *what)
{
    const struct ledger_entry entry = {.kind = LEDGER_UNRECORDED,
                                       .actor = "self",
                                       .door = "self",
                                       .issuer = issuer,
                                       .serial = serial,
                                       .body.stray = *what};
    m->to->unrecorded++;
    return ledger_append_wait(m->ledger, &entry, NULL);
}

/* --- the roll --- */

/* The key is "issuing" or "issuing/ocsp/HEX": the issuer is before the slash. */
static struct err *take_seal(void *arg, const struct hsm_roll_entry *en)
{
    struct err *e = NULL;
    struct merging *m = arg;
    struct ledger_cert cert;
    bool found;
    if ((en->kind != HSM_ROLL_CERT && en->kind != HSM_ROLL_CA) || en->serial.n != SERIAL_BYTES)
        return NULL;
    arena_reset(m->arena);
    m->to->seals++;
    const char *issuer = arena_str(m->arena, view_of(en->key.p, view_find(en->key, '/')));
    TRY(look(m, issuer, en->serial, &cert, &found));
    if (!found && en->kind == HSM_ROLL_CA)
        m->to->authorities++;
    if (found || en->kind == HSM_ROLL_CA)
        return NULL;
    const struct ledger_stray what = {.n = en->n,
                                      .sealed_at = en->time_ms / 1000,
                                      .template = arena_str(m->arena, en->template),
                                      .tbs_sha256 = en->tbs_sha256};
    TRY(put_unrecorded(m, issuer, en->serial, &what));
out:
    return e;
}

struct err *ca_restore_roll(struct ledger *ledger, struct view roll, struct ca_merged *to)
{
    struct merging m = {.ledger = ledger, .arena = arena_new(ARENA_BYTES), .to = to};
    struct err *e = hsm_roll_verify(roll, take_seal, &m, NULL, NULL);
    arena_free(m.arena);
    return e;
}

/* --- a list --- */

static struct err *verify(struct view certificate, struct view der, struct arena *arena, struct cert_crl *ret)
{
    struct err *e = NULL;
    struct cert_chain_cert issuer;
    struct cert_sealed sealed;
    TRY(cert_chain_read(certificate, arena, &issuer));
    TRY(cert_crl_open_any(der, &sealed, ret));
    if (!view_eq(ret->issuer, issuer.tbs.subject))
        TRY(err_new(ERR_BAD_NAME, "the list is another issuer's (RFC 5280 5.1.2.3)"));
    TRY(cert_key_verify(&issuer.key, sealed.alg, sealed.tbs, sealed.sig));
out:
    return e;
}

/* A certificate that neither backup nor roll knows, but that was ours enough to be on our own list. */
static struct err *note_listed(struct merging *m, struct view serial, int64_t at)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(serial, hash);
    return put_unrecorded(
        m, m->issuer, serial,
        &(struct ledger_stray){
            .n = 0, .sealed_at = at, .template = "", .tbs_sha256 = view_of(hash, SHA256_BYTES)});
}

static bool stands_already(const struct ledger_cert *cert, const struct cert_crl_entry *listed)
{
    bool held = cert->state == LEDGER_STATE_REVOKED && cert->reason == CERT_REASON_CERTIFICATE_HOLD;
    bool revocable = cert->state == LEDGER_STATE_RECORDED || cert->state == LEDGER_STATE_UNRECORDED ||
                     (held && listed->reason != CERT_REASON_CERTIFICATE_HOLD);
    return !revocable;
}

static struct err *take_listed(struct merging *m, const struct cert_crl_entry *listed)
{
    struct err *e = NULL;
    struct ledger_cert cert;
    bool found;
    if (listed->reason == CERT_REASON_REMOVE_FROM_CRL || listed->serial.n != SERIAL_BYTES)
        return NULL;
    TRY(look(m, m->issuer, listed->serial, &cert, &found));
    if (!found)
        TRY(note_listed(m, listed->serial, listed->revoked_at));
    if (found && stands_already(&cert, listed))
        return NULL;
    const struct ledger_entry entry = {
        .kind = LEDGER_REVOKE,
        .actor = "self",
        .door = "self",
        .issuer = m->issuer,
        .serial = listed->serial,
        .body.revoke = {.reason = listed->reason,
                        .at = listed->revoked_at,
                        .invalidity = listed->has_invalidity ? listed->invalid_from : 0}};
    TRY(ledger_append_wait(m->ledger, &entry, NULL));
    m->to->revoked++;
out:
    return e;
}

static struct err *note_number(struct merging *m, uint64_t number)
{
    const struct ledger_entry entry = {.kind = LEDGER_LIST_FLOOR,
                                       .actor = "self",
                                       .door = "self",
                                       .issuer = m->issuer,
                                       .body.note = {.what = "a published list", .number = number}};
    return ledger_append_wait(m->ledger, &entry, NULL);
}

struct err *ca_restore_list(struct ledger *ledger, const char *issuer, struct view certificate,
                            struct view der, struct ca_merged *to, uint64_t *ret_number)
{
    struct err *e = NULL;
    struct merging m = {.ledger = ledger, .arena = arena_new(ARENA_BYTES), .to = to, .issuer = issuer};
    struct cert_crl crl;
    struct cert_crl_entry listed;
    size_t n;
    TRY(verify(certificate, der, m.arena, &crl));
    TRY(cert_crl_check(&crl, &n));
    for (struct view rest = crl.entries; rest.n > 0;) {
        arena_reset(m.arena);
        TRY(cert_crl_next(&rest, &listed));
        TRY(take_listed(&m, &listed));
    }
    TRY(note_number(&m, crl.number));
    *ret_number = crl.number;
out:
    arena_free(m.arena);
    return e;
}
