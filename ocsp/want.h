/*
 * The narrow channel from a responder to the front: "no ready answer for this serial". One question, one
 * answer, nothing else; a frame that is not this closes the channel.
 *
 *     WANT ::= SEQUENCE { issuer UTF8String, serial OCTET STRING (16), hash INTEGER (0: SHA-1, 1: SHA-256) }
 *     DONE ::= INTEGER   0: it lies on the shelf now, 1: no such certificate on record, 2: not now
 */
#ifndef CHANCERY_OCSP_WANT_H
#define CHANCERY_OCSP_WANT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "cert/ocsp.h"

enum { WANT_FRAME = 1, WANT_DONE = 2, WANT_BODY_MAX = 256 };
enum want_outcome { WANT_MADE, WANT_UNKNOWN, WANT_NOT_NOW };

struct want {
    char issuer[64];
    uint8_t serial[SERIAL_BYTES];
    enum cert_ocsp_hash hash; /* SHA1 or SHA256 */
};

struct view want_write(const struct want *w, struct arena *arena);
MUST_USE struct err *want_read(struct view body, struct arena *arena, struct want *ret);
struct view want_done_write(enum want_outcome outcome, struct arena *arena);
MUST_USE struct err *want_done_read(struct view body, enum want_outcome *ret);

/* Where an answer by SHA-256 CertID lies on the shelf; those by SHA-1 lie under issuer and serial. */
const char *want_blob(const struct want *w, struct arena *arena);

#endif
