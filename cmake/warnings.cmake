# Interface targets that each of our targets links privately: warnings, sanitizers, the language level.
add_library(pen_warnings INTERFACE)
target_compile_options(pen_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wcast-qual -Wcast-align
    -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
    $<$<COMPILE_LANGUAGE:C>:-Wpedantic -Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${PEN_WERROR}>:-Werror>)
target_compile_definitions(pen_warnings INTERFACE _GNU_SOURCE)
target_compile_options(pen_warnings INTERFACE -fvisibility=hidden -ffp-contract=off -fstack-protector-strong)

add_library(pen_sanitizers INTERFACE)
if(PEN_SANITIZE)
    target_compile_options(pen_sanitizers INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(pen_sanitizers INTERFACE -fsanitize=address,undefined)
endif()

if(PEN_FUZZ)
    target_compile_options(pen_sanitizers INTERFACE -fsanitize=fuzzer-no-link,address,undefined
        -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(pen_sanitizers INTERFACE -fsanitize=address,undefined)
endif()

# One static library a floor: pen_floor(datasets LINKS pen_core). Rooms add their files with pen_room().
function(pen_floor name)
    cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/floors/${name}.c CONTENT "typedef int pen_floor_${name};\n")
    add_library(pen_${name} STATIC ${CMAKE_BINARY_DIR}/floors/${name}.c)
    target_include_directories(pen_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    target_link_libraries(pen_${name} PUBLIC ${ARG_LINKS} PRIVATE pen_warnings pen_sanitizers)
endfunction()

# pen_room(components file.c ...): adds sources to the floor's library; paths relative to the calling folder.
function(pen_room floor)
    foreach(source ${ARGN})
        target_sources(pen_${floor} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    endforeach()
endfunction()
