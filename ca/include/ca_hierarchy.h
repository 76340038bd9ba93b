/*
 * The hierarchy: whether a certificate that was made elsewhere can be an issuer's here, and the transcripts
 * of ceremonies. The states of an issuer are in hsm_state.h. Pure; any thread.
 */
#ifndef CHANCERY_CA_HIERARCHY_H
#define CHANCERY_CA_HIERARCHY_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/view.h"

/* --- a certificate for a key of ours that was made elsewhere --- */

struct ca_import {
    struct view spki;         /* of the key in our token */
    struct view certificate;  /* DER */
    const struct view *chain; /* of those above it, nearest first, the root last; DER */
    size_t chain_n;
    int64_t now;
};
/* Key, CA bit, key usage, key identifier, dates (its own, and not past its parent's), the signatures of the
 * whole chain up to a self-signed root, pathLen, nameConstraints and policies. The error names the rule and,
 * where it is not the certificate itself, which of the chain. ERR_BAD_KEY: it is for another key. */
MUST_USE struct err *ca_import_check(const struct ca_import *i, struct arena *arena);

/* --- transcripts of ceremonies: JSON, an object a line, each holding the SHA-256 of the line before --- */

enum { CA_TRANSCRIPT_BYTES = 200 * 1024 };
struct ca_transcript {
    const char *title;
    bool rehearsal, complete; /* complete: it ended as it should */
    size_t steps;
    uint8_t sha256[SHA256_BYTES]; /* of the whole text */
};
/* ERR_CORRUPT names the line whose `prev` is not the one before it; ERR_TOO_LARGE. */
MUST_USE struct err *ca_transcript_read(struct view text, struct arena *arena, struct ca_transcript *ret);
/* What `prev` of the next line must be, in hexadecimal; text empty: of the first. */
const char *ca_transcript_prev(struct view text, struct arena *arena);

#endif
