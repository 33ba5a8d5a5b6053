# libpenstock.so: all floors in one shared library, for programs and user modules; headers, CMake package, pkg-config.
add_library(pen_library SHARED ${CMAKE_BINARY_DIR}/floors/core.c)
set_target_properties(pen_library PROPERTIES OUTPUT_NAME penstock VERSION ${PROJECT_VERSION} SOVERSION 0
    EXPORT_NAME penstock)
target_link_libraries(pen_library PRIVATE
    -Wl,--whole-archive pen_components pen_datasets pen_kernels pen_core -Wl,--no-whole-archive
    pen_sanitizers)
target_include_directories(pen_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/penstock>)

install(TARGETS penstock RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS pen_library EXPORT penstock_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(floor core kernels datasets components)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${floor} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/penstock
        FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/orchestrator/notebook/penstock.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock/python)

include(CMakePackageConfigHelpers)
install(EXPORT penstock_targets NAMESPACE penstock:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/penstock
    FILE penstock-targets.cmake)
file(WRITE ${CMAKE_BINARY_DIR}/penstock-config.cmake
    "include(\"\${CMAKE_CURRENT_LIST_DIR}/penstock-targets.cmake\")\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/penstock-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/penstock-config.cmake ${CMAKE_BINARY_DIR}/penstock-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/penstock)
file(WRITE ${CMAKE_BINARY_DIR}/penstock.pc
"prefix=${CMAKE_INSTALL_PREFIX}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}

Name: penstock
Description: ${PROJECT_DESCRIPTION}
Version: ${PROJECT_VERSION}
Libs: -L\${libdir} -lpenstock
Cflags: -I\${includedir}/penstock
")
install(FILES ${CMAKE_BINARY_DIR}/penstock.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
