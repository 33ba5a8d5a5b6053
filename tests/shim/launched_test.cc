/* Whether the tests before this one launched every kernel there is: each instantiation that was compiled, as this
 * program's own symbols list them. Kernels' names end in _k; those of shim_test.cc, which it launches in
 * children, lie in the namespace planted. */
#include "tests/pen_test.h"
#include "tests/shim/shim.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

extern "C" const struct pen_test_suite pen_suite_launched;

namespace
{

std::string demangled(const char *symbol)
{
    int status = 0;
    char *text = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    std::string name = status == 0 ? text : symbol;
    std::free(text);
    const std::string unnamed = "(anonymous namespace)::";
    for (size_t at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed)) {
        name.erase(at, unnamed.size());
    }
    return name;
}

/* "void map_k<(pen_map)3>(double*)": a function's name that ends in _k, with or without template arguments; not a piece
 * of one that the compiler cut off ("[clone .cold]"). */
bool is_kernel(const std::string &name)
{
    size_t end = name.find_first_of("<(");
    return end != std::string::npos && end >= 2 && name.compare(end - 2, 2, "_k") == 0 &&
           name.find("planted::") == std::string::npos && name.find("[clone ") == std::string::npos;
}

/* Where the program was loaded. */
uintptr_t load_address(void)
{
    uintptr_t address = 0;
    (void)dl_iterate_phdr(
        [](struct dl_phdr_info *info, size_t, void *out) {
            *static_cast<uintptr_t *>(out) = info->dlpi_addr;
            return 1; /* the first one is the program */
        },
        &address);
    return address;
}

/* Address and name of every kernel; none without a symbol table. */
std::map<uintptr_t, std::string> list_kernels(void)
{
    std::ifstream file("/proc/self/exe", std::ios::binary);
    std::vector<char> image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::map<uintptr_t, std::string> kernels;
    ElfW(Ehdr) header;
    std::memcpy(&header, image.data(), sizeof header);
    std::vector<ElfW(Shdr)> sections(header.e_shnum);
    std::memcpy(sections.data(), image.data() + header.e_shoff, sections.size() * sizeof sections[0]);
    for (const auto &section : sections) {
        if (section.sh_type != SHT_SYMTAB) {
            continue;
        }
        std::vector<ElfW(Sym)> symbols(section.sh_size / sizeof(ElfW(Sym)));
        std::memcpy(symbols.data(), image.data() + section.sh_offset, section.sh_size);
        const char *names = image.data() + sections[section.sh_link].sh_offset;
        for (const auto &symbol : symbols) {
            std::string name = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF
                                   ? demangled(names + symbol.st_name)
                                   : "";
            if (is_kernel(name)) {
                kernels[load_address() + symbol.st_value] = name;
            }
        }
    }
    return kernels;
}

void every_kernel(void)
{
    if (!pen_test_runs_all()) {
        PEN_SKIP("only some tests run");
    }
    std::map<uintptr_t, std::string> kernels = list_kernels();
    size_t n_launched = 0;
    for (const auto &kernel : kernels) {
        bool launched = pen_shim::was_launched(reinterpret_cast<const void *>(kernel.first));
        n_launched += launched;
        PEN_CHECK_MSG(launched, "no test launches %s", kernel.second.c_str());
    }
    std::printf("kernels: %zu defined, %zu launched\n", kernels.size(), n_launched);
    PEN_CHECK(!kernels.empty());
}

const pen_test_case launched_cases[] = {PEN_CASE(every_kernel)};

} // namespace

const struct pen_test_suite pen_suite_launched = {"launched", launched_cases, 1};
