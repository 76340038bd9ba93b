/* The role `vault`: hsm's vault on this child's loop. */
#ifndef CHANCERY_DAEMON_ROLE_VAULT_H
#define CHANCERY_DAEMON_ROLE_VAULT_H

#include "child.h"
#include "hsm_vault.h"

extern const struct child_role role_vault;

/* What the hsm of this vault wants to know of a configuration; texts in the arena or of c. first_pin: the
 * descriptor of its first token's PIN, the others' follow it; the caller's. */
struct hsm_vault_setup role_vault_setup(const struct config *c, unsigned vault, int first_pin,
                                        struct arena *arena);
/* The same of a generation; borrows from it. An issuer whose key another vault holds is to this one as an
 * offline CA. */
struct hsm_vault_config role_vault_config(const struct setup *s, unsigned vault);

#endif
