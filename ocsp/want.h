/*
 * The narrow channel from a responder to the front: "no ready answer for this serial". One question, one
 * answer, nothing else; a frame that is not this closes the channel.
 *
 *     WANT ::= SEQUENCE { issuer UTF8String, serial OCTET STRING (16), hash INTEGER (0: SHA-1, 1: SHA-256) }
 *     DONE ::= SEQUENCE { outcome INTEGER, answer OCTET STRING (with 3 alone) }
 *              0: it lies on the shelf now, 1: no such certificate on record, 2: not now, 3: here it is, for
 * this once: a signed `unknown`, which lies on no shelf, since strangers could fill it
 */
#ifndef CHANCERY_OCSP_WANT_H
#define CHANCERY_OCSP_WANT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "cert/ocsp.h"
#include "ledger_shelf.h"

enum { WANT_FRAME = 1, WANT_DONE = 2, WANT_BODY_MAX = 256, WANT_DONE_MAX = 16 * 1024 };
enum want_outcome { WANT_MADE, WANT_UNKNOWN, WANT_NOT_NOW, WANT_HERE };

struct want {
    char issuer[64];
    uint8_t serial[SERIAL_BYTES];
    enum cert_ocsp_hash hash; /* SHA1 or SHA256 */
};

struct view want_write(const struct want *w, struct arena *arena);
MUST_USE struct err *want_read(struct view body, struct arena *arena, struct want *ret);

struct want_done {
    enum want_outcome outcome;
    struct view answer; /* with WANT_HERE */
};
struct view want_done_write(const struct want_done *d, struct arena *arena);
MUST_USE struct err *want_done_read(struct view body, struct want_done *ret); /* borrows from body */

/* Which answer of its issuer it is on the shelf: by SHA-1 CertID under the serial, by another under one octet
 * more. want_of_id: the other way; the issuer is left to the caller. */
struct view want_id(const struct want *w, uint8_t to[SHELF_ID_BYTES]);
void want_of_id(struct view id, struct want *ret);

#endif
