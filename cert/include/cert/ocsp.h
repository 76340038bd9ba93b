/*
 * OCSP (RFC 6960, RFC 5019, RFC 9654): requests read by hand, answers written and read back. Answers name the
 * responder by key (SHA-1 of its key). Pure; any thread.
 */
#ifndef CHANCERY_CERT_OCSP_H
#define CHANCERY_CERT_OCSP_H

#include "cert/crl.h"
#include "cert/key.h"

enum { CERT_OCSP_NONCE_MAX_BYTES = 128 }; /* RFC 9654 2.1 */

enum cert_ocsp_status { /* OCSPResponseStatus */
                        CERT_OCSP_SUCCESSFUL = 0,
                        CERT_OCSP_MALFORMED_REQUEST = 1,
                        CERT_OCSP_INTERNAL_ERROR = 2,
                        CERT_OCSP_TRY_LATER = 3,
                        CERT_OCSP_SIG_REQUIRED = 5,
                        CERT_OCSP_UNAUTHORIZED = 6,
};

enum cert_ocsp_hash { CERT_OCSP_SHA1, CERT_OCSP_SHA256, CERT_OCSP_HASH_OTHER };

struct cert_ocsp_id { /* CertID */
    enum cert_ocsp_hash hash;
    struct view name_hash, key_hash;
    struct view serial; /* INTEGER content, as asked: may be what we never issue */
    struct view der;    /* whole, as read; not looked at by the writer */
};

/* The hashes an issuer is asked for by. */
struct cert_ocsp_issuer {
    uint8_t name_sha1[SHA1_BYTES], key_sha1[SHA1_BYTES];
    uint8_t name_sha256[SHA256_BYTES], key_sha256[SHA256_BYTES];
};
void cert_ocsp_issuer_of(struct view name_der, const struct cert_key *key, struct cert_ocsp_issuer *ret);
bool cert_ocsp_fits(const struct cert_ocsp_issuer *issuer, const struct cert_ocsp_id *id);
/* The CertID by which this issuer's serial is asked for with SHA-1 or SHA-256; borrows from issuer. */
struct cert_ocsp_id cert_ocsp_id_for(const struct cert_ocsp_issuer *issuer, enum cert_ocsp_hash hash,
                                     struct view serial);

struct cert_ocsp_request {
    const struct cert_ocsp_id *ids;
    size_t n;          /* 1 to LIMIT_OCSP_REQUESTS */
    struct view nonce; /* p == NULL: none; else 1 to 128 octets */
};

/* optionalSignature and requestorName are passed over unread. Refused: over LIMIT_OCSP_REQUEST_BYTES
 * (ERR_TOO_LARGE), too many (ERR_TOO_MANY), other versions, unknown critical extensions, a nonce of other
 * length, trailing octets (ERR_BAD_REQUEST, ERR_BAD_DER). For a client all are malformedRequest. */
MUST_USE struct err *cert_ocsp_request_parse(struct view der, struct arena *arena,
                                             struct cert_ocsp_request *ret);

enum cert_ocsp_cert_status { CERT_OCSP_GOOD, CERT_OCSP_REVOKED, CERT_OCSP_UNKNOWN };

struct cert_ocsp_single {
    struct cert_ocsp_id id;
    enum cert_ocsp_cert_status status;
    int64_t revoked_at;      /* where REVOKED */
    enum cert_reason reason; /* where REVOKED; UNSPECIFIED is left out */
    int64_t this_update;
    bool has_next_update; /* without: newer is always available */
    int64_t next_update;
    bool has_archive_cutoff; /* RFC 6960 4.4.4: from when on the status of what has expired is kept */
    int64_t archive_cutoff;
    struct view der; /* the whole SingleResponse as read; where p != NULL the writer copies it as it is */
};

struct cert_ocsp_data { /* ResponseData */
    struct view responder_key_sha1;
    int64_t produced_at;
    const struct cert_ocsp_single *singles;
    size_t n;
    struct view nonce; /* p == NULL: none */
};

MUST_USE struct err *cert_ocsp_data_write(const struct cert_ocsp_data *data, struct arena *arena,
                                          struct view *ret_tbs);
/* Strict: byKey, no extension but the nonce and, of a single response, the archive cutoff; nothing left over.
 */
MUST_USE struct err *cert_ocsp_data_read(struct view tbs, struct arena *arena, struct cert_ocsp_data *ret);

/* A whole OCSPResponse, successful, with the certificates (DER) that go along; usually the responder's own.
 */
MUST_USE struct err *cert_ocsp_seal(struct view tbs, enum cert_alg alg, struct view sig,
                                    const struct view *certs, size_t cert_count, struct arena *arena,
                                    struct view *ret_der);

struct cert_ocsp_answer {
    enum cert_ocsp_status status; /* the rest is filled where SUCCESSFUL */
    struct cert_sealed sealed;
    const struct view *certs; /* whole, DER */
    size_t cert_count;
    struct cert_ocsp_data data;
};

/* Reads a whole OCSPResponse of our own making; does not verify. */
MUST_USE struct err *cert_ocsp_open(struct view der, struct arena *arena, struct cert_ocsp_answer *ret);

/* The unsigned answer for an error (5 octets); lives for ever. Not for SUCCESSFUL. */
struct view cert_ocsp_error(enum cert_ocsp_status status);

#endif
