#include "core/base/choices.h"

namespace sm {

std::string one_of(Choices choices) {
  std::string detail = "must be one of";
  for (std::string_view choice : choices) {
    detail += choice == choices.front() ? " " : ", ";
    detail += choice;
  }
  return detail;
}

}  // namespace sm
