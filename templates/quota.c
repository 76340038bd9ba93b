/*
 * How often a template may be asked for, and with which keys: read and handed on. Who asks and what is on
 * record only the front knows; it keeps these, and the vault keeps the ceiling.
 *
 * Any thread.
 */
#include "quota.h"

#include <stdlib.h>

#include "base/when.h"
#include "load.h"

enum { RATE_MAX = 1000000, PER_NAME_MAX = 1000 };
#define PERIOD_MAX_S INT64_C(31622400) /* a leap year */

static const char *const keys[LIMITS_RATES] = {"per_asker", "per_template", "per_name"};

_Static_assert(QUOTA_PER_NAME + 1 == LIMITS_RATES, "a name for each rate");

struct templates_rate quota_rate(const struct template *t, size_t i)
{
    const struct templates_limits *l = &t->limits.asked;
    return i == QUOTA_PER_ASKER ? l->per_asker : i == QUOTA_PER_TEMPLATE ? l->per_template : l->per_name;
}

static struct templates_rate *rate_at(struct template *t, size_t i)
{
    struct templates_limits *l = &t->limits.asked;
    return i == QUOTA_PER_ASKER ? &l->per_asker : i == QUOTA_PER_TEMPLATE ? &l->per_template : &l->per_name;
}

/* "20/1h" */
static struct err *rate_parse(const char *text, long most, struct templates_rate *ret)
{
    struct err *e = NULL;
    char *end;
    long n = strtol(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '/')
        return err_new(ERR_BAD_FIELD, "a number and a duration: 20/1h, not '%s'", text);
    if (n > most)
        return err_new(ERR_BAD_FIELD, "%ld; at most %ld", n, most);
    TRY(when_duration_parse(view_str(end + 1), &ret->period_s));
    if (ret->period_s > PERIOD_MAX_S)
        return err_new(ERR_BAD_FIELD, "a period of more than a year");
    ret->n = n;
out:
    return e;
}

struct err *quota_load(struct load *l)
{
    struct err *e = NULL;
    const struct template_limits *limits = &l->t->limits;
    const json_t *node = load_node(l, GROUP_LIMITS);
    for (size_t i = 0; i < LIMITS_RATES; i++) {
        if (limits->texts[i][0])
            TRY(load_placed(l, json_object_get(node, keys[i]),
                            rate_parse(limits->texts[i], i == QUOTA_PER_NAME ? PER_NAME_MAX : RATE_MAX,
                                       rate_at(l->t, i))));
    }
out:
    return e;
}

bool quota_given(const struct template *t, size_t offset)
{
    for (size_t i = 0; i < LIMITS_RATES; i++) {
        if (offset == offsetof(struct template, limits.texts[0]) + i * sizeof(t->limits.texts[0]))
            return t->limits.texts[i][0] != 0;
    }
    if (offset == offsetof(struct template, limits.asked.keys))
        return t->limits.asked.keys != TEMPLATES_KEYS_OWNER;
    if (offset == offsetof(struct template, limits.asked.renew_grace_s))
        return t->limits.asked.renew_grace_s > 0;
    return t->limits.asked.renew_within_s > 0;
}

const struct templates_limits *templates_limits(const struct template *t)
{
    return &t->limits.asked;
}
