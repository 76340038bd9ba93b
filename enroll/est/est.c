/*
 * What the operations of EST share: who asks, which template, base64 in and out, and refusals. On the front's
 * loop.
 */
#include "est.h"

#include "base/hex.h"
#include "cert/cms.h"
#include "cert/pem.h"

struct err *est_admit(struct http_request *r, struct ca_asker **ret)
{
    struct ca_asker *asker = NULL;
    struct err *e = asker_of_basic(r, &asker);
    if (e)
        return e;
    asker->door = EST_DOOR;
    *ret = asker;
    return asker_may(r, asker);
}

void est_problem(struct http_request *r, struct err *e)
{
    if (err_row(err_code(e))->http_status == 401) /* RFC 7030 3.2.3 */
        http_add_text(r, "WWW-Authenticate", "Basic realm=\"chancery\"");
    http_problem(r, e);
}

void est_refuse(struct http_request *r, const struct ca_asker *asker, struct err *e)
{
    const struct enroll *en = r->app;
    const struct ca_asker nobody = {
        .id = "", .door = EST_DOOR, .peer = r->peer->address, .request_id = r->id};
    ca_deny(en->setup.ca, asker ? asker : &nobody, NULL, e);
    est_problem(r, e);
}

const char *est_label(struct http_request *r)
{
    struct view label = http_segment(r, "label");
    return label.p ? arena_str(r->arena, label) : NULL;
}

const char *est_template(struct http_request *r, const struct ca_asker *asker)
{
    const char *label = est_label(r);
    if (label)
        return label;
    return asker->grant.templates_n == 1 ? asker->grant.templates[0] : EST_TEMPLATE;
}

/* --- base64 --- */

static struct view without_space(struct view text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (!text.p[i] || !strchr("\r\n\t ", text.p[i]))
            to[n++] = (char)text.p[i];
    return view_of(to, n);
}

/* Names what was sent in its place, where that can be told. */
static struct err *not_base64(struct view body)
{
    const char *what = "";
    if (cert_pem_is(body))
        what = "; this is PEM: leave out its BEGIN and END lines";
    else if (body.n > 1 && body.p[0] == 0x30 && body.p[1] > 0x7f)
        what = "; this is DER: encode it";
    return err_new(ERR_BAD_REQUEST, "the body is base64 of the DER (RFC 8951 3)%s", what);
}

struct err *est_body(struct http_request *r, struct view *ret_der)
{
    if (!http_is_type(r, "application/pkcs10"))
        return err_new(ERR_BAD_MEDIA_TYPE, "send application/pkcs10 (RFC 7030 4.2.1)");
    struct view text = without_space(r->body, r->arena);
    struct err *e = text.n ? base64_parse(r->arena, text, ret_der) : not_base64(text);
    if (!e)
        return NULL;
    err_free(e);
    return not_base64(r->body);
}

void est_reply(struct http_request *r, const char *type, struct view der)
{
    bool lines = http_header(r, "User-Agent").p != NULL;
    const char *text = lines ? cert_pem_lines(der, r->arena) : base64_of(r->arena, der);
    http_add_text(r, "Content-Transfer-Encoding", "base64");
    http_reply(r, 200, type, view_str(text));
}

void est_reply_certs(struct http_request *r, const struct view *ders, size_t n)
{
    struct view message;
    struct err *e = cert_cms_certs_only(ders, n, r->arena, &message);
    if (e)
        est_problem(r, e);
    else
        est_reply(r, "application/pkcs7-mime; smime-type=certs-only", message);
}
