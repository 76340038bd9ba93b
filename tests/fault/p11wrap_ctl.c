/*
 * p11wrap-ctl: reads the counters of a p11wrap page and sets its rules, for shell tests. See usage(). Never
 * calls a module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "p11wrap.h"

static const struct {
    const char *name;
    enum p11wrap_action action;
} actions[] = {
    {"fail", P11WRAP_FAIL},  {"fail-after", P11WRAP_FAIL_AFTER}, {"delay", P11WRAP_DELAY},
    {"hang", P11WRAP_HANG},  {"crash", P11WRAP_CRASH},           {"crash-after", P11WRAP_CRASH_AFTER},
    {"clear", P11WRAP_NONE},
};

static int usage(void)
{
    (void)fputs("usage: p11wrap-ctl PAGE create\n"
                "       p11wrap-ctl PAGE show\n"
                "       p11wrap-ctl PAGE count FUNCTION           calls begun\n"
                "       p11wrap-ctl PAGE good FUNCTION            calls that gave CKR_OK\n"
                "       p11wrap-ctl PAGE wait FUNCTION N [SECONDS]  until so many were begun\n"
                "       p11wrap-ctl PAGE flags BITS               or-ed into the token's flags\n"
                "       p11wrap-ctl PAGE rule FUNCTION fail|fail-after CKR [skip=N] [times=N]\n"
                "       p11wrap-ctl PAGE rule FUNCTION delay MS [skip=N] [times=N]\n"
                "       p11wrap-ctl PAGE rule FUNCTION hang|crash|crash-after [skip=N] [times=N]\n"
                "       p11wrap-ctl PAGE rule FUNCTION clear\n",
                stderr);
    return 2;
}

static int show(struct p11wrap_page *page)
{
    for (int i = 0; i < P11WRAP__COUNT; i++)
        if (atomic_load(&page->calls[i]))
            (void)printf("%s %llu %llu\n", p11wrap_call_name((enum p11wrap_call)i),
                         atomic_load(&page->calls[i]), atomic_load(&page->good[i]));
    return 0;
}

static int wait_for(struct p11wrap_page *page, enum p11wrap_call call, unsigned long long n, long seconds)
{
    struct timespec ts = {0, 10000000};

    for (long i = 0; i < seconds * 100; i++) {
        if (atomic_load(&page->calls[call]) >= n)
            return 0;
        nanosleep(&ts, NULL);
    }
    (void)fprintf(stderr, "p11wrap-ctl: only %llu calls of %s\n", atomic_load(&page->calls[call]),
                  p11wrap_call_name(call));
    return 1;
}

/* argv: ACTION [VALUE] [skip=N] [times=N] */
static int rule(struct p11wrap_page *page, enum p11wrap_call call, int argc, char **argv)
{
    unsigned long value = 0;
    long long skip = 0, times = 0;
    size_t a = 0;

    while (a < sizeof actions / sizeof actions[0] && strcmp(argv[0], actions[a].name) != 0)
        a++;
    if (a == sizeof actions / sizeof actions[0])
        return usage();
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "skip=", 5) == 0)
            skip = strtoll(argv[i] + 5, NULL, 0);
        else if (strncmp(argv[i], "times=", 6) == 0)
            times = strtoll(argv[i] + 6, NULL, 0);
        else
            value = strtoul(argv[i], NULL, 0);
    }
    p11wrap_rule_set(page, call, actions[a].action, value, skip, times);
    return 0;
}

static int with_call(struct p11wrap_page *page, int argc, char **argv)
{
    enum p11wrap_call call = p11wrap_call_of(argv[1]);

    if (call == P11WRAP__COUNT) {
        (void)fprintf(stderr, "p11wrap-ctl: %s is not wrapped\n", argv[1]);
        return 2;
    }
    if (strcmp(argv[0], "count") == 0)
        return printf("%llu\n", atomic_load(&page->calls[call])) < 0;
    if (strcmp(argv[0], "good") == 0)
        return printf("%llu\n", atomic_load(&page->good[call])) < 0;
    if (strcmp(argv[0], "wait") == 0 && argc >= 3)
        return wait_for(page, call, strtoull(argv[2], NULL, 0), argc > 3 ? strtol(argv[3], NULL, 0) : 10);
    if (strcmp(argv[0], "rule") == 0 && argc >= 3)
        return rule(page, call, argc - 2, argv + 2);
    return usage();
}

int main(int argc, char **argv)
{
    int create = argc == 3 && strcmp(argv[2], "create") == 0;
    struct p11wrap_page *page = argc >= 3 ? p11wrap_page_map(argv[1], create) : NULL;

    if (argc < 3)
        return usage();
    if (!page || atomic_load(&page->magic) != P11WRAP_MAGIC) {
        perror(argv[1]);
        return 1;
    }
    if (create)
        return 0;
    if (strcmp(argv[2], "show") == 0)
        return show(page);
    if (strcmp(argv[2], "flags") == 0 && argc == 4) {
        atomic_store(&page->token_flags, strtoul(argv[3], NULL, 0));
        return 0;
    }
    return argc >= 4 ? with_call(page, argc - 2, argv + 2) : usage();
}
