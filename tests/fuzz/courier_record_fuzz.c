/* One value of a record: what is read lies within the text. */
#include "fuzz.h"

#include "caa.h"
#include "issue_value.h"

static void within(struct view part, struct view whole)
{
    CHECK(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ours[] = {"ca.example"};
    const struct caa_asked asked = {true, "https://ca.example/1", "dns-01", ours, 1};
    struct view in = view_of(data, size), value;
    struct issue_value v;
    caa_judge(&in, 1, &asked);
    if (!issue_value_read(in, &v))
        return 0;
    within(v.issuer, in);
    for (size_t i = 0; i < v.n; i++) {
        within(v.parameters[i].tag, in);
        within(v.parameters[i].value, in);
    }
    CHECK(issue_value_find(&v, "accounturi", &value) <= v.n);
    return 0;
}
