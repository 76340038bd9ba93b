/*
 * The analyser: templates that would let an attacker have what nobody meant to give. A finding refuses the
 * whole set, unless the template names it under `overrides` with a reason.
 *
 * Looks only at templates that askers can reach; the namespace of a grant counts as a control over the names
 * it covers. Any thread.
 */
#include "analyser.h"

#include "base/when.h"
#include "judge.h"
#include "source.h"
#include "subject.h"
#include "usage.h"

enum {
    REASON_MIN = 10,
    REASON_MAX = 300,
    RSA_LASTING_BITS = 3072,
};
#define DAY_S INT64_C(86400)

/* Uses that let the holder log in somewhere. */
static const char *const logon_uses[] = {"clientAuth", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.2.3.4"};
static const char *const windows_uses[] = {"1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.2.3.4"};
static const char *const agent_uses[] = {"1.3.6.1.4.1.311.20.2.1", "cmcRA"};
static const char *const signing_use[] = {"codeSigning"};
static const char *const stamping_use[] = {"timeStamping"};

/* The extended key usages are the asker's to say without bounds, or there are none, which is good for
 * anything. */
static bool no_bound(const struct template *t)
{
    const struct template_ext_key_usage *eku = &t->ext_key_usage;
    return source_open(&eku->from) ? eku->allow_n == 0 : eku->n == 0 && !t->constraints.ca;
}

/* Whether the certificate can come to carry one of these uses. */
static bool can_have(const struct template *t, const char *const *uses, size_t n)
{
    bool found = false;
    struct arena *arena = arena_new(4096);
    const struct template_ext_key_usage *eku = &t->ext_key_usage;
    const struct cert_views given = {eku->oids, eku->n}, allowed = {eku->allow, eku->allow_n};
    for (size_t i = 0; i < n && !found; i++) {
        struct view oid = {NULL, 0};
        struct err *e = cert_ext_eku_parse(uses[i], arena, &oid);
        for (size_t k = 0; !e && k < given.n; k++)
            found |= view_eq(given.v[k], oid);
        for (size_t k = 0; !e && k < allowed.n; k++)
            found |= view_eq(allowed.v[k], oid);
        err_free(e);
    }
    arena_free(arena);
    return found || no_bound(t);
}

#define CAN_HAVE(t, uses) can_have((t), (uses), sizeof(uses) / sizeof((uses)[0]))

static bool subject_without_control(const struct template *t)
{
    static const char *const granted[] = {"CN", "serialNumber", "UID", "emailAddress"};
    uint32_t asked = t->subject.allow | (t->subject.computed_set & ~t->subject.own_set);
    uint32_t free = asked & ~t->subject.patterned;
    for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
        free &= ~(1u << subject_attr_of(view_str(granted[i])));
    bool chosen = t->subject.from_csr || t->subject.from_request || (asked & ~t->subject.allow);
    return chosen && free && CAN_HAVE(t, logon_uses);
}

static bool any_purpose(const struct template *t)
{
    return no_bound(t);
}

/* Where uses are open altogether, any-purpose says it; so below. */
static bool enrolment_agent(const struct template *t)
{
    return !any_purpose(t) && CAN_HAVE(t, agent_uses);
}

static bool open_extensions(const struct template *t)
{
    return source_open(&t->custom.from) && t->custom.allow_n == 0;
}

/* Where any extension may be brought along, open-extensions says it. */
static bool asked_account(const struct template *t)
{
    const struct template_custom *c = &t->custom;
    for (size_t i = 0; i < c->allow_n; i++) {
        if (cert_ext_id_of(c->allow[i]) == CERT_EXT_MS_SECURITY)
            return CAN_HAVE(t, logon_uses);
    }
    return false;
}

/* Where staff alone ask, a person has looked at who it is. */
static bool asked_by_anybody(const struct template *t)
{
    return t->head.askers & (TEMPLATES_BY_TOKEN | TEMPLATES_BY_CERTIFICATE);
}

static bool account_by_name(const struct template *t)
{
    bool upn = t->sans.kinds & (1u << CERT_SAN_UPN);
    bool windows = CAN_HAVE(t, windows_uses) || (upn && CAN_HAVE(t, logon_uses));
    return asked_by_anybody(t) && !any_purpose(t) && windows && !t->microsoft.sid[0];
}

static bool may_bring(const struct template *t, const char *oid)
{
    bool found = false;
    struct arena *arena = arena_new(4096);
    struct view body = {NULL, 0};
    struct err *e = cert_ext_eku_parse(oid, arena, &body);
    for (size_t i = 0; !e && source_open(&t->custom.from) && i < t->custom.allow_n; i++)
        found |= view_eq(t->custom.allow[i], body);
    err_free(e);
    arena_free(arena);
    return found;
}

static bool asked_application_policies(const struct template *t)
{
    static const char *const oids[] = {"1.3.6.1.4.1.311.21.10", "1.3.6.1.4.1.311.20.2",
                                       "1.3.6.1.4.1.311.21.7"};
    bool found = false;
    for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++)
        found |= may_bring(t, oids[i]);
    return found;
}

