/* What tests of this room share: keys, requests and certificates made by OpenSSL's own writers, and checks on
 * errors. Everything lives in the arena or until the process ends. */
#ifndef CHANCERY_TESTS_CERT_FIXTURE_H
#define CHANCERY_TESTS_CERT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/err.h"
#include "cert/tbs.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* "p256", "p384", "p521", "ed25519", "rsa2048", "rsa1024", "p224", "ed448", "dsa"...: made once for each
 * name. */
EVP_PKEY *fixture_key(const char *name);
struct view fixture_spki(const char *key, struct arena *arena);

/* Signs as `alg` says. */
struct view fixture_sign(const char *key, enum cert_alg alg, struct view data, struct arena *arena);

/* A request: subject CN=cn where not NULL; conf is "name=value" pairs of OpenSSL's extension syntax, NULL at
 * the end or NULL. */
struct view fixture_csr(const char *key, const char *cn, const char *const *conf, const char *digest,
                        struct arena *arena);

/* A description to start from: serial 40 01 .. 0f, P-256 keys "p256" (issuer) and "p256b" (subject),
 * CN=Issuer, CN=Subject, valid 2026 to 2027, no extensions. */
struct cert_tbs fixture_tbs(struct arena *arena);
/* Written by us, signed by this key with tbs->alg, sealed. */
struct view fixture_issue(const struct cert_tbs *tbs, const char *key, struct arena *arena);
X509 *fixture_x509(struct view der);
struct view fixture_name(const char *text, struct arena *arena);

/* An extension's value as OpenSSL's configuration syntax gives it; sections ("[a]\nx=y\n") may be NULL. */
struct view fixture_ext(const char *sections, const char *name, const char *text, struct arena *arena);

struct view fixture_hex(const char *hex, struct arena *arena);

/* A SEQUENCE, SET, ... around these parts. */
struct view fixture_wrap(unsigned tag, struct view body, struct arena *arena);
/* Hex with lengths left out: "30{0201ff 0500}" is 30 05 02 01 ff 05 00. */
struct view fixture_nest(const char *text, struct arena *arena);
struct view fixture_join(struct arena *arena, size_t n, const struct view *parts);

void fixture_ok_at(struct err *e, const char *file, int line);
#define assert_ok(e) fixture_ok_at((e), __FILE__, __LINE__)

/* Code, and a piece of the text; frees it. */
void fixture_refused_at(struct err *e, enum err_code code, const char *text, const char *file, int line);
#define assert_refused(e, code, text) fixture_refused_at((e), (code), (text), __FILE__, __LINE__)

/* Any error; frees it. */
#define assert_any_error(e)                                                                                  \
    do {                                                                                                     \
        struct err *err_ = (e);                                                                              \
        assert_non_null(err_);                                                                               \
        err_free(err_);                                                                                      \
    } while (0)

void fixture_bytes_at(struct view got, struct view want, const char *file, int line);
#define assert_bytes(got, want) fixture_bytes_at((got), (want), __FILE__, __LINE__)

/* cmocka setup and teardown: *state is an arena. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

#endif
