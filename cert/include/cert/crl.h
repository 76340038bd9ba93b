/*
 * TBSCertList (RFC 5280 5.1.2), written as a stream and read in place: a million entries in constant memory.
 * Full and delta CRLs, direct (no certificateIssuer), with cRLNumber, authorityKeyIdentifier and where wanted
 * issuingDistributionPoint, deltaCRLIndicator (5.2.4) or freshestCRL (5.2.6). Any thread; a writer belongs to
 * one.
 *
 * Writing: sum cert_crl_entry_bytes() over the entries, then begin, add each (ascending by serial), end. The
 * length is known from the beginning; entries that do not add up to it are refused at the end.
 */
#ifndef CHANCERY_CERT_CRL_H
#define CHANCERY_CERT_CRL_H

#include "base/limits.h"
#include "cert/ext.h"
#include "cert/seal.h"

/* CRLReason (RFC 5280 5.3.1). */
enum cert_reason {
    CERT_REASON_UNSPECIFIED = 0,
    CERT_REASON_KEY_COMPROMISE = 1,
    CERT_REASON_CA_COMPROMISE = 2,
    CERT_REASON_AFFILIATION_CHANGED = 3,
    CERT_REASON_SUPERSEDED = 4,
    CERT_REASON_CESSATION_OF_OPERATION = 5,
    CERT_REASON_CERTIFICATE_HOLD = 6,
    CERT_REASON_REMOVE_FROM_CRL = 8, /* in delta lists alone */
    CERT_REASON_PRIVILEGE_WITHDRAWN = 9,
    CERT_REASON_AA_COMPROMISE = 10,
};
const char *cert_crl_reason_name(enum cert_reason reason); /* "keyCompromise"; NULL for 7 and beyond 10 */
MUST_USE struct err *cert_crl_reason_parse(struct view name, enum cert_reason *ret); /* ERR_BAD_FIELD */

struct cert_crl_entry {
    struct view serial; /* INTEGER content: positive, minimal */
    int64_t revoked_at;
    enum cert_reason reason; /* UNSPECIFIED is written by leaving it out (5.3.1) */
    bool has_invalidity;
    int64_t invalid_from; /* invalidityDate (5.3.2), where has_invalidity */
};

struct cert_crl {
    enum cert_alg alg;
    struct view issuer; /* Name, whole DER */
    int64_t this_update, next_update;
    uint64_t number;
    struct view aki; /* key identifier; never empty */
    bool has_idp;
    struct cert_idp idp;
    struct view entries; /* reading: for cert_crl_next; writing: not looked at */
    bool is_delta;
    uint64_t base;        /* BaseCRLNumber, where is_delta: below number */
    struct view freshest; /* URI of the delta lists; empty: none. Not in a delta list */
};

/* Takes bytes in order; an error stops the writer and comes out of it. */
typedef struct err *cert_crl_sink(void *arg, struct view bytes);

struct cert_crl_writer {
    cert_crl_sink *sink;
    void *arg;
    size_t left; /* octets of entries still announced */
    uint8_t last[SERIAL_MAX_BYTES];
    size_t last_n;
    struct view tail; /* crlExtensions, in the arena given to begin */
    size_t at;
    uint8_t buf[16384];
};

size_t cert_crl_entry_bytes(const struct cert_crl_entry *entry);

/* Writes all before the entries. *ret_total (may be NULL) is the length of the whole tbs. ERR_CORRUPT for a
 * delta list that is none. */
MUST_USE struct err *cert_crl_begin(struct cert_crl_writer *w, const struct cert_crl *crl,
                                    size_t entries_bytes, struct arena *arena, cert_crl_sink *sink, void *arg,
                                    size_t *ret_total);
/* ERR_CORRUPT where it does not follow the last serial or is more than was announced. */
MUST_USE struct err *cert_crl_add(struct cert_crl_writer *w, const struct cert_crl_entry *entry);
MUST_USE struct err *cert_crl_end(struct cert_crl_writer *w);

/* Reads the tbs of a full list without freshestCRL in place: version 2, the extensions above and no others,
 * nothing left over. Entries are not looked at yet. No arena: all views point into tbs. ERR_BAD_DER,
 * ERR_BAD_EXTENSION. */
MUST_USE struct err *cert_crl_read(struct view tbs, struct cert_crl *ret);
/* The same for every list that the writer makes: the caller judges is_delta, base and freshest. */
MUST_USE struct err *cert_crl_read_any(struct view tbs, struct cert_crl *ret);

/* Opens a whole CRL and reads it; inner and outer algorithm the same. ret_sealed may be NULL. */
MUST_USE struct err *cert_crl_open(struct view der, struct cert_sealed *ret_sealed, struct cert_crl *ret);
MUST_USE struct err *cert_crl_open_any(struct view der, struct cert_sealed *ret_sealed, struct cert_crl *ret);

/* Takes the next entry off *entries (a copy of crl.entries); refuses one that is not as the writer writes. */
MUST_USE struct err *cert_crl_next(struct view *entries, struct cert_crl_entry *ret);

/* Every entry well formed, serials strictly ascending, removeFromCRL in a delta list alone (5.3.1); *ret_n
 * how many. One pass, no memory. */
MUST_USE struct err *cert_crl_check(const struct cert_crl *crl, size_t *ret_n);

/* Whether this serial is on the list; *ret is filled where it is. Linear. */
MUST_USE struct err *cert_crl_find(const struct cert_crl *crl, struct view serial, bool *ret_found,
                                   struct cert_crl_entry *ret);

/* Serials as numbers: <0, 0, >0. For positive minimal INTEGER contents. */
int cert_crl_serial_cmp(struct view a, struct view b);

#endif
