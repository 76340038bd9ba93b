/* Many certificate requests, quickly: each with a P-256 key of its own, an empty subject and one dNSName. */
#ifndef CHANCERY_TESTS_BENCH_CSR_MAKE_H
#define CHANCERY_TESTS_BENCH_CSR_MAKE_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/view.h"

struct csr_maker {
    EVP_PKEY_CTX *generate;
    struct arena *arena; /* emptied by each csr_make() */
};

void csr_maker_open(struct csr_maker *m);
void csr_maker_close(struct csr_maker *m);

/* A fresh key and a PKCS#10 request for this name, DER, valid until the next call. ret_key may be NULL, else
 * the caller frees it. Ends the program where anything fails. */
struct view csr_make(struct csr_maker *m, const char *dns_name, EVP_PKEY **ret_key);

#endif
