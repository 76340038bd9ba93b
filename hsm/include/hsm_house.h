/*
 * A house has a vault for each PKCS#11 module, and a client (hsm.h) for each vault; hsm_join() makes them one
 * house. From then on a call that names an issuer goes to the vault that holds its key, whichever of the
 * clients it is made on; all others are for the one vault whose client is given. One vault's coming and going
 * is nothing to the others' calls. The loop's thread.
 */
#ifndef CHANCERY_HSM_HOUSE_PUBLIC_H
#define CHANCERY_HSM_HOUSE_PUBLIC_H

#include "hsm.h"

enum { HSM_VAULTS_MAX = 8 }; /* of a house */

/* other (taken; joined to none yet) is of the same house from now on. */
void hsm_join(struct hsm *h, struct hsm *other);
/* What people call h's vault; "vault" unless said. */
void hsm_name_set(struct hsm *h, const char *name);
const char *hsm_name(const struct hsm *h);
/* h is the first of its house: the one after, NULL at the end. */
struct hsm *hsm_next(const struct hsm *h);
/* The key of this issuer is in h's vault, whatever was said before. Of whom nothing was said: in the first's.
 */
void hsm_holds(struct hsm *h, const char *issuer);
struct hsm *hsm_for(const struct hsm *h, const char *issuer);
/* As last heard: a key of this issuer can sign, in whichever token. */
bool hsm_signs(struct hsm *h, const char *issuer);
/* Whose roll has this id, NULL where none that is there has: acts are made for one vault. */
struct hsm *hsm_of_roll(const struct hsm *h, struct view roll_id);

#endif
