/* GET /v1/ledger: how far it has come, what it takes on disk, and whether a restoration waits to be accepted.
 */
#include "../house.h"
#include "base/hex.h"
#include "rest.h"

static json_t *parts_json(const struct ledger_parts *parts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->n; i++)
        if (parts->all[i].bytes)
            json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", parts->all[i].name, "rows",
                                                  (json_int_t)parts->all[i].rows, "bytes",
                                                  (json_int_t)parts->all[i].bytes));
    return list;
}

void ledger_get(struct http_request *r)
{
    static const char *const known[] = {NULL};
    struct err *e = NULL;
    struct enroll *en = r->app;
    struct ca_asker *asker = NULL;
    struct ledger_head head;
    struct ledger_parts parts;
    TRY(asker_admit(r, &asker));
    TRY(http_query_only(r, known));
    TRY(ledger_head(en->setup.ledger, &head));
    TRY(ledger_parts(en->setup.ledger, &parts));
    json_t *tree =
        json_pack("{s:I, s:s, s:o, s:I, s:I, s:I}", "entries", (json_int_t)head.entries, "root",
                  hex_of(r->arena, view_of(head.root, SHA256_BYTES)), "last",
                  answer_time(head.last_time_ms / 1000), "open", (json_int_t)head.open, "used_bytes",
                  (json_int_t)head.used_bytes, "free_bytes", (json_int_t)head.free_bytes);
    json_object_set_new(tree, "restored_by",
                        head.restored ? json_integer((json_int_t)head.restored) : json_null());
    json_object_set_new(tree, "parts", parts_json(&parts));
    answer_json(r, 200, tree);
out:
    if (e)
        asker_refuse(r, asker, e);
}
