/*
 * Who asks, and extensions that are asked for beside a CSR, as JSON. Part of templates.h, which includes it.
 * Pure; any thread.
 */
#ifndef CHANCERY_TEMPLATES_ASKED_H
#define CHANCERY_TEMPLATES_ASKED_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

struct cert_ext; /* cert/ext.h */
struct conf;     /* base/conf.h */

/* Who asks, for a template's expressions. */
struct templates_who {
    const char *role, *id, *door, *peer; /* "requester", "token:6f1c...", "rest", "10.0.0.7" */
    const char *const *names;            /* patterns of its grant */
    size_t names_n;
    const char *const *templates; /* of its grant */
    size_t templates_n;
};

/*
 * A list of {"oid": ..., "critical": false, "value": ...}. oid: dotted, or a name where there is one
 * ("keyUsage"). value, by extension:
 *
 *   keyUsage, extKeyUsage, tlsFeature      a list of names (uses may be dotted OIDs)
 *   certificatePolicies                    a list of {"oid", "cps": [URI], "notice": text}
 *   cRLDistributionPoints                  a list of URIs
 *   any                                    a text: "utf8:TEXT", "der:HEX", ... (cert/ext_custom.h)
 *
 * critical: where it is left out, as RFC 5280 has it for that extension. Whether a template takes any of them
 * is judged when it is asked for. ERR_BAD_FIELD at the place in the tree. All is copied into the arena.
 */
MUST_USE struct err *templates_asked_read(const struct conf *c, const json_t *list, struct arena *arena,
                                          const struct cert_ext **ret, size_t *ret_n);

#endif
