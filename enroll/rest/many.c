/* POST /v1/revocations, GET and DELETE /v1/revocations/{id}: many at once, or a look at what that would hit.
 */
#include <stddef.h>

#include "base/hex.h"
#include "base/when.h"
#include "ca_many.h"
#include "rest.h"
#include "revoke.h"
#include "select.h"

struct body {
    const char *reason, *invalidity_date, *issuer;
    const json_t *select, *sealed;
    struct conf_texts serials;
    bool dry_run;
    int64_t at_most, per_second;
};
struct sealed {
    const char *since, *until;
};

static const struct conf_row rows[] = {
    {"reason", CONF_TEXT, offsetof(struct body, reason), false, 1, 64, "unspecified", NULL, "RFC 5280 5.3.1"},
    {"invalidity_date", CONF_TEXT, offsetof(struct body, invalidity_date), false, 1, 32, NULL, NULL,
     "since when they are not to be trusted"},
    {"select", CONF_TREE, offsetof(struct body, select), false, 0, 0, NULL, NULL,
     "the conditions of the search"},
    {"serials", CONF_TEXTS, offsetof(struct body, serials), false, 1, CA_MANY_SERIALS, NULL, NULL,
     "or these"},
    {"issuer", CONF_TEXT, offsetof(struct body, issuer), false, 1, 63, NULL, NULL, "of the serials"},
    {"sealed", CONF_TREE, offsetof(struct body, sealed), false, 0, 0, NULL, NULL,
     "or all that the seal roll has from that time"},
    {"dry_run", CONF_BOOL, offsetof(struct body, dry_run), false, 0, 0, "false", NULL,
     "look, and revoke nothing"},
    {"at_most", CONF_INT, offsetof(struct body, at_most), false, 0, 1000000000, "0", NULL,
     "stop before more"},
    {"per_second", CONF_INT, offsetof(struct body, per_second), false, 0, 100000, "0", NULL, "no quicker"},
};
static const struct conf_row sealed_rows[] = {
    {"since", CONF_TEXT, offsetof(struct sealed, since), true, 1, 32, NULL, NULL, "RFC 3339"},
    {"until", CONF_TEXT, offsetof(struct sealed, until), false, 1, 32, NULL, NULL, "RFC 3339"},
};

/* --- the question --- */

static struct err *ask_select(const struct conf *c, const struct body *body, struct ledger *ledger,
                              struct arena *arena, struct ca_many_ask *ask)
{
    struct err *e = NULL;
    struct select select = {.issuer = NULL};
    struct ledger_query *q = ARENA_NEW(arena, struct ledger_query);
    TRY(conf_fill(c, body->select, select_rows, select_rows_n, arena, &select));
    ask->question = select_text(&select, arena);
    if (!ask->question[0])
        TRY(err_at(err_new(ERR_BAD_FIELD,
                           "name at least one condition; everything of one issuer is {\"issuer\": ...}"),
                   "/select"));
    TRY(err_wrap(select_query(&select, ledger, ask->asker, arena, q), "select"));
    ask->query = q;
out:
    return e;
}

static struct err *ask_serials(const struct body *body, struct arena *arena, struct ca_many_ask *ask)
{
    struct err *e = NULL;
    struct view *serials = arena_array(arena, body->serials.n, sizeof *serials);
    for (size_t i = 0; i < body->serials.n; i++) {
        e = hex_parse(arena, view_str(body->serials.items[i]), &serials[i]);
        if (e || serials[i].n != SERIAL_BYTES) {
            err_free(e);
            return err_at(err_new(ERR_BAD_FIELD, "a serial is %d hex digits, lower case, without colons",
                                  2 * SERIAL_BYTES),
                          "/serials/%zu", i);
        }
    }
    ask->source = CA_MANY_SERIALS_GIVEN;
    ask->issuer = body->issuer;
    ask->serials = serials;
    ask->serials_n = body->serials.n;
    ask->question = arena_printf(arena, "%zu serials, the first %s", body->serials.n, body->serials.items[0]);
    return e;
}

