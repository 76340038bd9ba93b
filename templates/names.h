/* The names a certificate is known by, as texts: for grants and for the ledger's index. */
#ifndef CHANCERY_TEMPLATES_NAMES_H
#define CHANCERY_TEMPLATES_NAMES_H

#include "template.h"

/* leave_out: attributes the template itself has fixed, 1 << attribute. */
void names_collect(const struct cert_name *subject, const struct cert_san *sans, size_t sans_n,
                   uint32_t leave_out, struct arena *arena, const char *const **ret_names, size_t *ret_n);

#endif
