/*
 * chancery.yaml as a struct. The rows in rows.c are the one table from which parsing, defaults, `--help` and
 * the manual come. Strict: an unknown key, a wrong type or an impossible combination is ERR_CONFIG with file,
 * line and column. What is parsed never changes; any thread may read it. No I/O but in config_load and
 * config_gather.
 *
 * Relative paths stand under `dir`, by default the folder of the file itself. Times are seconds.
 */
#ifndef CHANCERY_CONFIG_H
#define CHANCERY_CONFIG_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/conf.h"
#include "base/generation.h"
#include "base/log.h"
#include "config_acme.h"
#include "config_jwt.h"

enum {
    CONFIG_BYTES_MAX = 1 << 20,
    CONFIG_ISSUERS_MAX = 64,
    CONFIG_LISTEN_MAX = 16, /* of each kind */
    CONFIG_RESPONDERS_MAX = 64,
    CONFIG_CROSS_MAX = 4, /* cross-certificates of one issuer */
    CONFIG_TOKENS_MAX = 8,
};

/* "127.0.0.1:8443", "[::1]:8443", "0.0.0.0:443", "[::]:443": numbers only, the port always given. */
struct config_address {
    const char *text;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to;
    socklen_t len;
    bool loopback;
};

struct config_addresses {
    size_t n;
    const struct config_address *items;
};

enum config_connects { CONFIG_CONNECTS_NONE, CONFIG_CONNECTS_LOCAL, CONFIG_CONNECTS_NETWORK };

struct config_token {
    const char *name;      /* [a-z0-9-]{1,32} */
    size_t vault;          /* which of config.vaults opens it */
    const char *module;    /* absolute path of the PKCS#11 library */
    const char *uri;       /* pkcs11:token=... */
    const char *pin_file;  /* absolute */
    const char *init_args; /* for C_Initialize, or NULL */
    size_t env_n;
    const char *const *env_names, *const *env_values; /* set in the vault alone */
    struct conf_texts unsaid;
    int connects;                            /* enum config_connects */
    struct conf_texts reads, writes, shares; /* absolute: what else the module opens */
};

/* One process with its own seal roll for each library, so that one maker's fault stops no other. */
struct config_vault {
    const char *name; /* of its first token */
    const char *roll; /* absolute: paths.roll for the first vault, paths.roll-NAME for each other */
    size_t tokens[CONFIG_TOKENS_MAX], tokens_n; /* its tokens, in config.tokens */
};

enum config_ocsp_signer { CONFIG_OCSP_RESPONDER, CONFIG_OCSP_ISSUER };
enum config_ocsp_unknown { CONFIG_OCSP_UNAUTHORIZED, CONFIG_OCSP_SIGNED };

struct config_issuer {
    const char *name;        /* [a-z0-9-]{1,63} */
    const char *token;       /* name of its token */
    size_t vault;            /* which of config.vaults holds its key */
    const char *key;         /* pkcs11:object=...; NULL: an offline CA, its key is elsewhere */
    const char *certificate; /* absolute path of its certificate, PEM */
    const char *key_type;    /* "rsa-3072": what init makes, or NULL */
    const char *alg;         /* "ecdsa-sha256", or NULL: what fits the key */
    bool issue;              /* false: certificates are not asked of it (a root) */
    int64_t crl_every_s, crl_lifetime_s;
    const char *crl_file;    /* absolute path of an offline CA's list, DER; or NULL */
    struct conf_texts cross; /* absolute paths */
    bool crl_full;           /* one list of everything */
    int64_t crl_partition;   /* certificates in a partition, 0: none */
    int64_t crl_delta_s;     /* a delta list at least this often, 0: none */
    const char *crl_directory, *crl_put, *crl_put_header, *crl_put_ca; /* absolute where paths; NULL: none */
    int64_t ocsp_lifetime_s;
    int ocsp_signer;  /* enum config_ocsp_signer */
    int ocsp_unknown; /* enum config_ocsp_unknown */
    bool ocsp_ready;
};

