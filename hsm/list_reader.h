/*
 * A TBSCertList read from a file piece by piece: parsed, handed on entry by entry and hashed in one pass over
 * one buffer, so that what is judged is what is signed, whatever becomes of the file meanwhile. Memory does
 * not grow with the list. Any thread.
 */
#ifndef CHANCERY_HSM_LIST_READER_H
#define CHANCERY_HSM_LIST_READER_H

#include <openssl/evp.h>

#include "base/digest.h"
#include "cert/crl.h"

/* The octets of fd from `at` to its end. */
struct list_file {
    int fd;
    uint64_t at, bytes;
};

struct list_read {
    struct cert_crl crl; /* without its entries; views in the arena */
    uint64_t entries;
    uint8_t sha256[SHA256_BYTES];
    uint8_t digest[EVP_MAX_MD_SIZE]; /* what is to be signed, digest_n octets of it */
    size_t digest_n;                 /* 0: by Ed25519, which wants the whole message */
    struct view message;             /* then it is here, malloc()ed: the caller's to free() */
};

/* fn: for each entry in the order of the file; an error ends the reading and comes out. alg: whose digest is
 * wanted. What cert_crl_read_any refuses is refused here. */
typedef struct err *list_entry_fn(void *arg, const struct cert_crl_entry *entry);
MUST_USE struct err *list_reader_run(const struct list_file *file, enum cert_alg alg, list_entry_fn *fn,
                                     void *arg, struct arena *arena, struct list_read *ret);

#endif
