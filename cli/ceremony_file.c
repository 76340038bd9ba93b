/*
 * The ceremony's file: its rows and those of each kind of step, in one table. Reads and checks; runs nothing.
 */
#include <libgen.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ceremony.h"

enum { PATH_BYTES = 1024, HASH_CHARS = 64, DAY_S = 86400 };

#define AT(of, member) .offset = offsetof(struct of, member)
#define NEEDED(of, name, member, high, text)                                                                 \
    {                                                                                                        \
        .key = name, .type = CONF_TEXT, AT(of, member), .required = true, .min = 1, .max = high, .doc = text \
    }
#define TEXT(of, name, member, high, dflt, text)                                                             \
    {                                                                                                        \
        .key = name, .type = CONF_TEXT, AT(of, member), .min = 1, .max = high, .fallback = dflt, .doc = text \
    }
#define TREE(of, name, member, must, text)                                                                   \
    {                                                                                                        \
        .key = name, .type = CONF_TREE, AT(of, member), .required = must, .doc = text                        \
    }
#define NEED(name, member, text) NEEDED(ceremony_step, name, member, PATH_BYTES, text)
#define MAY(name, member, text)  TEXT(ceremony_step, name, member, PATH_BYTES, NULL, text)
#define SHA256                                                                                               \
    {                                                                                                        \
        .key = "sha256", .type = CONF_TEXT, AT(ceremony_step, sha256), .min = HASH_CHARS, .max = HASH_CHARS, \
        .doc = "what its SHA-256 must be"                                                                    \
    }
#define BY                                                                                                   \
    {                                                                                                        \
        .key = "by", .type = CONF_TEXTS, AT(ceremony_step, by), .max = 16,                                   \
        .doc = "participants who carry it out, and say so"                                                   \
    }
#define LASTS(name, low, high, dflt, text)                                                                   \
    {                                                                                                        \
        .key = name, .type = CONF_DURATION, AT(ceremony_step, validity_s), .min = low, .max = high,          \
        .fallback = dflt, .doc = text                                                                        \
    }
#define VALIDITY LASTS("validity", 3600, 14610 * (int64_t)DAY_S, NULL, "shorter than the template's default")

static const struct conf_row key_rows[] = {
    NEED("name", name, "its label in the token, and the issuer's name"),
    TEXT(ceremony_step, "kind", key_kind, 32, "ec-p384",
         "ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096"),
    {.key = "reuse",
     .type = CONF_BOOL,
     AT(ceremony_step, reuse),
     .fallback = "false",
     .doc = "take the key that is there"},
    BY,
};
static const struct conf_row csr_rows[] = {
    NEED("name", name, "of the key"),
    NEED("subject", subject, "\"CN=Example Policy CA,O=Example\""),
    NEED("out", out, "the request, PEM"),
    BY,
};
static const struct conf_row root_rows[] = {
    NEED("name", name, "of the key"),
    TEXT(ceremony_step, "template", template, 63, "root", "what it looks like"),
    NEED("subject", subject, "\"CN=Example Root CA,O=Example\""),
    NEED("out", out, "its certificate, PEM"),
    VALIDITY,
    BY,
};
static const struct conf_row subordinate_rows[] = {
    NEED("name", name, "of its key, in this token"),
    NEED("issuer", issuer, "who signs it"),
    TEXT(ceremony_step, "template", template, 63, "sub-ca", "what it looks like"),
    NEED("subject", subject, "\"CN=Example Issuing CA,O=Example\""),
    NEED("out", out, "its certificate, PEM"),
    VALIDITY,
    BY,
};
static const struct conf_row sign_rows[] = {
    NEED("issuer", issuer, "who signs it"),
    TEXT(ceremony_step, "template", template, 63, "sub-ca", "what it looks like"),
    NEED("csr", file, "the request of a CA whose key is elsewhere"),
    SHA256,
    MAY("subject", subject, "in place of the request's own"),
    NEED("out", out, "its certificate, PEM"),
    VALIDITY,
    BY,
};
static const struct conf_row cross_rows[] = {
    NEED("issuer", issuer, "who signs it"),
    TEXT(ceremony_step, "template", template, 63, "cross-ca", "what it looks like"),
    NEED("certificate", file, "the other root's own certificate; its name and key stay as they are"),
    SHA256,
    NEED("out", out, "the cross-certificate, PEM"),
    VALIDITY,
    BY,
};
static const struct conf_row import_rows[] = {
    NEED("name", name, "of the key, in this token"),
    NEED("certificate", file, "its certificate, made elsewhere"),
    SHA256,
    {.key = "chain",
     .type = CONF_TEXTS,
     AT(ceremony_step, chain),
     .required = true,
     .max = 7,
     .doc = "the certificates above it, nearest first, the root last"},
    BY,
};
static const struct conf_row revoke_rows[] = {
    NEED("issuer", issuer, "who issued it"),
    NEED("certificate", file, "the certificate, PEM"),
    SHA256,
    TEXT(ceremony_step, "reason", reason, 32, "unspecified", "RFC 5280: cACompromise, superseded, ..."),
    BY,
};
static const struct conf_row crl_rows[] = {
    NEED("issuer", issuer, "whose list it is"),
    LASTS("lifetime", DAY_S, 400 * (int64_t)DAY_S, "180d", "from thisUpdate to nextUpdate"),
    NEED("out", out, "the list, DER"),
    BY,
};
static const struct conf_row check_rows[] = {
    NEED("file", file, "what is held against its hash"),
    {.key = "sha256",
     .type = CONF_TEXT,
     AT(ceremony_step, sha256),
     .required = true,
     .min = HASH_CHARS,
     .max = HASH_CHARS,
     .doc = "what its SHA-256 must be"},
    BY,
};
static const struct conf_row say_rows[] = {NEED("text", text, "what is done or read out by people"), BY};

