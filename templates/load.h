/* Loading one template: what the groups' load functions share. */
#ifndef CHANCERY_TEMPLATES_LOAD_H
#define CHANCERY_TEMPLATES_LOAD_H

#include "template.h"

struct load {
    struct conf *conf;
    struct arena *arena; /* the set's */
    struct template *t;  /* filled by the rows already */
    const json_t *none;  /* an empty mapping */
};

/* The group's mapping as written; an empty one where it is left out. */
const json_t *load_node(const struct load *l, enum group group);
const json_t *load_root(const struct load *l);
bool load_given(const struct load *l, enum group group, const char *key);

/* ERR_CONFIG at the value of this key; where it is left out, at the group, else at the top. */
MUST_USE struct err *load_error(const struct load *l, enum group group, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* An error of another room, said again with file, line and column, or a pointer; frees it. NULL stays NULL.
 */
MUST_USE struct err *load_at(const struct conf *c, const json_t *at, struct err *e);
MUST_USE struct err *load_placed(const struct load *l, const json_t *at, struct err *e);

/* An extension that is the same in every certificate. */
void load_ready(struct load *l, struct cert_ext ext);

/* Keeps a tree beyond the load, for showing the template. */
void load_keep(struct load *l, struct template_tree *tree);

/* A list of names out of `names` as a mask of their places; fallback where the list is left out. */
MUST_USE struct err *load_mask(const struct load *l, const json_t *group, const char *key,
                               const struct conf_texts *texts, const char *const *names, size_t names_n,
                               unsigned fallback, unsigned *ret);

/* One for each group: what may not stand together, and what follows from the values. */
MUST_USE struct err *head_load(struct load *l);
MUST_USE struct err *quota_load(struct load *l);
MUST_USE struct err *approval_load(struct load *l);
MUST_USE struct err *validity_load(struct load *l);
MUST_USE struct err *keys_load(struct load *l);
MUST_USE struct err *subject_load(struct load *l);
MUST_USE struct err *sans_load(struct load *l);
MUST_USE struct err *usage_load_key(struct load *l);
MUST_USE struct err *usage_load_extended(struct load *l);
MUST_USE struct err *constraints_load(struct load *l);
MUST_USE struct err *constraints_load_pointers(struct load *l);
MUST_USE struct err *subtrees_load(struct load *l);
MUST_USE struct err *policies_load(struct load *l);
MUST_USE struct err *access_load(struct load *l);
MUST_USE struct err *features_load(struct load *l);
MUST_USE struct err *directory_load(struct load *l);
MUST_USE struct err *microsoft_load(struct load *l);
MUST_USE struct err *custom_load(struct load *l);
MUST_USE struct err *conditions_load(struct load *l);

#endif
