/*
 * Making a token: C_InitToken in the first free slot, then the user's PIN. For `chancery init` alone, before
 * anything is open on the module.
 */
#ifndef CHANCERY_HSM_TOKEN_MAKE_H
#define CHANCERY_HSM_TOKEN_MAKE_H

#include "base/secret.h"
#include "module.h"

struct token_make_spec {
    const char *label;           /* 1 to 32 octets; ERR_WRONG_STATE where a token of this label is there */
    const struct secret *so_pin; /* borrowed */
    const struct secret *pin;    /* borrowed */
    const char *sync_path;       /* as in token_options */
};

MUST_USE struct err *token_make(struct module *m, const struct token_make_spec *spec);

#endif
