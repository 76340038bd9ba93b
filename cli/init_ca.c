/*
 * One certificate of the ceremony, by the same steps as every other: shaped, intent on record, judged and
 * sealed by the vault, recorded. Then the two that make the hierarchy.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/world.h"
#include "cert/chain.h"
#include "cert/name.h"
#include "cert/pem.h"
#include "cert/tbs.h"
#include "init.h"

struct ledger_entry init_entry(struct init *in, unsigned kind)
{
    return (struct ledger_entry){.kind = kind,
                                 .actor = arena_printf(in->cli->arena, "local:%u", (unsigned)getuid()),
                                 .door = in->door};
}

static struct err *intend(struct init *in, const struct init_wish *w, const struct templates_shaped *shaped,
                          struct view serial, struct view tbs, uint64_t *ret_seq)
{
    struct ledger_result result;
    uint8_t spki[SHA256_BYTES];
    struct ledger_entry entry = init_entry(in, LEDGER_INTENT);
    digest_sha256(shaped->tbs->spki, spki);
    entry.issuer = w->issuer;
    entry.serial = serial;
    entry.body.intent = (struct ledger_intent){
        .template = w->template,
        .generation = 1,
        .names = {shaped->names_n, shaped->names},
        .subject = shaped->subject,
        .not_before = shaped->tbs->not_before,
        .not_after = shaped->tbs->not_after,
        .spki_sha256 = view_of(spki, sizeof spki),
        .tbs = tbs,
    };
    struct err *e = ledger_append_wait(in->ledger, &entry, &result);
    if (!e)
        *ret_seq = result.seq;
    return e;
}

static struct err *seal(struct init *in, const struct init_wish *w, struct view tbs, uint64_t *ret_n,
                        struct view *ret_signature)
{
    if (w->proof.n)
        return hsm_ceremony_seal_other(in->ceremony, w->issuer, w->template, tbs, w->proof, in->cli->arena,
                                       ret_n, ret_signature);
    if (w->name)
        return hsm_ceremony_seal_ca(in->ceremony, w->issuer, w->name, w->template, tbs, in->cli->arena, ret_n,
                                    ret_signature);
    return hsm_ceremony_seal_cert(in->ceremony, w->issuer, w->template, tbs, in->cli->arena, ret_n,
                                  ret_signature);
}

static struct err *record(struct init *in, const struct init_wish *w, uint64_t intent, uint64_t n,
                          struct view signature)
{
    struct ledger_result result;
    struct ledger_entry entry = init_entry(in, LEDGER_RECORD);
    entry.ref = intent;
    entry.body.record =
        (struct ledger_record){.n = n, .alg = cert_alg_name(w->facts.alg), .signature = signature};
    return ledger_append_wait(in->ledger, &entry, &result);
}

struct err *init_certify(struct init *in, const struct init_wish *w, struct view *ret_der)
{
    struct err *e = NULL;
    struct arena *a = in->cli->arena;
    uint8_t *serial = arena_alloc(a, SERIAL_BYTES);
    struct templates_shaped shaped;
    struct view tbs, signature;
    uint64_t intent, n;

    const struct template *t = templates_find(in->templates, view_str(w->template));
    if (!t)
        return err_new(ERR_TEMPLATE_UNKNOWN, "there is no template '%s' in %s", w->template,
                       in->config->templates);
    TRY(hsm_ceremony_serial(in->ceremony, w->issuer, serial));
    const struct templates_request request = {
        .csr = w->csr,
        .spki = w->spki,
        .serial = view_of(serial, SERIAL_BYTES),
        .now = world_now_s(),
        .validity_s = w->validity_s,
        .has_subject = true,
        .subject = w->subject,
        .subject_n = w->subject_n,
    };
    TRY(templates_shape(t, &request, &w->facts, a, &shaped));
    struct cert_tbs exact = *shaped.tbs;
    if (w->keep.n)
        exact.subject = w->keep;
    TRY(cert_tbs_write(&exact, a, &tbs));
    TRY(intend(in, w, &shaped, view_of(serial, SERIAL_BYTES), tbs, &intent));
    TRY(seal(in, w, tbs, &n, &signature));
    TRY(record(in, w, intent, n, signature));
    TRY(cert_seal(tbs, w->facts.alg, signature, a, ret_der));
out:
    return e;
}

/* --- the hierarchy --- */

static struct err *alg_of(const struct config_issuer *i, struct view spki, enum cert_alg *ret)
{
    struct cert_key key;
    struct err *e = NULL;
    if (i->alg)
        return cert_alg_parse(view_str(i->alg), ret);
    TRY(cert_key_parse(spki, &key));
    *ret = cert_alg_default(key.kind);
out:
    return e;
}

