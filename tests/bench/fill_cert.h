/*
 * Certificates for filling a ledger: like one that the authority issued, each with a serial, a key, a name
 * and a time of its own. They are signed with the private key 1 (its public key is the base point of P-256),
 * so that nobody can take one for a certificate of the issuer; the keys are points of the curve that nobody
 * holds a private key to on purpose. One maker on one thread.
 */
#ifndef CHANCERY_TESTS_BENCH_FILL_CERT_H
#define CHANCERY_TESTS_BENCH_FILL_CERT_H

#include <openssl/ec.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/limits.h"
#include "ledger_read.h"

struct fill_maker {
    const struct ledger_cert *model;
    EC_GROUP *group;
    EC_POINT *point; /* of the certificate made last */
    BIGNUM *order, *r, *s;
    BN_CTX *bn;
    struct arena *arena; /* of the certificate in hand */
    uint32_t nr;
    int64_t now_s;
};

enum { FILL_NAME_BYTES = 64 };
struct fill_cert {
    uint8_t serial[SERIAL_BYTES], spki_sha256[SHA256_BYTES];
    char name[FILL_NAME_BYTES]; /* "dns:f01234567.fill.example.internal" */
    int64_t not_before, not_after;
    struct view tbs, signature; /* until the next */
};

void fill_maker_open(struct fill_maker *m, const struct ledger_cert *model);
void fill_maker_close(struct fill_maker *m);
void fill_make(struct fill_maker *m, struct fill_cert *ret);

#endif
