# room(NAME SOURCES a.c b.c USES base cert LIBS PkgConfig::OPENSSL)
#
# Makes the static library room_NAME. Its public headers are NAME/include; what it USES is visible to it
# alone (PRIVATE), so a room that wants a header must say so in its own list.
function(room NAME)
  cmake_parse_arguments(R "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(room_${NAME} STATIC ${R_SOURCES})
  target_include_directories(room_${NAME} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(use IN LISTS R_USES)
    target_link_libraries(room_${NAME} PRIVATE room_${use})
  endforeach()
  target_link_libraries(room_${NAME} PRIVATE ${R_LIBS})
endfunction()

# unit(ROOM NAME USES base cert LIBS ...): tests/unit/ROOM/NAME_test.c, a cmocka program run by ctest as
# unit/ROOM/NAME. It sees the room's private headers too.
function(unit ROOM NAME)
  cmake_parse_arguments(U "" "" "SOURCES;USES;LIBS" ${ARGN})
  set(target unit_${ROOM}_${NAME})
  add_executable(${target} ${NAME}_test.c ${U_SOURCES})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/${ROOM})
  target_link_libraries(${target} PRIVATE room_${ROOM})
  foreach(use IN LISTS U_USES)
    target_link_libraries(${target} PRIVATE room_${use})
  endforeach()
  target_link_libraries(${target} PRIVATE ${U_LIBS} world_real PkgConfig::CMOCKA)
  add_test(NAME unit/${ROOM}/${NAME} COMMAND ${target})
  set_tests_properties(unit/${ROOM}/${NAME} PROPERTIES TIMEOUT 120)
endfunction()
