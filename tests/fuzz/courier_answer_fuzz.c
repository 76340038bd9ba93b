/* What a DNS server answers, and what its records say: read within their octets, and never both ways. */
#include "fuzz.h"

#include "caa.h"
#include "dns_answer.h"
#include "persist.h"

enum { FUZZ_ARENA_BYTES = 32 << 20 };

static void judge(const struct dns_answer *a, struct arena *arena)
{
    static const char *const ours[] = {"ca.example"};
    const struct caa_asked caa = {false, "https://ca.example/1", "http-01", ours, 1};
    const struct persist_asked persist = {false, "https://ca.example/1", ours, 1, 1000};
    struct view text;
    caa_judge(a->rdata, a->n, &caa);
    for (size_t i = 0; i < a->n; i++)
        if (dns_answer_txt(a->rdata[i], arena, &text)) {
            CHECK(text.n <= a->rdata[i].n);
            persist_judge(text, &persist);
        }
    for (size_t i = 0; i < a->aliases_n; i++)
        persist_is_target(a->aliases[i], &persist, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = {DNS_TXT, DNS_CAA};
    if (size > UINT16_MAX) /* no message is longer */
        return 0;
    for (size_t i = 0; i < 2; i++) {
        struct arena *arena = arena_new(FUZZ_ARENA_BYTES);
        struct dns_answer answer;
        struct err *e = dns_answer_read(view_of(data, size), "a.example", types[i], arena, &answer);
        if (!e)
            judge(&answer, arena);
        err_free(e);
        arena_free(arena);
    }
    return 0;
}
