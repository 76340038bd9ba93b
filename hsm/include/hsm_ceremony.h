/*
 * Ceremonies: blocking calls on the other end of a vault's INIT channel (hsm_vault_run_init), for
 * `chancery init` and `chancery ceremony`. What is sealed is judged and rolled as everything else is. The
 * caller's thread.
 */
#ifndef CHANCERY_HSM_CEREMONY_H
#define CHANCERY_HSM_CEREMONY_H

#include "hsm_vault.h"

struct hsm_ceremony;

/* Takes fd and waits for DRAINED. ERR_* of the vault's opening cannot come this way: the child's exit tells.
 */
MUST_USE struct err *hsm_ceremony_new(int fd, uint32_t generation, struct hsm_ceremony **ret);
void hsm_ceremony_free(struct hsm_ceremony *c); /* closes; accepts NULL */

/* A key in the token: sensitive, not extractable, for signing only, found afterwards by its label. kind: as
 * cert_key_wish_parse() has it. ERR_CONFIG where the algorithm wished for this issuer
 * (hsm_vault_config.wishes) does not fit it, or the token makes no such key. ERR_WRONG_STATE where a key of
 * that label is there, unless reuse is set: then that key's SPKI is the answer. *ret_spki lives in the arena,
 * here and below. */
MUST_USE struct err *hsm_ceremony_key_generate(struct hsm_ceremony *c, const char *label, const char *kind,
                                               bool reuse, struct arena *arena, struct view *ret_spki);

/* The SPKI of the key labelled so, which is there already; ERR_NOT_FOUND. */
MUST_USE struct err *hsm_ceremony_key_find(struct hsm_ceremony *c, const char *label, struct arena *arena,
                                           struct view *ret_spki);

/* The key of the log (hsm_head.h), made where there is none. */
MUST_USE struct err *hsm_ceremony_log_key(struct hsm_ceremony *c, struct arena *arena, struct view *ret_spki);

/* A serial for certificates signed by `issuer` (an issuer of the configuration or a label of this ceremony).
 */
MUST_USE struct err *hsm_ceremony_serial(struct hsm_ceremony *c, const char *issuer,
                                         uint8_t ret[SERIAL_BYTES]);

/* A CA certificate's tbs, for the key labelled `name`, by `issuer` (equal to name: self-signed root).
 * Afterwards the vault of this ceremony knows `name` as an issuer. template: "root" or "sub-ca". */
MUST_USE struct err *hsm_ceremony_seal_ca(struct hsm_ceremony *c, const char *issuer, const char *name,
                                          const char *template, struct view tbs, struct arena *arena,
                                          uint64_t *ret_n, struct view *ret_signature);

/* An end-entity certificate: template "admin" (only here) or "self". */
MUST_USE struct err *hsm_ceremony_seal_cert(struct hsm_ceremony *c, const char *issuer, const char *template,
                                            struct view tbs, struct arena *arena, uint64_t *ret_n,
                                            struct view *ret_signature);

/* A request (RFC 2986) for the key labelled `name`, to be certified elsewhere: the signature over its
 * CertificationRequestInfo, with what cert_alg_default says of the key. */
MUST_USE struct err *hsm_ceremony_seal_csr(struct hsm_ceremony *c, const char *name, struct view cri,
                                           struct arena *arena, uint64_t *ret_n, struct view *ret_signature);

/* A CA certificate's tbs for a key that is elsewhere. proof: its PKCS#10 request, DER, or, to cross-sign, the
 * self-signed certificate of that key, whose subject the tbs then has too. */
MUST_USE struct err *hsm_ceremony_seal_other(struct hsm_ceremony *c, const char *issuer, const char *template,
                                             struct view tbs, struct view proof, struct arena *arena,
                                             uint64_t *ret_n, struct view *ret_signature);

/* As hsm_seal_crl(). */
MUST_USE struct err *hsm_ceremony_seal_crl(struct hsm_ceremony *c, const char *issuer, int tbs_fd,
                                           struct arena *arena, uint64_t *ret_n, struct view *ret_signature);

/* An issuer of an earlier ceremony, or one certified elsewhere: its key is in the token under `name`.
 * ERR_NOT_FOUND, ERR_BAD_KEY where the certificate is for another. */
MUST_USE struct err *hsm_ceremony_adopt(struct hsm_ceremony *c, const char *name, struct view certificate);

/* The number under which each tbs hash was sealed, or 0: for an init that takes up where another was cut off.
 */
MUST_USE struct err *hsm_ceremony_roll_find(struct hsm_ceremony *c, const uint8_t (*tbs_sha256)[SHA256_BYTES],
                                            size_t n, uint64_t *ret_ns);

#endif
