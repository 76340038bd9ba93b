/* The list `tokens` of chancery.yaml. Private to config. */
#ifndef CHANCERY_CONFIG_TOKENS_H
#define CHANCERY_CONFIG_TOKENS_H

#include "parse.h"

bool tokens_uri_ok(const char *uri);
MUST_USE struct err *tokens_parse(struct parse *p);
/* When the folders are known. */
void tokens_rolls(struct parse *p);
/* Finds an issuer's token: by its name, else by the label in its key's URI, else the first. */
MUST_USE struct err *tokens_issuer(struct parse *p, const json_t *node, struct config_issuer *to);

#endif
