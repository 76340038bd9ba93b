/* The group `limits` of a template. */
#ifndef CHANCERY_TEMPLATES_QUOTA_H
#define CHANCERY_TEMPLATES_QUOTA_H

#include "template.h"

/* Whether the field at this offset of struct template says anything. */
bool quota_given(const struct template *t, size_t offset);

#endif
