/*
 * Every key of chancery.yaml, once: parsing and defaults (config.c), `--help` and the manual (config_group),
 * and the tests read this table. No code but the look-up; never changes; any thread.
 */
#include "rows.h"

#include <stddef.h>

#define DAY_S  86400
#define YEAR_S (365 * (int64_t)DAY_S)

static const char *const logs[] = {"text", "json", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const ocsp_signers[] = {"responder", "issuer", NULL};
static const char *const ocsp_unknowns[] = {"unauthorized", "signed", NULL};
static const char *const isolations[] = {"any", "landlock", "users", "full", NULL};

static const char *const connections[] = {"none", "local", "network", NULL};

#define AT(member) .offset = offsetof(struct ROW_OF, member)
#define TEXT(name, member, low, high, dflt, text)                                                            \
    {                                                                                                        \
        .key = name, .type = CONF_TEXT, AT(member), .min = low, .max = high, .fallback = dflt, .doc = text   \
    }
#define NEEDED(name, member, high, text)                                                                     \
    {                                                                                                        \
        .key = name, .type = CONF_TEXT, AT(member), .required = true, .min = 1, .max = high, .doc = text     \
    }
#define BOOLEAN(name, member, dflt, text)                                                                    \
    {                                                                                                        \
        .key = name, .type = CONF_BOOL, AT(member), .fallback = dflt, .doc = text                            \
    }
#define NUMBER(kind, name, member, low, high, dflt, text)                                                    \
    {                                                                                                        \
        .key = name, .type = kind, AT(member), .min = low, .max = high, .fallback = dflt, .doc = text        \
    }
#define CHOICE(name, member, list, dflt, text)                                                               \
    {                                                                                                        \
        .key = name, .type = CONF_CHOICE, AT(member), .fallback = dflt, .choices = list, .doc = text         \
    }
#define TEXTS(name, member, must, high, text)                                                                \
    {                                                                                                        \
        .key = name, .type = CONF_TEXTS, AT(member), .required = must, .max = high, .doc = text              \
    }
#define TREE(name, member, must, text)                                                                       \
    {                                                                                                        \
        .key = name, .type = CONF_TREE, AT(member), .required = must, .doc = text                            \
    }

#define ROW_OF rows_top
static const struct conf_row top[] = {
    CHOICE("log", log, logs, "text", "form of the log on stderr: text or json, one line an event"),
    CHOICE("log_level", log_level, levels, "info", "least level that is logged: debug, info, warn, error"),
    BOOLEAN("demo", demo, "false",
            "a trial on this machine alone: loopback addresses only, weak isolation accepted"),
    CHOICE("isolation", isolation, isolations, "any",
           "least isolation of the processes that is accepted: any (but not none), landlock, users, full "
           "(both)"),
    TEXT("dir", dir, 1, 4096, NULL,
         "folder under which relative paths stand (default: the folder of this file)"),
    NEEDED("public_url", public_url, 200,
           "where clients reach the responder; stands in every certificate (AIA, CDP): "
           "http://pki.example.internal"),
    NEEDED("https_url", https_url, 200, "where clients reach the front: https://ca.example.internal:8443"),
    TEXTS("names", names, true, 20, "names and addresses of the front's own certificate"),
    TREE("listen", listen, true, "addresses of the sockets"),
    TREE("tokens", tokens, true, "the PKCS#11 tokens that hold the keys"),
    TREE("issuers", issuers, true, "the issuing keys, each with a name that is never used again"),
    TEXT("templates", templates, 1, 4096, "templates", "folder of the templates, one YAML file each"),
    TEXT("roster", roster, 1, 4096, "roster.yaml",
         "file of administrators, operators and auditors, by key hash"),
    TREE("paths", paths, false, "folders of the running house"),
    TREE("users", users, false, "own users of the processes, where started as root"),
    BOOLEAN(
        "responders_only", responders_only, "false",
        "only the responders run here, from a shelf that `chancery shelf receive` fills; no token is needed"),
    NUMBER(CONF_INT, "responders", responders, 1, CONFIG_RESPONDERS_MAX, "1",
           "processes that serve OCSP and CRLs"),
    TREE("limits", limits, false, "bounds on what clients may take"),
    TREE("acme", acme, false, "the door for ACME clients"),
    TREE("heads", heads, false, "signed heads of the ledger (doc/LOG.md)"),
    TREE("jwt", jwt, false, "whose JSON web tokens count as credentials"),
};
#undef ROW_OF

#define ROW_OF rows_listen
static const struct conf_row listening[] = {
    TEXTS("https", https, true, CONFIG_LISTEN_MAX, "the front: \"0.0.0.0:8443\", \"[::]:8443\""),
    TEXTS("http", http, true, CONFIG_LISTEN_MAX,
          "the responders, OCSP and CRLs: \"0.0.0.0:80\", \"[::]:80\""),
    TEXT("control", control, 1, 100, "run/control.sock", "socket of the command-line tool"),
};
#undef ROW_OF

#define ROW_OF rows_token
static const struct conf_row token[] = {
    NEEDED("name", token.name, 32, "name of the token in this file: lower-case letters, digits, hyphens"),
    NEEDED("module", token.module, 4096, "the PKCS#11 library of its maker"),
    NEEDED("uri", token.uri, 1024, "which token of that library, RFC 7512: pkcs11:token=chancery"),
    NEEDED("pin_file", token.pin_file, 4096,
           "file that holds the PIN and nothing else, readable by its owner alone"),
    TEXT("init_args", token.init_args, 1, 1024, NULL,
         "text for the library's C_Initialize, where its maker asks for it"),
    TREE("env", env, false, "environment of the library: {SOFTHSM2_CONF: /etc/softhsm/softhsm2.conf}"),
    CHOICE(
        "connects", token.connects, connections, "none",
        "what the library may connect to: none (a card, a device, files), local (a socket of this machine: "
        "p11-kit, pkcsslotd), network (TCP to the makers' appliance)"),
    TEXTS("unsaid", token.unsaid, false, 3,
          "attributes that the library does not keep of keys it has generated: always_sensitive, "
          "never_extractable, local; see doc/KEYS.md before"),
    TEXTS("reads", token.reads, false, 32, "further files and folders the library reads"),
    TEXTS("writes", token.writes, false, 32,
          "folders the library writes: where a software token keeps its keys"),
    TEXTS("shares", token.shares, false, 32,
          "folders the library writes and others too, such as /dev/shm: their owner and mode are not looked "
          "at"),
};
#undef ROW_OF

#define ROW_OF rows_issuer
static const struct conf_row issuer[] = {
    NEEDED("name", issuer.name, 63, "its name in paths and books: lower-case letters, digits, hyphens"),
    TEXT("token", issuer.token, 1, 63, NULL, "the token that holds its key (default: the first)"),
    TEXT("key", issuer.key, 1, 1024, NULL,
         "its key in the token, RFC 7512: pkcs11:object=issuing; left out for an offline CA, whose key is "
         "elsewhere"),
    NEEDED("certificate", issuer.certificate, 4096, "its certificate, PEM"),
    TEXT("key_type", issuer.key_type, 1, 32, NULL,
         "what init makes its key as: ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096 "
         "(default: ec-p256, a root ec-p384)"),
    TEXT("alg", issuer.alg, 1, 32, NULL,
         "signature algorithm, such as ecdsa-sha256 or pss-sha256 (default: by its key)"),
    TEXTS("cross", issuer.cross, false, CONFIG_CROSS_MAX,
          "certificates of its key by other roots, PEM: they travel at the end of the chain"),
    BOOLEAN("issue", issuer.issue, "true", "whether certificates can be asked of it; false for a root"),
    TREE("crl", crl, false, "its revocation lists"),
    TREE("ocsp", ocsp, false, "its OCSP answers"),
};
#undef ROW_OF

#define ROW_OF config_issuer
static const struct conf_row crl[] = {
    NUMBER(CONF_DURATION, "every", crl_every_s, 60, 90 * DAY_S, "12h",
           "a new list at least this often, and on each revocation"),
    NUMBER(CONF_DURATION, "lifetime", crl_lifetime_s, 600, YEAR_S, "7d", "from thisUpdate to nextUpdate"),
    TEXT("file", crl_file, 1, 4096, NULL,
         "of an offline CA: its list, DER, made in a ceremony and served as it is"),
    BOOLEAN("full", crl_full, "true", "one list of everything; false: of partitions alone"),
    NUMBER(CONF_INT, "partition", crl_partition, 0, 10000000, "0",
           "certificates whose list is kept apart, fixed when they are issued: 100000; 0: no partitions"),
    NUMBER(CONF_DURATION, "delta", crl_delta_s, 60, 30 * DAY_S, NULL,
           "delta lists, a new one at least this often and on each revocation; the list of everything then "
           "follows its clock alone (default: none)"),
    TEXT("directory", crl_directory, 1, 4096, NULL,
         "a folder into which each list is written too: DIRECTORY/NAME.crl, DIRECTORY/NAME/7.crl"),
    TEXT("put", crl_put, 1, 1024, NULL,
         "an address to which each list is put too (HTTP PUT): https://cdn.example/crl, then /NAME.crl"),
    TEXT("put_header_file", crl_put_header, 1, 4096, NULL,
         "file with one header line to send along, such as a credential"),
    TEXT("put_ca_file", crl_put_ca, 1, 4096, NULL,
         "certificates to trust there, PEM (default: those of the system)"),
};
static const struct conf_row ocsp[] = {
    NUMBER(CONF_DURATION, "lifetime", ocsp_lifetime_s, 600, 14 * DAY_S, "1d",
           "from thisUpdate to nextUpdate; made anew when half of it is over"),
    CHOICE("signer", ocsp_signer, ocsp_signers, "responder",
           "who signs: responder (a certificate of its own, key in the token, renewed by itself) or issuer"),
    BOOLEAN(
        "ready", ocsp_ready, "false",
        "answers are made for every certificate that is valid, asked for or not: for responders elsewhere"),
    CHOICE("unknown", ocsp_unknown, ocsp_unknowns, "unauthorized",
           "what is answered for serials not on record: unauthorized (unsigned, costs nothing) or signed"),
};
#undef ROW_OF

#define ROW_OF config_paths
static const struct conf_row paths[] = {
    TEXT("ledger", ledger, 1, 4096, "ledger", "the ledger; the front's alone"),
    TEXT("shelf", shelf, 1, 4096, "shelf", "ready answers and lists; the front writes, the responders read"),
    TEXT("front", front, 1, 4096, "front", "the front's own TLS key and certificate"),
    TEXT("roll", roll, 1, 4096, "roll", "the seal roll; the vault's alone"),
    TEXT("lock", lock, 1, 4096, "lock", "lock of the token; the vault's"),
    TEXT("run", run, 1, 4096, "run", "pid file and control socket"),
};
#undef ROW_OF

#define ROW_OF config_users
static const struct conf_row users[] = {
    TEXT("front", front, 1, 32, NULL, "user of the front"),
    TEXT("vault", vault, 1, 32, NULL, "user of the vault; owns token and PIN"),
    TEXT("responder", responder, 1, 32, NULL, "user of the responders"),
    TEXT("courier", courier, 1, 32, NULL, "user of the courier, who alone reaches other hosts"),
};
#undef ROW_OF

#define ROW_OF config_limits
static const struct conf_row limits[] = {
    NUMBER(CONF_INT, "connections", connections, 1, 100000, "4096", "open connections of one process"),
    NUMBER(CONF_INT, "connections_per_peer", connections_peer, 1, 100000, "512",
           "of these, from one address"),
    NUMBER(CONF_DURATION, "request", request_s, 1, 600, "15s", "for a whole request to arrive"),
    NUMBER(CONF_DURATION, "park", park_s, 1, 600, "30s", "for an answer to be made: past it 503"),
    NUMBER(CONF_DURATION, "write", write_s, 1, 600, "30s", "for the client to take an answer"),
    NUMBER(CONF_DURATION, "idle", idle_s, 1, 3600, "1m", "between requests of one connection"),
    NUMBER(CONF_DURATION, "drain", drain_s, 1, 600, "20s", "on SIGTERM: for what is under way"),
};
#undef ROW_OF

#define ROW_OF rows_acme
static const struct conf_row acme[] = {
    BOOLEAN("enabled", acme.enabled, "false",
            "whether ACME is served: /acme/directory, /acme/TEMPLATE/directory"),
    TEXT("template", acme.template, 1, 100, "server", "the template of /acme/directory"),
    TEXTS("templates", acme.templates, false, 64, "templates that ACME offers (default: that one alone)"),
    TEXTS("open", acme.open, false, 64,
          "of these, those that anybody may have an account for: who can answer a challenge gets a "
          "certificate; for the "
          "others an account needs a key of `chancery acme eab create` (default: none)"),
    TEXT("website", acme.website, 1, 500, NULL, "shown to clients"),
    TEXT("terms", acme.terms, 1, 500, NULL, "URL of terms of service that clients must agree to"),
    NUMBER(CONF_DURATION, "order_lifetime", acme.order_s, 600, 30 * DAY_S, "1d",
           "how long an order may take"),
    NUMBER(CONF_DURATION, "authz_lifetime", acme.authz_s, 600, YEAR_S, "30d",
           "how long a challenge that was met counts for further orders"),
    NUMBER(CONF_INT, "orders_per_account", acme.orders_per_account, 0, 100000000, "1000",
           "new orders of one account in an hour; 0: no limit"),
    NUMBER(CONF_INT, "orders_per_name", acme.orders_per_name, 0, 100000000, "30",
           "new orders for one name in an hour; 0: no limit"),
    NUMBER(CONF_INT, "accounts_per_address", acme.accounts_per_address, 0, 100000000, "100",
           "new accounts from one address in an hour; 0: no limit"),
    TREE("validation", validation, false, "how control of names is checked"),
};
#undef ROW_OF

#define ROW_OF config_validation
static const struct conf_row validation[] = {
    TEXTS(
        "resolvers", resolvers, false, CONFIG_VANTAGES_MAX,
        "DNS servers to ask, each a vantage of its own: \"10.0.0.53\", \"[fd00::53]:5353\"; several for one "
        "with commas between (default: those of the system)"),
    NUMBER(CONF_INT, "agree", agree, 0, CONFIG_VANTAGES_MAX, "0",
           "vantages that must find a challenge met; 0: all of them"),
    TEXTS("allow", allow, false, CONFIG_NETS_MAX,
          "networks that may be reached though they are denied by default: loopback, link-local, multicast, "
          "those of cloud metadata"),
    TEXTS("deny", deny, false, CONFIG_NETS_MAX, "networks that are never reached, before allow"),
    TEXTS("issuers", issuers, false, CONFIG_CAA_ISSUERS_MAX,
          "names of this CA in CAA records (default: the host of https_url)"),
    NUMBER(CONF_DURATION, "timeout", timeout_s, 1, 120, "10s", "for one check, all of it"),
    NUMBER(CONF_INT, "redirects", redirects, 0, 20, "10", "that an http-01 check follows"),
    NUMBER(CONF_INT, "http_port", http_port, 1, 65535, NULL,
           "port of http-01, in a demo alone (default: 80, in a demo 5002)"),
    NUMBER(CONF_INT, "tls_port", tls_port, 1, 65535, NULL,
           "port of tls-alpn-01, in a demo alone (default: 443, in a demo 5001)"),
};
#undef ROW_OF

#define ROW_OF config_heads
static const struct conf_row heads[] = {
    TEXT("origin", origin, 1, 100, NULL,
         "the log's name in its checkpoints, fixed with the first head (default: https_url without its "
         "scheme, and "
         "/log)"),
    NUMBER(CONF_DURATION, "every", every_s, 1, DAY_S, "1m",
           "a new head at least this often, where there are new entries"),
    TEXT("directory", directory, 1, 4096, NULL,
         "a folder into which the newest is written too, as DIRECTORY/checkpoint; at the start the ledger is "
         "held to it"),
    TEXT("put", put, 1, 1024, NULL,
         "an address to which it is put too (HTTP PUT): https://witness.example/ca, then /checkpoint"),
    TEXT("put_header_file", put_header, 1, 4096, NULL,
         "file with one header line to send along, such as a credential"),
    TEXT("put_ca_file", put_ca, 1, 4096, NULL,
         "certificates to trust there, PEM (default: those of the system)"),
};
#undef ROW_OF

#define ROW_OF config_jwt
static const struct conf_row jwt[] = {
    NEEDED("name", name, 63, "its name in the books, jwt:NAME:SUB: lower-case letters, digits, hyphens"),
    NEEDED("issuer", issuer, 500, "what `iss` must be, exactly"),
    NEEDED("audience", audience, 500, "what `aud` must be or list: this authority, and no other service"),
    NEEDED("keys", keys, 4096, "file with its keys, a JSON web key set (RFC 7517); read anew on SIGHUP"),
    TEXT("when", when, 1, 1000, NULL, "expression: tokens of which it is not true do not count"),
    NEEDED("template", template, 1000, "expression: the template they may ask for, \"'client'\""),
    NEEDED("names", names, 1000,
           "expression: the names, a text or a list of patterns: \"['dns:' + claims.sub + "
           "'.example.internal']\""),
};
#undef ROW_OF

#define GROUP(text, list, about)                                                                             \
    {                                                                                                        \
        text, list, sizeof list / sizeof *(list), about                                                      \
    }
static const struct config_group groups[ROWS__COUNT] = {
    [ROWS_TOP] = GROUP("", top, "at the top of the file"),
    [ROWS_LISTEN] = GROUP("listen", listening, "lists of ADDRESS:PORT, numbers only"),
    [ROWS_TOKEN] = GROUP("tokens[]", token, "one for each token"),
    [ROWS_ISSUER] = GROUP("issuers[]", issuer, "one for each issuing key"),
    [ROWS_CRL] = GROUP("issuers[].crl", crl, "revocation lists of an issuer"),
    [ROWS_OCSP] = GROUP("issuers[].ocsp", ocsp, "OCSP answers of an issuer"),
    [ROWS_PATHS] = GROUP("paths", paths, "each folder is made where it is missing"),
    [ROWS_USERS] = GROUP("users", users, "all four or none"),
    [ROWS_HEADS] = GROUP("heads", heads, "heads of the ledger's tree, signed by a key of the log's own"),
    [ROWS_LIMITS] = GROUP("limits", limits, "the same for front and responders"),
    [ROWS_ACME] = GROUP("acme", acme, "ACME, RFC 8555"),
    [ROWS_JWT] = GROUP("jwt[]", jwt, "one for each issuer of JSON web tokens"),
    [ROWS_VALIDATION] = GROUP("acme.validation", validation, "checks of control, made by the courier"),
};

const struct config_group *config_group(size_t i)
{
    return i < ROWS__COUNT ? &groups[i] : NULL;
}
