# Warnings are errors; hardening is on in every build that ships.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Wpedantic -Werror
  -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef
  -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough
  -fno-common -fstack-protector-strong -fcf-protection)
add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

# "Untouched on failure" is our idiom for ret_ parameters, and gcc cannot see that a NULL error means "set".
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-maybe-uninitialized)
endif()

set(CHANCERY_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")
option(CHANCERY_FUZZ "build the fuzz harnesses (clang, libFuzzer)" OFF)

if(CHANCERY_SANITIZE)
  add_compile_options(-fsanitize=${CHANCERY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CHANCERY_SANITIZE})
else()
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  include(CheckPIESupported)
  check_pie_supported()
endif()

if(CHANCERY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
