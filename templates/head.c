/*
 * The top of a template's file: description, internal, issuers, askers, ceiling; and the rules about the
 * issuer.
 *
 * Never knows who asks: it only says which kinds of asker may. Any thread.
 */
#include "judge.h"
#include "load.h"

static const char *const asker_names[] = {"token", "certificate", "administrator", "operator"};
enum { ASKERS = sizeof(asker_names) / sizeof(asker_names[0]) };
_Static_assert(1u << (ASKERS - 1) == TEMPLATES_BY_OPERATOR,
               "asker_names in the order of enum templates_asker");

static bool issuer_name_ok(struct view name)
{
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return name.n >= 1 && name.n <= 63;
}

struct err *head_load(struct load *l)
{
    struct err *e = NULL;
    struct template_head *head = &l->t->head;
    const json_t *issuers = json_object_get(load_root(l), "issuers");
    for (size_t i = 0; i < head->issuers.n; i++) {
        if (!issuer_name_ok(view_str(head->issuers.items[i])))
            return conf_error(l->conf, json_array_get(issuers, i),
                              "an issuer's name is made of a-z, 0-9 and '-'");
    }
    if (head->internal && head->asker_texts.n > 0 &&
        !conf_inherited(l->conf, json_object_get(load_root(l), "askers")))
        return load_error(l, GROUP__COUNT, "askers",
                          "an internal template has no askers: the house alone makes these");
    TRY(load_mask(l, load_root(l), "askers", &head->asker_texts, asker_names, ASKERS, (1u << ASKERS) - 1,
                  &head->askers));
    if (head->internal) {
        head->askers = 0;
        head->asker_texts.n = 0;
    }
    if (!head->internal && head->asker_texts.n == 0)
        head->asker_texts = (struct conf_texts){ASKERS, asker_names};
out:
    return e;
}

const char *templates_name(const struct template *t)
{
    return t->name;
}

const char *templates_description(const struct template *t)
{
    return t->head.description;
}

bool templates_internal(const struct template *t)
{
    return t->head.internal;
}

bool templates_enabled(const struct template *t)
{
    return t->head.enabled && !t->head.internal;
}

bool templates_caa(const struct template *t)
{
    return t->head.caa;
}

int64_t templates_ceiling_per_hour(const struct template *t)
{
    return t->head.ceiling_per_hour;
}

struct err *templates_may_ask(const struct template *t, enum templates_asker who)
{
    if (t->head.internal)
        return err_new(ERR_FORBIDDEN, "template '%s' is internal: no request can have one", t->name);
    if (!t->head.enabled)
        return err_new(ERR_FORBIDDEN, "template '%s' is switched off ('enabled: false')", t->name);
    if (!(t->head.askers & who))
        return err_new(ERR_FORBIDDEN, "template '%s' is not for this kind of asker", t->name);
    return NULL;
}

bool templates_issuer_allowed(const struct template *t, const char *issuer)
{
    for (size_t i = 0; i < t->head.issuers.n; i++) {
        if (strcmp(t->head.issuers.items[i], issuer) == 0)
            return true;
    }
    return t->head.issuers.n == 0;
}

struct err *head_rule_issuer(const struct judged *j)
{
    if (view_eq(j->tbs->issuer, j->issuer->subject))
        return NULL;
    return err_new(ERR_POLICY, "the issuer field is not the subject of issuer '%s' (RFC 5280 4.1.2.4)",
                   j->issuer->name);
}

struct err *head_rule_allowed(const struct judged *j)
{
    if (templates_issuer_allowed(j->t, j->issuer->name))
        return NULL;
    return err_at(err_new(ERR_POLICY, "issuer '%s' may not sign this template", j->issuer->name), "/issuer");
}

struct err *head_rule_alg(const struct judged *j)
{
    if (j->tbs->alg == j->issuer->alg)
        return NULL;
    return err_new(ERR_POLICY, "signature algorithm %s; issuer '%s' signs with %s",
                   cert_alg_name(j->tbs->alg), j->issuer->name, cert_alg_name(j->issuer->alg));
}
