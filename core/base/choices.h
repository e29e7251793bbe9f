// What is one of several values, and what is said of a value that is none of them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sm {

using Choices = std::span<const std::string_view>;

// "must be one of a, b".
std::string one_of(Choices choices);

}  // namespace sm
