/*
 * Checks by records alone: dns-01 (RFC 8555 8.4), the lasting record of an account, and CAA (RFC 8659). The
 * loop's thread.
 */
#include <stdio.h>

#include "attempt.h"
#include "base/digest.h"
#include "base/world.h"
#include "caa.h"
#include "persist.h"

/* --- dns-01 --- */

/* base64url (RFC 4648 5) of the hash of the key authorization, without padding. */
static const char *digest_text(const char *key_authorization, struct arena *arena)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    enum { CHARS = 43 };
    uint8_t hash[SHA256_BYTES + 1] = {0};
    char *text = arena_alloc(arena, CHARS + 1);
    digest_sha256(view_str(key_authorization), hash);
    for (size_t i = 0; i < CHARS; i++) {
        unsigned two = (unsigned)hash[i * 6 / 8] << 8 | hash[i * 6 / 8 + 1];
        text[i] = alphabet[two >> (10 - i * 6 % 8) & 63];
    }
    return text;
}

static const char *record_name(const struct attempt *a, const char *label)
{
    return arena_printf(a->arena, "%s.%s", label, a->check->identifier);
}

static void dns01_answered(void *arg, const struct resolver_result *r)
{
    struct attempt *a = arg;
    const char *name = record_name(a, "_acme-challenge");
    struct view wanted = view_str(digest_text(a->check->key_authorization, a->arena)), text;
    for (size_t i = 0; i < r->answer.n; i++)
        if (dns_answer_txt(r->answer.rdata[i], a->arena, &text) && view_eq(text, wanted)) {
            attempt_valid(a);
            return;
        }
    if (r->outcome != RESOLVER_FOUND)
        attempt_not_found(a, r, "TXT", name);
    else
        attempt_invalid(a, COURIER_UNAUTHORIZED,
                        "TXT at %s: none of %zu is the digest of the key authorization (RFC 8555 8.4)", name,
                        r->answer.n);
}

static void dns01_begin(struct attempt *a)
{
    const char *name = record_name(a, "_acme-challenge");
    attempt_doing(a, COURIER_DNS, "asking for TXT at %s", name);
    resolver_ask(a->resolver, name, DNS_TXT, dns01_answered, a);
}

const struct attempt_kind attempt_dns01 = {.begin = dns01_begin};

/* --- the lasting record --- */

static struct persist_asked persist_of(const struct attempt *a)
{
    const struct courier_checking *how = *a->how;
    return (struct persist_asked){a->check->wildcard, a->check->account, how->issuers, how->issuers_n,
                                  world_now_s()};
}

/* The best of what stands there. */
static enum persist_answer persist_best(struct attempt *a, const struct resolver_result *r)
{
    struct persist_asked asked = persist_of(a);
    enum persist_answer best = PERSIST_OTHERS;
    struct view text;
    for (size_t i = 0; i < r->answer.aliases_n; i++)
        if (persist_is_target(r->answer.aliases[i], &asked, a->arena))
            return PERSIST_FITS;
    for (size_t i = 0; i < r->answer.n; i++) {
        if (!dns_answer_txt(r->answer.rdata[i], a->arena, &text))
            continue;
        enum persist_answer one = persist_judge(text, &asked);
        if (one > best)
            best = one;
    }
    return best;
}

static void persist_answered(void *arg, const struct resolver_result *r)
{
    struct attempt *a = arg;
    const char *name = record_name(a, PERSIST_LABEL);
    enum persist_answer best = persist_best(a, r);
    if (best == PERSIST_FITS)
        attempt_valid(a);
    else if (r->outcome != RESOLVER_FOUND)
        attempt_not_found(a, r, "TXT or CNAME", name);
    else
        attempt_invalid(a, COURIER_UNAUTHORIZED, "TXT at %s %s", name, persist_text(best));
}

static void persist_begin(struct attempt *a)
{
    const char *name = record_name(a, PERSIST_LABEL);
    attempt_doing(a, COURIER_DNS, "asking for TXT at %s", name);
    resolver_ask(a->resolver, name, DNS_TXT, persist_answered, a);
}

const struct attempt_kind attempt_persist = {.begin = persist_begin};

/* --- CAA --- */

/* `state`: the name whose records are asked for, a tail of the identifier. */
static void caa_ask(struct attempt *a, const char *name);

static void caa_judged(struct attempt *a, const struct resolver_result *r)
{
    const struct courier_checking *how = *a->how;
    struct caa_asked asked = {a->check->wildcard, a->check->account, a->check->method, how->issuers,
                              how->issuers_n};
    enum caa_answer answer = caa_judge(r->answer.rdata, r->answer.n, &asked);
    if (answer == CAA_PERMITS)
        attempt_valid(a);
    else
        attempt_invalid(a, COURIER_CAA_FORBIDS, "the CAA records at %s %s", (const char *)a->state,
                        caa_text(answer));
}

/* The first name with any CAA record decides; without any up to the top, everybody may (RFC 8659 3). */
static void caa_answered(void *arg, const struct resolver_result *r)
{
    struct attempt *a = arg;
    const char *name = a->state, *dot = strchr(name, '.');
    if (r->outcome == RESOLVER_FOUND)
        caa_judged(a, r);
    else if (r->outcome == RESOLVER_FAILED)
        attempt_invalid(a, COURIER_DNS, "CAA at %s: %s; without an answer nothing is issued (RFC 8659 3)",
                        name, r->why);
    else if (dot)
        caa_ask(a, dot + 1);
    else
        attempt_valid(a);
}

static void caa_ask(struct attempt *a, const char *name)
{
    a->state = (void *)(uintptr_t)name;
    attempt_doing(a, COURIER_DNS, "asking for CAA at %s", name);
    resolver_ask(a->resolver, name, DNS_CAA, caa_answered, a);
}

static void caa_begin(struct attempt *a)
{
    if (a->check->ip)
        attempt_valid(a);
    else
        caa_ask(a, a->check->identifier);
}

const struct attempt_kind attempt_caa = {.begin = caa_begin};
