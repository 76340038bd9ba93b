/*
 * nameConstraints (RFC 5280 4.2.1.10): which names a CA may put into certificates. Written and read as ext.h
 * says; errors as there. Whether a certificate's names keep to them: chain.h. Pure; any thread.
 */
#ifndef CHANCERY_CERT_EXT_CONSTRAINTS_H
#define CHANCERY_CERT_EXT_CONSTRAINTS_H

#include "cert/ext.h"

enum { CERT_SUBTREES_MAX = 100 }; /* permitted and excluded, each */

/*
 * One subtree, and its text:
 * dns:example.com    the host and every host below it; "dns:.example.com" only those below (as OpenSSL takes
 * it); "dns:" all ip:10.0.0.0/8      a network, its mask as a number of bits email:a@b.example  one mailbox;
 * "email:b.example" every one at that host, "email:.example" at every host below uri:b.example      URIs with
 * that host; "uri:.example" with a host below it dir:O=b,C=DE       names that begin with these attributes,
 * most general first
 */
struct cert_subtree {
    enum cert_san_kind kind; /* DNS, IP, EMAIL, URI or DIRECTORY */
    struct view value; /* text in ASCII; IP: address and mask, 8 or 32 octets; DIRECTORY: Name, whole DER */
};

struct cert_subtrees {
    const struct cert_subtree *v;
    size_t n;
};

struct cert_constraints {
    struct cert_subtrees permitted, excluded;
};

/* At least one subtree; should be critical (4.2.1.10). The order is kept. */
MUST_USE struct err *cert_ext_write_constraints(const struct cert_constraints *constraints, bool critical,
                                                struct arena *arena, struct cert_ext *ret);
/* Subtrees of other kinds, with minimum or maximum, or with a mask that is no prefix are refused. */
MUST_USE struct err *cert_ext_read_constraints(struct view value, struct arena *arena,
                                               struct cert_constraints *ret);

/* ERR_BAD_NAME. DNS and hosts are put in lower case. */
MUST_USE struct err *cert_ext_subtree_of_text(struct view text, struct arena *arena,
                                              struct cert_subtree *ret);
const char *cert_ext_subtree_text(const struct cert_subtree *subtree, struct arena *arena);

/* The syntax of one, as both writer and reader check it. */
MUST_USE struct err *cert_ext_subtree_check(const struct cert_subtree *subtree);

#endif
