/* What an owned front tries with SEAL_CERT. */
#include <stdio.h>
#include <unistd.h>

#include "base/world.h"
#include "cert/name.h"
#include "owned.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

struct how {
    const char *template, *issuer;
    void (*change)(struct owned *o, struct cert_tbs *tbs);
};

static struct house_issuer *issuer_of(struct owned *o, const char *name)
{
    return strcmp(name, "root") == 0 ? o->s->root : o->s->issuing;
}

struct cert_tbs owned_tbs(struct owned *o, const char *template, const char *issuer)
{
    bool self = strcmp(template, "self") == 0, server = strcmp(template, "server") == 0;
    uint8_t *serial = arena_alloc(o->s->arena, SERIAL_BYTES);
    vault_scene_lease(o->s, o->front, issuer, serial);
    return shape_tbs(&(struct shape_ask){.templates = o->s->house->templates,
                                         .template = template,
                                         .issuer = &issuer_of(o, issuer)->facts,
                                         .spki = shape_spki(o->s->arena),
                                         .serial = view_of(serial, SERIAL_BYTES),
                                         .cn = self || server ? NULL : "somebody",
                                         .san = self     ? VAULT_SELF
                                                : server ? "dns:a.example.internal"
                                                         : NULL,
                                         .now = world_now_s()},
                     o->s->arena);
}

void owned_put_key(struct owned *o, struct cert_tbs *tbs, struct view spki)
{
    struct cert_key key;
    struct cert_ext ext;
    uint8_t id[SHA1_BYTES];
    good(cert_key_parse(spki, &key));
    cert_key_sha1(&key, id);
    good(cert_ext_write_ski(view_of(id, sizeof id), o->s->arena, &ext));
    tbs->spki = spki;
    shape_put_ext(tbs, ext);
}

static void aim(struct owned *o, const struct owned_attack *a, struct owned_shot *to)
{
    const struct how *how = a->how;
    struct cert_tbs tbs = owned_tbs(o, how->template, how->issuer);
    how->change(o, &tbs);
    to->kind = FRAMES_SEAL_CERT;
    to->body = vault_scene_cert_body(o->s, how->issuer, how->template, shape_bytes(&tbs, o->s->arena));
}

/* --- names, keys, usages --- */

static void nothing(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    (void)tbs;
}

