/*
 * X.509 extensions: raw (OID, critical, value) and typed. The write functions give a whole struct cert_ext
 * ready for a tbs; the read functions take the extension's value (content of extnValue) and are strict: DER,
 * nothing left over, only the forms this authority writes. Rows: ext.def, eku.def. More of them in
 * ext_access.h, ext_policy.h, ext_constraints.h, ext_microsoft.h, ext_custom.h. Pure; any thread.
 * Errors: ERR_BAD_EXTENSION with the RFC section, ERR_BAD_DER, ERR_TOO_LARGE.
 */
#ifndef CHANCERY_CERT_EXT_H
#define CHANCERY_CERT_EXT_H

#include "base/der.h"
#include "cert/san.h"

enum cert_ext_id {
#define EXT(name, text, oid, rule) CERT_EXT_##name,
#include "cert/ext.def"
#undef EXT
    CERT_EXT__COUNT /* also: an OID not in the table */
};

struct cert_ext {
    struct view oid; /* OID body */
    bool critical;
    struct view value; /* content of extnValue */
};

struct cert_basic {
    bool ca;
    int path_len; /* -1: none */
};

/* KeyUsage as a mask: bit n of RFC 5280 4.2.1.3 is 1 << n. */
enum {
    CERT_KU_DIGITAL_SIGNATURE = 1 << 0,
    CERT_KU_CONTENT_COMMITMENT = 1 << 1,
    CERT_KU_KEY_ENCIPHERMENT = 1 << 2,
    CERT_KU_DATA_ENCIPHERMENT = 1 << 3,
    CERT_KU_KEY_AGREEMENT = 1 << 4,
    CERT_KU_KEY_CERT_SIGN = 1 << 5,
    CERT_KU_CRL_SIGN = 1 << 6,
    CERT_KU_ENCIPHER_ONLY = 1 << 7,
    CERT_KU_DECIPHER_ONLY = 1 << 8,
};

/* Views: OID bodies or URIs. */
struct cert_views {
    const struct view *v;
    size_t n;
};

struct cert_aia {
    struct cert_views ocsp, ca_issuers; /* URIs */
};

enum { CERT_TLS_STATUS_REQUEST = 5, CERT_TLS_STATUS_REQUEST_V2 = 17, CERT_TLS_FEATURES_MAX = 8 };
struct cert_tls_features {
    unsigned v[CERT_TLS_FEATURES_MAX]; /* numbers of TLS extensions, ascending */
    size_t n;
};

struct cert_idp {
    struct view uri; /* empty: no distributionPoint */
    bool only_user, only_ca;
};

enum cert_ext_id cert_ext_id_of(struct view oid);
struct view cert_ext_oid(enum cert_ext_id id);
const char *cert_ext_name(enum cert_ext_id id);                   /* "keyUsage" */
const char *cert_ext_rule(enum cert_ext_id id);                   /* "RFC 5280 4.2.1.3" */
const char *cert_ext_label(struct view oid, struct arena *arena); /* name, or the dotted OID */

/* The one with this id, or NULL. */
const struct cert_ext *cert_ext_find(const struct cert_ext *exts, size_t n, enum cert_ext_id id);

/* Extensions ::= SEQUENCE OF Extension, whole. Reading: at most LIMIT_EXTENSIONS, at least one, none twice
 * (RFC 5280 4.2), critical FALSE not written out. */
MUST_USE struct err *cert_ext_list_read(struct view *in, struct arena *arena, struct cert_ext **ret,
                                        size_t *ret_n);
void cert_ext_list_put(struct der_out *out, const struct cert_ext *exts, size_t n);