#define KIND(name, fn, about)                                                                                \
    {                                                                                                        \
#name, name##_rows, sizeof name##_rows / sizeof name##_rows[0], fn, about                            \
    }
static const struct ceremony_kind kinds[] = {
    KIND(key, ceremony_key_make, "make a key in the token"),
    KIND(root, ceremony_cert_root, "a self-signed certificate for a key of this token"),
    KIND(subordinate, ceremony_cert_subordinate, "a CA below an issuer, both keys in this token"),
    KIND(csr, ceremony_key_request, "a request for a key of this token, to be signed elsewhere"),
    KIND(sign, ceremony_cert_sign, "a CA certificate for a key that is elsewhere"),
    KIND(cross, ceremony_cert_cross, "a cross-certificate for another root"),
    KIND(import, ceremony_cert_import, "the certificate that was made elsewhere for a key of this token"),
    KIND(revoke, ceremony_list_revoke, "revoke a certificate of an issuer of this token"),
    KIND(crl, ceremony_list_crl, "a revocation list"),
    KIND(check, ceremony_say_check, "hold a file against its expected SHA-256"),
    KIND(say, ceremony_say_text, "something that people do; they confirm it"),
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const struct ceremony_kind *ceremony_kind(size_t i)
{
    return i < KINDS ? &kinds[i] : NULL;
}

static const struct conf_row top[] = {
    NEEDED(ceremony, "ceremony", title, 200, "its title"),
    TREE(ceremony, "participants", participants, true, "who takes part: a list of {name, role}"),
    TREE(ceremony, "token", token, true, "the PKCS#11 token: module, uri, pin_file, env, writes"),
    TEXT(ceremony, "books", books, PATH_BYTES, "books", "folder of this token's ledger and seal roll"),
    TEXT(ceremony, "templates", templates, PATH_BYTES, NULL,
         "folder of templates; default: the shipped ones"),
    NEEDED(ceremony, "public_url", public_url, 200,
           "where lists and certificates will be found; stands in AIA and CDP"),
    TREE(ceremony, "issuers", issuers_tree, false,
         "issuers of earlier ceremonies: a list of {name, certificate}"),
    TEXT(ceremony, "transcript", transcript_path, PATH_BYTES, "transcript.jsonl",
         "what was done, a line for each step"),
    TREE(ceremony, "steps", steps_tree, true, "what is done, in order"),
};

/* --- steps --- */

static bool takes_part(const struct ceremony *c, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)c->participants, i, one)
    {
        const char *is = json_string_value(json_object_get(one, "name"));
        if (is && strcmp(is, name) == 0)
            return true;
    }
    return false;
}

static struct err *check_people(const struct ceremony *c, const struct ceremony_step *s)
{
    for (size_t i = 0; i < s->by.n; i++)
        if (!takes_part(c, s->by.items[i]))
            return conf_error(c->conf, s->place, "'%s' is not among the participants", s->by.items[i]);
    return NULL;
}

