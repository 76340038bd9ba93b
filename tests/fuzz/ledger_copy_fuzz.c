/* A file of a backup: whatever it holds, reading it stays inside it and ends. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "copy_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/chancery-fuzz-XXXXXX";
    struct tree after;
    struct copy_name name;
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, data, size) == (ssize_t)size);
    close(fd);
    err_free(copy_check(path, &after));
    unlink(path);
    char text[64] = {0};
    memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
    CHECK(!copy_name_read(text, &name) || name.to >= name.from);
    return 0;
}
