/*
 * The vault itself, for the process that is it (daemon's role `vault`, and the child that `chancery init`
 * forks), and the ceremony client for init. Everything here runs on one loop thread; signer threads and the
 * roll's sync thread are inside.
 *
 * A vault opens its lock, roll, roster and token, then takes channels. A token that is away or a refused PIN
 * is no reason not to open: the vault stands, says so in STATUS, refuses seals with ERR_TOKEN_AWAY or
 * ERR_PIN_REFUSED, and tries again by the PIN rules. A broken roll, a changed roster without quorum, a
 * configuration that does not fit, a lock held elsewhere are reasons: hsm_vault_open() says which.
 */
#ifndef CHANCERY_HSM_VAULT_H
#define CHANCERY_HSM_VAULT_H

#include "base/err.h"
#include "base/loop.h"
#include "base/view.h"
#include "cert/alg.h"
#include "hsm.h"

struct templates; /* templates.h */

enum { HSM_TOKENS_MAX = 8 }; /* of one vault */

/* A further token of the same module; the fields as below. */
struct hsm_token_setup {
    const char *name, *uri; /* name: in this house, for people */
    int pin_fd;
    const char *pin_state_path, *lock_path, *sync_path;
    const char *const *unsaid;
};

/* What only a restart can change. Texts are copied. */
struct hsm_vault_setup {
    const char *name;   /* among several vaults: whose the roll's folder is, kept there; NULL: there is one */
    const char *module; /* path of the PKCS#11 module */
    const char *init_args;  /* for C_Initialize's pReserved, or NULL */
    const char *const *env; /* "NAME=value", NULL-ended, set before the module is loaded; or NULL */
    const char *token_uri;  /* pkcs11:token=...: names exactly one token (RFC 7512) */
    int pin_fd;             /* open on the PIN file, unread; stays the caller's, open while the vault lives */
    const char *pin_state_path; /* file that remembers a refused PIN across restarts */
    const char *lock_path;      /* one lock per token; ERR_WRONG_STATE where another process holds it */
    const char *sync_path;      /* folder of a software token's files, synced after keygen; NULL: none */
    const char *const
        *unsaid;            /* NULL-ended, or NULL: attributes that the library does not keep of its keys */
    const char *token_name; /* in this house, for people; NULL: "token" */
    const struct hsm_token_setup
        *more; /* tokens beside the one above: copies of its keys, and keys of their own */
    size_t n_more;
    const char *roll_dir; /* exists, 0700; roll.der, roster.der and responders.der live in it */
    unsigned threads;     /* signer threads; 0: one per core */
    const char
        *make_label;    /* init only: make a token of this label first, where there is none; NULL: never */
    int make_so_pin_fd; /* its security officer's PIN; the user's is pin_fd */
};

struct hsm_issuer_setup {
    const char *name;        /* [a-z0-9-]{1,63} */
    const char *key_uri;     /* object within the token: pkcs11:object=issuing (token part optional); NULL: an
                              * offline CA, whose name and key are ours all the same */
    struct view certificate; /* DER */
    enum cert_alg alg;       /* with which it signs */
    bool may_issue;          /* false: nothing but ocsp-signing certificates and CRLs (a root) */
    bool partitioned;        /* its certificates may name the list of a partition */
    bool ocsp_by_issuer;     /* its own key may answer OCSP, besides responder keys (RFC 6960 4.2.2.2) */
};

/* With which algorithm an issuer that is still to be made will sign. */
struct hsm_issuer_wish {
    const char *name;
    enum cert_alg alg;
};

/* One configuration generation. Texts and views are copied. */
struct hsm_vault_config {
    uint32_t generation; /* 1, 2, ... strictly rising */
    const struct hsm_issuer_setup *issuers;
    size_t n_issuers;
    const struct hsm_issuer_wish *wishes; /* init only; an issuer without one signs with cert_alg_default() */
    size_t n_wishes;
    const char *base_url;   /* "http://pki.example.internal": AIA and CDP stand under it */
    const char *log_origin; /* of heads until the first was signed (hsm_head.h); NULL: by base_url */
    const char *const
        *self_names; /* the daemon's own names as in SANs, "dns:ca.example" / "ip:127.0.0.1": template self */
    size_t n_self_names;
    struct view roster_yaml; /* empty: none yet (init only; nothing is pinned) */
    struct view roster_sigs; /* roster.sigs beside it, or empty */
};

struct hsm_vault;

/* *templates is taken on success (freed with the generation) and stays the caller's on failure. */
MUST_USE struct err *hsm_vault_open(struct loop *l, const struct hsm_vault_setup *setup,
                                    const struct hsm_vault_config *config, struct templates **templates,
                                    struct hsm_vault **ret);
/* Closes channels, ends signer threads, syncs the roll, frees. Accepts NULL. */
void hsm_vault_free(struct hsm_vault *v);

enum hsm_peer { HSM_PEER_FRONT, HSM_PEER_RESPONDER, HSM_PEER_INIT };
/* Takes fd: a fresh end. FRONT and INIT: an older channel of that kind is dropped with all it had queued and
 * leased, then DRAINED is the first frame on the new one. RESPONDER: there may be up to 64; a closed one is
 * forgotten. */
void hsm_vault_attach(struct hsm_vault *v, enum hsm_peer peer, int fd);

/* Two-phase reload. prepare checks everything (issuers' keys in the token, certificates, roster quorum) and
 * keeps it aside; commit makes it current and the present one the previous; abort drops it. */
MUST_USE struct err *hsm_vault_prepare(struct hsm_vault *v, const struct hsm_vault_config *config,
                                       struct templates **templates);
void hsm_vault_commit(struct hsm_vault *v);
void hsm_vault_abort(struct hsm_vault *v); /* nothing prepared: nothing done */

/* "ready", "away", "pin-refused". */
const char *hsm_vault_token_state(const struct hsm_vault *v);

/* A person said so: the PIN of the token with this number (0: the setup's own, then `more`) in fd (taken; -1:
 * the one known) may be tried now, though it was refused. */
void hsm_vault_retry_pin(struct hsm_vault *v, size_t token, int fd);

/* The token gets the PIN in fd (taken) in place of the present one, which is proven by a login; signing waits
 * meanwhile. done, from the loop, exactly once, unless the vault is freed before. */
enum hsm_pin_change {
    HSM_PIN_CHANGED,
    HSM_PIN_AS_IT_WAS, /* why says why */
    HSM_PIN_UNPROVEN   /* the token took it, and then did not let us in: why */
};
typedef void hsm_pin_changed_fn(void *arg, size_t token, enum hsm_pin_change outcome, const char *why);
void hsm_vault_change_pin(struct hsm_vault *v, size_t token, int fd, hsm_pin_changed_fn *done, void *arg);

/* `chanceryd --check`: opens everything once (takes the lock, tries the PIN by its rules), reports each
 * finding, closes. False where anything was wrong. `what` names files and keys: for operators. */
typedef void hsm_finding_fn(void *arg, bool wrong, const char *what);
bool hsm_vault_check(const struct hsm_vault_setup *setup, const struct hsm_vault_config *config,
                     struct templates **templates, hsm_finding_fn *fn, void *arg);

/* The whole body of a child of init: own loop, one INIT peer on fd (taken), returns when the peer has closed.
 */
MUST_USE struct err *hsm_vault_run_init(const struct hsm_vault_setup *setup,
                                        const struct hsm_vault_config *config, struct templates **templates,
                                        int fd);

#endif
