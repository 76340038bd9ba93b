/*
 * GET /healthz, /readyz, /metrics: is the process alive, is the house ready and why not, how is it doing.
 * Readiness names each probe; metrics outside loopback need a role.
 */
#include "../house.h"
#include "base/metric.h"
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
                json_pack("{s:b, s:o, s:s, s:I, s:s}", "ready", ready, "probes", list, "isolation",
                          en->setup.isolation, "generation", (json_int_t)en->config.generation,
                          "generation_sha256", en->config.generation_sha256));
}

void state_metrics(struct http_request *r)
{
    struct err *e = NULL;
    struct ca_asker *asker = NULL;
    if (!r->peer->loopback)
        TRY(asker_admit(r, &asker));
    http_add(r, "Cache-Control", "no-store");
    http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", metric_text(r->arena));
out:
    if (e)
        asker_refuse(r, asker, e);
}
