/*
 * world-ctl: makes the page of world_test.h and pokes it from shell tests. README.md has the words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "world_test.h"

static const char *const action_names[] = {"count", "kill",  "errno",  "stall",
                                           "delay", "short", "result", "off"};

static const struct {
    const char *name;
    int value;
} errnos[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EACCES", EACCES},         {"EMFILE", EMFILE},
              {"EPIPE", EPIPE},   {"EAGAIN", EAGAIN}, {"ECONNRESET", ECONNRESET}, {"EROFS", EROFS},
              {"EDQUOT", EDQUOT}, {"ENOMEM", ENOMEM}};

static int usage(void)
{
    fputs(
        "world-ctl PAGE create | shift|wall|mono TIME | freeze | thaw\n"
        "  | rule NAME count|kill|errno|stall|delay|short|result|off [VALUE] [after=N] [times=N] [process=P] "
        "[path=S]\n"
        "  | clear [INDEX] | count NAME [PROCESS] | wait NAME N [SECONDS] | show\n"
        "TIME: 90d, -12h, 30m, 5s, 250ms; 0 sets back\n",
        stderr);
    return 2;
}

static int64_t time_ms(const char *text)
{
    char *unit;
    int64_t n = strtoll(text, &unit, 10);
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].unit) == 0)
            return n * units[i].ms;
    if (n != 0 || *unit)
        exit(usage());
    return 0;
}

static void move(atomic_llong *offset, int64_t ms)
{
    if (ms == 0)
        atomic_store(offset, 0);
    else
        atomic_fetch_add(offset, ms);
}

static int64_t value_of(const char *text)
{
    for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
        if (strcmp(text, errnos[i].name) == 0)
            return errnos[i].value;
    return strtoll(text, NULL, 0);
}

static uint32_t action_of(const char *text)
{
    for (uint32_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++)
        if (strcmp(text, action_names[i]) == 0)
            return i;
    exit(usage());
}

static int rule(struct world_page *p, int argc, char **argv)
{
    if (argc < 2)
        return usage();
    struct world_rule r = {.action = action_of(argv[1])};
    r.times = r.action == WORLD_KILL ? 1 : 0; /* else what is started again dies again */
    snprintf(r.name, sizeof(r.name), "%s", argv[0]);
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "after=", 6) == 0)
            r.after = strtoull(argv[i] + 6, NULL, 10);
        else if (strncmp(argv[i], "times=", 6) == 0)
            r.times = strtoull(argv[i] + 6, NULL, 10);
        else if (strncmp(argv[i], "process=", 8) == 0)
            snprintf(r.process, sizeof(r.process), "%s", argv[i] + 8);
        else if (strncmp(argv[i], "path=", 5) == 0)
            snprintf(r.path, sizeof(r.path), "%s", argv[i] + 5);
        else
            r.value = value_of(argv[i]);
    }
    int at = world_page_rule(p, &r);
    printf("%d\n", at);
    return at < 0;
}

static int wait_for(const struct world_page *p, const char *name, unsigned long long n, long seconds)
{
    struct timespec nap = {0, 5000000};
    for (long i = 0; i < seconds * 200; i++) {
        if (world_page_count(p, name, NULL) >= n)
            return 0;
        nanosleep(&nap, NULL);
    }
    fprintf(stderr, "%s was passed %llu times, not %llu\n", name, world_page_count(p, name, NULL), n);
    return 1;
}

static int show(const struct world_page *p)
{
    printf("wall %+lld ms, mono %+lld ms%s\n", atomic_load(&p->wall_offset_ms),
           atomic_load(&p->mono_offset_ms), atomic_load(&p->frozen_ms) ? ", frozen" : "");
    for (int i = 0; i < WORLD_RULES; i++) {
        const struct world_rule *r = &p->rules[i];
        if (atomic_load(&r->state) == WORLD_RULE_ON)
            printf("rule %d: %s %s value=%lld after=%llu times=%llu process=%s path=%s seen=%llu\n", i,
                   r->name, action_names[r->action], (long long)r->value, (unsigned long long)r->after,
                   (unsigned long long)r->times, r->process, r->path, atomic_load(&r->seen));
    }
    for (int i = 0; i < WORLD_COUNTERS; i++) {
        const struct world_counter *c = &p->counters[i];
        if (atomic_load(&c->state) == WORLD_RULE_ON)
            printf("%s %s %llu\n", c->process, c->name, atomic_load(&c->n));
    }
    return 0;
}

static int clock_word(struct world_page *p, const char *word, int argc, char **argv)
{
    struct timespec t;
    if (strcmp(word, "thaw") == 0)
        return atomic_store(&p->frozen_ms, 0), 0;
    if (strcmp(word, "freeze") == 0) {
        clock_gettime(CLOCK_REALTIME, &t);
        return atomic_store(&p->frozen_ms, (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000), 0;
    }
    if (argc != 1)
        return usage();
    int64_t ms = time_ms(argv[0]);
    if (strcmp(word, "mono") != 0)
        move(&p->wall_offset_ms, ms);
    if (strcmp(word, "wall") != 0)
        move(&p->mono_offset_ms, ms);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return usage();
    const char *word = argv[2];
    bool create = strcmp(word, "create") == 0;
    struct world_page *p = create ? world_page_create(argv[1]) : world_page_open(argv[1]);
    if (!p) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    argc -= 3;
    argv += 3;
    if (create)
        return 0;
    if (strcmp(word, "rule") == 0)
        return rule(p, argc, argv);
    if (strcmp(word, "clear") == 0)
        return world_page_clear(p, argc > 0 ? atoi(argv[0]) : -1), 0;
    if (strcmp(word, "count") == 0 && argc > 0)
        return printf("%llu\n", world_page_count(p, argv[0], argc > 1 ? argv[1] : NULL)) < 0;
    if (strcmp(word, "wait") == 0 && argc > 1)
        return wait_for(p, argv[0], strtoull(argv[1], NULL, 10), argc > 2 ? atol(argv[2]) : 10);
    if (strcmp(word, "show") == 0)
        return show(p);
    for (const char *const *w = (const char *const[]){"shift", "wall", "mono", "freeze", "thaw", NULL}; *w;
         w++)
        if (strcmp(word, *w) == 0)
            return clock_word(p, word, argc, argv);
    return usage();
}
