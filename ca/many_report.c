/* What a mass revocation hits: how many, whose, and whether another certificate stands in its place. */
#include "many.h"

#include "base/world.h"

enum { OTHERS = 4 };

static struct ca_many_group *group_of(struct ca_many_groups *in, const char *name)
{
    size_t i = 0;
    while (i < in->n && strcmp(in->all[i].name, name) != 0)
        i++;
    if (i < in->n)
        return &in->all[i];
    if (in->n == CA_MANY_GROUPS)
        return &in->all[CA_MANY_GROUPS - 1];
    in->n++;
    snprintf(in->all[i].name, sizeof in->all[i].name, "%s", in->n == CA_MANY_GROUPS ? "others" : name);
    return &in->all[i];
}

static bool same_names(const struct ledger_texts *a, const struct ledger_texts *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

/* A later one of the same template and names, in force. Looks at the newest few. */
struct err *many_renewed(struct many_job *job, const struct ledger_cert *cert, bool *ret)
{
    struct err *e = NULL;
    const struct ledger_intent *in = &cert->decision;
    struct ledger_page page;
    struct ledger_query q = {
        .template = in->template, .status = LEDGER_VALID, .now = world_now_s(), .limit = OTHERS};
    *ret = false;
    if (in->names.n > 0)
        q.name = in->names.items[0];
    else if (in->subject[0])
        q.subject = in->subject;
    else
        return NULL;
    TRY(ledger_search(job->ca->ledger, &q, job->page, &page));
    for (size_t i = 0; i < page.n; i++)
        *ret = *ret ||
               (page.certs[i].intent > cert->intent && same_names(&page.certs[i].decision.names, &in->names));
out:
    return e;
}

void many_count(struct many_job *job, const struct many_item *item)
{
    struct ca_many_report *r = &job->report;
    bool renewed = false;
    r->hit++;
    group_of(&r->issuers, item->issuer)->n++;
    if (!item->known) {
        r->strays++;
        group_of(&r->owners, "")->n++;
        group_of(&r->templates, item->template)->n++;
        return;
    }
    r->expired += item->cert.decision.not_after < world_now_s();
    group_of(&r->owners, item->cert.actor)->n++;
    group_of(&r->templates, item->cert.decision.template)->n++;
    struct err *e = r->dry_run ? many_renewed(job, &item->cert, &renewed) : NULL;
    err_free(e); /* then it counts as not renewed */
    r->renewed += renewed;
}
