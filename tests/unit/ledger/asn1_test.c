/* doc/chancery-log.asn1 is what the program writes: the kinds, and each body's fields in order, from the same
 * tables. Where it is not, the module as it should be is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "entry.h"

enum { KINDS_MAX = 256, MODULE_BYTES = 256 * 1024 };

static const char head[] =
    "-- Entries of the ledger and of its exports, DER. Made from the program's own tables: "
    "tests/unit/ledger/asn1_test.c\n"
    "-- holds it to them. A reader skips what it does not know: kinds without a body here, and fields past "
    "the last.\n"
    "Chancery-Log DEFINITIONS EXPLICIT TAGS ::= BEGIN\n"
    "\n"
    "Value ::= SEQUENCE {\n"
    "    header  Header,\n"
    "    body    OCTET STRING  -- DER of the Body- of its kind\n"
    "}\n"
    "\n"
    "-- A leaf of the tree (RFC 9162 2.1.1) is SHA-256(0x00 || DER of Header).\n"
    "Header ::= SEQUENCE {\n"
    "    version   INTEGER (1),\n"
    "    seq       INTEGER (1..MAX),  -- without a gap; the leaf has index seq - 1\n"
    "    time-ms   INTEGER (0..MAX),  -- since 1970, of the commit\n"
    "    ref       INTEGER (0..MAX),  -- seq of the entry this one ends or goes on from; 0: none\n"
    "    kind      Kind,\n"
    "    actor     UTF8String,        -- who\n"
    "    door      UTF8String,        -- by which path\n"
    "    peer      UTF8String,        -- from where\n"
    "    request   UTF8String,\n"
    "    issuer    UTF8String,\n"
    "    serial    OCTET STRING,      -- 20 octets, or empty\n"
    "    bodyHash  OCTET STRING (SIZE(32))\n"
    "}\n"
    "\n"
    "-- `chancery ledger export` writes Export-Head, Export-Roll as often as it says, Export-Entry for each, "
    "Export-End.\n"
    "Export-Head ::= SEQUENCE {\n"
    "    name     UTF8String,         -- \"chancery-export\"\n"
    "    version  INTEGER (1),\n"
    "    entries  INTEGER (0..MAX),\n"
    "    made-ms  INTEGER (0..MAX),\n"
    "    rolls    INTEGER (0..MAX)\n"
    "}\n"
    "Export-Roll ::= OCTET STRING     -- a vault's roll.der\n"
    "Export-Entry ::= SEQUENCE { leaf OCTET STRING (SIZE(32)), value Value }\n"
    "Export-End ::= SEQUENCE {\n"
    "    entries  INTEGER (0..MAX),\n"
    "    root     OCTET STRING (SIZE(32)),\n"
    "    sha256   OCTET STRING (SIZE(32))  -- of all octets before Export-End\n"
    "}\n"
    "\n"
    "Kind ::= ENUMERATED {\n";

/* "not_after": not-after; "object.id": object-id. */
static void put_name(FILE *to, const char *name)
{
    for (; *name; name++)
        fputc(*name == '_' || *name == '.' ? '-' : *name, to);
}

static void put_kinds(FILE *to)
{
    const char *between = "";
    for (unsigned k = 1; k < KINDS_MAX; k++)
        if (entry_kind_known(k)) {
            fprintf(to, "%s    %s(%u)", between, ledger_kind_text(k), k);
            between = ",\n";
        }
    fputs(",\n    ...\n}\n", to);
}

static void put_body(FILE *to, unsigned kind)
{
    struct entry_field f;
    fprintf(to, "\nBody-%s ::= SEQUENCE {\n", ledger_kind_text(kind));
    for (size_t i = 0; entry_body_field(kind, i, &f); i++) {
        fputs(i ? ",\n    " : "    ", to);
        put_name(to, f.name);
        fprintf(to, " %s%s", f.asn1, f.later ? " OPTIONAL" : "");
    }
    fputs("\n}\n", to);
}

static void the_module_is_the_program_s(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    struct view file;
    struct arena *arena = arena_new(MODULE_BYTES);
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    fputs(head, to);
    put_kinds(to);
    for (unsigned k = 1; k < KINDS_MAX; k++)
        if (entry_kind_known(k))
            put_body(to, k);
    fputs("\nEND\n", to);
    fclose(to);
    struct err *e = file_read(DOC_DIR "/chancery-log.asn1", MODULE_BYTES, arena, &file);
    if (e || !view_eq(file, view_of(text, n))) {
        printf("%s", text);
        fail_msg("doc/chancery-log.asn1 is not this");
    }
    free(text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_module_is_the_program_s)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
