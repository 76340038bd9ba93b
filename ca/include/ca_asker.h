/* Who asks: built in one place (enroll), whatever the door, and what follows from it for what they may see.
 */
#ifndef CHANCERY_CA_ASKER_ROLE_H
#define CHANCERY_CA_ASKER_ROLE_H

#include "hsm_books.h"
#include "ledger_read.h"

enum ca_role {
    CA_ROLE_REQUESTER,
    CA_ROLE_ENROLL_AGENT,
    CA_ROLE_OPERATOR,
    CA_ROLE_AUDITOR,
    CA_ROLE_ADMIN,
    CA_ROLE_ROOT, /* break-glass, over control.sock alone */
    CA_ROLE_SELF
};
const char *ca_role_text(enum ca_role role);

/* What an asker was granted; empty lists grant nothing. Patterns: "dns:**.example.internal", "dns:localhost",
 * "ip:127.0.0.0/8" as templates_pattern_match reads them. */
struct ca_grant {
    const char *const *templates;
    size_t templates_n;
    const char *const *names;
    size_t names_n;
    bool any; /* operators, enroll-agents: every public template, every name the template allows */
    /* Of these issuers and templates alone, where there are any: the roster's word, above all of the grant.
     */
    struct hsm_roster_texts only_issuers, only_templates;
};

/* Built in one place (enroll), whatever the door. */
struct ca_asker {
    enum ca_role role;
    bool
        operates; /* an administrator who is operator too: the owner of the installation, at its own socket */
    bool account; /* of ACME: has shown control of the names of its grant */
    const char *id;   /* "token:6f1c..", "acme:9b..", "cert:issuing/4a..", "roster:alice", "local:0", "self":
                         owner of what   it gets */
    const char *door; /* "rest", "control", "acme" */
    const char *peer; /* address text */
    const char *request_id;
    struct ca_grant grant;
    /* Of the client certificate that was shown: SHA-256 of its SPKI, so that this key may be certified again,
     * and its intent, so that its holder may see and revoke it. NULL, 0: none */
    const uint8_t *key;
    uint64_t shown;
    const uint8_t *token; /* SHA-256 of the bearer token whose uses are counted, or NULL */
    bool bearer;          /* it came with a token that others made and signed (a JWT) */
    bool bounded; /* its number of uses is: a use is bound to key and names, which may come again with it */
};

/* May this asker see this certificate? Requesters what they asked for, and the one they show; all others
 * everything. */
bool ca_may_see(const struct ca_asker *asker, const struct ledger_cert *record);

#endif