static struct err *step_of(struct ceremony *c, const json_t *item, struct ceremony_step *to)
{
    struct err *e = NULL;
    const char *kind = NULL;
    json_t *value;
    const char *names[KINDS + 1];
    if (!json_is_object(item) || json_object_size(item) != 1)
        return conf_error(c->conf, item, "a step is one key, its kind, and what belongs to it");
    json_object_foreach((json_t *)item, kind, value)
    {
        break;
    }
    for (size_t i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kinds[i].name, kind) != 0)
            continue;
        *to = (struct ceremony_step){.kind = kinds[i].name, .place = value};
        TRY(conf_fill(c->conf, value, kinds[i].rows, kinds[i].n, c->in.cli->arena, to));
        return check_people(c, to);
    }
    const char *near = conf_nearest(kind, names, KINDS);
    e = conf_error(c->conf, value, "unknown step '%.32s'%s%s%s", kind, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
out:
    return e;
}

static struct err *read_steps(struct ceremony *c)
{
    struct err *e = NULL;
    size_t n = json_array_size(c->steps_tree);
    if (n == 0 || n > CEREMONY_STEPS_MAX)
        return conf_error(c->conf, c->steps_tree, "steps is a list of 1 to %d", CEREMONY_STEPS_MAX);
    struct ceremony_step *steps = arena_array(c->in.cli->arena, n, sizeof *steps);
    for (size_t i = 0; i < n; i++)
        TRY(step_of(c, json_array_get(c->steps_tree, i), &steps[i]));
    c->steps = steps;
    c->steps_n = n;
out:
    return e;
}

static struct err *check_participants(const struct ceremony *c)
{
    size_t i;
    json_t *one;
    if (json_array_size(c->participants) == 0)
        return conf_error(c->conf, c->participants, "a ceremony has participants: [{name: ..., role: ...}]");
    json_array_foreach((json_t *)c->participants, i, one)
    {
        if (!json_is_string(json_object_get(one, "name")) || !json_is_string(json_object_get(one, "role")))
            return conf_error(c->conf, one, "a participant has a name and a role");
    }
    return NULL;
}

struct err *ceremony_file_read(struct ceremony *c, const char *path)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    char *real = realpath(path, NULL);
    if (!real)
        return err_new(ERR_NOT_FOUND, "there is no ceremony file %s", path);
    const char *file = arena_str(a, view_str(real));
    free(real);
    c->folder = dirname(arena_str(a, view_str(file)));
    TRY(file_read(file, CEREMONY_FILE_BYTES, a, &c->file));
    TRY(conf_parse(path, c->file, &c->conf));
    TRY(conf_fill(c->conf, conf_root(c->conf), top, sizeof top / sizeof top[0], a, c));
    TRY(check_participants(c));
    TRY(read_steps(c));
out:
    return e;
}

/* --- the token and the books, as a configuration --- */

#define TOKEN_ROW(name, member, must, text)                                                                  \
    {                                                                                                        \
        .key = name, .type = CONF_TEXT, AT(config_token, member), .required = must, .min = 1,                \
        .max = PATH_BYTES, .doc = text                                                                       \
    }

struct token_env {
    struct config_token token;
    const json_t *env;
};

static const struct conf_row token_rows[] = {
    TOKEN_ROW("name", name, false, "its name in the daemon's configuration, where that is the same token"),
    TOKEN_ROW("module", module, true, "the PKCS#11 library of its maker"),
    TOKEN_ROW("uri", uri, true, "pkcs11:token=..."),
    TOKEN_ROW("pin_file", pin_file, true, "file that holds the PIN and nothing else"),
    TOKEN_ROW("init_args", init_args, false, "text for C_Initialize"),
    {.key = "env",
     .type = CONF_TREE,
     .offset = offsetof(struct token_env, env),
     .doc = "environment of the library"},
    {.key = "writes",
     .type = CONF_TEXTS,
     AT(config_token, writes),
     .max = 32,
     .doc = "folders a software token writes"},
};

static const char *under(struct ceremony *c, const char *folder, const char *path)
{
    return path[0] == '/' ? path : arena_printf(c->in.cli->arena, "%s/%s", folder, path);
}

