// SHA-256 after FIPS 180-4, written for the simulation alone: it checks what the core's own says.
#pragma once

#include <string>
#include <string_view>

namespace simulation {

// Lower-case hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace simulation
