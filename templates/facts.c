/*
 * Facts for expressions: asker, CSR and request as shape knows them, a certificate as a judge reads it.
 *
 * Never looks anything up. Any thread.
 */
#include "facts.h"

static struct expr_value text(const char *s)
{
    return (struct expr_value){.s = view_str(s)};
}

static struct expr_value texts(const char *const *items, size_t n, struct arena *arena)
{
    struct expr_value *list = arena_array(arena, n, sizeof(list[0]));
    for (size_t i = 0; i < n; i++)
        list[i] = text(items[i]);
    return (struct expr_value){.list = list, .n_list = n};
}

static struct expr_value sans(const struct cert_san *all, size_t n, struct arena *arena)
{
    struct expr_value *list = arena_array(arena, n, sizeof(list[0]));
    for (size_t i = 0; i < n; i++)
        list[i] = text(cert_san_text(&all[i], arena));
    return (struct expr_value){.list = list, .n_list = n};
}

static struct expr_value subject(const struct cert_name *name, struct arena *arena)
{
    struct expr_value *list = arena_array(arena, 2 * name->n, sizeof(list[0]));
    for (size_t i = 0; i < name->n; i++) {
        const char *type = cert_name_type_of(name->attrs[i].oid);
        list[2 * i] = text(type ? type : der_oid_text(name->attrs[i].oid, arena));
        list[2 * i + 1] = (struct expr_value){.s = name->attrs[i].value};
    }
    return (struct expr_value){.list = list, .n_list = 2 * name->n};
}

static struct expr_value labels(const struct cert_ext *exts, size_t n, struct arena *arena)
{
    struct expr_value *list = arena_array(arena, n, sizeof(list[0]));
    for (size_t i = 0; i < n; i++)
        list[i] = text(cert_ext_label(exts[i].oid, arena));
    return (struct expr_value){.list = list, .n_list = n};
}

static struct expr_value kind(const struct cert_key *key)
{
    return text(cert_key_kind_name(key->kind));
}

static void of_who(const struct templates_who *who, struct arena *arena, struct expr_facts *ret)
{
    static const struct templates_who house = {.role = "self", .id = "self", .door = "", .peer = ""};
    const struct templates_who *w = who ? who : &house;
    ret->v[EXPR_VAR_ASKER_ROLE] = text(w->role);
    ret->v[EXPR_VAR_ASKER_ID] = text(w->id);
    ret->v[EXPR_VAR_ASKER_DOOR] = text(w->door);
    ret->v[EXPR_VAR_ASKER_PEER] = text(w->peer);
    ret->v[EXPR_VAR_ASKER_TEMPLATES] = texts(w->templates, w->templates_n, arena);
    ret->v[EXPR_VAR_ASKER_NAMES] = texts(w->names, w->names_n, arena);
}

static void of_csr(const struct cert_csr *csr, struct arena *arena, struct expr_facts *ret)
{
    if (!csr)
        return;
    ret->v[EXPR_VAR_CSR_SUBJECT] = subject(&csr->subject, arena);
    ret->v[EXPR_VAR_CSR_SANS] = sans(csr->sans, csr->san_count, arena);
    ret->v[EXPR_VAR_CSR_KEY_KIND] = kind(&csr->key);
    ret->v[EXPR_VAR_CSR_KEY_BITS].n = csr->key.bits;
}

static void of_request(const struct templates_request *r, struct arena *arena, struct expr_facts *ret)
{
    struct expr_value *parts = arena_array(arena, 2 * r->subject_n, sizeof(parts[0]));
    for (size_t i = 0; i < r->subject_n; i++) {
        parts[2 * i] = text(r->subject[i].attribute);
        parts[2 * i + 1] = text(r->subject[i].value);
    }
    ret->v[EXPR_VAR_REQUEST_SUBJECT] = (struct expr_value){.list = parts, .n_list = 2 * r->subject_n};
    ret->v[EXPR_VAR_REQUEST_SANS] = texts(r->sans, r->sans_n, arena);
    ret->v[EXPR_VAR_REQUEST_EXTENSIONS] = labels(r->exts, r->exts_n, arena);
    ret->v[EXPR_VAR_REQUEST_VALIDITY].n = r->not_after ? r->not_after - r->now : r->validity_s;
    ret->v[EXPR_VAR_NOW].n = r->now;
}

const struct expr_facts *facts_asked(struct shape *s)
{
    if (s->facts)
        return s->facts;
    s->facts = ARENA_NEW(s->arena, struct expr_facts);
    of_who(s->request->who, s->arena, s->facts);
    of_csr(s->request->csr, s->arena, s->facts);
    of_request(s->request, s->arena, s->facts);
    return s->facts;
}

void facts_cert(const struct judged *j, struct expr_facts *ret)
{
    ret->v[EXPR_VAR_CERT_SUBJECT] = subject(&j->subject, j->arena);
    ret->v[EXPR_VAR_CERT_SANS] = sans(j->sans, j->sans_n, j->arena);
    ret->v[EXPR_VAR_CERT_ISSUER] = text(j->issuer->name);
    ret->v[EXPR_VAR_CERT_KEY_KIND] = kind(&j->key);
    ret->v[EXPR_VAR_CERT_KEY_BITS].n = j->key.bits;
    ret->v[EXPR_VAR_CERT_NOT_BEFORE].n = j->tbs->not_before;
    ret->v[EXPR_VAR_CERT_NOT_AFTER].n = j->tbs->not_after;
    ret->v[EXPR_VAR_CERT_EXTENSIONS] = labels(j->tbs->exts, j->tbs->ext_count, j->arena);
    ret->v[EXPR_VAR_NOW].n = j->now;
}
