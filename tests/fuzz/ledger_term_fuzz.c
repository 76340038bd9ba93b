/* Names and networks from outside: a name has the terms it is asked for by, a network holds what it is made
 * of. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "term.h"

struct wanted {
    uint64_t term;
    bool found;
};

static void emit(void *arg, uint64_t term)
{
    struct wanted *w = arg;
    w->found = w->found || term == w->term;
}

static bool has(const char *name, uint64_t term)
{
    struct wanted w = {.term = term};
    const struct ledger_entry en = {
        .kind = LEDGER_INTENT,
        .actor = "",
        .issuer = "",
        .body.intent = {.template = "", .subject = "", .names = {1, &name}, .spki_sha256 = view_of("x", 1)}};
    term_each(&en, emit, &w);
    return w.found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2400];
    struct term_net net;
    uint8_t hash[SHA256_BYTES];
    struct arena *arena = arena_new(1 << 20);
    size = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = 0;
    CHECK(has(text, term_of(TERM_NAME, view_str(text))));
    CHECK(has(text, term_under(text)));
    CHECK(term_lies_under(text, text));
    if (term_net_parse(text, &net) && !strchr(text, '/')) {
        char name[2410];
        snprintf(name, sizeof name, "ip:%s", text);
        CHECK(term_net_has(&net, name));
        CHECK(has(name, term_of_net(&net)));
    }
    term_fingerprint(view_of(data, size), view_of(data, size / 2), arena, hash);
    arena_free(arena);
    return 0;
}
