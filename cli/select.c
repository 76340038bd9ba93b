/* Options that choose certificates, as a query and as JSON. */
#include "select.h"

#include "base/check.h"

static const struct {
    const char *option, *member;
} rows[SELECT_N] = {
    {"--name", "name"},
    {"--under", "under"},
    {"--net", "net"},
    {"--subject", "subject"},
    {"--owner", "owner"},
    {"--template", "template"},
    {"--template-version", "template_version"},
    {"--issuer", "issuer"},
    {"--status", "status"},
    {"--tag", "tag"},
    {"--replaces", "replaces"},
    {"--fingerprint", "fingerprint"},
    {"--spki-sha256", "spki_sha256"},
    {"--since", "since"},
    {"--until", "until"},
    {"--not-after-from", "not_after_from"},
    {"--not-after-till", "not_after_till"},
};

void select_init(struct select *s, const struct cli_option *further, size_t n)
{
    CHECK(n <= SELECT_OPTIONS - SELECT_N);
    *s = (struct select){.n = SELECT_N + n};
    for (size_t i = 0; i < SELECT_N; i++)
        s->options[i] = (struct cli_option){rows[i].option, &s->values[i], NULL, NULL};
    for (size_t i = 0; i < n; i++)
        s->options[SELECT_N + i] = further[i];
}

bool select_is_empty(const struct select *s)
{
    for (size_t i = 0; i < SELECT_N; i++)
        if (s->values[i])
            return false;
    return true;
}

const char *select_query(struct cli *c, const struct select *s)
{
    const char *text = "";
    for (size_t i = 0; i < SELECT_N; i++)
        if (s->values[i])
            text = arena_printf(c->arena, "%s&%s=%s", text, rows[i].member, cli_escape(c, s->values[i]));
    return text;
}

json_t *select_json(const struct select *s)
{
    json_t *object = json_object();
    for (size_t i = 0; i < SELECT_N; i++)
        if (s->values[i])
            json_object_set_new(object, rows[i].member, json_string(s->values[i]));
    return object;
}
