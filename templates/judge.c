/*
 * The judge: a tbs read from its final bytes, held against every rule of rules.def.
 *
 * A pure function of its arguments, the same in front and vault; trusts nothing that shape has done. Any
 * thread.
 */
#include "judge.h"

#include "base/world.h"
#include "exts.h"

const struct judge_row judge_rows[] = {
#define RULE(func, name, group, key, doc) {name, func, group, key, doc},
#include "rules.def"
#undef RULE
};

size_t judge_rows_count(void)
{
    return sizeof(judge_rows) / sizeof(judge_rows[0]);
}

struct err *judge_at_san(const struct judged *j, struct err *e, size_t i)
{
    return j->sans_from_csr ? err_at(e, "/csr") : err_at(e, "/sans/%zu", i);
}

struct err *judge_at_subject(const struct judged *j, struct err *e, const char *type)
{
    if (j->subject_from_csr)
        return err_at(e, "/csr");
    return type[0] ? err_at(e, "/subject/%s", type) : err_at(e, "/subject");
}

struct err *judge_run(const struct judged *j, size_t skip)
{
    for (size_t i = 0; i < judge_rows_count(); i++) {
        struct err *e = i == skip ? NULL : judge_rows[i].rule(j);
        if (e && !world_check_off(judge_rows[i].name))
            return err_wrap(e, "%s", judge_rows[i].name);
        err_free(e);
    }
    return NULL;
}

/* The names as they stand in the bytes; `other` kinds are let in here and refused by sans.kinds. */
static struct err *read_sans(const struct cert_tbs *tbs, struct arena *arena, struct judged *j)
{
    struct err *e = NULL;
    struct cert_san *sans = NULL;
    const struct cert_san_limits limits = {.max = 0, .allow_other = true};
    const struct cert_ext *ext = cert_tbs_ext(tbs, CERT_EXT_SAN);
    if (!ext)
        return NULL;
    TRY(cert_san_read(ext->value, &limits, arena, &sans, &j->sans_n));
    j->sans = sans;
out:
    return e;
}

struct err *judge_all_but(size_t skip, const struct template *t, const struct templates_issuer *issuer,
                          const struct cert_tbs *tbs, int64_t now, struct arena *arena)
{
    struct err *e = NULL;
    struct cert_ext wanted[EXTS_MAX];
    struct judged j = {.t = t, .issuer = issuer, .tbs = tbs, .now = now, .arena = arena, .wanted = wanted};
    TRY(cert_key_parse(tbs->spki, &j.key));
    TRY(cert_name_parse(tbs->subject, arena, &j.subject));
    TRY(read_sans(tbs, arena, &j));
    struct exts_facts facts = {
        t, issuer, &j.key, j.sans, j.sans_n, j.subject.n == 0, exts_partition_named(issuer, tbs, arena)};
    TRY(exts_make(&facts, arena, wanted, &j.wanted_n));
    TRY(judge_run(&j, skip));
out:
    return e;
}

struct err *templates_judge(const struct template *t, const struct templates_issuer *issuer,
                            const struct cert_tbs *tbs, int64_t now, struct arena *arena)
{
    return err_wrap(judge_all_but(SIZE_MAX, t, issuer, tbs, now, arena), "template '%s'", t->name);
}
