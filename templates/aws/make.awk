# awk -f make.awk families.txt: one file for each of AWS Private CA's template names, into this folder.
# With -v check=1 nothing is written: the files that are not as they would be made are named, and the end is 1.

function trim(s) { gsub(/^ +| +$/, "", s); return s }
function list(s) { gsub(/ +/, ", ", s); return "[" s "]" }
function line(s) { text = text s "\n" }

function from_line(extra) {
    return "from: " (csr && api ? "[request, csr]" : csr ? "[csr]" : api ? "[request]" : "[template]") extra
}

function usages(group, value, critical,    free) {
    free = (value == "free")
    line(group ":")
    if (free)
        line("  " from_line(""))
    if (!free && value != "-")
        line("  usages: " list(value))
    if (!free && value != "-")
        line("  critical: " critical)
    line("  other: drop")
    line("")
}

function key_usage(value) {
    if (value == "free" || value !~ /keyEncipherment/) {
        usages("key_usage", value, "true")
        return
    }
    line("key_usage:")
    line("  usages: [digitalSignature]")
    line("  rsa: [keyEncipherment]    # an EC key cannot encipher (RFC 8813 3): left out there")
    line("  critical: true")
    line("  other: drop")
    line("")
}

function overrides(client,    why) {
    why = "as the service it stands in for; for askers you trust with it"
    line("overrides:")
    if (client)
        line("  subject-without-control: " why)
    if (client && eku != "free")
        line("  account-by-name: " why)
    if (eku == "free")
        line("  any-purpose: " why)
    if (csr || api)
        line("  open-extensions: " why)
    if (csr)
        line("  open-crl-location: " why)
    if (client)
        line("  wildcard-client: " why)
    line("  weak-keys: " why)
    line("  long-life: " why)
    line("")
}

function template(family, shape, ku, eku_text, variety,    name, ca, n, path, critical) {
    csr = (variety == "csr" || variety == "both")
    api = (variety == "api" || variety == "both")
    name = family (variety == "both" ? "_APICSRPassthrough" : csr ? "_CSRPassthrough" : api ? "_APIPassthrough" : "")
    file = tolower(name)
    gsub(/_/, "-", file)
    file = file "-v1.yaml"
    ca = (shape !~ /^leaf/)
    n = split(shape, path, " ")
    critical = (eku_text ~ /^!/) ? "true" : "false"
    eku = eku_text
    sub(/^!/, "", eku)
    internal = ca || eku == "OCSPSigning"
    text = ""
    line("# Made from families.txt by make.awk. Off until you put it into the daemon's folder of templates.")
    line("")
    line("name: aws/" name "/V1")
    line("description: AWS Private CA's " name "/V1")
    if (internal)
        line("internal: true")
    line("")
    if (!internal)
        overrides(eku == "free" || eku ~ /clientAuth/)
    line("validity:")
    line("  default: " (path[1] == "root" ? "3650d" : ca ? "1825d" : "395d"))
    line("  max: 36500d       # no bound but the issuer's end")
    line("  backdate: 1h")
    line("")
    line("keys:")
    line("  allow: [rsa, p256, p384, p521]")
    line("  rsa_min: 2048")
    line("")
    line("subject:")
    line("  allow: [DC, C, ST, L, street, O, organizationIdentifier, OU, title, dnQualifier, SN, GN, initials, pseudonym,")
    line("    serialNumber, UID, matterFabricId, matterVendorId, matterProductId, matterNodeId, CN, emailAddress]")
    if (ca)
        line("  require: [CN]")
    line("  cn: free")
    line("  from_request: " (api ? "true" : "false"))
    line("  other: drop")
    line("")
    line("sans:")
    line("  kinds: [dns, ip, uri, email, upn, dir, rid, other]")
    line("  wildcard: true")
    line("  from_request: " (api ? "true" : "false"))
    line("  other: drop")
    line("")
    key_usage(ku)
    usages("extended_key_usage", eku, critical)
    line("basic_constraints:")
    line("  ca: " (ca ? "true" : "false"))
    if (n > 1)
        line("  path_len: " path[2])
    line("  critical: " (shape == "leaf-plain" ? "false" : "true"))
    line("  other: drop")
    line("")
    line("pointers:")
    line("  ocsp: " (path[1] == "root" || ca ? "false" : "true"))
    line("  issuer: " (path[1] == "root" ? "false" : "true"))
    line("  crl: " (path[1] == "root" ? "false" : "true"))
    if (csr && path[1] != "root")
        line("  crl_from: [csr, issuer]")
    line("  crl_other: drop")
    line("")
    line("custom:")
    if (csr || api)
        line("  " from_line(""))
    line("  other: drop")
    put()
}

function put(    have, row) {
    if (!check) {
        printf "%s", text > (folder file)
        close(folder file)
        return
    }
    have = ""
    while ((getline row < (folder file)) > 0)
        have = have row "\n"
    close(folder file)
    if (have != text) {
        print folder file " is not what make.awk makes"
        bad = 1
    }
}

BEGIN { FS = "|" }
FNR == 1 { folder = FILENAME; sub(/[^\/]*$/, "", folder) }
/^#/ || NF < 5 { next }
{
    count = split(trim($5), varieties, " ")
    for (i = 1; i <= count; i++)
        template(trim($1), trim($2), trim($3), trim($4), varieties[i])
}
END { exit bad }
