/*
 * The table of processes, and what each may open. What is not listed here cannot be opened by that process
 * once it is jailed. Constant data; any thread.
 */
#include "process.h"

#include <stddef.h>

#include "base/check.h"
#include "role_courier.h"
#include "role_front.h"
#include "role_responder.h"
#include "role_vault.h"

static const struct process_row rows[MESSAGE_PROCESSES] = {
    [MESSAGE_VAULT] = {"vault", PROCESS_LISTENS_NOWHERE, true, &role_vault,
                       "PKCS#11, PIN, keys, seal roll, roster", "network, ledger"},
    [MESSAGE_FRONT] = {"front", PROCESS_LISTENS_HTTPS, false, &role_front,
                       "HTTPS, decisions, ledger, shelf, its own TLS key", "CA keys, PIN, outgoing sockets"},
    [MESSAGE_RESPONDER] = {"responder", PROCESS_LISTENS_HTTP, false, &role_responder,
                           "OCSP, CRLs and CA certificates from the shelf", "keys, ledger"},
    [MESSAGE_COURIER] = {"courier", PROCESS_LISTENS_NOWHERE, false, &role_courier,
                         "connections to other hosts, to where its configuration says",
                         "keys, ledger, shelf"},
};

static const struct {
    enum message_process a, b;
} links[] = {
    {MESSAGE_FRONT, MESSAGE_VAULT},
    {MESSAGE_RESPONDER, MESSAGE_VAULT},
    {MESSAGE_RESPONDER, MESSAGE_FRONT},
    {MESSAGE_FRONT, MESSAGE_COURIER},
};

/* What libraries read as they run; the same for all. */
static const struct jail_path system_paths[] = {
    {"/usr", JAIL_READ, true},        {"/lib", JAIL_READ, true},
    {"/lib64", JAIL_READ, true},      {"/etc/ld.so.cache", JAIL_READ, true},
    {"/etc/ssl", JAIL_READ, true},    {"/etc/localtime", JAIL_READ, true},
    {"/proc/self", JAIL_READ, true},  {"/sys/devices/system/cpu", JAIL_READ, true},
    {"/dev/null", JAIL_UPDATE, true}, {"/dev/urandom", JAIL_READ, true},
};
enum { SYSTEM_PATHS = sizeof system_paths / sizeof *system_paths };

/* How names of hosts are looked up: the courier's alone. */
static const char *const resolver_paths[] = {
    "/etc/resolv.conf", "/etc/hosts",           "/etc/nsswitch.conf", "/etc/host.conf",      "/etc/gai.conf",
    "/etc/services",    "/run/systemd/resolve", "/run/resolvconf",    "/etc/ca-certificates"};
enum { RESOLVER_PATHS = sizeof resolver_paths / sizeof *resolver_paths };

/* Folders of the house, by process. */
static const struct {
    enum message_process kind;
    size_t path; /* in struct config_paths */
    unsigned access;
} house_paths[] = {
    {MESSAGE_VAULT, offsetof(struct config_paths, lock), JAIL_WRITE},
    {MESSAGE_FRONT, offsetof(struct config_paths, ledger), JAIL_WRITE},
    {MESSAGE_FRONT, offsetof(struct config_paths, shelf), JAIL_WRITE},
    {MESSAGE_FRONT, offsetof(struct config_paths, front), JAIL_WRITE},
    {MESSAGE_RESPONDER, offsetof(struct config_paths, shelf), JAIL_UPDATE}, /* LMDB's lock file */
};
enum { HOUSE_PATHS = sizeof house_paths / sizeof *house_paths };

const struct process_row *process_row(enum message_process kind)
{
    CHECK(kind < MESSAGE_PROCESSES);
    return &rows[kind];
}

enum message_process process_of_name(const char *name)
{
    for (int i = 0; i < MESSAGE_PROCESSES; i++)
        if (strcmp(rows[i].name, name) == 0)
            return (enum message_process)i;
    return MESSAGE_PROCESSES;
}

size_t process_count(enum message_process kind, const struct config *c)
{
    if (kind == MESSAGE_RESPONDER)
        return (size_t)c->responders;
    if (c->responders_only)
        return 0;
    return kind == MESSAGE_VAULT ? c->vaults_n : 1;
}

const char *process_label(enum message_process kind, unsigned index, const struct config *c,
                          struct arena *arena)
{
    if (kind == MESSAGE_VAULT && c->vaults_n > 1)
        return arena_printf(arena, "%s-%s", rows[kind].name, c->vaults[index].name);
    if (kind == MESSAGE_RESPONDER && c->responders > 1)
        return arena_printf(arena, "%s-%u", rows[kind].name, index + 1);
    return rows[kind].name;
}

