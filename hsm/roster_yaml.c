/*
 * roster.yaml, as people write it: read into entries by rows, each refusal with its line. Never signs, never
 * pins. Any thread.
 */
#include "base/check.h"
#include "base/conf.h"
#include "base/hex.h"
#include "roster.h"

/* In the order of enum hsm_role, from AUDITOR on. */
static const char *const role_choices[] = {"auditor", "operator", "admin", "enroll-agent", "recovery", NULL};

struct yaml_roster {
    int64_t quorum;
    const json_t *approvals, *roster;
};
static const struct conf_row roster_rows[] = {
    {.key = "quorum",
     .type = CONF_INT,
     .offset = offsetof(struct yaml_roster, quorum),
     .required = true,
     .min = 1,
     .max = ROSTER_MAX,
     .doc = "how many administrators must sign a change of this file"},
    {.key = "approvals",
     .type = CONF_TREE,
     .offset = offsetof(struct yaml_roster, approvals),
     .doc = "for a kind of act, how many people beside the asker must approve"},
    {.key = "roster",
     .type = CONF_TREE,
     .offset = offsetof(struct yaml_roster, roster),
     .required = true,
     .doc = "who may do what"},
};

struct yaml_entry {
    const char *name, *spki_sha256;
    int role;
    int64_t uid;
    bool revoked;
    struct conf_texts issuers, templates;
};
static const struct conf_row entry_rows[] = {
    {.key = "name",
     .type = CONF_TEXT,
     .offset = offsetof(struct yaml_entry, name),
     .required = true,
     .min = 1,
     .max = ROSTER_NAME_MAX,
     .doc = "a person, for logs and books: one name is one person, however many keys"},
    {.key = "role",
     .type = CONF_CHOICE,
     .offset = offsetof(struct yaml_entry, role),
     .required = true,
     .choices = role_choices,
     .doc = "what this key may do"},
    {.key = "spki_sha256",
     .type = CONF_TEXT,
     .offset = offsetof(struct yaml_entry, spki_sha256),
     .min = 64,
     .max = 64,
     .doc = "SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal"},
    {.key = "uid",
     .type = CONF_INT,
     .offset = offsetof(struct yaml_entry, uid),
     .min = 0,
     .max = UINT32_MAX - 1,
     .doc = "in place of a key: who comes over control.sock as this user"},
    {.key = "revoked",
     .type = CONF_BOOL,
     .offset = offsetof(struct yaml_entry, revoked),
     .doc = "kept for the record; counts for nothing"},
    {.key = "issuers",
     .type = CONF_TEXTS,
     .offset = offsetof(struct yaml_entry, issuers),
     .max = ROSTER_SCOPE_MAX,
     .doc = "operator, enroll-agent: only these issuers"},
    {.key = "templates",
     .type = CONF_TEXTS,
     .offset = offsetof(struct yaml_entry, templates),
     .max = ROSTER_SCOPE_MAX,
     .doc = "operator, enroll-agent: only these templates"},
};

static struct err *read_hash(const struct conf *c, const json_t *node, const struct yaml_entry *y,
                             struct arena *arena, uint8_t ret[SHA256_BYTES])
{
    struct view hash;
    if ((y->spki_sha256 != NULL) == (y->uid >= 0))
        return conf_error(c, node, "'%s' needs either spki_sha256 or uid", y->name);
    if (y->uid >= 0) {
        roster_uid_hash((uint32_t)y->uid, ret);
        return NULL;
    }
    struct err *e = hex_parse(arena, view_str(y->spki_sha256), &hash);
    if (e || hash.n != SHA256_BYTES) {
        err_free(e);
        return conf_error(c, json_object_get(node, "spki_sha256"),
                          "spki_sha256 of '%s' is not 64 hexadecimal digits", y->name);
    }
    memcpy(ret, hash.p, SHA256_BYTES);
    return NULL;
}

static struct err *check_scope(const struct conf *c, const json_t *node, const struct yaml_entry *y,
                               enum hsm_role role)
{
    bool scoped = y->issuers.n > 0 || y->templates.n > 0;
    if (scoped && role != HSM_ROLE_OPERATOR && role != HSM_ROLE_ENROLL_AGENT)
        return conf_error(c, node, "issuers and templates are for an operator or an enroll-agent, not for %s",
                          hsm_roster_role_name(role));
    if (y->uid >= 0 && role == HSM_ROLE_RECOVERY)
        return conf_error(c, node, "recovery signs: it needs spki_sha256, not uid");
    return NULL;
}

static struct err *read_entry(const struct conf *c, const json_t *node, struct hsm_roster *r)
{
    struct err *e = NULL;
    struct yaml_entry y = {.uid = -1};
    struct hsm_roster_entry *to = &r->entries[r->n];
    TRY(conf_fill(c, node, entry_rows, sizeof entry_rows / sizeof *entry_rows, r->arena, &y));
    TRY(read_hash(c, node, &y, r->arena, to->spki_sha256));
    to->name = y.name;
    to->role = (enum hsm_role)(y.role + 1);
    to->revoked = y.revoked;
    to->issuers = (struct hsm_roster_texts){y.issuers.n, y.issuers.items};
    to->templates = (struct hsm_roster_texts){y.templates.n, y.templates.items};
    TRY(check_scope(c, node, &y, to->role));
    r->n++;
out:
    return e;
}

static struct err *read_entries(const struct conf *c, const json_t *list, struct hsm_roster *r)
{
    if (!json_is_array(list))
        return conf_error(c, list, "roster must be a list");
    if (json_array_size(list) > ROSTER_MAX)
        return conf_error(c, list, "more than %d entries", ROSTER_MAX);
    struct err *e = NULL;
    for (size_t i = 0; !e && i < json_array_size(list); i++)
        e = read_entry(c, json_array_get(list, i), r);
    return e;
}

static struct err *read_approvals(const struct conf *c, const json_t *map, struct hsm_roster *r)
{
    struct err *e = NULL;
    const char *key;
    json_t *value;
    enum hsm_act_kind kind;
    if (!map)
        return NULL;
    if (!json_is_object(map))
        return conf_error(c, map, "approvals must be a mapping: {ca-create: 2}");
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        json_int_t people = json_is_integer(value) ? json_integer_value(value) : -1;
        if (people < 0 || people > HSM_ACT_SIGNATURES_MAX)
            TRY(conf_error(c, value, "approvals of %s: a number from 0 to %d", key, HSM_ACT_SIGNATURES_MAX));
        e = hsm_act_kind_parse(view_str(key), &kind);
        if (e) {
            struct err *placed = conf_error(c, value, "'%s' is no kind of act; %s", key, err_detail(e));
            err_free(e);
            TRY(placed);
        }
        r->needed[kind] = (unsigned)people + 1;
    }
out:
    return e;
}

struct err *hsm_roster_parse(const char *file, struct view yaml, struct hsm_roster **ret)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct hsm_roster *r = roster_new();
    struct yaml_roster top = {0};
    TRY(conf_parse(file, yaml, &c));
    TRY(conf_fill(c, conf_root(c), roster_rows, sizeof roster_rows / sizeof *roster_rows, r->arena, &top));
    TRY(read_entries(c, top.roster, r));
    TRY(read_approvals(c, top.approvals, r));
    r->quorum = (unsigned)top.quorum;
    TRY(err_wrap(roster_complete(r), "%s", file));
    *ret = r;
    r = NULL;
out:
    conf_free(c);
    hsm_roster_free(r);
    return e;
}
