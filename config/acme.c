/*
 * The `acme` part of chancery.yaml: who is asked for names, which addresses may be reached, and what only a
 * trial may say. Nothing is looked up. Any thread.
 */
#include "acme.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "names.h"
#include "rows.h"

enum { HTTP_PORT = 80, TLS_PORT = 443, TRIAL_HTTP_PORT = 5002, TRIAL_TLS_PORT = 5001 };

struct part {
    const struct conf *conf;
    struct arena *arena;
    const struct config *of;
};

static struct err *fill(const struct part *p, enum rows_group group, const json_t *node, void *to)
{
    const struct config_group *g = config_group(group);
    json_t *empty = json_object();
    CHECK(empty);
    struct err *e = conf_fill(p->conf, node ? node : empty, g->rows, g->n, p->arena, to);
    json_decref(empty);
    return e;
}

static struct err *nets(const struct part *p, const json_t *node, const struct conf_texts *from,
                        struct config_nets *ret)
{
    struct net *to = arena_array(p->arena, from->n, sizeof *to);
    for (size_t i = 0; i < from->n; i++)
        if (!net_parse(from->items[i], &to[i]))
            return conf_error(p->conf, json_array_get(node, i),
                              "'%s' is not a network such as 10.0.0.0/8, fd00::/8 or 192.0.2.7, without bits "
                              "beyond its prefix",
                              from->items[i]);
    *ret = (struct config_nets){from->n, to};
    return NULL;
}

/* "10.0.0.53", "10.0.0.53:5353", "fd00::53", "[fd00::53]:5353". */
static bool resolver_ok(struct arena *arena, const char *text)
{
    struct in6_addr address;
    const char *end = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
    size_t open = text[0] == '[';
    if (net_address(text, &address))
        return true;
    if (!end || (open && end[1] != ':') || (!open && strchr(end + 1, ':')))
        return false;
    const char *host = arena_str(arena, view_of(text + open, (size_t)(end - text) - open));
    const char *port = end + 1 + open;
    size_t digits = strspn(port, "0123456789");
    return net_address(host, &address) && digits >= 1 && digits <= 5 && port[digits] == 0 && port[0] != '0';
}

static bool vantage_ok(struct arena *arena, const char *text)
{
    for (;;) {
        const char *comma = strchrnul(text, ',');
        if (!resolver_ok(arena, arena_str(arena, view_of(text, (size_t)(comma - text)))))
            return false;
        if (*comma == 0)
            return true;
        text = comma + 1;
    }
}

static struct err *vantages(const struct part *p, const json_t *node, struct config_validation *v)
{
    const json_t *list = json_object_get(node, "resolvers");
    for (size_t i = 0; i < v->resolvers.n; i++)
        if (!vantage_ok(p->arena, v->resolvers.items[i]))
            return conf_error(p->conf, json_array_get(list, i),
                              "'%s' is not the address of a resolver, or several with commas between: "
                              "10.0.0.53, [fd00::53]:5353",
                              v->resolvers.items[i]);
    if (v->agree > (int64_t)(v->resolvers.n ? v->resolvers.n : 1))
        return conf_error(p->conf, json_object_get(node, "agree"),
                          "acme.validation.agree is more than there are resolvers, so nothing could pass");
    return NULL;
}

/* The names by which CAA records know us (RFC 8659 4.2: a domain name). */
static struct err *issuers(const struct part *p, const json_t *node, struct config_validation *v)
{
    const json_t *list = json_object_get(node, "issuers");
    for (size_t i = 0; i < v->issuers.n; i++) {
        const char *name = v->issuers.items[i], *own = names_own(p->arena, name);
        if (!own || strncmp(own, "dns:", 4) != 0 || name[0] == '*')
            return conf_error(p->conf, json_array_get(list, i), "'%s' is not a DNS name in lower case", name);
    }
    if (v->issuers.n > 0)
        return NULL;
    const char **one = arena_array(p->arena, 1, sizeof *one);
    one[0] = names_url_host(p->arena, p->of->https_url);
    v->issuers = (struct conf_texts){1, one};
    return NULL;
}

/* RFC 8555 8.3 and RFC 8737 3 leave no choice of ports; a trial has no port below 1024. */
static struct err *ports(const struct part *p, const json_t *node, struct config_validation *v)
{
    static const char *const keys[] = {"http_port", "tls_port"};
    for (size_t i = 0; i < 2; i++)
        if (!p->of->demo && json_object_get(node, keys[i]))
            return conf_error(p->conf, json_object_get(node, keys[i]),
                              "acme.validation.%s is for a trial (`demo: true`): challenges are answered on "
                              "ports %d and %d (RFC 8555 8.3, RFC 8737 3)",
                              keys[i], HTTP_PORT, TLS_PORT);
    v->trial = p->of->demo;
    if (!v->http_port)
        v->http_port = v->trial ? TRIAL_HTTP_PORT : HTTP_PORT;
    if (!v->tls_port)
        v->tls_port = v->trial ? TRIAL_TLS_PORT : TLS_PORT;
    return NULL;
}

static struct err *validation(const struct part *p, const json_t *node, struct config_validation *v)
{
    struct err *e = NULL;
    TRY(fill(p, ROWS_VALIDATION, node, v));
    TRY(vantages(p, node, v));
    TRY(nets(p, json_object_get(node, "allow"), &v->allow, &v->allow_nets));
    TRY(nets(p, json_object_get(node, "deny"), &v->deny, &v->deny_nets));
    TRY(issuers(p, node, v));
    TRY(ports(p, node, v));
out:
    return e;
}

static bool is_listed(const struct conf_texts *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

static struct err *offered(const struct part *p, const json_t *node, struct config_acme *a)
{
    const char **one = arena_array(p->arena, 1, sizeof *one);
    one[0] = a->template;
    if (a->templates.n == 0)
        a->templates = (struct conf_texts){1, one};
    if (!is_listed(&a->templates, a->template))
        return conf_error(p->conf, json_object_get(node, "templates"),
                          "acme.templates lacks '%s', which /acme/directory is for", a->template);
    for (size_t i = 0; i < a->open.n; i++)
        if (!is_listed(&a->templates, a->open.items[i]))
            return conf_error(p->conf, json_array_get(json_object_get(node, "open"), i),
                              "'%s' is not among acme.templates", a->open.items[i]);
    return NULL;
}

struct err *acme_fill(const struct conf *conf, const json_t *node, struct arena *arena, struct config *to)
{
    struct err *e = NULL;
    struct part p = {conf, arena, to};
    struct rows_acme rows = {0};
    TRY(fill(&p, ROWS_ACME, node, &rows));
    TRY(offered(&p, node, &rows.acme));
    TRY(validation(&p, rows.validation, &rows.acme.validation));
    to->acme = rows.acme;
out:
    return e;
}
