/*
 * The decision: may this be issued, then make it so. One engine, one table of steps for every certificate of
 * this house:
 *
 *     admit    CSR decoded, proof of possession, key acceptable, asker may use this template for these names
 *     again    asked for before: the same certificate
 *     shape    template + request -> tbs, with the origin of every field
 *     approve  where the template asks for it: filed, waited for, or approved (ca_pending.h)
 *     intend   serial from the lease; exact tbs; intent into the ledger       ... durable
 *     seal     the vault: re-read, judge, roll, sign                          ... asynchronous
 *     record   signature and n into the ledger, intent closed                 ... durable
 *     hand     back to the asker
 *
 * Nothing is signed that is not first on record; nothing is handed out that is not durable. A request that
 * ends early closes its intent. All calls and completions are on the loop's thread. Completions come exactly
 * once, never from inside the call that started them.
 */
#ifndef CHANCERY_CA_H
#define CHANCERY_CA_H

#include "base/arena.h"
#include "base/check.h"
#include "base/err.h"
#include "base/loop.h"
#include "ca_asker.h"
#include "cert/crl.h"
#include "hsm.h"
#include "ledger.h"
#include "templates.h"

struct ca;

/* One issuing key as the front knows it. Strings and views are borrowed for the life of the setup's arena. */
struct ca_issuer {
    const char *name;
    struct view certificate;  /* DER */
    bool root;                /* self-signed */
    const char *parent_name;  /* NULL where the parent is not one of ours */
    bool issue;               /* may certificates be had from it (a root: no) */
    bool offline;             /* its key is elsewhere: it signs nothing here */
    const struct view *cross; /* its key certified by other roots, DER */
    size_t cross_n;
    uint64_t partition; /* certificates in a partition of its lists; 0: none */
    struct templates_issuer facts;
};

/* What a reload changes; everything in it lives in one arena that the owner keeps until it has set another.
 */
struct ca_setup {
    uint64_t generation;
    const struct templates *templates;
    const struct ca_issuer *issuers;
    size_t issuers_n;
    const char *default_issuer;    /* the first that may issue */
    const char *const *self_names; /* "dns:localhost", "ip:127.0.0.1": what `self` certificates carry */
    size_t self_names_n;
    const struct hsm_roster *roster; /* whose approvals count; NULL: there is none */
};

MUST_USE struct err *ca_new(struct loop *loop, struct ledger *ledger, struct hsm *hsm,
                            const struct ca_setup *setup, struct ca **ret);
void ca_free(struct ca *ca); /* accepts NULL; nothing may be under way */
void ca_setup_set(struct ca *ca, const struct ca_setup *setup);
const struct ca_setup *ca_setup_get(const struct ca *ca);

/* What it is now (hsm_state.h). */
enum hsm_state ca_issuer_state(const struct ca *ca, const struct ca_issuer *issuer);
/* How many unexpired certificates hang on it, as last counted; false: not yet. */
bool ca_census(const struct ca *ca, const char *issuer, struct ledger_census *ret);
/* Before the ledger closes: nothing reads it on another thread after this. */
void ca_quiet(struct ca *ca);

/* NULL where there is none of this name. */
const struct ca_issuer *ca_issuer_find(const struct ca_setup *setup, const char *name);

/* Closes what an earlier life left open: each open intent of this vault's issuers is looked up in its seal
 * roll; sealed ones become revoked (CRL and OCSP say so), the others were never signed, and the use of the
 * asker's token is given back. Runs whenever the vault has attached (hsm's on_ready); until it is done
 * nothing is issued by its keys. done(arg, error) once, later: NULL when all is closed (a ledger that fails
 * is tried again); an error where the vault went away before (ca_vault_lost), or where this was called once
 * more. */
void ca_recover(struct ca *ca, struct hsm *vault, void (*done)(void *arg, struct err *e), void *arg);

/* NULL where a certificate of this issuer (NULL: the default one) could be issued now, else the reason
 * (clock, vault, ledger, recovery): for /readyz. */
MUST_USE struct err *ca_ready(struct ca *ca, const char *issuer);

