/* Bodies of entries about what the roster must approve (hsm_act.h): for ledger_entry.h. The ledger knows an
 * act by its id, and its bytes as bytes. */
#ifndef CHANCERY_LEDGER_ENTRY_ACT_H
#define CHANCERY_LEDGER_ENTRY_ACT_H

#include "base/view.h"

enum { LEDGER_ACT_ID_BYTES = 16, LEDGER_ACT_PAYLOAD_BYTES = 64 * 1024 };

struct ledger_act {
    struct view id;        /* LEDGER_ACT_ID_BYTES */
    struct view act;       /* DER */
    struct view signature; /* DER, the asker's */
    struct view payload;   /* what the act's objectHash is over, or empty */
};

struct ledger_act_sign {
    struct view signature;
};

struct ledger_roster {
    struct view canonical;
    struct view sha256;
};

#endif
