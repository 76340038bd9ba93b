/*
 * One record that serves all renewals: a TXT that names the account ("ISSUER; accounturi=URI", with
 * "policy=wildcard" for wildcards, with "persistUntil=SECONDS" up to then), or a CNAME whose target is made
 * from the account's URI. Neither is a secret: that it stands in the zone is the proof. Any thread.
 */
#include "persist.h"

#include "base/digest.h"
#include "issue_value.h"

enum { LABEL_OCTETS = 20, LABEL_CHARS = 32 };

const char *courier_persist_text(const char *issuer, const char *account, bool wildcard, struct arena *arena)
{
    return arena_printf(arena, "%s; accounturi=%s%s", issuer, account, wildcard ? "; policy=wildcard" : "");
}

/* Base32 (RFC 4648 6) in lower case: 160 bits of the hash are 32 letters. */
const char *courier_persist_target(const char *issuer, const char *account, struct arena *arena)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t hash[32];
    char label[LABEL_CHARS + 1] = {0};
    digest_sha256(view_str(account), hash);
    for (size_t i = 0; i < LABEL_CHARS; i++) {
        size_t at = i * 5;
        unsigned two = (unsigned)hash[at / 8] << 8 | hash[at / 8 + 1];
        label[i] = alphabet[two >> (11 - at % 8) & 31];
    }
    return arena_printf(arena, "%s.%s", label, issuer);
}

static bool until_read(struct view text, int64_t *ret_s)
{
    int64_t s = 0;
    if (text.n == 0 || text.n > 12)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        s = s * 10 + (text.p[i] - '0');
    }
    *ret_s = s;
    return true;
}

static enum persist_answer value_judge(const struct issue_value *v, const struct persist_asked *asked)
{
    struct view account, policy = {NULL, 0}, until;
    int64_t until_s = INT64_MAX;
    size_t accounts = issue_value_find(v, "accounturi", &account);
    size_t policies = issue_value_find(v, "policy", &policy);
    size_t ends = issue_value_find(v, "persistUntil", &until);
    if (accounts != 1 || policies > 1 || ends > 1 || (ends && !until_read(until, &until_s)))
        return PERSIST_MALFORMED;
    if (!view_eq_str(account, asked->account))
        return PERSIST_ACCOUNT;
    if (asked->wildcard && !view_eq_nocase(policy, view_str("wildcard")))
        return PERSIST_WILDCARD;
    return asked->now_s > until_s ? PERSIST_ENDED : PERSIST_FITS;
}

enum persist_answer persist_judge(struct view txt, const struct persist_asked *asked)
{
    struct issue_value v;
    if (!issue_value_read(txt, &v))
        return PERSIST_MALFORMED;
    if (!issue_value_is_of(&v, asked->issuers, asked->issuers_n))
        return PERSIST_OTHERS;
    return value_judge(&v, asked);
}

bool persist_is_target(const char *name, const struct persist_asked *asked, struct arena *arena)
{
    for (size_t i = 0; i < asked->issuers_n; i++)
        if (view_eq_nocase(view_str(name),
                           view_str(courier_persist_target(asked->issuers[i], asked->account, arena))))
            return true;
    return false;
}

const char *persist_text(enum persist_answer a)
{
    static const char *const texts[] = {
        [PERSIST_OTHERS] = "does not name this CA",
        [PERSIST_MALFORMED] = "is not of the form \"ISSUER; accounturi=URI\"",
        [PERSIST_ACCOUNT] = "names another account",
        [PERSIST_WILDCARD] = "does not say policy=wildcard",
        [PERSIST_ENDED] = "is past its persistUntil",
        [PERSIST_FITS] = "names the account",
    };
    return texts[a];
}