static void put_basic(struct owned *o, struct cert_tbs *tbs, bool ca, int path_len)
{
    struct cert_ext ext;
    good(cert_ext_write_basic((struct cert_basic){ca, path_len}, true, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void a_ca(struct owned *o, struct cert_tbs *tbs)
{
    put_basic(o, tbs, true, -1);
}

static void put_usage(struct owned *o, struct cert_tbs *tbs, unsigned usage)
{
    struct cert_ext ext;
    good(cert_ext_write_key_usage(usage, true, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void signs_certificates(struct owned *o, struct cert_tbs *tbs)
{
    put_usage(o, tbs, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_CERT_SIGN);
}

static void signs_lists(struct owned *o, struct cert_tbs *tbs)
{
    put_usage(o, tbs, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_CRL_SIGN);
}

static void agrees(struct owned *o, struct cert_tbs *tbs)
{
    put_usage(o, tbs, CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_AGREEMENT);
}

static void put_eku(struct owned *o, struct cert_tbs *tbs, const char *usage)
{
    struct view oid;
    struct cert_ext ext;
    good(cert_ext_eku_parse(usage, o->s->arena, &oid));
    good(cert_ext_write_eku((struct cert_views){&oid, 1}, cert_tbs_ext(tbs, CERT_EXT_EXT_KEY_USAGE)->critical,
                            o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void any_usage(struct owned *o, struct cert_tbs *tbs)
{
    put_eku(o, tbs, "anyExtendedKeyUsage");
}

static void ocsp_signing(struct owned *o, struct cert_tbs *tbs)
{
    put_eku(o, tbs, "OCSPSigning");
}

static void code_signing(struct owned *o, struct cert_tbs *tbs)
{
    put_eku(o, tbs, "codeSigning");
}

static void no_check(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_ext ext;
    good(cert_ext_write_no_check(o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void subject_of_issuing(struct owned *o, struct cert_tbs *tbs)
{
    tbs->subject = o->s->issuing->facts.subject;
}

static void subject_of_root(struct owned *o, struct cert_tbs *tbs)
{
    tbs->subject = o->s->root->facts.subject;
}

static void key_of_issuing(struct owned *o, struct cert_tbs *tbs)
{
    owned_put_key(o, tbs, o->s->issuing->key.spki);
}

static void key_of_root(struct owned *o, struct cert_tbs *tbs)
{
    owned_put_key(o, tbs, o->s->root->key.spki);
}

static void key_of_responder(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_key key = owned_responder_key(o, "issuing");
    owned_put_key(o, tbs, key.spki);
}

static void key_of_roots_responder(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_key key = owned_responder_key(o, "root");
    owned_put_key(o, tbs, key.spki);
}

static void put_name(struct owned *o, struct cert_tbs *tbs, const char *name)
{
    struct cert_san san;
    struct cert_ext ext;
    good(cert_san_of_text(view_str(name), o->s->arena, &san));
    good(cert_ext_write_san(&san, 1, cert_tbs_ext(tbs, CERT_EXT_SAN)->critical, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void put_cn(struct owned *o, struct cert_tbs *tbs, const char *type, const char *value)
{
    const struct cert_name_part part = {type, value};
    good(cert_name_write(&part, 1, o->s->arena, &tbs->subject));
}

static void foreign_name(struct owned *o, struct cert_tbs *tbs)
{
    put_name(o, tbs, "dns:bank.example.internal");
    put_cn(o, tbs, "CN", "bank.example.internal");
}

static void wildcard(struct owned *o, struct cert_tbs *tbs)
{
    put_name(o, tbs, "dns:*.example.internal");
    put_cn(o, tbs, "CN", "*.example.internal");
}

static void mail_name(struct owned *o, struct cert_tbs *tbs)
{
    put_name(o, tbs, "email:root@example.internal");
    put_cn(o, tbs, "CN", "root@example.internal");
}

static void an_organisation(struct owned *o, struct cert_tbs *tbs)
{
    put_cn(o, tbs, "O", "Example Bank");
}

static void nameless(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    shape_drop_ext(tbs, CERT_EXT_SAN);
}

static void unknown_extension(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    shape_put_ext(tbs, (struct cert_ext){.oid = view_of("\x2a\x03\x04", 3), .value = view_of("\x05\x00", 2)});
}

static void other_list(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_ext ext;
    struct view uri = view_str("http://elsewhere.example/issuing.crl");
    good(cert_ext_write_cdp((struct cert_views){&uri, 1}, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

static void other_status(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_ext ext;
    struct view uri = view_str("http://elsewhere.example/ocsp");
    good(cert_ext_write_aia(&(struct cert_aia){.ocsp = {&uri, 1}}, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

/* --- dates --- */

static void dates(struct cert_tbs *tbs, int64_t before, int64_t after)
{
    tbs->not_before = world_now_s() + before;
    tbs->not_after = world_now_s() + after;
}

static void backdated(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    dates(tbs, -25 * HOUR, 30 * DAY);
}

static void ahead(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    dates(tbs, HOUR, 30 * DAY);
}

static void over(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    dates(tbs, -60, -5);
}

static void too_long(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    dates(tbs, 0, INT64_C(3700) * DAY);
}

static void outlives(struct owned *o, struct cert_tbs *tbs)
{
    tbs->not_before = world_now_s();
    tbs->not_after = o->s->issuing->facts.not_after + 1;
}

static void past_the_template(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    dates(tbs, -60, 400 * DAY);
}

static void responder_for_long(struct owned *o, struct cert_tbs *tbs)
{
    key_of_responder(o, tbs);
    dates(tbs, 0, 91 * DAY);
}

/* --- issuer --- */

static void other_issuer(struct owned *o, struct cert_tbs *tbs)
{
    tbs->issuer = o->s->root->facts.subject;
}

static void other_algorithm(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    tbs->alg = CERT_ALG_ECDSA_SHA384;
}

static void no_key_id(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    shape_drop_ext(tbs, CERT_EXT_AKI);
}

static void other_key_id(struct owned *o, struct cert_tbs *tbs)
{
    struct cert_ext ext;
    good(cert_ext_write_aki(o->s->root->facts.key_id, o->s->arena, &ext));
    shape_put_ext(tbs, ext);
}

/* --- serials --- */

static void set_serial(struct owned *o, struct cert_tbs *tbs, const uint8_t serial[SERIAL_BYTES])
{
    tbs->serial = arena_dup(o->s->arena, view_of(serial, SERIAL_BYTES));
}

static void short_serial(struct owned *o, struct cert_tbs *tbs)
{
    (void)o;
    tbs->serial.n--;
}

static void own_serial(struct owned *o, struct cert_tbs *tbs)
{
    uint8_t serial[SERIAL_BYTES];
    world_random(serial, sizeof serial);
    serial[0] = 0x42;
    set_serial(o, tbs, serial);
}

static void serial_of_root(struct owned *o, struct cert_tbs *tbs)
{
    uint8_t serial[SERIAL_BYTES];
    vault_scene_lease(o->s, o->front, "root", serial);
    set_serial(o, tbs, serial);
}

static void serial_of_before(struct owned *o, struct cert_tbs *tbs)
{
    (void)tbs;
    owned_front_anew(o);
}

static void serial_of_another(struct owned *o, struct cert_tbs *tbs)
{
    struct view body = vault_scene_cert_body(o->s, "issuing", "server", shape_bytes(tbs, o->s->arena));
    good(vault_scene_ask(o->s, o->front, FRAMES_SEAL_CERT, body, -1, NULL));
    tbs->spki = shape_spki(o->s->arena);
    owned_put_key(o, tbs, tbs->spki);
}

/* Of `self`: 240 an hour. All below the ceiling are sealed first, until its check finds something. */
static void one_too_many(struct owned *o, struct cert_tbs *tbs)
{
    enum { MANY = 300 };
    const uint64_t before = world_page_count(o->page, "ceiling", NULL);
    (void)tbs;
    for (int i = 0; world_page_count(o->page, "ceiling", NULL) == before; i++) {
        assert_true(i < MANY);
        struct cert_tbs one = owned_tbs(o, "self", "issuing");
        struct view body = vault_scene_cert_body(o->s, "issuing", "self", shape_bytes(&one, o->s->arena));
        err_free(vault_scene_ask(o->s, o->front, FRAMES_SEAL_CERT, body, -1, NULL));
    }
}

const struct owned_attack owned_cert_attacks[] = {
#define TRIES(what, template, issuer, change, ...)                                                           \
    {                                                                                                        \
        what, HSM_PEER_FRONT, aim, {__VA_ARGS__}, &(const struct how){template, issuer, change}, false       \
    }
    TRIES("CA:TRUE", "server", "issuing", a_ca, "cert.ca", "basic_constraints"),
    TRIES("keyCertSign", "server", "issuing", signs_certificates, "cert.signs", "key_usage"),
    TRIES("cRLSign", "server", "issuing", signs_lists, "cert.signs", "key_usage"),
    TRIES("a CA by its template", "sub-ca", "root", nothing, "cert.internal", "cert.may_issue", "cert.ca",
          "cert.signs"),
    TRIES("an internal template", "admin", "issuing", nothing, "cert.internal"),
    TRIES("a server by the root", "server", "root", nothing, "cert.may_issue"),
    TRIES("OCSPSigning in a server's certificate", "server", "issuing", ocsp_signing, "cert.ocsp_signing",
          "extended_key_usage"),
    TRIES("OCSPSigning for a key of its own", "ocsp-signing", "issuing", nothing, "cert.responder_key"),
    TRIES("OCSPSigning for another issuer's responder", "ocsp-signing", "issuing", key_of_roots_responder,
          "cert.responder_key"),
    TRIES("a responder for three months and more", "ocsp-signing", "issuing", responder_for_long,
          "cert.too_long", "validity.max"),
    TRIES("ocsp-nocheck in a server's certificate", "server", "issuing", no_check, "cert.no_check",
          "ocsp_nocheck"),
    TRIES("anyExtendedKeyUsage", "server", "issuing", any_usage, "cert.any_usage", "extended_key_usage"),
    TRIES("a usage outside the template", "server", "issuing", code_signing, "extended_key_usage"),
    TRIES("a key usage outside the template", "server", "issuing", agrees, "key_usage"),
    TRIES("a wildcard outside the template", "server", "issuing", wildcard, "sans.wildcard"),
    TRIES("a kind of name outside the template", "server", "issuing", mail_name, "sans.kinds"),
    TRIES("a subject outside the template", "server", "issuing", an_organisation, "subject.allow"),
    TRIES("an extension outside the template", "server", "issuing", unknown_extension, "extensions"),
    TRIES("a list elsewhere", "server", "issuing", other_list, "crl_distribution_points"),
    TRIES("a status elsewhere", "server", "issuing", other_status, "authority_info_access"),
    TRIES("dates past the template", "server", "issuing", past_the_template, "validity.max"),
    TRIES("a certificate of yesterday", "server", "issuing", backdated, "cert.backdated", "validity.backdate",
          "validity.issuer_start"),
    TRIES("a certificate of tomorrow", "server", "issuing", ahead, "cert.ahead", "validity.not_before"),
    TRIES("a certificate that is over", "server", "issuing", over, "cert.over", "validity.over"),
    TRIES("a certificate for over ten years", "server", "issuing", too_long, "cert.too_long", "cert.outlives",
          "validity.max", "validity.issuer_end"),
    TRIES("a certificate that outlives its issuer", "server", "issuing", outlives, "cert.outlives",
          "validity.max", "validity.issuer_end"),
    TRIES("another issuer's name", "server", "issuing", other_issuer, "cert.issuer", "issuer.name"),
    TRIES("another algorithm", "server", "issuing", other_algorithm, "cert.alg", "issuer.algorithm"),
    TRIES("no authority key identifier", "server", "issuing", no_key_id, "cert.aki_missing",
          "authority_key_id"),
    TRIES("another issuer's key identifier", "server", "issuing", other_key_id, "cert.aki",
          "authority_key_id"),
    TRIES("the subject of the issuer", "client", "issuing", subject_of_issuing, "cert.subject"),
    TRIES("the subject of the root", "client", "issuing", subject_of_root, "cert.subject"),
    TRIES("the key of the issuer", "server", "issuing", key_of_issuing, "cert.key_issuers"),
    TRIES("the key of the root", "server", "issuing", key_of_root, "cert.key_issuers"),
    TRIES("the key of a responder", "server", "issuing", key_of_responder, "cert.key_responders"),
    TRIES("the daemon's own template for another name", "self", "issuing", foreign_name, "cert.self_names"),
    TRIES("the daemon's own template for no name", "self", "issuing", nameless, "cert.self_nameless",
          "sans.min", "subject.cn"),
    TRIES("a serial that was never leased", "server", "issuing", own_serial, "lease"),
    TRIES("a serial leased for another issuer", "server", "issuing", serial_of_root, "lease"),
    TRIES("a serial leased to an older channel", "server", "issuing", serial_of_before, "lease"),
    TRIES("a second certificate under one serial", "server", "issuing", serial_of_another, "lease"),
    TRIES("a serial of another length", "server", "issuing", short_serial, "cert.serial", "lease"),
    TRIES("one more than the ceiling", "self", "issuing", one_too_many, "ceiling"),
    {0},
};
