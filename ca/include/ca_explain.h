/*
 * Explaining an issuance without making it: every field with its origin, every rule with its verdict and who
 * judges it. The vault gives its own verdict on the very bytes; nothing is recorded, rolled or signed, and no
 * use of a token is counted. On the loop's thread.
 */
#ifndef CHANCERY_CA_EXPLAIN_H
#define CHANCERY_CA_EXPLAIN_H

#include "ca.h"
#include "templates_explain.h"

struct ca_explained {
    const char *template, *issuer, *asker;
    bool issued; /* a certificate would have been made */
    const struct templates_shown *fields;
    size_t fields_n;
    const struct templates_ruled
        *rules; /* the front's admission, the template's, the vault's: in this order */
    size_t rules_n;
};

/* x dies when done returns. */
typedef void ca_explain_done(void *arg, const struct ca_explained *x);

/* Calls done once, later. Copies what it needs of the request, as ca_issue does. */
void ca_explain(struct ca *ca, const struct ca_request *request, ca_explain_done *done, void *arg);

#endif