bool process_link(size_t i, enum message_process *ret_a, enum message_process *ret_b)
{
    if (i >= sizeof links / sizeof *links)
        return false;
    *ret_a = links[i].a;
    *ret_b = links[i].b;
    return true;
}

/* What a vendor's library opens: its own file, what the configuration lists, files its environment names. */
static size_t token_paths(const struct config_token *t, struct jail_path *to)
{
    size_t n = 0;

    to[n++] = (struct jail_path){t->module, JAIL_READ, false};
    for (size_t i = 0; i < t->reads.n; i++)
        to[n++] = (struct jail_path){t->reads.items[i], JAIL_READ, false};
    for (size_t i = 0; i < t->writes.n; i++)
        to[n++] = (struct jail_path){t->writes.items[i], JAIL_WRITE, true}; /* a token may be away */
    for (size_t i = 0; i < t->shares.n; i++)
        to[n++] = (struct jail_path){t->shares.items[i], JAIL_WRITE, true};
    for (size_t i = 0; i < t->env_n; i++)
        if (t->env_values[i][0] == '/')
            to[n++] = (struct jail_path){t->env_values[i], JAIL_READ, true};
    return n;
}

/* Where lists are written to, and what the courier reads to bring them elsewhere. */
static size_t list_paths(enum message_process kind, const struct config *c, struct jail_path *to)
{
    size_t n = 0;
    if (kind == MESSAGE_FRONT)
        to[n++] = (struct jail_path){c->heads.directory, JAIL_WRITE, false};
    if (kind == MESSAGE_COURIER)
        to[n++] = (struct jail_path){c->heads.put_header, JAIL_READ, false};
    if (kind == MESSAGE_COURIER)
        to[n++] = (struct jail_path){c->heads.put_ca, JAIL_READ, false};
    for (size_t i = 0; i < c->issuers_n; i++) {
        const struct config_issuer *issuer = &c->issuers[i];
        if (kind == MESSAGE_FRONT)
            to[n++] = (struct jail_path){issuer->crl_directory, JAIL_WRITE, false};
        if (kind != MESSAGE_COURIER)
            continue;
        to[n++] = (struct jail_path){issuer->crl_put_header, JAIL_READ, false};
        to[n++] = (struct jail_path){issuer->crl_put_ca, JAIL_READ, false};
    }
    for (size_t i = 0; kind == MESSAGE_COURIER && i < RESOLVER_PATHS; i++)
        to[n++] = (struct jail_path){resolver_paths[i], JAIL_READ, true};
    return n;
}

/* Its own roll, which no other vault may touch, and what its library opens. */
static size_t vault_paths(unsigned index, const struct config *c, struct jail_path *to)
{
    const struct config_vault *v = &c->vaults[index];
    size_t n = 0;
    to[n++] = (struct jail_path){v->roll, JAIL_WRITE, false};
    for (size_t i = 0; i < v->tokens_n; i++)
        n += token_paths(&c->tokens[v->tokens[i]], to + n);
    return n;
}

const struct jail_path *process_paths(enum message_process kind, unsigned index, const struct config *c,
                                      struct arena *arena, size_t *ret_n)
{
    size_t max = SYSTEM_PATHS + HOUSE_PATHS + 1 + RESOLVER_PATHS + 2 * c->issuers_n + 3, n = 0;
    for (size_t i = 0; i < c->tokens_n; i++) {
        const struct config_token *t = &c->tokens[i];
        max += 1 + t->reads.n + t->writes.n + t->shares.n + t->env_n;
    }
    struct jail_path *to = arena_array(arena, max, sizeof *to);

    for (size_t i = 0; i < SYSTEM_PATHS; i++)
        to[n++] = system_paths[i];
    for (size_t i = 0; i < HOUSE_PATHS; i++)
        if (house_paths[i].kind == kind) {
            const char *path = *(const char *const *)((const char *)&c->paths + house_paths[i].path);
            to[n++] = (struct jail_path){path, house_paths[i].access, false};
        }
    if (kind == MESSAGE_VAULT)
        n += vault_paths(index, c, to + n);
    n += list_paths(kind, c, to + n);
    *ret_n = n;
    return to;
}

enum jail_connects process_connects(enum message_process kind, unsigned index, const struct config *c)
{
    static const enum jail_connects of[] = {
        [CONFIG_CONNECTS_NONE] = JAIL_CONNECTS_NONE,
        [CONFIG_CONNECTS_LOCAL] = JAIL_CONNECTS_LOCAL,
        [CONFIG_CONNECTS_NETWORK] = JAIL_CONNECTS_NETWORK,
    };
    if (kind == MESSAGE_COURIER)
        return JAIL_CONNECTS_NETWORK;
    return kind == MESSAGE_VAULT ? of[c->tokens[c->vaults[index].tokens[0]].connects] : JAIL_CONNECTS_NONE;
}
