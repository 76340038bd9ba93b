/* Many tokens from a table: see token_batch.c. */
#ifndef CHANCERY_CLI_TOKEN_BATCH_H
#define CHANCERY_CLI_TOKEN_BATCH_H

#include "cli.h"

struct token_batch {
    const char *csv, *out;                    /* files */
    const struct cli_list *templates, *names; /* for every row, beside its own */
    const char *uses, *ttl, *label;           /* where the row says nothing */
};
MUST_USE struct err *token_batch_run(struct cli *c, const struct token_batch *ask);

#endif
