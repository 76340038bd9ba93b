/*
 * What powercut.bats does to a ledger, and what must be left of it.
 *
 *     fault-powercut write DIR N        appends, each told of when it is durable (powercut.c writes that
 * down) fault-powercut check DIR:TOLD...  each a ledger as a power cut left it: whole, and with all that was
 * told
 *
 * check prints the folders where it is not so, and ends non-zero where there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "ledger.h"
#include "ledger_verify.h"

/* powercut.c's, where it is loaded. */
__attribute__((weak)) void powercut_told(unsigned long long n);

static struct err *append(struct ledger *l, const struct ledger_entry *entry, uint64_t *ret)
{
    struct ledger_result r;
    struct err *e = ledger_append_wait(l, entry, &r);
    if (e)
        return e;
    *ret = r.seq;
    if (powercut_told)
        powercut_told(r.seq);
    return NULL;
}

/* An intent, its record, and a revocation of every third. */
static struct err *append_one(struct ledger *l, unsigned i)
{
    struct err *e = NULL;
    uint64_t intent, seq;
    uint8_t serial[SERIAL_BYTES] = {0x40, (uint8_t)(i >> 8), (uint8_t)i}, spki[SHA256_BYTES] = {(uint8_t)i},
            tbs[700] = {(uint8_t)(i >> 8), (uint8_t)i};
    const char *const names[] = {"dns:power.example"};
    struct ledger_entry en = {.kind = LEDGER_INTENT,
                              .actor = "powercut",
                              .issuer = "issuing",
                              .serial = view_of(serial, sizeof serial),
                              .body.intent = {.template = "server",
                                              .names = {1, names},
                                              .not_after = 2000000000,
                                              .spki_sha256 = view_of(spki, sizeof spki),
                                              .tbs = view_of(tbs, sizeof tbs)}};
    TRY(append(l, &en, &intent));
    en = (struct ledger_entry){
        .kind = LEDGER_RECORD,
        .ref = intent,
        .body.record = {.n = i + 1, .alg = "ecdsa-sha256", .signature = view_str("signature")}};
    TRY(append(l, &en, &seq));
    if (i % 3 != 0)
        return NULL;
    en = (struct ledger_entry){.kind = LEDGER_REVOKE,
                               .issuer = "issuing",
                               .serial = view_of(serial, sizeof serial),
                               .body.revoke = {.reason = 1}};
    TRY(append(l, &en, &seq));
out:
    return e;
}

static struct err *fill(const char *dir, unsigned n)
{
    struct err *e = NULL;
    struct ledger *l = NULL;
    TRY(ledger_open(dir, &(struct ledger_options){.map_bytes = 64 << 20}, NULL, &l));
    for (unsigned i = 0; i < n; i++)
        TRY(append_one(l, i));
out:
    ledger_close(l);
    return e;
}

static struct err *check(const char *dir, uint64_t told)
{
    struct err *e = NULL;
    struct ledger *l = NULL;
    const struct ledger_verify how = {.live = false};
    struct ledger_verify_report report;
    TRY(ledger_open(dir, &(struct ledger_options){.map_bytes = 64 << 20}, NULL, &l));
    TRY(ledger_verify(l, &how, &report));
    if (report.findings)
        TRY(err_new(ERR_CORRUPT, "%llu findings", (unsigned long long)report.findings));
    if (report.entries < told)
        TRY(err_new(ERR_CORRUPT, "it ends at entry %llu, %llu was told of",
                    (unsigned long long)report.entries, (unsigned long long)told));
out:
    ledger_close(l);
    return e;
}

/* In a process of its own: what is broken enough may end it. */
static bool is_whole(const char *dir, uint64_t told)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct err *e = check(dir, told);
        if (e)
            printf("%s: %s\n", dir, err_detail(e));
        fflush(stdout);
        _exit(e ? 1 : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    if (WIFSIGNALED(status))
        printf("%s: ended by signal %d\n", dir, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    int wrong = 0;
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        struct err *e = fill(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
        if (e)
            fprintf(stderr, "%s\n", err_detail(e));
        return e ? 1 : 0;
    }
    if (argc < 3 || strcmp(argv[1], "check") != 0)
        return 2;
    for (int i = 2; i < argc; i++) {
        char *colon = strrchr(argv[i], ':');
        if (!colon)
            return 2;
        *colon = '\0';
        if (!is_whole(argv[i], strtoull(colon + 1, NULL, 10)))
            wrong = 1;
    }
    return wrong;
}
