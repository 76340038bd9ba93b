/* One list: built from the ledger into a sealed memfd, without ever being in memory as a whole. */
#ifndef CHANCERY_CRL_LIST_H
#define CHANCERY_CRL_LIST_H

#include "cert/crl.h"
#include "ledger.h"

struct list_built {
    int fd; /* a sealed memfd with the TBSCertList; -1 where there is none */
    size_t bytes;
    uint64_t entries;
    uint64_t upto; /* last ledger entry that was taken into account */
};

/* On any thread but the loop's; blocking. crl: all but the entries. On success the caller closes ret->fd. */
MUST_USE struct err *list_build(struct ledger *ledger, const char *issuer, const struct cert_crl *crl,
                                struct list_built *ret);

/* The whole CRL from its tbs and the signature, in the arena. */
MUST_USE struct err *list_join(int tbs_fd, size_t tbs_bytes, enum cert_alg alg, struct view signature,
                               struct arena *arena, struct view *ret_der);

#endif
