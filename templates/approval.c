/*
 * Who must approve: read and handed on. Approvals are signatures over a request; the vault counts them.
 *
 * Any thread.
 */
#include <stdlib.h>

#include "base/check.h"
#include "load.h"

struct err *approval_load(struct load *l)
{
    struct templates_approval *a = &l->t->approval.asked;
    if (!l->t->nodes[GROUP_APPROVAL])
        return NULL;
    if (a->needed > 0 && a->quorum)
        return load_error(l, GROUP_APPROVAL, "quorum",
                          "'needed' and 'quorum' both say how many: the template or the roster");
    if (a->needed == 0 && !a->quorum)
        return load_error(l, GROUP_APPROVAL, "needed",
                          "approval without a number: 'needed: 2', or 'quorum: true' for the roster's");
    if (l->t->head.internal)
        return load_error(l, GROUP_APPROVAL, "needed",
                          "an internal template is made by the house: nobody is asked");
    return NULL;
}

const struct templates_approval *templates_approval(const struct template *t)
{
    const struct templates_approval *a = &t->approval.asked;
    return a->needed > 0 || a->quorum ? a : NULL;
}

void templates_sha256(const struct template *t, uint8_t ret[SHA256_BYTES])
{
    json_t *tree = templates_to_json(t);
    char *text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK(text);
    digest_sha256(view_str(text), ret);
    free(text);
    json_decref(tree);
}
