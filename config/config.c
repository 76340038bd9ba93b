/*
 * From chancery.yaml to struct config: rows are filled by base/conf, then names, paths, addresses and what
 * must fit together are checked here, each refusal at its line. Never opens what it names (gather.c does, and
 * the processes themselves). Any thread.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>

#include "acme.h"
#include "address.h"
#include "base/check.h"
#include "base/file.h"
#include "jwt.h"
#include "names.h"
#include "parse.h"
#include "tokens.h"

enum { CONFIG_ARENA_BYTES = 16 << 20 };

/* What is given out, and what it lives in. */
struct box {
    struct config config; /* first: config_free gets this address */
    struct arena *arena;
};

static const char *folder_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return ".";
    return slash == file ? "/" : arena_str(arena, view_of(file, (size_t)(slash - file)));
}

/* --- URLs and names --- */

static bool names_cover(const struct config *c, struct arena *arena, const char *host)
{
    const char *name = names_own(arena, host);
    for (size_t i = 0; name && i < c->names.n; i++)
        if (strcmp(c->names.items[i], name) == 0)
            return true;
    return false;
}

static struct err *own_names(struct parse *p)
{
    const json_t *node = json_object_get(conf_root(p->conf), "names");
    const char **to = arena_array(p->arena, p->top.names.n, sizeof *to);

    if (p->top.names.n == 0)
        return conf_error(p->conf, node, "at least one name is needed");
    for (size_t i = 0; i < p->top.names.n; i++) {
        to[i] = names_own(p->arena, p->top.names.items[i]);
        if (!to[i])
            return conf_error(p->conf, json_array_get(node, i),
                              "'%s' is neither a DNS name in lower case nor an IP address",
                              p->top.names.items[i]);
    }
    p->to->names = (struct conf_texts){p->top.names.n, to};
    return NULL;
}

static struct err *urls(struct parse *p)
{
    const json_t *root = conf_root(p->conf);
    const char *host;

    if (!names_url_ok(p->top.public_url))
        return conf_error(p->conf, json_object_get(root, "public_url"),
                          "'%s' is not an http URL without query and end slash", p->top.public_url);
    /* RFC 5280 4.2.1.13, 8: fetching status over TLS would need status; clients refuse or loop. */
    if (strncmp(p->top.public_url, "http://", 7) != 0)
        return conf_error(p->conf, json_object_get(root, "public_url"),
                          "CRLs and OCSP are served over plain http (RFC 5280 section 8)");
    if (!names_url_ok(p->top.https_url) || strncmp(p->top.https_url, "https://", 8) != 0)
        return conf_error(p->conf, json_object_get(root, "https_url"),
                          "'%s' is not an https URL without query and end slash", p->top.https_url);
    host = names_url_host(p->arena, p->top.https_url);
    if (!names_cover(p->to, p->arena, host))
        return conf_error(p->conf, json_object_get(root, "https_url"),
                          "its host '%s' is not among names, so the front's certificate would not fit", host);
    p->to->public_url = p->top.public_url;
    p->to->https_url = p->top.https_url;
    return NULL;
}

/* --- listen --- */

static struct err *addresses(struct parse *p, const char *key, struct conf_texts texts,
                             struct config_addresses *ret)
{
    const json_t *node = json_object_get(p->top.listen, key);
    struct config_address *to = arena_array(p->arena, texts.n, sizeof *to);

    if (texts.n == 0)
        return conf_error(p->conf, node, "at least one address is needed");
    for (size_t i = 0; i < texts.n; i++) {
        const json_t *at = json_array_get(node, i);
        if (!address_parse(texts.items[i], &to[i]))
            return conf_error(p->conf, at, "'%s' is not ADDRESS:PORT or [ADDRESS]:PORT in numbers",
                              texts.items[i]);
        if (p->to->demo && !to[i].loopback)
            return conf_error(p->conf, at,
                              "'%s' is not a loopback address; with `demo: true` only 127.0.0.1 and "
                              "[::1] are served",
                              texts.items[i]);
    }
    *ret = (struct config_addresses){texts.n, to};
    return NULL;
}

static struct err *listening(struct parse *p)
{
    struct err *e = NULL;
    struct rows_listen rows = {0};

