/* Acts looked at afterwards: the ledger's book of them against the vault's, and every signature again. */
#ifndef CHANCERY_CLI_LEDGER_ACTS_H
#define CHANCERY_CLI_LEDGER_ACTS_H

#include "base/digest.h"
#include "cli.h"
#include "hsm_act.h"
#include "ledger_act.h"

struct ledger_acts_rolled { /* an act in the seal roll */
    uint64_t n;
    uint8_t id[HSM_ACT_ID_BYTES], sha256[SHA256_BYTES];
};
struct ledger_acts {
    struct cli *cli;
    struct view vault; /* the roll's id; acts for others of these are not looked at */
    const struct view *vaults;
    size_t vaults_n;
    const struct ledger_acts_rolled *rolled;
    size_t rolled_n;
    uint64_t last; /* the roll's last number as it was read: acts past it are newer */
    void (*finding)(void *arg, uint64_t seq, const char *what);
    void *arg;
    uint64_t done, findings; /* counted here */
};
/* Each act noted as done: approved then by the roster then in force, and in the roll as it is. Each act in
 * the roll: asked for in the ledger and approved there. */
MUST_USE struct err *ledger_acts_check(struct ledger_acts *a, struct ledger *ledger);

#endif
