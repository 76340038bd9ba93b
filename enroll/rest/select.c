/* Conditions on certificates, from texts to a question to the ledger. */
#include "select.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/when.h"
#include "base/world.h"

const struct conf_row select_rows[] = {
#define SELECT(member, help)                                                                                 \
    {#member, CONF_TEXT, offsetof(struct select, member), false, 1, 2400, NULL, NULL, help},
#include "select.def"
#undef SELECT
};
const size_t select_rows_n = sizeof select_rows / sizeof select_rows[0];

enum { ROWS = sizeof select_rows / sizeof select_rows[0], FURTHER = 8 };

static const char **member_at(struct select *s, size_t i)
{
    return (const char **)((char *)s + select_rows[i].offset);
}

struct err *select_of_query(struct http_request *r, const char *const *further, struct select *ret)
{
    struct err *e = NULL;
    const char *known[ROWS + FURTHER + 1];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        known[n++] = select_rows[i].key;
    for (size_t i = 0; further[i] && i < FURTHER; i++)
        known[n++] = further[i];
    known[n] = NULL;
    *ret = (struct select){.issuer = NULL};
    TRY(http_query_only(r, known));
    for (size_t i = 0; i < ROWS; i++)
        TRY(answer_query(r, select_rows[i].key, member_at(ret, i)));
out:
    return e;
}

static struct err *status_filter(const char *text, enum ledger_filter *ret)
{
    static const char *const texts[] = {"any", "valid", "expired", "revoked", "unrecorded"};
    static const enum ledger_filter filters[] = {LEDGER_ANY, LEDGER_VALID, LEDGER_EXPIRED, LEDGER_IS_REVOKED,
                                                 LEDGER_IS_UNRECORDED};
    *ret = LEDGER_ANY;
    if (!text)
        return NULL;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(text, texts[i]) != 0)
            continue;
        *ret = filters[i];
        return NULL;
    }
    return err_at(err_new(ERR_BAD_FIELD, "status is any, valid, expired, revoked or unrecorded"), "/status");
}

static struct err *time_of(const char *text, const char *member, int64_t *ret)
{
    return text ? err_at(when_parse(view_str(text), ret), "/%s", member) : NULL;
}

static struct err *hash_of(const char *text, const char *member, struct arena *arena, struct view *ret)
{
    if (!text)
        return NULL;
    struct err *e = hex_parse(arena, view_str(text), ret);
    if (!e && ret->n == SHA256_BYTES)
        return NULL;
    err_free(e);
    return err_at(
        err_new(ERR_BAD_FIELD, "%s is a SHA-256: 64 hex digits, lower case, without colons", member), "/%s",
        member);
}

static struct err *version_of(const char *text, uint64_t *ret)
{
    char *end = NULL;
    if (!text)
        return NULL;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end || n > INT64_MAX)
        return err_at(err_new(ERR_BAD_FIELD, "a template's version is a number from 1 on"),
                      "/template_version");
    *ret = n;
    return NULL;
}

/* "dns:*.pay.example" means what lies under pay.example. */
static const char *without_star(const char *under, struct arena *arena)
{
    const char *star = under ? strstr(under, ":*.") : NULL;
    if (!star)
        return under;
    return arena_printf(arena, "%.*s%s", (int)(star + 1 - under), under, star + 3);
}

/* Of a serial that is not there nothing takes the place. */
static struct err *replaced(const char *text, struct ledger *ledger, struct arena *arena, uint64_t *ret)
{
    struct view serial;
    struct ledger_cert cert = {.intent = UINT64_MAX};
    struct err *e = text ? err_at(hex_parse(arena, view_str(text), &serial), "/replaces") : NULL;
    if (!text || e)
        return e;
    e = ledger_find(ledger, NULL, serial, arena, &cert);
    if (e && err_code(e) != ERR_NOT_FOUND)
        return e;
    err_free(e);
    *ret = cert.intent;
    return NULL;
}

struct err *select_query(const struct select *s, struct ledger *ledger, const struct ca_asker *asker,
                         struct arena *arena, struct ledger_query *ret)
{
    struct err *e = NULL;
    struct ledger_query q = {.issuer = s->issuer,
                             .name = s->name,
                             .under = without_star(s->under, arena),
                             .net = s->net,
                             .subject = s->subject,
                             .actor = s->owner,
                             .template = s->template,
                             .tag = s->tag,
                             .now = world_now_s()};
    TRY(status_filter(s->status, &q.status));
    TRY(version_of(s->template_version, &q.version));
    TRY(replaced(s->replaces, ledger, arena, &q.replaces));
    TRY(hash_of(s->fingerprint, "fingerprint", arena, &q.fingerprint));
    TRY(hash_of(s->spki_sha256, "spki_sha256", arena, &q.spki_sha256));
    TRY(time_of(s->since, "since", &q.since_ms));
    TRY(time_of(s->until, "until", &q.until_ms));
    TRY(time_of(s->not_after_from, "not_after_from", &q.not_after_from));
    TRY(time_of(s->not_after_till, "not_after_till", &q.not_after_till));
    q.since_ms *= 1000;
    if (q.until_ms)
        q.until_ms = q.until_ms * 1000 + 999;
    if (asker->role == CA_ROLE_REQUESTER || asker->role == CA_ROLE_ENROLL_AGENT)
        q.actor = asker->id;
    *ret = q;
out:
    return e;
}

const char *select_text(const struct select *s, struct arena *arena)
{
    const char *text = "";
    struct select copy = *s;
    for (size_t i = 0; i < ROWS; i++) {
        const char *value = *member_at(&copy, i);
        if (value)
            text = arena_printf(arena, "%s%s%s=%s", text, text[0] ? " " : "", select_rows[i].key, value);
    }
    return text;
}
