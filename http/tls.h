/* The TLS context of a server. Private to http. */
#ifndef CHANCERY_HTTP_TLS_H
#define CHANCERY_HTTP_TLS_H

#include "http.h"
#include "io.h"

/* A context for new handshakes. old: whose ticket keys go on, or NULL. */
MUST_USE struct err *tls_context(struct view chain_pem, struct view key_pem, struct ssl_ctx_st *old,
                                 struct ssl_ctx_st **ret);
void tls_context_free(struct ssl_ctx_st *ctx); /* accepts NULL; connections keep theirs */
void tls_method_free(struct bio_method_st *m);

/* "TLSv1.3"; NULL for a plain connection or before the handshake's end. */
const char *tls_version(const struct io *io);
/* The client's certificate as DER, in memory for free(); NULL where there is none. */
uint8_t *tls_certificate(const struct io *io, size_t *ret_n);

#endif
