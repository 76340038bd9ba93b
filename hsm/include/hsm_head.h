/*
 * Signed tree heads: what the vault signs with the log's own key, and how it is written for others (C2SP
 * tlog-checkpoint and signed-note). The vault itself puts the text together from its configured origin, a
 * size and a root; it keeps the last head in its roll and signs the next only with a proof that it goes on
 * from there (RFC 9162 2.1.4). The key is Ed25519 where the token makes such keys, else P-256, else RSA; it
 * signs nothing else.
 */
#ifndef CHANCERY_HSM_HEAD_H
#define CHANCERY_HSM_HEAD_H

#include "base/merkle.h"
#include "hsm.h"

enum { HSM_ORIGIN_MAX = 100, HSM_NOTE_MAX = 2048 };

struct hsm_head {
    uint64_t size;
    uint8_t root[SHA256_BYTES];
};

/* --- the text and the note: pure, any thread --- */

/* "ORIGIN\nSIZE\nROOT\n", the root in base64: what is signed. */
const char *hsm_head_text(struct arena *arena, const char *origin, const struct hsm_head *head);
/* The text, an empty line, and the signature's line, by the key of this SPKI: Ed25519 (type 1) or ECDSA (type
 * 2). */
MUST_USE struct err *hsm_head_note(struct arena *arena, const char *origin, struct view spki,
                                   const char *text, struct view signature, struct view *ret);
/* How others are told of the key: "ORIGIN+KEYID+BASE64". */
MUST_USE struct err *hsm_head_vkey(struct arena *arena, const char *origin, struct view spki,
                                   const char **ret);
/* A log's name in notes: no spaces, no '+', no control characters, 1 to HSM_ORIGIN_MAX octets. ERR_CONFIG. */
MUST_USE struct err *hsm_head_origin_check(const char *origin);

/* Reads a note and verifies its signature by this key; lines of other keys are passed over. ERR_CORRUPT for
 * the form, ERR_BAD_SIGNATURE. *ret_origin lives in the arena. */
MUST_USE struct err *hsm_head_read(struct view note, struct view spki, struct arena *arena,
                                   const char **ret_origin, struct hsm_head *ret);

/* The same without looking at a signature. */
MUST_USE struct err *hsm_head_peek(struct view note, struct arena *arena, const char **ret_origin,
                                   struct hsm_head *ret);

/* --- asked of the vault: the client's loop (hsm.h) --- */

/* The log's key, made where the token has none yet. */
MUST_USE struct err *hsm_log_key(struct hsm *h, hsm_spki_fn *done, void *arg, ticket_id *ret);

/* The last head that was signed, by the roll: size 0 where none was. origin: the log's name, which never
 * changes once a head was signed. */
typedef void hsm_last_head_fn(void *arg, struct err *e, const struct hsm_head *last, const char *origin);
MUST_USE struct err *hsm_last_head(struct hsm *h, hsm_last_head_fn *done, void *arg, ticket_id *ret);

/* The signature over this head's text. proof: from the last head to this one; empty where they are equal, or
 * there is none. ERR_FLOOR where this head does not go on from the last. */
MUST_USE struct err *hsm_seal_head(struct hsm *h, const struct hsm_head *head,
                                   const struct merkle_proof *proof, hsm_sealed_fn *done, void *arg,
                                   ticket_id *ret);

#endif
