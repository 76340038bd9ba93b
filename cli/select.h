/* Options that choose certificates: the conditions of GET /v1/certificates. */
#ifndef CHANCERY_CLI_SELECT_H
#define CHANCERY_CLI_SELECT_H

#include "cli.h"

enum { SELECT_N = 17, SELECT_OPTIONS = SELECT_N + 8 };

struct select {
    const char *values[SELECT_N];
    struct cli_option options[SELECT_OPTIONS];
    size_t n;
};
#define SELECT_HELP                                                                                          \
    "  --name dns:a.example     exactly this name\n"                                                         \
    "  --under dns:example      this name and all under it\n"                                                \
    "  --net 10.1.0.0/16        an address in this network\n"                                                \
    "  --subject CN=a,O=b       the whole subject\n"                                                         \
    "  --owner ID   --template T   --template-version N   --issuer NAME\n"                                   \
    "  --status valid|expired|revoked|unrecorded|any\n"                                                      \
    "  --tag KEY=VALUE          it has this tag\n"                                                           \
    "  --replaces SERIAL        takes the place of this one\n"                                               \
    "  --fingerprint HEX        SHA-256 of the certificate\n"                                                \
    "  --spki-sha256 HEX        SHA-256 of its key: all certificates for it\n"                               \
    "  --since TIME  --until TIME                       when it was asked for, RFC 3339\n"                   \
    "  --not-after-from TIME  --not-after-till TIME     when it ends\n"

/* Its options, and then these n of the command's own. */
void select_init(struct select *s, const struct cli_option *further, size_t n);
bool select_is_empty(const struct select *s);
const char *select_query(struct cli *c, const struct select *s); /* "&name=..&.." */
json_t *select_json(const struct select *s);                     /* a new reference */

#endif
