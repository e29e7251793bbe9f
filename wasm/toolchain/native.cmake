# The newest clang that is installed: sanitizers and fuzzers come with it, and it is the compiler of the WASI build too.
find_program(SM_CLANGXX NAMES clang++-24 clang++-23 clang++-22 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${SM_CLANGXX})
