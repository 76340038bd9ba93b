/* The example of `chanceryd --help`: a whole small configuration, parsed by a test. */
#include "config.h"

const char *config_example(void)
{
    return "public_url: http://pki.example.internal\n"
           "https_url: https://ca.example.internal:8443\n"
           "names: [ca.example.internal]\n"
           "listen:\n"
           "  https: [\"0.0.0.0:8443\", \"[::]:8443\"]\n"
           "  http: [\"0.0.0.0:80\", \"[::]:80\"]\n"
           "tokens:\n"
           "  - name: main\n"
           "    module: /usr/lib/softhsm/libsofthsm2.so\n"
           "    uri: pkcs11:token=chancery\n"
           "    pin_file: secret/pin\n"
           "    env: {SOFTHSM2_CONF: /etc/chancery/softhsm2.conf}\n"
           "    writes: [token]\n"
           "issuers:\n"
           "  - name: root\n"
           "    key: pkcs11:object=root\n"
           "    certificate: issuers/root.pem\n"
           "    issue: false\n"
           "    crl: {every: 7d, lifetime: 30d}\n"
           "  - name: issuing\n"
           "    key: pkcs11:object=issuing\n"
           "    certificate: issuers/issuing.pem\n"
           "users: {front: chancery-front, vault: chancery-vault, responder: chancery-responder, courier: "
           "chancery-courier}\n";
}
