/* One list: built from the ledger, small ones in a memfd, big ones in a file of the shelf, without ever being
 * in memory as a whole. */
#ifndef CHANCERY_CRL_LIST_H
#define CHANCERY_CRL_LIST_H

#include "blob.h"
#include "cert/crl.h"
#include "ledger.h"

/* Entries in ascending order of serials, as often as wanted. */
struct list_source {
    struct err *(*next)(void *arg, struct cert_crl_entry *ret, bool *ret_more);
    void (*rewind)(void *arg);
    void *arg;
};

struct list_built {
    struct shelf_file file; /* fd: of the file, or of a memfd, whose name is ""; -1 where there is none */
    size_t at;              /* where the TBSCertList begins: there is room for the CRL's head before it */
    size_t bytes;           /* of the TBSCertList */
    uint64_t entries;
    uint64_t upto; /* last ledger entry that was taken into account */
};

enum { LIST_CHANGES_MAX = 100000 };
struct list_want {
    struct ledger *ledger;
    struct shelf *shelf;
    const char *issuer;
    uint64_t scope;
    size_t signature_bytes; /* about, of this issuer's signatures */
    size_t small_bytes;     /* up to this it stays in memory */
};
/* On any thread but the loop's; blocking. crl: all but the entries; of a delta list the base is found and set
 * here. ERR_NOT_FOUND: a delta list, and no list holds that it could build on; ERR_TOO_LARGE: one with more
 * than LIST_CHANGES_MAX entries. */
MUST_USE struct err *list_build(const struct list_want *want, struct cert_crl *crl, struct list_built *ret);
void list_drop(struct shelf *shelf, struct list_built *built); /* what was not put on the shelf */

/* The whole CRL: head and signature written around the tbs where it lies, and its hash. Blocking. Of a memfd
 * *ret_der is the CRL, in the arena; of a file empty. */
MUST_USE struct err *list_finish(struct list_built *built, enum cert_alg alg, struct view signature,
                                 struct arena *arena, struct view *ret_der, uint8_t sha256[SHA256_BYTES]);

/* --- changes.c --- */

struct changes;
/* What changed since the oldest list of everything that holds, or, where that is too much, since the newest.
 * Sets crl->base. */
MUST_USE struct err *changes_open(struct ledger *ledger, const char *issuer, struct cert_crl *crl,
                                  struct changes **ret);
void changes_free(struct changes *c); /* accepts NULL */
uint64_t changes_upto(const struct changes *c);
struct list_source changes_source(struct changes *c);

#endif
