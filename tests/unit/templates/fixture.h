/* A set of the builtin templates, an issuer, keys and requests: what the tests of this room share. */
#ifndef CHANCERY_TEST_TEMPLATES_FIXTURE_H
#define CHANCERY_TEST_TEMPLATES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "cert/csr.h"
#include "cert/tbs.h"
#include "templates.h"

#define FIXTURE_NOW INT64_C(1795242000) /* 2026-11-21T06:20:00Z */

struct fixture {
    struct arena *arena;
    struct templates *set;
    EVP_PKEY *key;                  /* P-256, software */
    struct view spki;               /* its SubjectPublicKeyInfo */
    struct templates_issuer issuer; /* "issuing", ECDSA with SHA-256 */
};

struct fixture *fixture_new(void);
void fixture_free(struct fixture *f);

/* NULL is asserted; the error's detail is printed otherwise. */
void fixture_ok(struct err *e);
/* The error has this code and its detail holds the text; frees it. */
void fixture_refused(struct err *e, enum err_code code, const char *text);

const struct template *fixture_template(const struct fixture *f, const char *name);

/* One template out of one text, owned by the fixture's caller through *ret_set. */
struct err *fixture_load(const char *yaml, struct templates **ret_set);

/* The same, with an override for each finding of the analyser. */
struct err *fixture_load_overriding(const char *yaml, struct templates **ret_set);

/* A request for the fixture's key, without CSR: "server" names by default. Caller changes what it wants. */
struct templates_request fixture_request(const struct fixture *f);

EVP_PKEY *fixture_key(const char *kind); /* "rsa-2048", "p256", "ed25519" */
struct view fixture_spki(struct arena *arena, EVP_PKEY *key);

/* A CSR made by OpenSSL, signed by `key`. exts: "subjectAltName=DNS:a.b\nbasicConstraints=CA:TRUE", or NULL.
 */
struct cert_csr *fixture_csr(struct arena *arena, EVP_PKEY *key, const char *subject, const char *exts);

/* The whole certificate: tbs sealed with `key`. */
struct view fixture_seal(struct arena *arena, EVP_PKEY *key, const struct cert_tbs *tbs);

#endif