static bool asked_policies(const struct template *t)
{
    return may_bring(t, "2.5.29.32") && CAN_HAVE(t, logon_uses);
}

static bool open_crl(const struct template *t)
{
    return source_open(&t->pointers.crl_from);
}

static bool wildcard_client(const struct template *t)
{
    return t->sans.wildcard && CAN_HAVE(t, logon_uses);
}

static size_t uses_count(const struct template *t)
{
    return t->ext_key_usage.n + t->ext_key_usage.allow_n;
}

static bool mixed_code_signing(const struct template *t)
{
    return !any_purpose(t) && CAN_HAVE(t, signing_use) && uses_count(t) > 1;
}

static bool mixed_time_stamping(const struct template *t)
{
    return !any_purpose(t) && CAN_HAVE(t, stamping_use) && (uses_count(t) > 1 || !t->ext_key_usage.critical);
}

static bool weak_keys(const struct template *t)
{
    bool rsa = t->keys.allow & (1u << CERT_KEY_RSA);
    return rsa && t->keys.rsa_min < RSA_LASTING_BITS && t->validity.max_s > 5 * 366 * DAY_S;
}

static bool long_life(const struct template *t)
{
    return t->validity.max_s > 3660 * DAY_S;
}

static bool no_revocation(const struct template *t)
{
    const struct template_pointers *p = &t->pointers;
    return t->validity.max_s > 10 * DAY_S && !p->ocsp && !p->crl && !p->no_rev_avail;
}

const struct analyser_row analyser_rows[] = {
#define FINDING(func, name, wrong, attack) {name, func, wrong, attack},
#include "analyser.def"
#undef FINDING
};
enum { ROWS = sizeof(analyser_rows) / sizeof(analyser_rows[0]) };
_Static_assert(ROWS < 32, "a bit for each finding");

size_t analyser_rows_count(void)
{
    return ROWS;
}

static struct err *check_text(struct load *l, const json_t *at, const json_t *text)
{
    size_t n = json_string_length(text);
    if (json_is_string(text) && n >= REASON_MIN && n <= REASON_MAX)
        return NULL;
    return conf_error(l->conf, at, "an override needs its reason: %d to %d octets of text", REASON_MIN,
                      REASON_MAX);
}

/* A text; or with an end, {reason: TEXT, until: TIME}. */
static struct err *read_reason(struct load *l, const json_t *node, struct template_override *ret)
{
    struct err *e = NULL;
    const json_t *text = json_is_object(node) ? json_object_get(node, "reason") : node;
    const json_t *until = json_object_get(node, "until");
    TRY(check_text(l, node, text));
    if (json_is_object(node) && json_object_size(node) != (until ? 2u : 1u))
        return conf_error(l->conf, node, "an override has 'reason', and 'until' where it ends by itself");
    if (until && !json_is_string(until))
        return conf_error(l->conf, until, "'until' is a moment: 2027-06-30T00:00:00Z");
    ret->reason = arena_str(l->arena, view_str(json_string_value(text)));
    ret->until = INT64_MAX;
    if (until)
        TRY(load_placed(l, until, when_parse(view_str(json_string_value(until)), &ret->until)));
out:
    return e;
}

