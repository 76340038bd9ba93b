/* An export of the ledger, checked with public keys alone. */
#ifndef CHANCERY_CLI_LEDGER_FILE_H
#define CHANCERY_CLI_LEDGER_FILE_H

#include "cli.h"

/* key: the log's, as `ledger head` prints it, or NULL: heads are then held to tree and roll, not to a
 * signature. */
MUST_USE struct err *ledger_file_verify(struct cli *c, const char *path, const char *key);

#endif
