/* What answers each kind of frame (frames.def), one function for each. The vault's loop. */
#ifndef CHANCERY_HSM_HANDLERS_H
#define CHANCERY_HSM_HANDLERS_H

struct err;
struct vault_call; /* vault.h */

typedef struct err *vault_handler(struct vault_call *call);
vault_handler vault_cert_lease, vault_cert_judge, vault_cert_seal, vault_cert_seal_proved, vault_crl_seal,
    vault_crl_floor, vault_ocsp_seal, vault_ocsp_key, vault_nonce, vault_info, vault_roll_read,
    vault_roll_find, vault_ceremony_key, vault_ceremony_seal, vault_act_do, vault_freeze,
    vault_ceremony_adopt, vault_ceremony_find, vault_request_seal, vault_other_seal, vault_grant_seal,
    vault_log_key, vault_head_last, vault_head_seal;

#endif
