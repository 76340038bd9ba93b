/*
 * The names a certificate is known by: its SANs, and the attributes of its subject that name someone (CN,
 * serialNumber, UID, emailAddress), each said once.
 *
 * Any thread.
 */
#include "names.h"

#include "cert/tbs.h"
#include "judge.h"
#include "pattern.h"
#include "subject.h"

static const struct {
    const char *type;
    enum pattern_kind kind;
} naming[] = {
    {"CN", PATTERN_CN},
    {"serialNumber", PATTERN_SERIAL_NUMBER},
    {"UID", PATTERN_UID},
    {"emailAddress", PATTERN_EMAIL},
};
enum { NAMING = sizeof(naming) / sizeof(naming[0]) };

static size_t naming_of(const struct cert_attr *attr)
{
    unsigned number = subject_attr_of_oid(attr->oid);
    size_t i = 0;
    while (i < NAMING && (number == SUBJECT_ATTRS || strcmp(subject_attrs[number], naming[i].type) != 0))
        i++;
    return i;
}

/* A CN or an emailAddress that only repeats a SAN is not a name of its own. */
static bool said_already(const struct cert_attr *attr, enum pattern_kind kind, const struct cert_san *sans,
                         size_t n, struct arena *arena)
{
    return (kind == PATTERN_CN || kind == PATTERN_EMAIL) && subject_repeats(attr->value, sans, n, arena);
}

void names_collect(const struct cert_name *subject, const struct cert_san *sans, size_t sans_n,
                   uint32_t leave_out, struct arena *arena, const char *const **ret_names, size_t *ret_n)
{
    const char **names = arena_array(arena, sans_n + subject->n, sizeof(names[0]));
    size_t n = 0;
    for (size_t i = 0; i < sans_n; i++)
        names[n++] = cert_san_text(&sans[i], arena);
    for (size_t i = 0; i < subject->n; i++) {
        const struct cert_attr *attr = &subject->attrs[i];
        size_t row = naming_of(attr);
        if (row == NAMING || (leave_out & (1u << subject_attr_of_oid(attr->oid))))
            continue;
        if (said_already(attr, naming[row].kind, sans, sans_n, arena))
            continue;
        names[n++] =
            arena_printf(arena, "%s:%s", pattern_kind_text(naming[row].kind), arena_str(arena, attr->value));
    }
    *ret_names = names;
    *ret_n = n;
}

struct err *templates_names(const struct cert_tbs *tbs, struct arena *arena, const char *const **ret_names,
                            size_t *ret_n)
{
    struct err *e = NULL;
    struct cert_name subject;
    struct cert_san *sans = NULL;
    size_t sans_n = 0;
    const struct cert_san_limits limits = {.allow_other = true};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_SAN);
    TRY(cert_name_parse(tbs->subject, arena, &subject));
    if (ext)
        TRY(cert_san_read(ext->value, &limits, arena, &sans, &sans_n));
    names_collect(&subject, sans, sans_n, 0, arena, ret_names, ret_n);
out:
    return e;
}

struct err *templates_names_check(const struct template *t, const char *const *names, size_t n,
                                  struct arena *arena)
{
    static judge_rule *const rules[] = {sans_rule_kinds,           sans_rule_max,   sans_rule_wildcard,
                                        sans_rule_wildcard_labels, sans_rule_allow, sans_rule_deny};
    struct err *e = NULL;
    struct cert_san *sans = arena_array(arena, n, sizeof(sans[0]));
    const struct judged j = {.t = t, .arena = arena, .sans = sans, .sans_n = n};
    for (size_t i = 0; i < n; i++)
        TRY(cert_san_of_text(view_str(names[i]), arena, &sans[i]));
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        TRY(rules[i](&j));
out:
    return err_wrap(e, "template '%s'", t->name);
}