static struct err *take_env(struct ceremony *c, const json_t *env, struct config_token *to)
{
    struct arena *a = c->in.cli->arena;
    const char *name;
    json_t *value;
    if (!env)
        return NULL;
    if (!json_is_object(env))
        return conf_error(c->conf, env, "env is a mapping of names to texts");
    const char **names = arena_array(a, json_object_size(env), sizeof *names);
    const char **values = arena_array(a, json_object_size(env), sizeof *values);
    json_object_foreach((json_t *)env, name, value)
    {
        if (!json_is_string(value))
            return conf_error(c->conf, value, "the value of an environment variable is a text");
        names[to->env_n] = name;
        values[to->env_n++] = json_string_value(value);
    }
    to->env_names = names;
    to->env_values = values;
    return NULL;
}

static struct err *token_of_file(struct ceremony *c, struct config_token *to)
{
    struct err *e = NULL;
    struct token_env t = {.env = NULL};
    TRY(conf_fill(c->conf, c->token, token_rows, sizeof token_rows / sizeof token_rows[0], c->in.cli->arena,
                  &t));
    TRY(take_env(c, t.env, &t.token));
    t.token.name = t.token.name ? t.token.name : "token"; /* and of its lock */
    t.token.pin_file = under(c, c->folder, t.token.pin_file);
    const char **writes = arena_array(c->in.cli->arena, t.token.writes.n + 1, sizeof *writes);
    for (size_t i = 0; i < t.token.writes.n; i++)
        writes[i] = under(c, c->folder, t.token.writes.items[i]);
    t.token.writes.items = writes;
    *to = t.token;
out:
    return e;
}

/* A rehearsal is the same in a token of its own. */
static struct config_token token_of_rehearsal(struct ceremony *c)
{
    static const char *const names[] = {"SOFTHSM2_CONF"};
    struct arena *a = c->in.cli->arena;
    const char **values = arena_array(a, 1, sizeof *values);
    const char **writes = arena_array(a, 1, sizeof *writes);
    values[0] = arena_printf(a, "%s/softhsm2.conf", c->out);
    writes[0] = arena_printf(a, "%s/token", c->out);
    return (struct config_token){.name = "token",
                                 .module = INIT_SOFTHSM_MODULE,
                                 .uri = "pkcs11:token=rehearsal",
                                 .pin_file = arena_printf(a, "%s/secret/pin", c->out),
                                 .env_n = 1,
                                 .env_names = names,
                                 .env_values = values,
                                 .writes = {1, writes}};
}

struct err *ceremony_file_config(struct ceremony *c)
{
    struct err *e = NULL;
    struct arena *a = c->in.cli->arena;
    struct config *config = ARENA_NEW(a, struct config);
    struct config_token *token = ARENA_NEW(a, struct config_token);
    struct config_vault *vault = ARENA_NEW(a, struct config_vault);
    const char *books = under(c, c->out, c->books);

    TRY(token_of_file(c, token)); /* checked in a rehearsal too */
    if (c->rehearsal)
        *token = token_of_rehearsal(c);
    *config = (struct config){
        .tokens = token,
        .tokens_n = 1,
        .vaults = vault,
        .vaults_n = 1,
        .public_url = c->public_url,
        .templates = c->templates ? under(c, c->folder, c->templates) : "the shipped templates",
        .paths = {.ledger = arena_printf(a, "%s/ledger", books),
                  .roll = arena_printf(a, "%s/roll", books),
                  .lock = arena_printf(a, "%s/lock", books)},
    };
    *vault = (struct config_vault){.name = token->name, .roll = config->paths.roll};
    c->in.config = config;
    TRY(file_mkdir(books, 0700));
    TRY(file_mkdir(config->paths.roll, 0700));
    TRY(file_mkdir(config->paths.lock, 0700));
out:
    return e;
}

struct err *ceremony_file_templates(struct ceremony *c)
{
    enum { FILES_MAX = 1000 };
    struct err *e = NULL;
    struct generation g = {.n = 0};
    struct templates_file *files = arena_array(c->in.cli->arena, FILES_MAX, sizeof *files);
    size_t n = 0;

    if (c->templates)
        TRY(config_gather_templates(c->in.config, c->in.cli->arena, &g));
    for (; n < g.n && n < FILES_MAX; n++)
        files[n] = (struct templates_file){.name = g.files[n].name, .bytes = g.files[n].bytes};
    for (size_t i = 0; !c->templates && templates_builtin(i, &files[n].name, &files[n].bytes); i++)
        n++;
    TRY(templates_load(files, n, &c->in.templates));
out:
    return e;
}
