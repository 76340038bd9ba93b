/*
 * Acts: what the vault does only where the roster approves. An act says what is to be done, exactly, by whom
 * it is asked for and until when; whoever asks, approves or denies signs a statement over it with a key on
 * the roster, as plain bytes:
 *
 *     Act       ::= SEQUENCE { name UTF8String ("chancery-act"), version INTEGER (1), kind ENUMERATED,
 *                              id OCTET STRING (16), vault OCTET STRING (16), asker OCTET STRING (32),
 *                              object UTF8String, objectHash, templateHash OCTET STRING (32, or empty),
 *                              made, expires INTEGER, reason UTF8String }
 *     Statement ::= SEQUENCE { name UTF8String ("chancery-statement"), verb ENUMERATED, act OCTET STRING }
 *     Signature ::= SEQUENCE { alg UTF8String, spki OCTET STRING, signature OCTET STRING }
 *     Approved  ::= SEQUENCE { act OCTET STRING, request Signature, SEQUENCE OF Signature }
 *
 * Who asks for a certificate is no administrator, and signs nothing: `request` is then an empty SEQUENCE, and
 * `asker` the SHA-256 of the key that the asker showed, or of its name.
 *
 * vault: the id of the seal roll, so that no other vault takes it. asker: SHA-256 of the asker's SPKI. made,
 * expires: seconds since 1970. Pure functions; any thread.
 */
#ifndef CHANCERY_HSM_ACT_H
#define CHANCERY_HSM_ACT_H

#include "cert/key.h"
#include "hsm_books.h"

enum hsm_act_kind {
    HSM_ACT_NONE = 0,
#define ACT(id, number, text, object, what) HSM_ACT_##id = (number),
#include "hsm_acts.def"
#undef ACT
};
enum { HSM_ACT_KIND_MAX = 31 };

struct hsm_act_row {
    const char *text;   /* "ca-create"; NULL: no such kind */
    const char *object; /* what its object names: "issuer" */
    const char *what;
};
/* A row without text where the kind is none of ours. */
const struct hsm_act_row *hsm_act_row(unsigned kind);
/* ERR_BAD_FIELD naming those that there are. */
MUST_USE struct err *hsm_act_kind_parse(struct view text, enum hsm_act_kind *ret);

enum {
    HSM_ACT_ID_BYTES = 16,
    HSM_ACT_MAX_BYTES = 4096,
    HSM_ACT_OBJECT_MAX = 128,
    HSM_ACT_REASON_MAX = 1024,
    HSM_ACT_SIGNATURES_MAX = 32,
    HSM_ACT_SIGNATURE_MAX_BYTES = 4096,
    HSM_ACT_APPROVED_MAX_BYTES = 160 * 1024,
    HSM_ACT_LIFE_S = 30 * 24 * 3600, /* expires, at most from now */
};

struct hsm_act {
    enum hsm_act_kind kind;
    struct view id;    /* HSM_ACT_ID_BYTES, random */
    struct view vault; /* the same length: hsm_status's roll_id */
    struct view asker; /* SHA256_BYTES */
    const char *object;
    struct view object_sha256, template_sha256; /* SHA256_BYTES, or empty */
    int64_t made, expires;
    const char *reason;
};
/* ERR_BAD_FIELD names the field; ret lives in the arena. */
MUST_USE struct err *hsm_act_write(const struct hsm_act *act, struct arena *arena, struct view *ret);
/* Exactly one act in its one form: bytes that read as another act's do not exist. Views point into der. */
MUST_USE struct err *hsm_act_read(struct view der, struct arena *arena, struct hsm_act *ret);

/* Whether an act of this kind is asked for without a signature. */
bool hsm_act_unsigned(enum hsm_act_kind kind);

enum hsm_act_verb { HSM_ACT_REQUEST = 1, HSM_ACT_APPROVE = 2, HSM_ACT_DENY = 3 };
const char *hsm_act_verb_text(enum hsm_act_verb verb); /* "approve" */
/* The bytes that are signed. */
struct view hsm_act_statement(enum hsm_act_verb verb, struct view act, struct arena *arena);

struct hsm_act_signature {
    enum cert_alg alg;
    struct view spki, signature;
};
MUST_USE struct err *hsm_act_signature_read(struct view *in, struct hsm_act_signature *ret);
MUST_USE struct err *hsm_act_signature_write(const struct hsm_act_signature *s, struct arena *arena,
                                             struct view *ret);

/* An act with what was signed over it: what the front hands the vault. */
struct hsm_act_approved {
    struct view act;
    struct hsm_act_signature request, approvals[HSM_ACT_SIGNATURES_MAX];
    size_t n;
};
MUST_USE struct err *hsm_act_approved_write(const struct hsm_act_approved *a, struct arena *arena,
                                            struct view *ret);
MUST_USE struct err *hsm_act_approved_read(struct view der, struct hsm_act_approved *ret);

/* Whether this signature is a statement of one of the roster's administrators over this act. ret: who.
 * Refused: ERR_FORBIDDEN, ERR_BAD_SIGNATURE, naming the rule. A revoked entry is no administrator's. The
 * asker's own approval is refused, and a denial of theirs is not: it takes the request back. */
MUST_USE struct err *hsm_act_check(const struct hsm_roster *roster, struct view act, enum hsm_act_verb verb,
                                   const struct hsm_act_signature *s, const struct hsm_roster_entry **ret);

/* What a roster makes of an act. */
struct hsm_act_judged {
    const struct hsm_roster_entry *asker;
    unsigned needed, have; /* people beside the asker, not keys */
};
/* Everything but whether it was used before: form, dates, the vault it is for, each signature, and that as
 * many people as the roster asks for have approved (ERR_FORBIDDEN with both numbers; ret is set then too).
 * Of a certificate one at least: how many must is its template's to say (hsm_proof_needed).
 * now: 0 where the dates do not matter, as in a book that is looked at afterwards. */
MUST_USE struct err *hsm_act_judge(const struct hsm_roster *roster, const struct hsm_act_approved *a,
                                   struct view vault, int64_t now, struct arena *arena, struct hsm_act *ret,
                                   struct hsm_act_judged *ret_judged);

#endif
