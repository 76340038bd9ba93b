/* Orders, authorizations, challenges, certificates: for acme.h, which includes it. */
#ifndef CHANCERY_ENROLL_ACME_ORDERS_H
#define CHANCERY_ENROLL_ACME_ORDERS_H

#include "../house.h"

struct acme_ask;
struct acme_work;

/* --- order.c, authz.c, challenge.c, finalize.c --- */

acme_handle order_new, order_show, order_finalize, authz_new, authz_show, challenge_show;
acme_handle certificate_show, certificate_revoke;

/* {"identifier": ...} or an element of "identifiers": "dns:a.example", checked and lower-cased.
 * ERR_UNSUPPORTED_NAME, ERR_BAD_NAME. */
MUST_USE struct err *order_name(struct acme_ask *ask, const json_t *tree, const char **ret);
/* Names that the template allows: ERR_NAME_FORBIDDEN. */
MUST_USE struct err *order_allows(const struct acme_ask *ask, const char *template,
                                  const struct ledger_texts *names);
/* Asks once more for what waits for approval, where nothing is under way; the order tells what came of it. */
void finalize_again(struct acme_ask *ask, const struct ledger_entry *order);
/* As it stands now: by its own state, its authorizations and the clock. */
MUST_USE struct err *order_status(struct acme_ask *ask, const struct ledger_acme_order *o,
                                  enum acme_status *ret);
MUST_USE struct err *order_answer(struct acme_ask *ask, int status, const struct ledger_acme_order *o);

enum acme_status authz_status(const struct ledger_acme_authz *z);
/* One that can be used again for this name, or a new one (*ret_new), `preapproved`: valid as it is. */
MUST_USE struct err *authz_for(struct acme_ask *ask, const char *name, bool preapproved,
                               struct ledger_entry *ret, bool *ret_new);
/* Whether names of the order are the account's without a challenge. */
bool authz_preapproved(const struct ledger_acme_eab *eab, const char *name);
json_t *authz_json(struct acme_ask *ask, const struct ledger_acme_authz *z);

/* The challenges that an authorization for this name has, NULL at the end. */
const char *const *challenge_types(const char *name, bool wildcard);
json_t *challenge_json(struct acme_ask *ask, const struct ledger_acme_authz *z, const char *type);
/* While it is looked at: when to ask again. lego waits five seconds where it is not told. */
void challenge_pace(struct acme_ask *ask, const struct ledger_acme_authz *z);
/* Goes on with a check that a restart has broken off. */
void challenge_again(struct acme_ask *ask, const struct ledger_entry *authz);

/* CAA of every dns name, once more; done later, with ERR_CAA or ERR_BUSY where it does not allow it. */
typedef void caa_done(struct acme_work *w, struct err *e);
void caa_check(struct acme_work *w, const struct ledger_acme_order *o, caa_done *done);

/* --- renewal.c --- */

void renewal_info(struct http_request *r);
/* "AKI.serial" (RFC 9773 4.1) of a certificate of ours. ERR_BAD_FIELD, ERR_NOT_FOUND. */
MUST_USE struct err *renewal_find(struct enroll *en, struct view id, struct arena *arena,
                                  struct ledger_cert *ret);

#endif