    TRY(parse_fill(p, ROWS_LISTEN, p->top.listen, &rows));
    TRY(addresses(p, "https", rows.https, &p->to->https));
    TRY(addresses(p, "http", rows.http, &p->to->http));
    p->to->control = parse_path(p, rows.control);
    if (strlen(p->to->control) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        e = conf_error(p->conf, p->top.listen,
                       "the path of the control socket, '%s', is longer than %zu bytes", p->to->control,
                       sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
out:
    return e;
}

/* --- issuers --- */

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_web(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

static struct err *issuer_check_lists(struct parse *p, const json_t *node, const struct config_issuer *i)
{
    if (!i->crl_full && !i->crl_partition)
        return conf_error(p->conf, node, "crl.full is false and crl.partition is 0: there would be no list");
    if (i->crl_delta_s && !i->crl_full)
        return conf_error(p->conf, node,
                          "crl.delta lists changes of the list of everything: it needs crl.full");
    if (i->crl_delta_s && 2 * i->crl_delta_s > i->crl_every_s)
        return conf_error(p->conf, node, "crl.delta must be at most half of crl.every, or it saves nothing");
    if (i->crl_put && (!is_web(i->crl_put) || ends_in(i->crl_put, "/")))
        return conf_error(p->conf, node, "crl.put is http:// or https://..., without a slash at its end");
    if (!i->crl_put && (i->crl_put_header || i->crl_put_ca))
        return conf_error(p->conf, node, "crl.put_header_file and crl.put_ca_file belong to crl.put");
    if (ends_in(i->name, "-delta") || ends_in(i->name, "-chain"))
        return conf_error(p->conf, json_object_get(node, "name"),
                          "'%s': the addresses of lists end so; choose another name", i->name);
    return NULL;
}

static struct err *issuer_check(struct parse *p, const json_t *node, const struct config_issuer *all,
                                size_t at)
{
    const struct config_issuer *i = &all[at];

    if (!parse_name_ok(i->name))
        return conf_error(p->conf, json_object_get(node, "name"),
                          "'%s' is not a name of lower-case letters, digits and hyphens", i->name);
    for (size_t k = 0; k < at; k++)
        if (strcmp(all[k].name, i->name) == 0)
            return conf_error(p->conf, json_object_get(node, "name"), "a second issuer named '%s'", i->name);
    if (!i->key && i->issue)
        return conf_error(p->conf, node,
                          "an issuer without a key in the token is an offline CA: say `issue: false`");
    if (i->key && i->crl_file)
        return conf_error(p->conf, node, "crl.file is for an offline CA: this one makes its lists itself");
    if (i->key && !tokens_uri_ok(i->key))
        return conf_error(p->conf, json_object_get(node, "key"), "'%s' is not a pkcs11: URI (RFC 7512)",
                          i->key);
    if (i->crl_lifetime_s <= i->crl_every_s)
        return conf_error(p->conf, node,
                          "crl.lifetime must be longer than crl.every, or lists lapse between");
    return issuer_check_lists(p, node, i);
}

static const char *resolve_given(struct parse *p, const char *path)
{
    return path ? parse_path(p, path) : NULL;
}

static struct err *issuer_fill(struct parse *p, const json_t *node, struct config_issuer *to)
{
    struct err *e = NULL;
    struct rows_issuer rows = {0};

    TRY(parse_fill(p, ROWS_ISSUER, node, &rows));
    TRY(parse_fill_optional(p, ROWS_CRL, rows.crl, &rows.issuer));
    TRY(parse_fill_optional(p, ROWS_OCSP, rows.ocsp, &rows.issuer));
    rows.issuer.certificate = parse_path(p, rows.issuer.certificate);
    if (rows.issuer.crl_file)
        rows.issuer.crl_file = parse_path(p, rows.issuer.crl_file);
    rows.issuer.cross = parse_paths(p, rows.issuer.cross);
    rows.issuer.crl_directory = resolve_given(p, rows.issuer.crl_directory);
    rows.issuer.crl_put_header = resolve_given(p, rows.issuer.crl_put_header);
    rows.issuer.crl_put_ca = resolve_given(p, rows.issuer.crl_put_ca);
    *to = rows.issuer;
out:
    return e;
}

static struct err *issuers(struct parse *p)
{
    struct err *e = NULL;
    size_t n = json_array_size(p->top.issuers);
    struct config_issuer *all = arena_array(p->arena, n, sizeof *all);
    bool any = false;

    if (!json_is_array(p->top.issuers) || n == 0 || n > CONFIG_ISSUERS_MAX)
        return conf_error(p->conf, p->top.issuers, "issuers is a list of 1 to %d", CONFIG_ISSUERS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *node = json_array_get(p->top.issuers, i);
        TRY(issuer_fill(p, node, &all[i]));
        TRY(tokens_issuer(p, node, &all[i]));
        TRY(issuer_check(p, node, all, i));
        any = any || all[i].issue;
    }
    if (!any)
        return conf_error(p->conf, p->top.issuers, "no issuer has `issue: true`");
    p->to->issuers = all;
    p->to->issuers_n = n;
out:
    return e;
}

/* --- the rest --- */

static struct err *users(struct parse *p)
{
    struct err *e = NULL;
    struct config_users *u = &p->to->users;

    TRY(parse_fill_optional(p, ROWS_USERS, p->top.users, u));
    const char *const all[] = {u->front, u->vault, u->responder, u->courier};
    size_t given = 0;
    for (size_t i = 0; i < 4; i++)
        given += all[i] != NULL;
    if (given == 0)
        return NULL;
    if (given < 4)
        return conf_error(p->conf, p->top.users, "front, vault, responder and courier: all four or none");
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(all[i], all[k]) == 0)
                return conf_error(p->conf, p->top.users,
                                  "front, vault, responder and courier need four different users");
out:
    return e;
}

static struct err *folders(struct parse *p)
{
    struct err *e = NULL;
    struct config_paths *f = &p->to->paths;

    TRY(parse_fill_optional(p, ROWS_PATHS, p->top.paths, f));
    const char **all[] = {&f->ledger, &f->shelf, &f->front, &f->roll, &f->lock, &f->run};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        *all[i] = parse_path(p, *all[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(*all[k], *all[i]) == 0)
                return conf_error(p->conf, p->top.paths ? p->top.paths : conf_root(p->conf),
                                  "two folders are both '%s'", *all[i]);
    }
    p->to->templates = parse_path(p, p->top.templates);
    p->to->roster = parse_path(p, p->top.roster);
out:
    return e;
}

/* "https://ca.example.internal:8443": ca.example.internal:8443/log, where the log's tiles are found. */
static struct err *heads(struct parse *p)
{
    struct err *e = NULL;
    struct config_heads *h = &p->to->heads;
    TRY(parse_fill_optional(p, ROWS_HEADS, p->top.heads, h));
    h->directory = resolve_given(p, h->directory);
    h->put_header = resolve_given(p, h->put_header);
    h->put_ca = resolve_given(p, h->put_ca);
    if (!h->origin)
        h->origin = arena_printf(p->arena, "%s/log", p->to->https_url + strlen("https://"));
out:
    return e;
}

static struct err *parse_all(struct parse *p, const char *file)
{
    struct err *e = NULL;
    struct config *c = p->to;

    TRY(parse_fill(p, ROWS_TOP, conf_root(p->conf), &p->top));
    c->file = arena_str(p->arena, view_str(file));
    c->dir = folder_of(p->arena, c->file);
    if (p->top.dir)
        c->dir = parse_path(p, p->top.dir);
    c->log = p->top.log;
    c->log_level = p->top.log_level;
    c->demo = p->top.demo;
    c->isolation = p->top.isolation;
    c->responders = p->top.responders;
    c->responders_only = p->top.responders_only;
    TRY(own_names(p));
    TRY(urls(p));
    TRY(listening(p));
    TRY(tokens_parse(p));
    TRY(issuers(p));
    TRY(users(p));
    TRY(folders(p));
    tokens_rolls(p);
    TRY(parse_fill_optional(p, ROWS_LIMITS, p->top.limits, &c->limits));
    TRY(acme_fill(p->conf, p->top.acme, p->arena, c));
    TRY(heads(p));
    TRY(jwt_fill(p->conf, p->top.jwt, p->arena, c));
out:
    return e;
}

static const char *short_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

struct err *config_parse(const char *file, struct view yaml, struct config **ret)
{
    struct err *e = NULL;
    struct conf *conf = NULL;
    struct box *box = calloc(1, sizeof *box);

    CHECK(box);
    box->arena = arena_new(CONFIG_ARENA_BYTES);
    TRY(conf_parse(short_name(file), yaml, &conf));
    struct parse p = {.conf = conf, .arena = box->arena, .to = &box->config};
    TRY(parse_all(&p, file));
    *ret = &box->config;
    box = NULL;
out:
    conf_free(conf);
    if (box)
        config_free(&box->config);
    return e;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    struct box *box = (struct box *)c;
    arena_free(box->arena);
    free(box);
}

struct err *config_load(const char *path, struct arena *arena, struct view *ret_bytes, struct config **ret)
{
    struct err *e = NULL;
    char *real = realpath(path, NULL);
    struct view bytes;

    if (!real)
        return err_sys(ERR_CONFIG, errno, "%s", path);
    TRY(file_read(real, CONFIG_BYTES_MAX, arena, &bytes));
    TRY(config_parse(real, bytes, ret));
    *ret_bytes = bytes;
out:
    free(real);
    return e;
}
