/*
 * The roster as data: who is on it, found by key hash or uid, and the rules that hold over all of it. Knows
 * no files and no forms, judges no signatures. Never changes after it is complete. Any thread.
 */
#include "roster.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

static const char *const role_names[HSM_ROLE__COUNT] = {
    [HSM_ROLE_NONE] = "none",   [HSM_ROLE_AUDITOR] = "auditor",           [HSM_ROLE_OPERATOR] = "operator",
    [HSM_ROLE_ADMIN] = "admin", [HSM_ROLE_ENROLL_AGENT] = "enroll-agent", [HSM_ROLE_RECOVERY] = "recovery",
};

const char *hsm_roster_role_name(enum hsm_role role)
{
    return role_names[role];
}

struct hsm_roster *roster_new(void)
{
    struct hsm_roster *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    r->arena = arena_new(4 << 20);
    r->entries = arena_array(r->arena, ROSTER_MAX, sizeof *r->entries);
    return r;
}

void hsm_roster_free(struct hsm_roster *r)
{
    if (!r)
        return;
    arena_free(r->arena);
    free(r);
}

static int by_hash(const void *a, const void *b)
{
    const struct hsm_roster_entry *x = a, *y = b;
    return memcmp(x->spki_sha256, y->spki_sha256, SHA256_BYTES);
}

bool roster_same_person(const struct hsm_roster_entry *a, const struct hsm_roster_entry *b)
{
    return strcmp(a->name, b->name) == 0;
}

/* Administrators who count, each person once. */
static unsigned count_administrators(const struct hsm_roster *r)
{
    unsigned people = 0;
    for (size_t i = 0; i < r->n; i++) {
        bool counts = r->entries[i].role == HSM_ROLE_ADMIN && !r->entries[i].revoked;
        for (size_t k = 0; counts && k < i; k++)
            counts = r->entries[k].role != HSM_ROLE_ADMIN || r->entries[k].revoked ||
                     !roster_same_person(&r->entries[i], &r->entries[k]);
        people += counts;
    }
    return people;
}

/* Who looks at the books keeps none of them. */
static struct err *check_auditors(const struct hsm_roster *r)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; r->entries[i].role == HSM_ROLE_AUDITOR && k < r->n; k++)
            if (roster_same_person(&r->entries[i], &r->entries[k]) && r->entries[k].role != HSM_ROLE_AUDITOR)
                return err_new(ERR_CONFIG, "%s is auditor and %s: an auditor has no other role",
                               r->entries[i].name, role_names[r->entries[k].role]);
    return NULL;
}

static struct err *check_needed(const struct hsm_roster *r, unsigned administrators)
{
    for (unsigned kind = 1; kind <= HSM_ACT_KIND_MAX; kind++)
        if (r->needed[kind] > administrators) /* it holds one more: the asker */
            return err_new(
                ERR_CONFIG,
                "%s needs %u approvals beside the asker, but only %u administrators are on the roster",
                hsm_act_row(kind)->text, r->needed[kind] - 1, administrators);
    return NULL;
}

struct err *roster_complete(struct hsm_roster *r)
{
    struct err *e = NULL;
    qsort(r->entries, r->n, sizeof *r->entries, by_hash);
    for (size_t i = 1; i < r->n; i++)
        if (by_hash(&r->entries[i - 1], &r->entries[i]) == 0)
            return err_new(ERR_CONFIG, "the keys of '%s' and '%s' are one key: one person, one role",
                           r->entries[i - 1].name, r->entries[i].name);
    unsigned administrators = count_administrators(r);
    if (administrators < r->quorum)
        return err_new(ERR_CONFIG, "quorum is %u, but only %u administrators are on the roster", r->quorum,
                       administrators);
    TRY(check_auditors(r));
    TRY(check_needed(r, administrators));
    roster_write(r);
out:
    return e;
}

void roster_uid_hash(uint32_t uid, uint8_t ret[SHA256_BYTES])
{
    char text[32];
    (void)snprintf(text, sizeof text, "uid:%u", (unsigned)uid);
    digest_sha256(view_str(text), ret);
}

const struct hsm_roster_entry *hsm_roster_find(const struct hsm_roster *r,
                                               const uint8_t spki_sha256[SHA256_BYTES])
{
    struct hsm_roster_entry wanted;
    memcpy(wanted.spki_sha256, spki_sha256, SHA256_BYTES);
    return r->n ? bsearch(&wanted, r->entries, r->n, sizeof *r->entries, by_hash) : NULL;
}

const struct hsm_roster_entry *hsm_roster_find_uid(const struct hsm_roster *r, uint32_t uid)
{
    uint8_t hash[SHA256_BYTES];
    roster_uid_hash(uid, hash);
    return hsm_roster_find(r, hash);
}

size_t hsm_roster_count(const struct hsm_roster *r)
{
    return r->n;
}

const struct hsm_roster_entry *hsm_roster_at(const struct hsm_roster *r, size_t i)
{
    CHECK(i < r->n);
    return &r->entries[i];
}

unsigned hsm_roster_quorum(const struct hsm_roster *r)
{
    return r->quorum;
}

unsigned hsm_roster_needed(const struct hsm_roster *r, unsigned act_kind)
{
    CHECK(act_kind <= HSM_ACT_KIND_MAX);
    return r->needed[act_kind] ? r->needed[act_kind] - 1 : r->quorum;
}

void hsm_roster_hash(const struct hsm_roster *r, uint8_t ret[SHA256_BYTES])
{
    memcpy(ret, r->hash, SHA256_BYTES);
}

struct view hsm_roster_canonical(const struct hsm_roster *r)
{
    return r->canonical;
}
