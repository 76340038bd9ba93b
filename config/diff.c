/*
 * Which change of the configuration a reload cannot bring: sockets are open, users taken, folders mapped, the
 * library loaded. Compares two parsed configurations row by row. No I/O, any thread.
 */
#include "rows.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_texts(size_t n, const char *const *a, const char *const *b)
{
    for (size_t i = 0; i < n; i++)
        if (!same(a[i], b[i]))
            return false;
    return true;
}

static bool same_addresses(const struct config_addresses *a, const struct config_addresses *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same(a->items[i].text, b->items[i].text))
            return false;
    return true;
}

static bool same_value(const struct conf_row *row, const void *a, const void *b)
{
    const char *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;

    switch (row->type) {
    case CONF_TEXT:
        return same(*(const char *const *)x, *(const char *const *)y);
    case CONF_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case CONF_CHOICE:
        return *(const int *)x == *(const int *)y;
    case CONF_INT:
    case CONF_DURATION:
    case CONF_SIZE:
        return *(const int64_t *)x == *(const int64_t *)y;
    case CONF_TEXTS: {
        const struct conf_texts *p = (const void *)x, *q = (const void *)y;
        return p->n == q->n && same_texts(p->n, p->items, q->items);
    }
    case CONF_TREE:
        break; /* its own group, or compared by hand */
    }
    return true;
}

/* The first key of the group that differs, or NULL. a, b: what the group's rows fill. */
static const char *group_diff(enum rows_group group, const void *a, const void *b)
{
    const struct config_group *g = config_group(group);
    for (size_t i = 0; i < g->n; i++)
        if (!same_value(&g->rows[i], a, b))
            return g->rows[i].key;
    return NULL;
}

static bool same_env(const struct config_token *a, const struct config_token *b)
{
    return a->env_n == b->env_n && same_texts(a->env_n, a->env_names, b->env_names) &&
           same_texts(a->env_n, a->env_values, b->env_values);
}

/* The rows fill rows_token, whose first member this is. */
static bool same_token(const struct config_token *a, const struct config_token *b)
{
    struct rows_token x = {.token = *a}, y = {.token = *b};
    return !group_diff(ROWS_TOKEN, &x, &y) && same_env(a, b);
}

static bool same_tokens(const struct config *a, const struct config *b)
{
    bool same = a->tokens_n == b->tokens_n;
    for (size_t i = 0; same && i < a->tokens_n; i++)
        same = same_token(&a->tokens[i], &b->tokens[i]);
    return same;
}

/* Serials on lease, the roll and the numbers of lists are in the vault that had the key. */
static bool same_vaults(const struct config *now, const struct config *next)
{
    for (size_t i = 0; i < next->issuers_n; i++)
        for (size_t k = 0; k < now->issuers_n; k++)
            if (strcmp(now->issuers[k].name, next->issuers[i].name) == 0 &&
                now->issuers[k].vault != next->issuers[i].vault)
                return false;
    return true;
}

static bool same_or_none(const char *next, const char *now)
{
    return !next || (now && strcmp(next, now) == 0);
}

/* A folder or file that a process would have to open, and that its jail does not know. */
static bool opens_more(const struct config *now, const struct config *next)
{
    if (!same_or_none(next->heads.directory, now->heads.directory) ||
        !same_or_none(next->heads.put_header, now->heads.put_header) ||
        !same_or_none(next->heads.put_ca, now->heads.put_ca))
        return true;
    for (size_t i = 0; i < next->issuers_n; i++) {
        const struct config_issuer *n = &next->issuers[i], none = {.name = ""}, *o = &none;
        for (size_t k = 0; k < now->issuers_n; k++)
            if (strcmp(now->issuers[k].name, n->name) == 0)
                o = &now->issuers[k];
        if (!same_or_none(n->crl_directory, o->crl_directory) ||
            !same_or_none(n->crl_put_header, o->crl_put_header) ||
            !same_or_none(n->crl_put_ca, o->crl_put_ca))
            return true;
    }
    return false;
}

const char *config_needs_restart(const struct config *now, const struct config *next)
{
    if (!same(now->dir, next->dir))
        return "dir";
    if (now->log != next->log)
        return "log";
    if (now->demo != next->demo)
        return "demo";
    if (now->isolation != next->isolation)
        return "isolation";
    if (now->responders_only != next->responders_only)
        return "responders_only";
    if (now->responders != next->responders)
        return "responders";
    if (!same_addresses(&now->https, &next->https))
        return "listen.https";
    if (!same_addresses(&now->http, &next->http))
        return "listen.http";
    if (!same(now->control, next->control))
        return "listen.control";
    if (group_diff(ROWS_PATHS, &now->paths, &next->paths))
        return "paths";
    if (group_diff(ROWS_USERS, &now->users, &next->users))
        return "users";
    if (group_diff(ROWS_LIMITS, &now->limits, &next->limits))
        return "limits";
    if (opens_more(now, next))
        return "issuers[].crl.directory";
    if (!same_tokens(now, next))
        return "tokens";
    return same_vaults(now, next) ? NULL : "issuers[].token";
}
