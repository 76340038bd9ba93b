/* Key usages of a template, for the extensions and for what a CSR may ask. */
#ifndef CHANCERY_TEMPLATES_USAGE_H
#define CHANCERY_TEMPLATES_USAGE_H

#include "cert/ext.h"
#include "cert/key.h"
#include "template.h"

/* The mask for a key of this kind; 0: no extension. */
unsigned usage_key_mask(const struct template *t, enum cert_key_kind kind);
struct cert_views usage_extended(const struct template *t);

#endif