/* The same, but for a loss that is not accepted yet: the house's own certificates, without which nobody
 * reaches it and no status is signed, do not wait for that. */
MUST_USE struct err *ca_works(struct ca *ca, const char *issuer);

/* The vault's channel is gone (hsm's on_lost): its keys issue nothing until ca_recover has run again. */
void ca_vault_lost(struct ca *ca, struct hsm *vault);

size_t ca_under_way(const struct ca *ca);

/* --- issuing --- */

struct ca_request {
    const struct ca_asker *asker;
    const char *template;
    const char *issuer;         /* NULL: the default */
    struct view csr;            /* PEM or DER */
    int64_t not_after;          /* 0: not asked for */
    int64_t validity_s;         /* 0: not asked for */
    bool has_subject, has_sans; /* given beside the CSR: they take the place of what the CSR says */
    const struct templates_rdn *subject;
    size_t subject_n;
    const char *const *sans; /* "dns:a.b" */
    size_t sans_n;
    const struct cert_ext *exts; /* asked for beside the CSR (templates_asked_read) */
    size_t exts_n;
    bool renews; /* what it replaces asks for it, and has shown its key: same subject and names, newest of its
                  * line, in the time that limits.renew_within and renew_grace leave */
    struct ledger_texts tags;    /* ca_tags_make() */
    struct view replaces;        /* serial of the certificate that it takes the place of, or empty */
    const char *idempotency_key; /* or NULL */
    uint8_t body_hash[32];       /* SHA-256 of the request's body, for the key */
    struct view token_spki; /* of a key in the token in place of a CSR: ca itself alone, for `ocsp-signing` */
    bool standing;          /* looked after (ca_pending.h): nothing new is filed for approval */
};

struct ca_pending; /* ca_pending.h */

struct ca_certificate {
    const char *serial; /* hex */
    const char *issuer;
    const char *template;
    struct view der;
    int64_t not_before, not_after;
    bool replayed; /* an Idempotency-Key gave back what it gave before: 200 instead of 201 */
    const struct ca_pending *pending; /* with ERR_PENDING alone: what is waited for; else NULL */
};

/* The certificate of a record: tbs and signature put together. ERR_WRONG_STATE where there is none. Borrows
 * from the record. */
MUST_USE struct err *ca_certificate_of(const struct ledger_cert *record, struct arena *arena,
                                       struct ca_certificate *ret);

/* When its holder does well to renew it: in the first half of limits.renew_within, or of the last third of
 * its life; by its serial, so that a fleet does not come back all at once. */
int64_t ca_renew_after(const struct ca_setup *setup, const struct ca_certificate *cert);

/* The issuers above the leaf's, nearest first, without the root, and the root's cross-certificates: what
 * travels with a certificate. At most max. */
size_t ca_chain(const struct ca_setup *setup, const char *issuer, struct view *ret, size_t max);

/* On success e is NULL and *cert is valid until the callback returns. Where the template asks for approvals
 * that are not there yet e is ERR_PENDING, and cert->pending, valid as long, says what is waited for: the
 * same request sent again gets the certificate when it is approved. Any other e: cert is NULL. e is the
 * callback's to free. */
typedef void ca_issued(void *arg, struct err *e, const struct ca_certificate *cert);

/* Copies what it needs of the request. The issuance goes on when the asker leaves: what is recorded stays on
 * record. */
void ca_issue(struct ca *ca, const struct ca_request *request, ca_issued *done, void *arg);

/* --- refusals --- */

/* Writes an audit entry for a request that was refused; where there are very many they are counted into one
 * entry. template may be NULL. Never fails the caller. */
void ca_deny(struct ca *ca, const struct ca_asker *asker, const char *template, const struct err *why);

/* --- the clock --- */

/* `number` of an entry of kind CLOCK: the engine's own, with the reason; a person's confirmation. */
enum { CA_CLOCK_CONFIRMED = 0, CA_CLOCK_DISTRUSTED = 1 };

/* A person says the wall clock is right, after it stood behind the ledger's last entry or leapt. The caller
 * writes the entry. */
void ca_clock_confirm(struct ca *ca);

#endif