enum config_isolation {
    CONFIG_ISOLATION_ANY,
    CONFIG_ISOLATION_LANDLOCK,
    CONFIG_ISOLATION_USERS,
    CONFIG_ISOLATION_FULL
};

/* Folders and files of the running house, absolute. */
struct config_paths {
    const char *ledger, *shelf, *front; /* the front's */
    const char *roll, *lock;            /* the vault's */
    const char *run;                    /* the warden's: pid, and by default control.sock */
};

struct config_users {
    const char *front, *vault, *responder, *courier; /* NULL: not given */
};

struct config_limits {
    int64_t connections;      /* open at once, all addresses together */
    int64_t connections_peer; /* of these, from one address */
    int64_t request_s, park_s, write_s, idle_s;
    int64_t drain_s; /* how long SIGTERM waits for what is under way */
};

struct config_heads {
    const char *origin; /* of the log */
    int64_t every_s;
    const char *directory, *put, *put_header, *put_ca; /* absolute where paths; NULL: none */
};

struct config {
    const char *file, *dir; /* absolute */
    int log;                /* index into {text, json} */
    int log_level;          /* enum log_level */
    bool demo;
    int isolation; /* enum config_isolation: the least that is accepted */
    const char *public_url;
    const char *https_url;
    struct conf_texts names; /* "dns:localhost", "ip:127.0.0.1" */
    struct config_addresses https, http;
    const char *control; /* absolute path of control.sock */
    const struct config_token *tokens;
    size_t tokens_n;
    const struct config_vault *vaults;
    size_t vaults_n;
    const struct config_issuer *issuers;
    size_t issuers_n;
    const char *templates, *roster; /* absolute */
    struct config_paths paths;
    struct config_users users;
    int64_t responders;
    bool responders_only; /* no vault and no front here */
    struct config_limits limits;
    struct config_acme acme;
    struct config_heads heads;
    struct config_jwts jwt;
};

/* file: the absolute path, for messages and for `dir`. The struct owns all that it points to. */
MUST_USE struct err *config_parse(const char *file, struct view yaml, struct config **ret);
void config_free(struct config *c); /* accepts NULL */

/* Reads the file (its bytes into the arena, as they go into a generation) and parses it. path may be
 * relative. */
MUST_USE struct err *config_load(const char *path, struct arena *arena, struct view *ret_bytes,
                                 struct config **ret);

/* roster.sigs beside this roster. */
const char *config_sigs_beside(struct arena *arena, const char *roster);

/* Reads what belongs to one generation: the configuration's own bytes, templates (each *.yaml of that
 * folder), roster.yaml and roster.sigs where they are, the issuers' certificates, offline CAs' lists,
 * cross-certificates. All in the arena. Names in it: "chancery.yaml", "templates/server.yaml", "roster.yaml",
 * "roster.sigs", "issuers/NAME.pem", "issuers/NAME.crl", "jwt/NAME.json", "issuers/NAME.cross.0.pem". */
MUST_USE struct err *config_gather(const struct config *c, struct view config_bytes, uint32_t number,
                                   struct arena *arena, struct generation *ret);

/* The templates alone: for init, before there are a roster and certificates. */
MUST_USE struct err *config_gather_templates(const struct config *c, struct arena *arena,
                                             struct generation *ret);

/* The key of the first value that differs and that only a restart can change ("listen.https"), or NULL. */
const char *config_needs_restart(const struct config *now, const struct config *next);

/* The rows, group by group, for `--help`, the manual and tests: i from 0 until NULL. */
struct config_group {
    const char *name; /* "" for the top of the file, "listen", "tokens[]", "issuers[].crl" */
    const struct conf_row *rows;
    size_t n;
    const char *doc;
};
const struct config_group *config_group(size_t i);

/* A whole small file that parses, for `--help`. */
const char *config_example(void);

#endif