static struct err *facts_of(struct init *in, const struct config_issuer *i,
                            const struct templates_rdn *subject, size_t n, struct view spki,
                            struct templates_issuer *ret)
{
    struct err *e = NULL;
    struct cert_key key;
    uint8_t *id = arena_alloc(in->cli->arena, SHA1_BYTES);
    struct cert_name_part *parts = arena_array(in->cli->arena, n, sizeof *parts);

    *ret = (struct templates_issuer){
        .name = i->name, .not_after = INT64_MAX, .base_url = in->config->public_url};
    TRY(alg_of(i, spki, &ret->alg));
    for (size_t k = 0; k < n; k++)
        parts[k] = (struct cert_name_part){subject[k].attribute, subject[k].value};
    TRY(cert_name_write(parts, n, in->cli->arena, &ret->subject));
    TRY(cert_key_parse(spki, &key));
    cert_key_sha1(&key, id);
    ret->key_id = view_of(id, SHA1_BYTES);
out:
    return e;
}

static struct err *keep(struct init *in, const struct config_issuer *i, struct view der)
{
    struct err *e = NULL;
    struct ledger_result result;
    struct ledger_entry entry = init_entry(in, LEDGER_ISSUER);
    entry.issuer = i->name;
    entry.body.issuer.certificate = der;
    TRY(ledger_append_wait(in->ledger, &entry, &result));
    TRY(file_write(i->certificate, view_str(cert_pem_write("CERTIFICATE", der, in->cli->arena)), 0644));
    fprintf(stderr, "%s: key in the token, certificate in %s\n", i->name, i->certificate);
out:
    return e;
}

static struct err *dates_of(struct view der, struct arena *arena, struct templates_issuer *facts)
{
    struct cert_tbs tbs;
    struct err *e = cert_tbs_open(der, arena, NULL, &tbs);
    if (!e) {
        facts->not_before = tbs.not_before;
        facts->not_after = tbs.not_after;
    }
    return e;
}

/* A key of the log's own, which signs heads of the ledger and nothing else. */
static struct err *log_key(struct init *in)
{
    struct err *e = NULL;
    struct view spki;
    struct ledger_result result;
    uint8_t hash[SHA256_BYTES];
    TRY(hsm_ceremony_log_key(in->ceremony, in->cli->arena, &spki));
    digest_sha256(spki, hash);
    struct ledger_entry entry = init_entry(in, LEDGER_LOG_KEY);
    entry.body.note =
        (struct ledger_note){.what = in->config->heads.origin, .hash = view_of(hash, sizeof hash)};
    TRY(ledger_append_wait(in->ledger, &entry, &result));
out:
    return e;
}

struct err *init_hierarchy(struct init *in, const struct config_issuer *root,
                           const struct config_issuer *issuing, struct templates_issuer *ret_issuing)
{
    struct err *e = NULL;
    struct arena *a = in->cli->arena;
    struct view root_spki, issuing_spki, root_der, issuing_der;
    struct templates_issuer root_facts;
    const char *root_cn = arena_printf(a, "%s Root CA", in->organization);
    const char *issuing_cn = arena_printf(a, "%s Issuing CA", in->organization);
    const struct templates_rdn root_parts[] = {{"O", in->organization}, {"CN", root_cn}};
    const struct templates_rdn issuing_parts[] = {{"O", in->organization}, {"CN", issuing_cn}};

    TRY(hsm_ceremony_key_generate(in->ceremony, root->name, root->key_type ? root->key_type : "ec-p384", true,
                                  a, &root_spki));
    TRY(facts_of(in, root, root_parts, 2, root_spki, &root_facts));
    const struct init_wish root_wish = {.template = "root",
                                        .issuer = root->name,
                                        .name = root->name,
                                        .facts = root_facts,
                                        .spki = root_spki,
                                        .subject = root_parts,
                                        .subject_n = 2};
    TRY(init_certify(in, &root_wish, &root_der));
    TRY(keep(in, root, root_der));
    TRY(dates_of(root_der, a, &root_facts));

    TRY(log_key(in));
    TRY(hsm_ceremony_key_generate(in->ceremony, issuing->name,
                                  issuing->key_type ? issuing->key_type : "ec-p256", true, a, &issuing_spki));
    const struct init_wish issuing_wish = {.template = "sub-ca",
                                           .issuer = root->name,
                                           .name = issuing->name,
                                           .facts = root_facts,
                                           .spki = issuing_spki,
                                           .subject = issuing_parts,
                                           .subject_n = 2};
    TRY(init_certify(in, &issuing_wish, &issuing_der));
    TRY(keep(in, issuing, issuing_der));
    TRY(facts_of(in, issuing, issuing_parts, 2, issuing_spki, ret_issuing));
    TRY(dates_of(issuing_der, a, ret_issuing));
out:
    return e;
}
