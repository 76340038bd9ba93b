/* The count of who hangs on an issuer: begun and ended with the engine. */
#ifndef CHANCERY_CA_CENSUS_H
#define CHANCERY_CA_CENSUS_H

#include "base/err.h"

struct ca;
MUST_USE struct err *census_open(struct ca *ca);
/* Waits for a count under way: before the ledger closes. */
void census_close(struct ca *ca);

#endif
