/* The grant of an asker held against a template and names. */
#ifndef CHANCERY_CA_ASKER_H
#define CHANCERY_CA_ASKER_H

#include "ca.h"

/* ERR_FORBIDDEN: not in the grant, or not for such an asker. */
MUST_USE struct err *asker_check_issuer(const struct ca_asker *asker, const char *issuer);
MUST_USE struct err *asker_check_template(const struct ca_asker *asker, const struct template *template);

/* The same asker, for a template's expressions. Borrows. */
struct templates_who asker_who(const struct ca_asker *asker);

/* ERR_NOT_FOUND where it is not the asker's to see, ERR_FORBIDDEN where not to revoke. */
MUST_USE struct err *asker_check_revoke(const struct ca_asker *asker, const struct ledger_cert *record);

/* Is it a CA's? */
bool asker_is_ca(const struct ledger_cert *record);

/* ERR_NAME_FORBIDDEN naming the first name the grant does not cover. */
MUST_USE struct err *asker_check_names(const struct ca_asker *asker, const char *const *names, size_t n);

#endif
