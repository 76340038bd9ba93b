/*
 * A main for the harnesses where libFuzzer is not: every file of the folder given, whole, cut at every octet,
 * and with single octets changed. What it does is the same on every run.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_MAX = 16384 };

/* A copy on the heap, so that a sanitizer sees what is read past it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    CHECK(copy);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_changed(uint8_t *data, size_t size)
{
    static const uint8_t octets[] = {0x00, 0x30, 0x7f, 0x80, 0x84, 0xff};
    for (size_t i = 0; i < size; i++) {
        uint8_t was = data[i];
        for (size_t j = 0; j < sizeof octets; j++) {
            data[i] = octets[j];
            run(data, size);
        }
        data[i] = was ^ 1;
        run(data, size);
        data[i] = was;
    }
}

static int run_file(const char *folder, const char *name)
{
    char path[4096];
    uint8_t data[SEED_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    for (size_t n = 0; n <= size; n++)
        run(data, n);
    run_changed(data, size);
    return 1;
}

int main(int argc, char **argv)
{
    int files = 0;
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.')
            files += run_file(argv[1], entry->d_name);
    }
    closedir(dir);
    printf("%d seeds\n", files);
    return files ? 0 : 1;
}
