/*
 * One token, logged in once, and the keys on it. Handles are looked up once and kept; sessions are pooled,
 * one for each thread that signs at the same time. What dies is brought back by the next call that needs it:
 * first new sessions, a login where it is lost and the handles found again; where that does not help, the
 * module is started anew (bounded, with back-off); where that does not help either, ERR_TOKEN_AWAY. A refused
 * PIN ends all of it with ERR_PIN_REFUSED.
 *
 * Any thread, except open and close. Every call here may block for as long as the token takes: not on the
 * loop.
 */
#ifndef CHANCERY_HSM_TOKEN_H
#define CHANCERY_HSM_TOKEN_H

#include <openssl/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/view.h"
#include "cert/key.h"
#include "module.h"
#include "pin.h"

struct token;

struct token_options {
    const char *uri;       /* pkcs11: URI that names exactly one token; object attributes in it are refused */
    const char *lock_path; /* one lock file for each token, held until token_close; NULL: none (tests) */
    const char
        *lock_hint; /* what to do instead where it is held: "use `chancery ca ...`, or stop chanceryd" */
    const char *sync_path; /* the folder where a software token keeps its files: made durable after a key is
                              generated (SoftHSM never syncs); NULL where the token does so itself */
    const char *const *unsaid; /* NULL-ended: what the library does not keep of keys it has generated, of
                                  "always_sensitive", "never_extractable", "local"; NULL: nothing. Borrowed
                                  for the token's life */
};

/* Takes the lock, finds the token, logs in. The pin is taken, also on failure. ERR_WRONG_STATE: the lock is
 * held elsewhere; ERR_CONFIG; ERR_TOKEN_AWAY: worth another try later; ERR_PIN_REFUSED: not worth one, and
 * none was made where the token says that it is the last. The module stays the caller's and must outlive the
 * token. */
MUST_USE struct err *token_open(struct module *m, const struct token_options *options, struct pin **pin,
                                struct token **ret);
/* Closes sessions, gives the lock back. No call may be under way, no EVP_PKEY of it alive. Accepts NULL. */
void token_close(struct token *t);

/* Signs nothing: asks the token whether it is there and logged in, and brings it back where it is not and the
 * back-off allows. For a timer's worker and /readyz. */
MUST_USE struct err *token_probe(struct token *t);

/* C_SetPIN, then a login with the new PIN, through the module anew where no other token is open on it. The
 * pin is taken. *ret_taken: the token has the new PIN now, whatever went wrong afterwards. ERR_PIN_REFUSED:
 * not the old one any more, or it would have been the last try; ERR_CONFIG: the token does not take this one.
 */
MUST_USE struct err *token_pin_change(struct token *t, struct pin **pin, bool *ret_taken);
/* The PIN was changed elsewhere: logins to come use this one. Takes it; asks the token nothing. */
void token_pin_replace(struct token *t, struct pin **pin);

/* As C_GetTokenInfo says, for `doctor` and the log; owned by the token. */
const char *token_label(const struct token *t);
const char *token_serial(const struct token *t);
const char *token_model(const struct token *t);

/* --- keys --- */

/* A private key and what it is. Owned by the token, dies with it; nothing in it changes. */
struct token_key {
    struct token *token;
    const char *label;
    struct view id;
    enum cert_key_kind kind;
    unsigned bits;
    struct view spki; /* whole SubjectPublicKeyInfo, DER */
    uint8_t spki_sha256[SHA256_BYTES];
};

/* By label, or by id where label is NULL (both where both are given). A CA's key must be what it should be,
 * checked at every start: sensitive and always so, not extractable and never so, generated in this token,
 * usage sign only, no PIN for each use. Else ERR_CONFIG, saying which. ERR_NOT_FOUND where there is none,
 * ERR_CONFIG where several match. The second look-up of a key gives the same pointer without asking the
 * token. */
MUST_USE struct err *token_key_find(struct token *t, const char *label, struct view id,
                                    const struct token_key **ret);
/* The same by a pkcs11: URI that names object or id. */
MUST_USE struct err *token_key_find_uri(struct token *t, const char *uri, const struct token_key **ret);

/* True in *ret where the token holds a private or public key with this label. */
MUST_USE struct err *token_label_taken(struct token *t, const char *label, bool *ret);

/* The public half as an OpenSSL key of the default provider, in the default library context; borrowed. */
EVP_PKEY *token_key_public(const struct token_key *key);

/* --- for signer.c, provider*.c and keygen.c --- */

/* Whether a signature of this key was verified since the token was opened: its halves belong together. */
bool token_key_is_proven(const struct token_key *key);
void token_key_proven(const struct token_key *key);

/* C_SignInit and C_Sign, once, through a pooled session. *ret_n: room at `to` on the way in, octets written
 * on the way out. ERR_TOKEN_AWAY, ERR_PIN_REFUSED, else ERR_INTERNAL with the CKR_ name. Counts
 * METRIC_SIGNATURES. */
MUST_USE struct err *token_sign(const struct token_key *key, CK_MECHANISM *mechanism, struct view in,
                                uint8_t *to, size_t *ret_n);

/* Runs fn with a read-write session, the module held shared; the session is closed afterwards. */
MUST_USE struct err *
token_with_session(struct token *t, struct err *(*fn)(void *arg, struct module *m, CK_SESSION_HANDLE session),
                   void *arg);
/* token_options.sync_path. */
const char *token_sync_path(const struct token *t);

#endif
