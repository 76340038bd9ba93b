/*
 * Names in a tbs, and the one language of patterns that grants and a template's sans.allow and sans.deny are
 * written in. Part of templates.h, which includes it. Pure; any thread.
 */
#ifndef CHANCERY_TEMPLATES_PATTERNS_H
#define CHANCERY_TEMPLATES_PATTERNS_H

#include "base/arena.h"
#include "base/err.h"

struct cert_tbs; /* cert/tbs.h */
struct template;

/* The names in a tbs as shape gives them, for the ledger's index: "KIND:value"; CN only where no SAN says the
 * same. */
MUST_USE struct err *templates_names(const struct cert_tbs *tbs, struct arena *arena,
                                     const char *const **ret_names, size_t *ret_n);

/* Names held against the rules of `sans` before there is anything else to judge: "dns:a.example", as in
 * cert_san_of_text. What the rules say of all of them together (not enough) is left for later. ERR_POLICY,
 * ERR_BAD_NAME. */
MUST_USE struct err *templates_names_check(const struct template *t, const char *const *names, size_t n,
                                           struct arena *arena);

/*
 * One language for grants and for a template's sans.allow and sans.deny:
 *
 *   dns:host.example      that name
 *   dns:*.example         one label more
 *   dns:**.example        one label or more
 *   dns:*, dns:**         any name of one label; any name
 *   ip:10.0.0.1, ip:10.0.0.0/8, ip:fd00::/8
 *   upn:ann@example, upn:*@**.example           Windows user, as for email
 *   dir:CN=*,O=Example                          as RFC 4514 writes it; `*` stays within one attribute
 *   rid:1.2.3, rid:1.2.*                        that OID; any below it
 *   other:1.2.3;0c0161, other:1.2.3;*           otherName: its type, and the DER of its value
 *   email:ann@example, email:*@**.example       that mailbox; any mailbox, the host as for dns
 *   uri:spiffe://example/ns/prod/...            scheme and port exact, host as for dns; a path segment `*` is
 * any one, a last `**` one or more; without "://": `*` any run of octets cn:TEXT, serial_number:TEXT,
 * uid:TEXT       subject attributes; `*` any run of octets
 *
 * Without a kind it is read off the text: "://" uri, "@" email, an address or network ip, else dns. A dns
 * pattern covers a common name too that reads as such a host name. A `*` in a NAME is never a pattern: it is
 * one opaque label, covered only by a `*` or `**` of the pattern. Host names compare without case.
 */
MUST_USE struct err *templates_pattern_check(const char *pattern); /* ERR_BAD_FIELD */
/* name: "KIND:value" as in templates_shaped. A malformed pattern matches nothing. */
bool templates_pattern_match(const char *pattern, const char *name);
/* ERR_NAME_FORBIDDEN with the first name that none of the patterns covers. */
MUST_USE struct err *templates_patterns_cover(const char *const *patterns, size_t patterns_n,
                                              const char *const *names, size_t names_n);

#endif