MUST_USE struct err *cert_ext_write_basic(struct cert_basic basic, bool critical, struct arena *arena,
                                          struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_basic(struct view value, struct cert_basic *ret);

MUST_USE struct err *cert_ext_write_key_usage(unsigned mask, bool critical, struct arena *arena,
                                              struct cert_ext *ret); /* mask not 0 */
MUST_USE struct err *cert_ext_read_key_usage(struct view value, unsigned *ret_mask);
const char *cert_ext_key_usage_name(unsigned bit); /* number 0..8; or NULL */
MUST_USE struct err *cert_ext_key_usage_parse(struct view name, unsigned *ret_mask); /* ERR_BAD_FIELD */

MUST_USE struct err *cert_ext_write_eku(struct cert_views oids, bool critical, struct arena *arena,
                                        struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_eku(struct view value, struct arena *arena, struct cert_views *ret);
/* "serverAuth" or a dotted OID to an OID body, and back. */
MUST_USE struct err *cert_ext_eku_parse(const char *text, struct arena *arena, struct view *ret_oid);
const char *cert_ext_eku_text(struct view oid, struct arena *arena);
bool cert_ext_eku_is(struct view oid, const char *name); /* name as in eku.def */
bool cert_ext_eku_has(struct cert_views oids, const char *name);

/* san.h reads and checks the value. */
MUST_USE struct err *cert_ext_write_san(const struct cert_san *sans, size_t n, bool critical,
                                        struct arena *arena, struct cert_ext *ret);

MUST_USE struct err *cert_ext_write_ski(struct view key_id, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_ski(struct view value, struct view *ret_key_id);

/* keyIdentifier alone. */
MUST_USE struct err *cert_ext_write_aki(struct view key_id, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_aki(struct view value, struct view *ret_key_id);

MUST_USE struct err *cert_ext_write_aia(const struct cert_aia *aia, struct arena *arena,
                                        struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_aia(struct view value, struct arena *arena, struct cert_aia *ret);

/* cRLDistributionPoints and freshestCRL: one point per URI, fullName alone. */
MUST_USE struct err *cert_ext_write_cdp(struct cert_views uris, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_cdp(struct view value, struct arena *arena, struct cert_views *ret);
MUST_USE struct err *cert_ext_write_freshest(struct cert_views uris, struct arena *arena,
                                             struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_freshest(struct view value, struct arena *arena, struct cert_views *ret);

/* id-pkix-ocsp-nocheck, value NULL (RFC 6960 4.2.2.2.1). */
MUST_USE struct err *cert_ext_write_no_check(struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_no_check(struct view value);

/* TLS feature (RFC 7633), noRevAvail (RFC 9608): never critical. */
MUST_USE struct err *cert_ext_write_tls_features(struct cert_tls_features features, struct arena *arena,
                                                 struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_tls_features(struct view value, struct cert_tls_features *ret);
const char *cert_ext_tls_feature_name(unsigned feature); /* "status_request"; or NULL */
MUST_USE struct err *cert_ext_tls_feature_parse(struct view name, unsigned *ret); /* ERR_BAD_FIELD */
MUST_USE struct err *cert_ext_write_no_rev_avail(struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_no_rev_avail(struct view value);

/* Of CRLs and their entries (RFC 5280 5.2.3 to 5.2.5, 5.3.2). */
MUST_USE struct err *cert_ext_write_crl_number(uint64_t number, struct arena *arena, struct cert_ext *ret);
MUST_USE struct err *cert_ext_read_crl_number(struct view value, uint64_t *ret);
MUST_USE struct err *cert_ext_write_delta(uint64_t base_number, struct arena *arena,
                                          struct cert_ext *ret); /* deltaCRLIndicator; critical */
MUST_USE struct err *cert_ext_read_delta(struct view value, uint64_t *ret_base_number);
MUST_USE struct err *cert_ext_write_idp(const struct cert_idp *idp, struct arena *arena,
                                        struct cert_ext *ret); /* critical */
MUST_USE struct err *cert_ext_read_idp(struct view value, struct cert_idp *ret);
MUST_USE struct err *cert_ext_read_invalidity(struct view value, int64_t *ret_s);

#endif
