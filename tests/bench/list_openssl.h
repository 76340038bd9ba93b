/* The same list by OpenSSL's own API. */
#ifndef CHANCERY_BENCH_LIST_OPENSSL_H
#define CHANCERY_BENCH_LIST_OPENSSL_H

#include <openssl/types.h>

/* Entries 0 to n - 1 of fill_entry(), signed, into this file, synced. */
void list_openssl(EVP_PKEY *key, unsigned long n, const char *file);

#endif
