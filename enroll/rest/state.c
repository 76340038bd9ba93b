/*
 * GET /healthz, /readyz, /metrics: is the process alive, is the house ready and why not, how is it doing.
 * Readiness names each probe; metrics outside loopback need a role.
 */
#include "../house.h"
#include "base/metric.h"
#include "base/world.h"
#include "rest.h"

void state_healthz(struct http_request *r)
{
    http_add(r, "Cache-Control", "no-store");
    http_reply(r, 200, "text/plain; charset=utf-8", view_str("ok\n"));
}

static json_t *probe_json(const struct enroll_probe *p, bool *ready)
{
    struct err *e = p->check(p->arg);
    json_t *tree = json_pack("{s:s, s:b}", "name", p->name, "ok", e == NULL);
    if (e) {
        json_object_set_new(tree, "why", json_string(err_detail(e)));
        *ready = *ready && p->degraded;
    }
    err_free(e);
    return tree;
}

/* Dangers that somebody meant, and until when: for whoever watches the house, too. Why stands with the
 * template. */
static json_t *overrides_json(const struct templates *set)
{
    json_t *list = json_array();
    const struct template *t;
    struct templates_override o;
    for (size_t i = 0; (t = templates_at(set, i)) != NULL; i++)
        for (size_t k = 0; templates_enabled(t) && templates_override(t, k, &o); k++) {
            json_t *one = json_pack("{s:s, s:s, s:b}", "template", templates_name(t), "finding", o.finding,
                                    "ended", o.until <= world_now_s());
            if (o.until != INT64_MAX)
                json_object_set_new(one, "until", answer_time(o.until));
            json_array_append_new(list, one);
        }
    return list;
}

void state_readyz(struct http_request *r)
{
    const struct enroll *en = r->app;
    bool ready = true;
    json_t *list = json_array();
    for (size_t i = 0; i < en->setup.probes_n; i++)
        json_array_append_new(list, probe_json(&en->setup.probes[i], &ready));
    http_add(r, "Cache-Control", "no-store");
    if (!ready)
        http_add(r, "Retry-After", "1");
    answer_json(r, ready ? 200 : 503,
                json_pack("{s:b, s:o, s:o, s:s, s:I, s:s}", "ready", ready, "probes", list, "overrides",
                          overrides_json(ca_setup_get(en->setup.ca)->templates), "isolation",
                          en->setup.isolation, "generation", (json_int_t)en->config.generation,
                          "generation_sha256", en->config.generation_sha256));
}

/* What has a name in it: the days left of each issuer, its state, who hangs on it. */
static const char *issuer_metrics(struct http_request *r)
{
    const struct enroll *en = r->app;
    const struct ca_setup *setup = ca_setup_get(en->setup.ca);
    const char *text =
        "# HELP chancery_issuer_not_after_seconds End of an issuer's certificate, since 1970.\n"
        "# TYPE chancery_issuer_not_after_seconds gauge\n"
        "# HELP chancery_issuer_lapsing 1 in the last third of its life.\n"
        "# TYPE chancery_issuer_lapsing gauge\n"
        "# HELP chancery_issuer_state 1 for the state it is in.\n"
        "# TYPE chancery_issuer_state gauge\n"
        "# HELP chancery_issuer_unexpired_certificates Not over and not revoked, as last counted.\n"
        "# TYPE chancery_issuer_unexpired_certificates gauge\n";
    for (size_t i = 0; i < setup->issuers_n; i++) {
        const struct templates_issuer *f = &setup->issuers[i].facts;
        struct ledger_census census;
        text = arena_printf(r->arena,
                            "%schancery_issuer_not_after_seconds{issuer=\"%s\"} %lld\n"
                            "chancery_issuer_lapsing{issuer=\"%s\"} %d\n"
                            "chancery_issuer_state{issuer=\"%s\",state=\"%s\"} 1\n",
                            text, f->name, (long long)f->not_after, f->name,
                            hsm_life_warns(f->not_before, f->not_after, world_now_s()), f->name,
                            hsm_state_name(ca_issuer_state(en->setup.ca, &setup->issuers[i])));
        if (ca_census(en->setup.ca, f->name, &census))
            text = arena_printf(r->arena, "%schancery_issuer_unexpired_certificates{issuer=\"%s\"} %llu\n",
                                text, f->name, (unsigned long long)census.unexpired);
    }
    return text;
}

void state_metrics(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    if (!r->peer->loopback)
        TRY(asker_admit(r, &asker));
    http_add(r, "Cache-Control", "no-store");
    http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8",
               view_str(arena_printf(r->arena, "%s%s", arena_str(r->arena, metric_text(r->arena)),
                                     issuer_metrics(r))));
out:
    if (e)
        asker_refuse(r, asker, e);
}
