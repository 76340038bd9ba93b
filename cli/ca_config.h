/* An issuer's lines in the configuration. */
#ifndef CHANCERY_CLI_CA_CONFIG_H
#define CHANCERY_CLI_CA_CONFIG_H

#include "cli.h"

struct ca_config_row {
    const char *name, *certificate; /* path, as it will stand there */
    bool issue;
};
/* Where the certificate of a new issuer goes: issuers/NAME.pem beside the configuration, absolute. */
MUST_USE struct err *ca_config_path(struct cli *c, const char *name, const char **ret);
/* At the end of the list. ERR_CONFIG with the lines to be added by hand where the file is not written so. */
MUST_USE struct err *ca_config_add(struct cli *c, const struct ca_config_row *row);
const char *ca_config_text(struct cli *c, const struct ca_config_row *row, size_t indent);

#endif