static struct err *override_one(struct load *l, const char *key, const json_t *reason, unsigned *mask)
{
    const char *names[ROWS];
    size_t row = ROWS;
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = analyser_rows[i].name;
        row = strcmp(names[i], key) == 0 ? i : row;
    }
    const char *near = row == ROWS ? conf_nearest(key, names, ROWS) : NULL;
    if (near)
        return conf_error(l->conf, reason, "unknown finding '%s'; did you mean '%s'?", key, near);
    if (row == ROWS)
        return conf_error(l->conf, reason, "unknown finding '%s'", key);
    struct template_override said;
    struct err *e = read_reason(l, reason, &said);
    if (e)
        return e;
    bool needed = !l->t->head.internal && analyser_rows[row].found(l->t);
    if (!needed && conf_inherited(l->conf, reason))
        return NULL; /* narrowed away */
    if (!needed)
        return conf_error(l->conf, reason, "'%s' is not found in this template: take the override out", key);
    l->t->head.overrides[row] = said;
    *mask |= 1u << row;
    return NULL;
}

struct err *analyser_run(struct load *l)
{
    struct err *e = NULL;
    const json_t *tree = l->t->head.overrides_tree;
    const char *key;
    json_t *reason;
    unsigned mask = 0;
    l->t->head.overrides = arena_array(l->arena, ROWS, sizeof(l->t->head.overrides[0]));
    memset(l->t->head.overrides, 0, ROWS * sizeof(l->t->head.overrides[0]));
    if (tree && (!json_is_object(tree) || json_object_size(tree) == 0))
        return conf_error(l->conf, tree, "'overrides' is a mapping of findings to reasons");
    json_object_foreach((json_t *)tree, key, reason) TRY(override_one(l, key, reason, &mask));
    for (size_t i = 0; !l->t->head.internal && i < ROWS; i++) {
        const struct analyser_row *row = &analyser_rows[i];
        if (row->found(l->t) && !(mask & (1u << i)))
            return load_error(l, GROUP__COUNT, "overrides",
                              "finding '%s': %s. An attacker %s. If this is meant: overrides: {%s: REASON}",
                              row->name, row->wrong, row->attack, row->name);
    }
out:
    return e;
}

json_t *analyser_overrides_json(const struct template *t)
{
    json_t *all = json_object();
    for (size_t i = 0; i < ROWS; i++) {
        const struct template_override *o = &t->head.overrides[i];
        char until[WHEN_TEXT_MAX];
        when_put(until, o->until == INT64_MAX ? 0 : o->until);
        if (o->reason && o->until == INT64_MAX)
            json_object_set_new(all, analyser_rows[i].name, json_string(o->reason));
        else if (o->reason)
            json_object_set_new(all, analyser_rows[i].name,
                                json_pack("{s:s, s:s}", "reason", o->reason, "until", until));
    }
    return all;
}

bool templates_override(const struct template *t, size_t i, struct templates_override *ret)
{
    for (size_t row = 0; row < ROWS; row++) {
        const struct template_override *o = &t->head.overrides[row];
        if (!o->reason || i-- > 0)
            continue;
        *ret = (struct templates_override){analyser_rows[row].name, o->reason, o->until};
        return true;
    }
    return false;
}

/* Whoever meant it has said for how long. */
struct err *analyser_rule_overrides(const struct judged *j)
{
    struct templates_override o;
    for (size_t i = 0; templates_override(j->t, i, &o); i++) {
        if (o.until <= j->now)
            return err_new(ERR_POLICY, "the override of finding '%s' ended at %s", o.finding,
                           when_text(j->arena, o.until));
    }
    return NULL;
}
