/* Policies as a template's file and a request write them. */
#ifndef CHANCERY_TEMPLATES_POLICIES_H
#define CHANCERY_TEMPLATES_POLICIES_H

#include "base/conf.h"
#include "cert/ext_policy.h"

/* A list of {oid, cps, notice}. Texts are borrowed from the tree. */
MUST_USE struct err *policies_read(const struct conf *c, const json_t *list, struct arena *arena,
                                   struct cert_policies *ret);

#endif
