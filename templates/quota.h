/* The group `limits` of a template. */
#ifndef CHANCERY_TEMPLATES_QUOTA_H
#define CHANCERY_TEMPLATES_QUOTA_H

#include "template.h"

enum { QUOTA_PER_ASKER, QUOTA_PER_TEMPLATE, QUOTA_PER_NAME };
struct templates_rate quota_rate(const struct template *t, size_t i);

/* Whether the field at this offset of struct template says anything. */
bool quota_given(const struct template *t, size_t offset);

#endif