static struct err *ask_sealed(const struct conf *c, const struct body *body, struct arena *arena,
                              struct ca_many_ask *ask)
{
    struct err *e = NULL;
    struct sealed sealed = {.until = NULL};
    TRY(conf_fill(c, body->sealed, sealed_rows, 2, arena, &sealed));
    TRY(err_at(when_parse(view_str(sealed.since), &ask->since_ms), "/sealed/since"));
    if (sealed.until)
        TRY(err_at(when_parse(view_str(sealed.until), &ask->until_ms), "/sealed/until"));
    if (sealed.until && ask->until_ms < ask->since_ms)
        TRY(err_at(err_new(ERR_BAD_FIELD, "until lies before since"), "/sealed/until"));
    ask->since_ms *= 1000;
    if (sealed.until)
        ask->until_ms = ask->until_ms * 1000 + 999;
    ask->source = CA_MANY_ROLL;
    ask->question = arena_printf(arena, "sealed since %s%s%s", sealed.since, sealed.until ? " until " : "",
                                 sealed.until ? sealed.until : "");
out:
    return e;
}

static struct err *decode(struct http_request *r, const struct ca_asker *asker, struct ca_many_ask *ask)
{
    struct err *e = NULL;
    struct conf *c = NULL;
    struct body body = {.reason = NULL};
    if (!http_is_type(r, "application/json"))
        return err_new(ERR_BAD_MEDIA_TYPE, "send application/json");
    TRY(conf_parse_json(r->body, &c));
    TRY(conf_fill(c, conf_root(c), rows, sizeof rows / sizeof rows[0], r->arena, &body));
    if ((body.select != NULL) + (body.sealed != NULL) + (body.serials.n > 0) != 1)
        TRY(err_new(ERR_BAD_FIELD, "say which: one of select, serials and sealed"));
    *ask = (struct ca_many_ask){.asker = asker,
                                .dry_run = body.dry_run,
                                .at_most = (uint64_t)body.at_most,
                                .per_second = (uint64_t)body.per_second};
    TRY(revoke_what(body.reason, body.invalidity_date, &ask->what));
    if (body.select)
        TRY(ask_select(c, &body, ((const struct enroll *)r->app)->setup.ledger, r->arena, ask));
    else if (body.sealed)
        TRY(ask_sealed(c, &body, r->arena, ask));
    else
        TRY(ask_serials(&body, r->arena, ask));
out:
    conf_free(c);
    return e;
}

/* --- the answer --- */

static json_t *groups_json(const struct ca_many_groups *groups)
{
    json_t *object = json_object();
    for (size_t i = 0; i < groups->n; i++)
        json_object_set_new(object, groups->all[i].name, json_integer((json_int_t)groups->all[i].n));
    return object;
}

static json_t *report_json(const struct ca_many_report *m)
{
    static const char *const states[] = {"running", "done", "stopped", "failed"};
    json_t *tree = json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "id", m->id,
        "state", states[m->state], "why", m->why, "dry_run", m->dry_run, "question", m->question, "reason",
        cert_crl_reason_name(m->reason), "started", answer_time(m->started_s), "chosen",
        (json_int_t)m->chosen, "hit", (json_int_t)m->hit, "already", (json_int_t)m->already, "expired",
        (json_int_t)m->expired, "refused", (json_int_t)m->refused, "missing", (json_int_t)m->missing,
        "strays", (json_int_t)m->strays, "owners", groups_json(&m->owners), "templates",
        groups_json(&m->templates), "issuers", groups_json(&m->issuers));
    if (m->dry_run)
        json_object_set_new(tree, "renewed", json_integer((json_int_t)m->renewed));
    if (m->ended_s)
        json_object_set_new(tree, "ended", answer_time(m->ended_s));
    return tree;
}

void many_post(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ca_many_ask ask;
    const struct ca_many_report *report;

    TRY(asker_admit(r, &asker));
    TRY(decode(r, asker, &ask));
    TRY(ca_many_start(en->setup.ca, &ask, &report));
    http_add(r, "Location", "/v1/revocations/%s", report->id);
    answer_json(r, 202, report_json(report));
out:
    if (e)
        asker_refuse(r, asker, e);
}

void many_get(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ca_many_report *report;

    TRY(asker_admit(r, &asker));
    TRY(ca_many_find(en->setup.ca, asker, arena_str(r->arena, http_segment(r, "id")), &report));
    answer_json(r, 200, report_json(report));
out:
    if (e)
        asker_refuse(r, asker, e);
}

void many_delete(struct http_request *r)
{
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    const struct ca_many_report *report;
    const char *id = arena_str(r->arena, http_segment(r, "id"));

    TRY(asker_admit(r, &asker));
    TRY(ca_many_stop(en->setup.ca, asker, id));
    TRY(ca_many_find(en->setup.ca, asker, id, &report));
    answer_json(r, 200, report_json(report));
out:
    if (e)
        asker_refuse(r, asker, e);
}
