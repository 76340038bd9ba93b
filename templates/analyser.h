/* What is dangerous about a template though every field of it is sound: analyser.def. */
#ifndef CHANCERY_TEMPLATES_ANALYSER_H
#define CHANCERY_TEMPLATES_ANALYSER_H

#include "load.h"

struct analyser_row {
    const char *name;
    bool (*found)(const struct template *t);
    const char *wrong, *attack;
};
extern const struct analyser_row analyser_rows[];
size_t analyser_rows_count(void);

/* ERR_CONFIG for the first finding without an override, and for an override of what is not there. */
MUST_USE struct err *analyser_run(struct load *l);

json_t *analyser_overrides_json(const struct template *t);

#endif
